"""Seconds of cells from those of past results: against a law that made them, and against fits by hand."""

import numpy as np
import pytest

from gene_eval.running.planning.costs import GUESS, WEIGHT, Costs, Sizes


def law(sizes):
    return 3e-7 * sizes.n**0.8 * sizes.dim**1.3 * sizes.labels**0.5 * (5 if sizes.kind == "mlp" else 1)


@pytest.fixture
def sizes():
    rng = np.random.default_rng(0)
    return [
        Sizes(*(int(x) for x in rng.integers((100, 10, 1), (20_000, 2000, 100))), int(rng.integers(1, 4)), kind)
        for kind in ("linear", "mlp")
        for _ in range(60)
    ]


def test_a_law_is_found(sizes):
    costs = Costs.of(sizes, [law(each) * each.repeats for each in sizes])
    for new in (Sizes(50_000, 3000, 5, 1, "linear"), Sizes(500, 30, 200, 2, "mlp")):
        assert costs.seconds(new) == pytest.approx(law(new) * new.repeats, rel=0.1)
    assert costs.factor < 1.1


def test_the_error_is_that_of_fits_without_each_result(sizes):
    rng = np.random.default_rng(1)
    seconds = [law(each) * float(np.exp(rng.normal(0, 0.5))) for each in sizes]
    off = []
    for i, left in enumerate(sizes):
        rest = [j for j in range(len(sizes)) if j != i]
        X = np.array([sizes[j].logarithms for j in rest])
        kinds = np.array([[sizes[j].kind == kind for kind in ("linear", "mlp")] for j in rest], dtype=float)
        # Ridge regression towards the guess, constants free, as one system of normal equations.
        A = np.hstack([X, kinds])
        y = np.log([seconds[j] for j in rest])
        penalty = np.diag([WEIGHT] * 4 + [0.0] * 2)
        solved = np.linalg.solve(A.T @ A + penalty, A.T @ y + penalty @ np.array([*GUESS, 0, 0]))
        row = np.array([*left.logarithms, left.kind == "linear", left.kind == "mlp"])
        off.append(abs(np.log(seconds[i]) - row @ solved))
    assert Costs.of(sizes, seconds).factor == pytest.approx(np.exp(np.quantile(off, 0.8)), rel=1e-9)


def test_few_results_hardly_move_the_guess():
    costs = Costs.of([Sizes(1000, 10)] * 3, [2.0, 2.0, 2.0])
    assert costs.seconds(Sizes(4000, 20)) == pytest.approx(2.0 * 4 * 2)
