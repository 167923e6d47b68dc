"""The optimum in few steps, against scikit-learn."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from gene_eval.core.parts.logistic import Rows, Standardised
from gene_eval.core.parts.optimum import Curvature, fit_optimum


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


def test_a_matrix_that_no_slack_makes_definite_is_an_error_and_no_endless_loop():
    with pytest.raises(np.linalg.LinAlgError):
        Curvature(np.zeros(2), np.array([[0.0, 1.0], [1.0, 0.0]])).factor(scale=1.0, penalty=1e-3)
