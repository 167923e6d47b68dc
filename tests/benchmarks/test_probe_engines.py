"""The benchmark of the engines: what its rates count, and that all tasks are run."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks import probe_engines
from benchmarks.probe_engines import TASKS, main, solve_work
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.splits import Splits


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 100)).astype(np.float32)
    signal = X @ rng.normal(size=(100, 12)) + 8 * rng.normal(size=(1500, 12))
    return X, signal, np.arange(1500) % 5


def test_the_work_of_a_solve_is_that_of_its_products(problem):
    """All gradients and curvatures walk over the rows of all training folds once or twice."""
    X, signal, folds = problem
    found = []

    def solve():
        params = Params(tol=1e-3)
        found.append(
            get_engine("fast")(
                X, signal > 4, target="multilabel", splits=Splits.from_folds(folds), params=params
            ).convergence
        )

    done = solve_work(solve)
    children = found[0]["n_fits"] * found[0]["passes"] * 2e-9 * 0.8 * len(X) * (X.shape[1] + 1)
    assert found[0]["n_float64"] == 0
    assert children < done < 2 * children


@pytest.mark.parametrize(("seconds", "turns"), [([0.4, 0.2, 0.3], 20), ([9.0, 8.0], 3), ([50.0], 3)])
def test_solves_and_products_take_turns_and_the_best_of_each_counts(monkeypatch, seconds, turns):
    solves, products = [], []

    def timed(call, repeats=1):
        if repeats == 1:
            solves.append(call)
            return seconds[len(solves) % len(seconds)], len(solves)
        products.append(call)
        return 0.54 if len(products) == 2 else 0.6, None

    monkeypatch.setattr(probe_engines, "timed", timed)
    best, last, rate = probe_engines.beside_products(list)
    assert (best, last, len(products)) == (min(seconds), turns, turns)
    assert rate == pytest.approx(100)


def test_all_tasks_are_run_one_after_the_other(monkeypatch):
    runs = []
    monkeypatch.setattr(sys, "argv", ["probe_engines.py", "--data-dir", "raw", "--task", "all"])
    monkeypatch.setattr(subprocess, "run", lambda command, check: runs.append(command[1:]))
    main()
    assert runs == [["probe_engines.py", "--data-dir", "raw", "--task", "all", "--task", task] for task in TASKS]
