"""Fits in few steps, against scikit-learn: the optimum, and where L-BFGS stops before it."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import matthews_corrcoef

from gene_eval.core.few_labels import geneb
from gene_eval.core.parts.logistic import Rows, Standardised
from gene_eval.core.parts.optimum import Curvature, fit_optimum, fit_stopped, is_long


def uneven(n=1500, d=120, classes=2, seed=0):
    """float32 vectors with components of uneven spread and large means, and classes read off them with errors."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, d))
    order = np.arange(1.0, d + 1)
    logits = Z @ (rng.normal(size=(d, classes)) / np.sqrt(order)[:, None])
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    X = (Z / order) @ np.linalg.qr(rng.normal(size=(d, d)))[0] * np.exp(0.7 * rng.normal(size=d))
    return (X * 4 + rng.normal(size=d) * 2).astype(np.float32), y


def stock(X, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(**{"max_iter": 1000, **options}).fit(X.astype(np.float64), y)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("C", [0.01, 1.0])
def test_the_optimum_is_scikit_learns(classes, C):
    X, y = uneven(classes=classes)
    fit = fit_optimum(Rows.of(X), y, Curvature.of(Rows.of(X)), C=C, tol=1e-5)
    centre = X.mean(axis=0, dtype=np.float64)
    solver = "newton-cholesky"
    model = stock(X - centre, y, solver=solver, tol=1e-9, C=C)
    expected = model.decision_function(X - centre).reshape(len(y), -1)
    found = X @ fit.weights.T + fit.intercepts
    if classes > 2:
        expected, found = (each - each.mean(axis=1, keepdims=True) for each in (expected, found))
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert fit.is_converged
    assert fit.n_iter < 60


def test_the_optimum_of_standardised_features():
    X, y = uneven()
    rows = Rows.of(X)
    by = Standardised.by(rows)
    fit = fit_optimum(rows, y, Curvature.of(Rows.of(by.apply(rows))), C=0.1, tol=1e-5, by=by)
    Z = (X - by.mean) / by.scale
    expected = stock(Z, y, solver="newton-cholesky", tol=1e-9, C=0.1).decision_function(Z)
    np.testing.assert_allclose(X @ fit.weights[0] + fit.intercepts[0], expected, atol=1e-3)


def test_where_rounding_decides_it_stops_as_near_as_scikit_learn_on_shuffled_rows():
    X, y = uneven(n=2500)
    X, y, held_out, truth = X[:1500], y[:1500], X[1500:], y[1500:]
    assert is_long(Rows.of(X), y)
    fit = fit_stopped(Rows.of(X), y)
    found = held_out @ fit.weights[0] + fit.intercepts[0]
    orders = [np.arange(1500), *(np.random.default_rng(seed).permutation(1500) for seed in range(3))]
    theirs = [stock(X[order], y[order]).decision_function(held_out) for order in orders]
    apart = max(np.sqrt(np.mean((a - b) ** 2)) for a in theirs for b in theirs)
    for each in theirs:
        assert np.sqrt(np.mean((found - each) ** 2)) < max(2 * apart, 0.03)
    scores = [matthews_corrcoef(truth, each > 0) for each in theirs]
    assert min(scores) - 0.01 < matthews_corrcoef(truth, found > 0) < max(scores) + 0.01


def test_only_fits_of_many_steps_take_others(monkeypatch):
    monkeypatch.setattr(geneb, "SMALL", 0)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(500, 10)).astype(np.float32), rng.integers(0, 2, 500)
    (even,) = geneb.fit_stock(Rows.of(X), y, shots=None)
    assert not even.is_modelled
    assert even.n_iter == stock(X, y).n_iter_[0]
    X, y = uneven()
    (fit,) = geneb.fit_stock(Rows.of(X), y, shots=None)
    assert fit.is_modelled
    assert geneb.convergence([fit])["is_modelled"]
