"""What is called converged is: against exact solvers, where classes separate and at all sizes of vectors."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from gene_eval.core import ProbeError, Splits, probe
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.probe import held_out_values, score_splits


def fast(X, y, folds, *, target="multilabel", **options):
    return get_engine("fast")(X, y, target=target, splits=Splits.from_folds(folds), params=Params(**options))


def exact(X, y, folds, fold):
    """Decision values of one fold's rows and one label, by an exact solver."""
    solver = "newton-cholesky" if len(X) > 2 * X.shape[1] else "newton-cg"
    with warnings.catch_warnings():
        # Its line search ends in rounding.
        warnings.simplefilter("ignore")
        fit = LogisticRegression(solver=solver, tol=1e-12, max_iter=3000).fit(X[folds != fold], y[folds != fold])
    return fit.decision_function(X[folds == fold])


@pytest.mark.parametrize(("n", "d", "scale"), [(2000, 600, 30), (2000, 600, 100), (4000, 384, 100)])
def test_nearly_separable_labels_of_long_vectors(n, d, scale):
    """Curvatures vanish here: weighted by them alone, logits that were wrong by a tenth were certified."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)).astype(np.float32)
    signal = X @ rng.normal(size=(d, 2)) / np.sqrt(d) + 0.1 * rng.normal(size=(n, 2))
    y, folds = signal > [np.quantile(s, q) for s, q in zip(signal.T, (0.5, 0.95), strict=True)], np.arange(n) % 3
    out = fast(scale * X, y, folds)
    assert out.convergence["converged"]
    for label in (0, 1):
        expected = exact(scale * X.astype(float), y[:, label], folds, 0)
        values = out.values[folds == 0, label]
        assert np.sqrt(np.mean((values - expected) ** 2)) < 1e-3 * expected.std()
        truth = y[folds == 0, label]
        assert roc_auc_score(truth, values) == pytest.approx(roc_auc_score(truth, expected), abs=1e-3)


@pytest.mark.parametrize("prevalence", [0.5, 0.05])
@pytest.mark.parametrize("noise", [0.0, 0.1, 1.5])
@pytest.mark.parametrize("scale", [1e-3, 1e-1, 1.0, 30.0, 1e3, 1e4])
@pytest.mark.parametrize(("n", "d"), [(100, 20), (300, 400)])
def test_certified_fits_score_as_exact_ones(n, d, scale, noise, prevalence):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, d))
    signal = X @ rng.normal(size=d) / np.sqrt(d) + noise * rng.normal(size=n)
    X, y, folds = (scale * X).astype(np.float32), signal > np.quantile(signal, 1 - prevalence), np.arange(n) % 3
    out = fast(X, y, folds, target="binary")
    if not out.convergence["converged"]:
        assert scale == 1e4
        return
    expected, splits = np.empty(n), Splits.from_folds(folds)
    for fold in range(3):
        expected[folds == fold] = exact(X.astype(float), y, folds, fold)
    ours, theirs = (
        score_splits(y, held_out_values(y, values, splits, target="binary"), splits, target="binary", names=[])[0]
        for values in (out.values, expected)
    )
    for metric, score in theirs.items():
        assert ours[metric].mean == pytest.approx(score.mean, abs=1e-3), metric


@pytest.mark.parametrize(("n", "d", "scale"), [(150, 12, 1e4), (400, 30, 30.0), (1500, 300, 1.0)])
def test_certified_classes_score_as_exact_ones(n, d, scale):
    """Where curvatures vanish intercepts are held by nothing; and one of 1,500 rows in another class is too many."""
    rng = np.random.default_rng(n * 7 + d)
    X = rng.normal(size=(n, d))
    signal = (X @ rng.normal(size=(d, 3)) / np.sqrt(d) + 0.3 * rng.normal(size=(n, 3)))[:, 0]
    X, y, folds = (scale * X).astype(np.float32), np.digitize(signal, np.quantile(signal, [0.4, 0.8])), np.arange(n) % 3
    out, splits = fast(X, y, folds, target="multiclass"), Splits.from_folds(folds)
    if not out.convergence["converged"]:
        assert scale == 1e4
        return
    expected = np.empty_like(out.values)
    for fold in range(3):
        fit = LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=1000)
        with warnings.catch_warnings():
            # Its line search ends in rounding.
            warnings.simplefilter("ignore")
            fit.fit(X[folds != fold].astype(float), y[folds != fold])
        expected[folds == fold] = fit.predict_proba(X[folds == fold].astype(float))
    ours, theirs = (
        score_splits(y, values, splits, target="multiclass", names=[])[0] for values in (out.values, expected)
    )
    for metric, score in theirs.items():
        assert ours[metric].mean == pytest.approx(score.mean, abs=1e-3), metric


@pytest.mark.parametrize("target", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("size", [1e-30, 1e-10, 1e10, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors_of_any_size_are_those_of_size_one_with_another_penalty(make_problem, target, size, dtype):
    p = make_problem(target)
    result = probe((size * p.X).astype(dtype), p.y, target=target, folds=p.folds)
    # With C = 1e8, a larger one changes no score any more, and scikit-learn still converges.
    X, C = (size * p.X, 1.0) if size < 1 else (p.X, 1e8)
    expected = probe(X, p.y, target=target, folds=p.folds, engine="sklearn", C=C)
    assert result.convergence["converged"]
    for metric, score in expected.scores.items():
        assert result.scores[metric].mean == pytest.approx(score.mean, abs=1e-3), metric


@pytest.mark.parametrize("size", [1e-30, 1e30])
@pytest.mark.parametrize("shape", [(150, 6), (40, 60)])
def test_standardised_vectors_of_any_size(make_problem, size, shape):
    p = make_problem("regression", n=shape[0], d=shape[1])
    folds = np.arange(shape[0]) % 5
    one, other = (
        probe((each * p.X).astype(np.float32), p.y, target="regression", folds=folds, protocol="scaled")
        for each in (1.0, size)
    )
    for metric, score in one.scores.items():
        assert other.scores[metric].mean == pytest.approx(score.mean, rel=1e-3), metric


def test_sparse_vectors_of_which_most_are_zero(make_problem):
    """Whose Gram matrix has hundreds of eigenvalues of 0, on which float32 can fail."""
    rng = np.random.default_rng(0)
    X, y, folds = np.zeros((2760, 1024), dtype=np.float32), rng.random(2760) < 0.3, np.arange(2760) % 5
    X[np.arange(152), rng.integers(0, 300, 152)] = 1
    result = probe(X, y, target="binary", folds=folds)
    assert result.convergence["converged"]
    expected = exact(X.astype(float), y, folds, 0)
    np.testing.assert_allclose(result.values[folds == 0], expected, atol=1e-3)


@pytest.mark.parametrize("fails", [1, 2])
@pytest.mark.parametrize("shape", [(1200, 600), (700, 900)])
def test_an_eigenbasis_that_fails_in_float32_is_made_in_float64_and_then_by_svd(monkeypatch, fails, shape):
    rng = np.random.default_rng(0)
    X, folds = rng.normal(size=shape).astype(np.float32), np.arange(shape[0]) % 2
    y, eigh, calls = rng.random((len(X), 1)) < 0.4, torch.linalg.eigh, []
    expected = fast(X, y, folds).values

    def failing(matrix):
        calls.append(matrix.dtype)
        if len(calls) <= fails:
            msg = "failed to converge"
            raise torch.linalg.LinAlgError(msg)
        return eigh(matrix)

    monkeypatch.setattr(torch.linalg, "eigh", failing)
    np.testing.assert_allclose(fast(X, y, folds).values, expected, atol=1e-3)
    assert calls == [torch.float32, torch.float64]


@pytest.mark.parametrize(
    ("target", "solvers", "error"),
    [
        ("binary", ["torch.linalg.eigh", "torch.linalg.svd"], torch.linalg.LinAlgError),
        ("regression", ["scipy.linalg.lstsq"], np.linalg.LinAlgError),
    ],
)
def test_linear_algebra_that_fails_is_one_line(make_problem, monkeypatch, target, solvers, error):
    p = make_problem(target)

    def failing(*arguments, **options):
        msg = "did not converge\n(details)"
        raise error(msg)

    for solver in solvers:
        monkeypatch.setattr(solver, failing)
    with pytest.raises(ProbeError, match=r"^linear algebra failed on these vectors: did not converge$"):
        probe(p.X, p.y, target=target, folds=p.folds)


def test_products_in_low_precision_are_off_by_one_argument(monkeypatch):
    monkeypatch.setattr("gene_eval.core.solver.problem.supports_bfloat16", lambda device, dtype, width: True)
    rng = np.random.default_rng(0)
    X, y, folds = rng.normal(size=(2000, 80)).astype(np.float32), rng.random((2000, 2)) < 0.3, np.arange(2000) % 5
    assert fast(X, y, folds).params["rough_products"] == "bfloat16"
    assert fast(X, y, folds, low_precision=False).params["rough_products"] == "none"
