"""What callers of the fast engine see of its parts: certificate, memory, threads, precision, shared tables."""

import gc

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from gene_eval.core import PairedRows, ProbeError, VectorTable, probe
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.solver import problem
from gene_eval.core.splits import Splits


def held_out(X, y, folds, **options):
    return get_engine("fast")(X, y, target="multilabel", splits=Splits.from_folds(folds), params=Params(**options))


@pytest.fixture
def many():
    """A task that is not small, with labels that differ in difficulty."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 100)).astype(np.float32)
    signal = X @ rng.normal(size=(100, 12)) + 4 * rng.normal(size=(1500, 12))
    return X, signal > np.linspace(0, 20, 12), np.arange(1500) % 5


def test_products_are_in_full_precision_whatever_the_caller_allows(many):
    X, y, folds = many
    expected, before = held_out(X, y[:, :1], folds), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        assert held_out(X, y[:, :1], folds).values.tobytes() == expected.values.tobytes()
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_what_did_not_converge_is_said(make_problem):
    p = make_problem("multiclass")
    with pytest.warns(UserWarning, match="engine 'fast' stopped before convergence"):
        result = probe(p.X, p.y, target="multiclass", folds=p.folds, max_iter=1, tol=1e-9)
    assert not result.convergence["converged"]
    assert result.convergence["n_unconverged"] == 5
    assert result.convergence["logit_error"] > 1e-9


def test_the_certificate_bounds_the_error_of_the_logits(many):
    exact = held_out(*many, tol=1e-8)
    for tol in (1e-2, 1e-4):
        low_precision = held_out(*many, tol=tol)
        assert low_precision.convergence["logit_error"] < tol
        assert np.sqrt(((low_precision.values - exact.values) ** 2).mean(axis=0)).max() < 4 * tol * exact.values.std()


def test_memory_changes_blocks_and_no_result(many):
    X, y, folds = many
    small, large = (held_out(X, y, folds, memory=memory, tol=1e-6).values for memory in (1.0, None))
    np.testing.assert_allclose(small, large, atol=1e-3)


def test_blocks_of_fits_are_halved_where_memory_runs_out(many, monkeypatch):
    X, y, folds = many
    sizes, solve = [], problem.solve

    def short(fits, *arguments, **options):
        sizes.append(len(fits.column))
        if len(fits.column) > 20:
            raise torch.OutOfMemoryError
        return solve(fits, *arguments, **options)

    expected = held_out(X, y, folds, tol=1e-6).values
    monkeypatch.setattr(problem, "solve", short)
    np.testing.assert_allclose(held_out(X, y, folds, tol=1e-6).values, expected, atol=1e-3)
    assert sizes == [60, 30, 15, 15, 30, 15, 15]


@pytest.mark.parametrize("target", ["multilabel", "multiclass"])
def test_a_solve_leaves_no_tensors_behind(many, target):
    """Without waiting for the garbage collector, which does not know how large they are."""
    X, y, folds = many
    labels = y if target == "multilabel" else y.sum(axis=1)

    def tensors():
        return sum(type(each) is torch.Tensor for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = tensors()
        get_engine("fast")(X, labels, target=target, splits=Splits.from_folds(folds), params=Params())
        assert tensors() == before
    finally:
        gc.enable()


def test_a_solve_repeats_to_the_bit(many):
    first, second = held_out(*many), held_out(*many)
    assert first.values.tobytes() == second.values.tobytes()
    assert first.convergence == second.convergence


@pytest.mark.parametrize("n_threads", [1, 3])
def test_threads_are_given_back_and_change_no_score(many, n_threads):
    before, (X, y, folds) = torch.get_num_threads(), many
    expected = held_out(X, y, folds, tol=1e-6).values
    torch.set_num_threads(n_threads)
    try:
        values = held_out(X, y, folds, tol=1e-6).values
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(values, expected, atol=1e-3)


@pytest.mark.parametrize(("scale", "C", "dtype"), [(1, 1, "float32"), (1e4, 1, "float64"), (1, 1e10, "float64")])
def test_float64_is_taken_where_rounding_could_outweigh_the_penalty(many, scale, C, dtype):
    X, y, folds = many
    assert held_out(scale * X, y[:, :1], folds, C=C, max_iter=1, tol=1.0).params["dtype"] == dtype


@pytest.mark.parametrize(
    ("chosen", "group"), [(slice(1400), 0), (slice(400), 1), (slice(100, 600), 1), (slice(100), None)]
)
def test_tasks_that_share_a_table_score_as_if_alone(many, chosen, group):
    X, y, folds = many
    order = np.random.default_rng(0).permutation(len(X))
    table, index = VectorTable(X, groups=[order[:500], order[:20]]), order[chosen]
    shared = held_out(table.rows(index), y[index], folds[index], tol=1e-6)
    alone = held_out(X[index], y[index], folds[index], tol=1e-6)
    np.testing.assert_allclose(shared.values, alone.values, rtol=1e-3, atol=1e-3)
    assert [key for key in table.cache if key.startswith("rotation")] == [f"rotation {group} cpu"] * (group is not None)
    with pytest.raises(ProbeError, match=r"row numbers must be 0\.\.1499, got 0\.\.1500"):
        table.rows(np.array([0, 1500]))


@pytest.mark.parametrize("n", [20, 600])
def test_few_rows_of_unequal_dimensions_two_of_them_equal(n):
    """They span fewer dimensions than they have, and the small ones count for little in the Gram matrix."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(n, 700)) * np.geomspace(1e-2, 1, 700)).astype(np.float32)
    X[1] = X[0]
    y, folds = rng.random(n) < 0.4, np.arange(n) % 2
    fit = LogisticRegression(solver="newton-cg", tol=1e-10, max_iter=1000).fit(
        X[folds == 0].astype(float), y[folds == 0]
    )
    expected = fit.decision_function(X[folds == 1].astype(float))
    np.testing.assert_allclose(held_out(X, y[:, None], folds).values[folds == 1, 0], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "sum"}, "unknown pair mode 'sum'"),
        ({"right": np.zeros((3, 5))}, "only vectors of one length can be averaged, got 4 and 5"),
        ({"left_index": np.array([0, 9])}, r"row numbers of pairs must be 0\.\.2, got 0\.\.9"),
        ({"left_index": np.array([0])}, "pairs need two row numbers each"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(change, message):
    good = {"left": np.zeros((3, 4)), "left_index": np.array([0, 2]), "right": np.zeros((3, 4))}
    with pytest.raises(ProbeError, match=message):
        PairedRows(**{**good, "right_index": np.array([1, 1]), "mode": "average", **change})


def test_the_scaled_protocol_needs_three_folds(make_problem):
    p = make_problem("binary")
    with pytest.raises(ProbeError, match="needs at least 3 folds, got 2"):
        probe(p.X, p.y, target="binary", folds=p.folds % 2, protocol="scaled")


def test_more_steps_than_there_are_pairs_to_remember():
    """Labels that follow the smallest directions of strongly correlated vectors."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 120)) * np.geomspace(1e-2, 100, 120) @ np.linalg.qr(rng.normal(size=(120, 120)))[0]
    y, folds = X @ rng.normal(size=(120, 2)) + rng.normal(size=(1500, 2)) > 1, np.arange(1500) % 3
    out = held_out(X, y, folds)
    assert out.convergence["converged"]
    assert out.convergence["passes"] > 2 * 40
    for label in (0, 1):
        fit = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X[folds > 0], y[folds > 0, label])
        expected = fit.decision_function(X[folds == 0])
        error = np.sqrt(np.mean((out.values[folds == 0, label] - expected) ** 2))
        assert error < 1e-3 * expected.std()
