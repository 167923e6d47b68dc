"""Gain over covariates, against fits by Newton's method and scikit-learn, fold by fold."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from gene_eval.core.controls.gain import gain
from gene_eval.core.controls.offset import Basis, offset_fit
from gene_eval.core.errors import ProbeError
from gene_eval.core.splits import Splits

RNG = np.random.default_rng(0)
N, D = 300, 8
FOLDS = np.arange(N) % 5
Z = RNG.normal(size=(N, 2))
X = RNG.normal(size=(N, D)) * np.linspace(0.3, 3, D)
LOGITS = 1.5 * Z[:, 0] + X[:, 1]
BINARY = (LOGITS + RNG.logistic(size=N) > 0).astype(int)


def newton(X, y, offset, C=1.0):
    """Weights and intercept of the penalised logistic regression with an offset."""
    A = np.column_stack([X, np.ones(len(X))])
    penalty, w = np.diag([1.0] * X.shape[1] + [0.0]), np.zeros(X.shape[1] + 1)
    for _ in range(50):
        p = expit(offset + A @ w)
        w -= np.linalg.solve(penalty + C * A.T @ (A * (p * (1 - p))[:, None]), penalty @ w + C * A.T @ (p - y))
    return w[:-1], w[-1]


def by_hand(X, Z, y, folds):
    """AUC by fold of covariates alone, and with the vectors."""
    alone, both = [], []
    for fold in range(5):
        train, test = folds != fold, folds == fold
        fit = LogisticRegression(tol=1e-10, max_iter=10_000).fit(Z[train], y[train])
        offset = np.zeros(len(y))
        offset[test] = fit.decision_function(Z[test])
        for inner in set(range(5)) - {fold}:
            rest, out = train & (folds != inner), folds == inner
            offset[out] = LogisticRegression(tol=1e-10, max_iter=10_000).fit(Z[rest], y[rest]).decision_function(Z[out])
        w, b = newton(X[train], y[train], offset[train])
        alone.append(roc_auc_score(y[test], offset[test]))
        both.append(roc_auc_score(y[test], offset[test] + X[test] @ w + b))
    return alone, both


def test_binary_against_newton():
    found = gain(X, Z, BINARY, target="binary", splits=Splits.from_folds(FOLDS))
    alone, both = by_hand(X, Z, BINARY, FOLDS)
    assert found.covariates.folds == pytest.approx(alone, abs=1e-6)
    assert found.both.folds == pytest.approx(both, abs=1e-3)
    assert found.gain.folds == pytest.approx(np.subtract(both, alone), abs=1e-3)
    assert found.gain.mean > 0.03
    assert (found.metric, found.n) == ("roc_auc", N)


def test_each_label_by_itself():
    Y = np.column_stack([BINARY, X[:, 2] + RNG.logistic(size=N) > 1]).astype(int)
    found = gain(X, Z, Y, target="multilabel", splits=Splits.from_folds(FOLDS), label_names=["a", "b"])
    for name, y in zip("ab", Y.T, strict=True):
        alone, both = by_hand(X, Z, y, FOLDS)
        assert found.labels[name]["both"].folds == pytest.approx(both, abs=1e-3)
        assert found.labels[name]["gain"].mean == pytest.approx(np.subtract(both, alone).mean(), abs=1e-3)
    assert found.gain.mean == pytest.approx(np.mean([each["gain"].mean for each in found.labels.values()]), abs=1e-9)


def test_classes_have_log_probabilities_as_offsets():
    y = np.argmax(np.column_stack([LOGITS, 2 * Z[:, 1], X[:, 3]]) + RNG.gumbel(size=(N, 3)), axis=1)
    found = gain(X, Z, y, target="multiclass", splits=Splits.from_folds(FOLDS))
    test = FOLDS == 0
    fit = LogisticRegression(tol=1e-10, max_iter=10_000).fit(Z[~test], y[~test])
    macro = [roc_auc_score(y[test] == k, p) for k, p in enumerate(fit.predict_proba(Z[test]).T)]
    assert found.metric == "roc_auc_ovr_macro"
    assert found.covariates.folds[0] == pytest.approx(np.mean(macro), abs=1e-6)
    assert found.gain.mean > 0.04


def test_without_an_offset_it_is_scikit_learns_fit():
    basis, train = Basis.of(X), FOLDS != 0
    w, b = offset_fit(basis, train, BINARY[train, None].astype(float), np.zeros((train.sum(), 1)), C=0.3)
    direct = LogisticRegression(C=0.3, tol=1e-10, max_iter=10_000).fit(X[train], BINARY[train])
    assert basis.rows @ w[:, 0] + b[0] == pytest.approx(direct.decision_function(X), abs=1e-3)


def test_a_softmax_with_offset_is_at_its_optimum():
    y = RNG.integers(3, size=N)
    basis, train, offset = Basis.of(X), np.ones(N, dtype=bool), log_softmax(RNG.normal(size=(N, 3)), axis=1)
    w, b = offset_fit(basis, train, np.eye(3)[y], offset, C=1.0, is_softmax=True)
    residual = softmax(offset + basis.rows @ w + b, axis=1) - np.eye(3)[y]
    assert np.abs(w + basis.rows.T @ residual).max() < 1e-2
    assert np.abs(residual.sum(axis=0)).max() < 1e-2


def test_vectors_that_know_nothing_gain_nothing():
    noise = RNG.normal(size=(N, 3))
    assert abs(gain(noise, Z, BINARY, target="binary", splits=Splits.from_folds(FOLDS)).gain.mean) < 0.04
    # More numbers than rows too.
    wide = gain(RNG.normal(size=(N, 400)), Z, BINARY, target="binary", splits=Splits.from_folds(FOLDS))
    assert wide.gain.mean < 0


def test_one_split_and_a_label_that_is_constant_inside():
    single = Splits.from_rows([(np.flatnonzero(FOLDS < 4), np.flatnonzero(FOLDS == 4))], n=N)
    assert gain(X, Z, BINARY, target="binary", splits=single).gain.folds[0] > 0
    rare = np.zeros((N, 1), dtype=int)
    rare[[0, 1]] = 1
    found = gain(X, Z, rare, target="multilabel", splits=Splits.from_folds(FOLDS), label_names=["rare"])
    assert np.isnan(found.gain.folds[2:]).all()


def test_numbers_are_refused():
    with pytest.raises(ProbeError, match="regression"):
        gain(X, Z, LOGITS, target="regression", splits=Splits.from_folds(FOLDS))
    with pytest.raises(ProbeError, match="300 rows of vectors and 299 of covariates"):
        gain(X, Z[1:], BINARY, target="binary", splits=Splits.from_folds(FOLDS))
