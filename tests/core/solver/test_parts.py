"""The parts of the fast engine: certificate, memory, threads, rotation, pairs, L-BFGS."""

import gc
import weakref

import numpy as np
import pytest
import torch

from gene_eval.core import PairedRows, ProbeError, VectorTable, probe
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.solver import problem
from gene_eval.core.solver.eigenbasis import fit_rotation
from gene_eval.core.solver.objectives import Classes, Fits, Penalty
from gene_eval.core.solver.pair_rows import rotate_pairs
from gene_eval.core.solver.problem import working_dtype
from gene_eval.core.solver.resources import one_core_per_thread, run
from gene_eval.core.solver.rows import DenseRows
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


def test_products_are_in_full_precision_whatever_the_caller_allows(many, monkeypatch):
    X, y, folds = many
    products = []
    project = DenseRows.project

    def spy(rows, weights):
        products.append(torch.get_float32_matmul_precision())
        return project(rows, weights)

    monkeypatch.setattr(DenseRows, "project", spy)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        held_out(X, y[:, :1], folds)
        assert set(products) == {"highest"}
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
def test_a_solve_leaves_no_rows_behind(many, monkeypatch, target):
    """Without waiting for the garbage collector, which does not know how large they are."""
    X, y, folds = many
    made = []
    init = DenseRows.__init__

    def spy(rows, *arguments):
        init(rows, *arguments)
        made.append(weakref.ref(rows))

    monkeypatch.setattr(DenseRows, "__init__", spy)
    labels = y if target == "multilabel" else y.sum(axis=1)
    gc.collect()
    gc.disable()
    try:
        get_engine("fast")(X, labels, target=target, splits=Splits.from_folds(folds), params=Params())
        assert made
        assert not [rows for rows in made if rows() is not None]
    finally:
        gc.enable()


def test_a_solve_repeats_to_the_bit(many):
    first, second = held_out(*many), held_out(*many)
    assert first.values.tobytes() == second.values.tobytes()
    assert first.convergence == second.convergence


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with one_core_per_thread():
        assert torch.get_num_threads() == 1
        assert sum(run(sum, range(1000))) == 499_500
    assert torch.get_num_threads() == before


def test_float64_is_taken_where_rounding_could_outweigh_the_penalty():
    assert working_dtype(1e7, C=1.0) == torch.float32
    assert working_dtype(1e12, C=1.0) == torch.float64
    assert working_dtype(1e7, C=1e6) == torch.float64


def test_a_rotation_of_a_table_serves_every_subset():
    """What tasks of one model share: distances do not change, so neither do the penalty nor the optimum."""
    table = torch.as_tensor(np.random.default_rng(0).normal(size=(60, 9)) * np.arange(1, 10) + 5)
    for rows in (table, table[:20], table[:5]):
        Z = fit_rotation(table).rotate(rows, dtype=torch.float64)[:, :-1]
        torch.testing.assert_close(torch.pdist(Z), torch.pdist(rows))


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
def test_a_basis_of_few_rows_is_orthonormal_also_where_it_is_made_in_float32(n):
    rng = np.random.default_rng(0)
    rows = torch.as_tensor(rng.normal(size=(n, 700)) * np.geomspace(1e-2, 1, 700), dtype=torch.float32)
    rows[1] = rows[0]
    rotation = fit_rotation(rows)
    assert (rotation.vectors.T @ rotation.vectors - torch.eye(rotation.vectors.shape[1])).abs().max() < 1e-5
    Z = rotation.rotate(rows, dtype=torch.float32)[:, :-1]
    torch.testing.assert_close(torch.pdist(Z), torch.pdist(rows), rtol=1e-4, atol=1e-4)


def test_a_rotation_of_few_rows_spans_them():
    rows = torch.as_tensor(np.random.default_rng(0).normal(size=(6, 300)))
    rotation = fit_rotation(rows)
    assert rotation.vectors.shape == (300, 5)
    Z = rotation.rotate(rows, dtype=torch.float64)[:, :-1]
    torch.testing.assert_close(torch.pdist(Z), torch.pdist(rows))


@pytest.mark.parametrize("mode", ["average", "concat"])
def test_the_eigenvalues_of_pairs_come_without_the_pairs(mode):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(7, 4)) + 3, rng.normal(size=(5, 4))
    pairs = PairedRows(left, rng.integers(0, 7, 50), right, rng.integers(0, 5, 50), mode)
    X = pairs.materialise()
    rotated = rotate_pairs(pairs, device="cpu")
    expected = np.linalg.eigvalsh((X - X.mean(axis=0)).T @ (X - X.mean(axis=0)))
    np.testing.assert_allclose(rotated.values, expected, atol=1e-8)
    Z = (rotated.left[pairs.left_index] + rotated.right[pairs.right_index]).numpy()
    np.testing.assert_allclose(Z[:, -1], 1)
    np.testing.assert_allclose(Z[:, :-1].T @ Z[:, :-1], np.diag(expected), atol=1e-8)


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


def softmax(rows, classes, n_classes):
    """One fit on all rows in float64, with its target."""
    Z = torch.cat([torch.as_tensor(rows), torch.ones(len(rows), 1)], 1).double()
    one_hot = torch.nn.functional.one_hot(torch.as_tensor(classes), n_classes).double()
    target = Classes(DenseRows(Z, [0, len(Z)]), one_hot)
    penalty = Penalty.plain(1.0, target.rows.mean_square)
    return target, Fits(target, torch.zeros(1, dtype=torch.int64), torch.ones(1, 1, dtype=torch.bool), penalty)


def hessian(fits, weights, step=1e-5):
    """At (1, v) weights, by differences of gradients."""
    eye, zero = torch.eye(weights.shape[1], dtype=weights.dtype), torch.zeros(1, dtype=torch.int64)
    up, down = (torch.cat([fits.gradient(weights + s * e, zero) for e in eye]) for s in (step, -step))
    return (up - down) / (2 * step)


def test_contrasts_make_the_hessian_diagonal_where_it_starts():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6)) * np.arange(1, 7)
    X -= X.mean(axis=0)
    X = X @ np.linalg.eigh(X.T @ X)[1]
    target, fits = softmax(X, rng.choice(4, p=[0.9, 0.06, 0.03, 0.01], size=400), 4)
    contrasts = target.contrasts
    torch.testing.assert_close(contrasts.T @ contrasts, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(contrasts.sum(0), torch.zeros(3, dtype=torch.float64))
    start, curvature = target.start(torch.zeros(1, dtype=torch.int64), torch.ones(1, dtype=torch.bool))
    expected = curvature + torch.cat([torch.ones(6), torch.zeros(1)]).repeat(3)
    torch.testing.assert_close(hessian(fits, start), torch.diag(expected[0]), rtol=1e-5, atol=1e-4)


def test_the_curvature_is_that_of_the_hessian():
    rng = np.random.default_rng(0)
    _, fits = softmax(rng.normal(size=(100, 5)), rng.integers(0, 4, 100), 4)
    weights, zero = torch.as_tensor(rng.normal(size=(1, 18))), torch.zeros(1, dtype=torch.int64)
    exact = hessian(fits, weights)
    found = fits.curvature(weights, zero) + fits.penalty_diagonal(weights, zero)
    torch.testing.assert_close(found[0], exact.diagonal(), rtol=1e-6, atol=1e-6)
