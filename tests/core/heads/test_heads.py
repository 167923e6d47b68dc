"""Heads against scikit-learn, split by split."""

import warnings

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn import metrics as sk
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from gene_eval.core import ProbeError, Splits, UnknownNameError, probe
from gene_eval.core.heads import mlp
from gene_eval.core.heads.choices import HEADS, head_name
from gene_eval.core.heads.scaled import GRID

TARGETS = ("binary", "multiclass", "multilabel", "regression")


def run(p, head, **options):
    return probe(p.X, p.y, target=p.target, folds=p.folds, head=head, **options)


def splits_of(p):
    return [(np.flatnonzero(p.folds != fold), np.flatnonzero(p.folds == fold)) for fold in range(5)]


@pytest.mark.parametrize("d", [6, 200])
def test_ridge_chooses_alpha_on_the_other_folds(make_problem, d):
    for target, model in (("binary", RidgeClassifier), ("regression", Ridge)):
        p = make_problem(target, n=100, d=d)
        values = run(p, "ridge").values
        for train, test in splits_of(p)[:2]:
            sign = p.y if target == "regression" else 2 * p.y - 1
            losses = []
            for C in GRID:
                fit = make_pipeline(StandardScaler(), Ridge(alpha=1 / C))
                inner = [
                    (train[p.folds[train] != fold], train[p.folds[train] == fold]) for fold in np.unique(p.folds[train])
                ]
                losses.append(sum(((fit.fit(p.X[a], sign[a]).predict(p.X[b]) - sign[b]) ** 2).sum() for a, b in inner))
            best = make_pipeline(StandardScaler(), model(alpha=1 / GRID[np.argmin(losses)])).fit(p.X[train], p.y[train])
            predict = best.predict if target == "regression" else best.decision_function
            np.testing.assert_allclose(values[test], predict(p.X[test]), rtol=0, atol=1e-9)


def test_ridge_of_classes_sums_to_one_and_orders_as_ridge_classifier(make_problem):
    p = make_problem("multiclass")
    values = run(p, "ridge").values
    np.testing.assert_allclose(values.sum(axis=1), 1)
    (C,) = {float(C) for C in run(p, "ridge").params["C_chosen"]}
    for train, test in splits_of(p):
        fitted = make_pipeline(StandardScaler(), RidgeClassifier(alpha=1 / C)).fit(p.X[train], p.y[train])
        np.testing.assert_allclose(2 * values[test] - 1, fitted.decision_function(p.X[test]), atol=1e-9)


def test_ridge_gives_each_label_its_own_alpha(make_problem):
    p = make_problem("multilabel")
    alone = [probe(p.X, column, target="binary", folds=p.folds, head="ridge").values for column in p.y.T]
    np.testing.assert_allclose(run(p, "ridge").values, np.column_stack(alone), atol=1e-9)


def test_mlp_of_the_paper_is_scikit_learns(make_problem, monkeypatch):
    assert mlp.PAPER == {"hidden_layer_sizes": (100, 100, 100), "max_iter": 500}
    monkeypatch.setitem(mlp.PAPER, "max_iter", 60)
    for target in TARGETS:
        p = make_problem(target, n=40, d=3)
        values = run(p, "mlp", seed=5).values
        train, test = splits_of(p)[1]
        kind = MLPRegressor if target == "regression" else MLPClassifier
        fitted = kind(hidden_layer_sizes=(100, 100, 100), max_iter=60, random_state=5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted.fit(p.X[train], p.y[train])
        if target == "regression":
            np.testing.assert_allclose(values[test], fitted.predict(p.X[test]))
            continue
        found = values[test] if target == "multiclass" else expit(values[test])
        probabilities = fitted.predict_proba(p.X[test])
        np.testing.assert_allclose(found, probabilities[:, 1] if target == "binary" else probabilities)


def test_mlp_scaled_keeps_the_network_of_least_loss_on_an_inner_fold(make_problem, monkeypatch):
    monkeypatch.setattr(mlp, "MAX_EPOCHS", 25)
    monkeypatch.setattr(mlp, "PATIENCE", 3)
    p = make_problem("binary", n=60, d=3)
    found = run(p, "mlp", protocol="scaled")
    fold = 0
    train, test = splits_of(p)[fold]
    scaler = StandardScaler().fit(p.X[train])
    odds = []
    for seed, other in enumerate((1, 2, 3)):
        fitted, held = train[p.folds[train] != other], train[p.folds[train] == other]
        network, losses, predicted = MLPClassifier((128,), random_state=seed), [], []
        for _ in range(25):
            network.partial_fit(scaler.transform(p.X[fitted]), p.y[fitted], classes=[0, 1])
            losses.append(log_loss(p.y[held], network.predict_proba(scaler.transform(p.X[held]))[:, 1], labels=[0, 1]))
            predicted.append(logit(network.predict_proba(scaler.transform(p.X[test]))[:, 1]))
            if len(losses) - 1 - np.argmin(losses) == 3:
                break
        odds.append(predicted[np.argmin(losses)])
    np.testing.assert_allclose(found.values[test], np.mean(odds, axis=0), rtol=1e-6)
    assert found.params["hidden_layer_sizes"] == (128,)
    assert np.array_equal(found.values, run(p, "mlp", protocol="scaled").values)


def test_mlp_scaled_takes_every_target(make_problem, monkeypatch):
    monkeypatch.setattr(mlp, "MAX_EPOCHS", 15)
    for target, metric, least in (
        ("multiclass", "roc_auc_ovr_macro", 0.7),
        ("multilabel", "roc_auc_macro", 0.7),
        ("regression", "pearson", 0.3),
    ):
        assert run(make_problem(target, n=90), "mlp", protocol="scaled").scores[metric].mean > least


@pytest.mark.parametrize("target", TARGETS)
def test_neighbours_are_those_of_scikit_learn(make_problem, target):
    p = make_problem(target)
    values = run(p, "knn").values
    for train, test in splits_of(p):
        if target == "multiclass":
            fitted = KNeighborsClassifier(20, metric="cosine").fit(p.X[train], p.y[train])
            expected = fitted.predict_proba(p.X[test])
        else:
            means = KNeighborsRegressor(20, metric="cosine").fit(p.X[train], p.y[train]).predict(p.X[test])
            expected = means if target == "regression" else np.log((20 * means + 0.5) / (20 - 20 * means + 0.5))
        np.testing.assert_allclose(values[test], expected, atol=1e-9)


def test_centroid_predicts_as_nearest_centroid(make_problem):
    for target in ("binary", "multiclass"):
        p = make_problem(target)
        values = run(p, "centroid", protocol="scaled").values
        for train, test in splits_of(p):
            fitted = make_pipeline(StandardScaler(), NearestCentroid()).fit(p.X[train], p.y[train])
            predicted = values[test].argmax(axis=1) if target == "multiclass" else values[test] > 0
            assert np.array_equal(predicted, fitted.predict(p.X[test]))
    p = make_problem("binary")
    train, test = splits_of(p)[0]
    means = [p.X[train][p.y[train] == each].mean(axis=0) for each in (0, 1)]
    q = [((p.X[test] - mean) ** 2).sum(axis=1) / 2 / p.X.shape[1] for mean in means]
    np.testing.assert_allclose(run(p, "centroid").values[test], q[0] - q[1])


@pytest.mark.parametrize("target", ["binary", "multiclass", "multilabel"])
def test_an_estimator_is_fitted_for_each_split_and_label(make_problem, target):
    p = make_problem(target)
    settings = {"tol": 1e-8, "max_iter": 10_000}
    mine = run(p, LogisticRegression(**settings))
    np.testing.assert_allclose(mine.values, run(p, "linear", engine="sklearn").values, atol=1e-6)
    assert mine.head == "sklearn.linear_model._logistic:LogisticRegression(max_iter=10000, tol=1e-08)"
    assert np.array_equal(run(p, mine.head).values, mine.values)


def test_an_estimator_without_probabilities_is_ranked_by_its_decision_values(make_problem):
    p = make_problem("binary")
    values = run(p, "sklearn.svm:LinearSVC(C=0.1)", protocol="scaled", seed=3).values
    for train, test in splits_of(p):
        fitted = make_pipeline(StandardScaler(), LinearSVC(C=0.1, random_state=3)).fit(p.X[train], p.y[train])
        np.testing.assert_allclose(values[test], fitted.decision_function(p.X[test]), atol=1e-9)


def test_a_class_absent_from_training_is_never_predicted(make_problem):
    p = make_problem("multiclass")
    p.folds = np.where(p.y == 2, 0, p.folds)
    for head in ("sklearn.svm:LinearSVC", "ridge", "centroid", "knn"):
        assert (run(p, head).values[p.folds == 0].argmax(axis=1) != 2).all()


@pytest.mark.parametrize("head", HEADS)
def test_heads_take_splits_of_any_kind(make_problem, head, monkeypatch):
    monkeypatch.setitem(mlp.PAPER, "max_iter", 50)
    p = make_problem("binary")
    rows = np.arange(len(p.y))
    splits = Splits.from_rows([(rows < 60, (rows >= 60) & (rows < 90)), (rows >= 90, rows < 30)], n=len(rows))
    splits = Splits.from_rows([(rows < 100, rows >= 110)], n=len(rows)) if head == "ridge" else splits
    found = probe(p.X, p.y, target="binary", splits=splits, head=head)
    tested = splits.test_rows(0)
    assert found.scores["roc_auc"].folds[0] == pytest.approx(sk.roc_auc_score(p.y[tested], found.values[tested]))
    assert np.isnan(found.values[splits.split_of_row < 0]).all()


class NoScores:
    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X))


class Undefined(NoScores):
    def decision_function(self, X):
        return np.full(len(X), np.nan)


@pytest.mark.parametrize(
    ("target", "head", "message"),
    [
        ("binary", "rigde", "unknown head 'rigde': did you mean 'ridge'"),
        ("binary", "sklearn.svm:SVCC", "head 'sklearn.svm:SVCC' cannot be made: AttributeError"),
        ("binary", "no_such_module:Head", "expected module:Class of a module that Python finds"),
        ("binary", "missing.py:Head", "no file missing.py"),
        ("binary", "sklearn.svm:SVC(3)", r"expected module:Class\(name=value, ...\) with plain values"),
        ("binary", "pathlib:Path", "head PosixPath has no fit"),
        ("binary", SVC, "head is the class SVC; give an instance of it"),
        ("binary", NoScores(), "NoScores has no predict_proba or decision_function, which binary labels need"),
        ("binary", Undefined(), "Undefined predicted an infinite or undefined number"),
        ("regression", LogisticRegression(), "predicts classes, but the target is regression"),
        ("regression", "centroid", "head 'centroid' needs classes"),
    ],
)
def test_a_head_that_cannot_be_fitted_is_one_line(make_problem, target, head, message):
    with pytest.raises((ProbeError, UnknownNameError), match=message) as caught:
        run(make_problem(target), head)
    assert "\n" not in str(caught.value)


def test_options_of_the_linear_head_are_refused_for_others(make_problem):
    p = make_problem("binary")
    with pytest.raises(ProbeError, match="C is an option of the head 'linear', not of 'knn'"):
        run(p, "knn", C=2)
    with pytest.raises(ProbeError, match="engine 'sklearn' fits the head 'linear' only"):
        run(p, "knn", engine="sklearn")


def test_names_hold_what_is_not_at_its_default():
    assert head_name(LinearSVC(C=0.5, tol=1e-4)) == "sklearn.svm._classes:LinearSVC(C=0.5)"
    assert head_name(NoScores()).endswith(":NoScores")
