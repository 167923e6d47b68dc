"""Published parts against scikit-learn by itself: all rows and few, both protocols, with and without validation."""

import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, matthews_corrcoef, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gene_eval.core.errors import ProbeError
from gene_eval.core.few_labels import geneb
from gene_eval.core.few_labels.geneb import GENEB_SEEDS, draw_rows
from gene_eval.core.heads.scaled import GRID
from gene_eval.core.parts import fits, logistic, optimum
from gene_eval.core.parts.fits import Parts, score_parts, tables_of, with_scores
from gene_eval.core.parts.logistic import Rows, Standardised, fit_logistic
from gene_eval.core.probe import probe
from gene_eval.core.table import VectorTable

N_TRAIN, N_VALIDATION, N_TEST = 300, 100, 200


def made(classes=2, d=12, seed=0, spread=0.5, dtype=np.float64):
    """Vectors of one table, in which the rows of the task lie anyhow and some stand twice."""
    rng = np.random.default_rng(seed)
    n = N_TRAIN + N_VALIDATION + N_TEST
    y = rng.integers(0, classes, n)
    centres = rng.normal(size=(classes, d)) * spread
    X = ((rng.normal(size=(n, d)) + centres[y]) * np.linspace(0.05, 3, d) + 2).astype(dtype)
    place = rng.permutation(n)
    table = np.empty_like(X)
    table[place] = X
    codes = np.repeat([0, 1, 2], [N_TRAIN, N_VALIDATION, N_TEST])
    return VectorTable(table).rows(place), X, y, Parts(codes)


def split(X, y, parts, name):
    return X[parts.rows(name)], y[parts.rows(name)]


def stock(X, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(max_iter=1000, **options).fit(X, y)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("engine", "dtype"), [("fast", np.float64), ("fast", np.float32), ("sklearn", np.float64)])
def test_geneb_on_all_rows_is_scikit_learns_default(classes, engine, dtype):
    rows, X, y, parts = made(classes, dtype=dtype)
    target = "binary" if classes == 2 else "multiclass"
    found = score_parts(rows, y, parts, target=target, engine=engine)
    model = stock(*split(X, y, parts, "train"))
    X_test, truth = split(X, y, parts, "test")
    called = model.predict(X_test)
    assert found.scores["mcc"].folds == pytest.approx((matthews_corrcoef(truth, called),))
    assert found.scores["accuracy"].mean == pytest.approx(accuracy_score(truth, called))
    assert found.scores["f1_macro"].mean == pytest.approx(f1_score(truth, called, average="macro"))
    assert next(iter(found.scores)) == "mcc"
    held_out = found.values[parts.rows("test")]
    # In float32 the last steps are of rounding errors, here and there.
    close = 1e-6 if dtype == np.float64 else 0.05
    if classes == 2:
        np.testing.assert_allclose(held_out, model.decision_function(X_test), atol=close)
        assert found.scores["roc_auc"].mean == pytest.approx(roc_auc_score(truth, held_out))
    else:
        np.testing.assert_allclose(held_out, model.predict_proba(X_test), atol=close)
    assert np.isnan(found.values[parts.rows("train")]).all()
    if dtype == np.float64:
        assert found.convergence["n_iter"] == model.n_iter_.max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("block", [1, 1 << 18])
def test_large_tasks_take_the_steps_that_scikit_learn_takes_in_float64(monkeypatch, dtype, block):
    rows, X, y, parts = made(2, dtype=dtype)
    for module in (geneb, logistic):
        monkeypatch.setattr(module, "SMALL", 0)
    monkeypatch.setattr(logistic, "BLOCK", block)
    monkeypatch.setattr(logistic, "PRODUCTS", dict.fromkeys(logistic.PRODUCTS, block))
    large = score_parts(rows, y, parts, target="binary")
    X_train, labels = split(X.astype(np.float64), y, parts, "train")
    X_test, truth = split(X.astype(np.float64), y, parts, "test")
    model = stock(X_train, labels)
    assert large.convergence["n_iter"] == model.n_iter_[0]
    np.testing.assert_allclose(large.values[parts.rows("test")], model.decision_function(X_test), atol=1e-4)
    assert large.scores["mcc"].mean == pytest.approx(matthews_corrcoef(truth, model.predict(X_test)), abs=1e-9)


def test_large_tasks_of_classes_end_near_where_scikit_learn_ends(monkeypatch):
    rows, _, y, parts = made(3)
    small = score_parts(rows, y, parts, target="multiclass")
    monkeypatch.setattr(geneb, "SMALL", 0)
    large = score_parts(rows, y, parts, target="multiclass")
    tested = parts.rows("test")
    np.testing.assert_allclose(large.values[tested], small.values[tested], atol=0.01)


@pytest.mark.parametrize("k", [1, 10])
def test_geneb_on_few_rows_is_scikit_learns_default_on_its_draws(k):
    rows, X, y, parts = made(3)
    found = score_parts(rows, y, parts, target="multiclass", shots=k)
    X_train, labels = split(X, y, parts, "train")
    X_test, truth = split(X, y, parts, "test")
    expected = []
    for seed in GENEB_SEEDS:
        chosen = draw_rows(labels, shots=k, seed=seed)
        expected.append(matthews_corrcoef(truth, stock(X_train[chosen], labels[chosen]).predict(X_test)))
    assert found.scores["mcc"].folds == pytest.approx(expected)
    assert found.scores["mcc"].std == pytest.approx(np.std(expected))
    assert found.draws["mcc"] == found.scores["mcc"].folds
    assert found.values.size == 0


@pytest.mark.parametrize("classes", [2, 3])
def test_scaled_on_few_rows_is_standardised_by_the_whole_training_part(classes):
    rows, X, y, parts = made(classes)
    target = "binary" if classes == 2 else "multiclass"
    found = score_parts(rows, y, parts, target=target, protocol="scaled", shots=5)
    X_train, labels = split(X, y, parts, "train")
    X_test, truth = split(X, y, parts, "test")
    scaler = StandardScaler().fit(X_train)
    expected = []
    for seed in GENEB_SEEDS:
        chosen = draw_rows(labels, shots=5, seed=seed)
        model = stock(scaler.transform(X_train[chosen]), labels[chosen], C=0.1, tol=1e-8)
        expected.append(matthews_corrcoef(truth, model.predict(scaler.transform(X_test))))
    assert found.scores["mcc"].folds == pytest.approx(expected, abs=1e-3)


def pipeline(C):
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, tol=1e-8, max_iter=10_000))


@pytest.mark.parametrize("classes", [2, 3])
def test_scaled_chooses_C_on_the_part_for_validation(classes):
    rows, X, y, parts = made(classes)
    target = "binary" if classes == 2 else "multiclass"
    found = score_parts(rows, y, parts, target=target, protocol="scaled")
    X_train, labels = split(X, y, parts, "train")
    X_validation, held = split(X, y, parts, "validation")
    losses = [log_loss(held, pipeline(C).fit(X_train, labels).predict_proba(X_validation)) for C in GRID]
    best = GRID[int(np.argmin(losses))]
    assert found.params["C"] == best
    assert found.params["C_chosen_on"] == "validation"
    recorded = found.params["C_losses"]
    expected = {f"{C:g}": loss for C, loss in zip(GRID, losses, strict=True) if f"{C:g}" in recorded}
    assert {C: loss / N_VALIDATION for C, loss in recorded.items()} == pytest.approx(expected, abs=2e-5)
    model = pipeline(best).fit(X_train, labels)
    X_test, truth = split(X, y, parts, "test")
    assert found.scores["mcc"].mean == pytest.approx(matthews_corrcoef(truth, model.predict(X_test)), abs=1e-9)
    expected = model.decision_function(X_test) if classes == 2 else model.predict_proba(X_test)
    np.testing.assert_allclose(found.values[parts.rows("test")], expected, atol=1e-3)


def test_scaled_without_validation_chooses_C_on_inner_folds():
    rows, X, y, parts = made()
    parts = Parts(np.where(parts.codes == 1, -1, parts.codes))
    found = score_parts(rows, y, parts, target="binary", protocol="scaled")
    X_train, labels = split(X, y, parts, "train")
    losses = dict.fromkeys(GRID, 0.0)
    for inner, held in StratifiedKFold(5, shuffle=True, random_state=0).split(X_train, labels):
        for C in GRID:
            p = pipeline(C).fit(X_train[inner], labels[inner]).predict_proba(X_train[held])
            losses[C] += log_loss(labels[held], p, normalize=False)
    best = min(losses, key=losses.get)
    assert (found.params["C"], found.params["C_chosen_on"]) == (best, "5 inner folds")
    assert found.params["C_losses"][f"{best:g}"] == pytest.approx(losses[best], rel=1e-4)


def test_fewer_test_rows_of_the_same_fit():
    rows, X, y, parts = made()
    whole = score_parts(rows, y, parts, target="binary")
    codes = parts.codes.copy()
    codes[-50:] = -1
    fewer = with_scores(whole, y, Parts(codes), target="binary")
    tested = np.flatnonzero(codes == 2)
    called = whole.values[tested] > 0
    assert fewer.scores["mcc"].mean == pytest.approx(matthews_corrcoef(y[tested], called))
    assert fewer.scores["roc_auc"].mean == pytest.approx(roc_auc_score(y[tested], whole.values[tested]))
    assert tables_of(fewer, y).sum() == len(tested) == N_TEST - 50
    assert np.isnan(fewer.values[-50:]).all()


def test_another_head_is_scored_the_same_way():
    rows, X, y, parts = made(3)
    plain = probe(X, y, target="multiclass", splits=parts.splits(), head="knn")
    scored = with_scores(plain, y, parts, target="multiclass")
    truth, called = y[parts.rows("test")], plain.values[parts.rows("test")].argmax(axis=1)
    assert scored.scores["mcc"].mean == pytest.approx(matthews_corrcoef(truth, called))
    assert scored.scores["f1_macro"].mean == pytest.approx(f1_score(truth, called, average="macro"))
    assert scored.scores["roc_auc_ovr_macro"] == plain.scores["roc_auc_ovr_macro"]


def test_standardised_as_scikit_learn_does():
    X = np.random.default_rng(0).normal(3, 2, size=(50, 5)).astype(np.float32)
    X[:, 2] = 0.1
    by, scaler = Standardised.by(Rows.of(X)), StandardScaler().fit(X)
    np.testing.assert_allclose(by.mean, scaler.mean_, rtol=1e-6)
    np.testing.assert_allclose(by.scale, scaler.scale_, rtol=1e-6)


def test_steps_are_those_of_scikit_learn_also_where_it_stops_early():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 400)
    X = rng.dirichlet(np.ones(64), 400).astype(np.float32) / 20
    model = stock(X, y)
    fit = fit_logistic(Rows.of(X), y)
    assert fit.n_iter == model.n_iter_[0] < 8
    np.testing.assert_allclose(fit.weights, model.coef_, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y * 0, "train has 1 class; expected two or more"),
        (lambda y: np.where(np.arange(len(y)) == len(y) - 1, 2, y), "class 2 of test is missing in train"),
    ],
)
def test_labels_that_make_no_task(change, message):
    rows, _, y, parts = made()
    with pytest.raises(ProbeError, match=message):
        score_parts(rows, change(y), parts, target="multiclass")


@pytest.mark.parametrize(("protocol", "copies"), [("geneb", 0), ("scaled", 1)])
def test_a_large_task_takes_no_more_memory_than_is_said(monkeypatch, protocol, copies):
    rng = np.random.default_rng(0)
    n, d = 20_000, 128
    X, y = rng.normal(size=(n, d)).astype(np.float32), rng.integers(0, 2, n)
    X[:, 0] += y
    parts = Parts(np.repeat([0, 1, 2], [n - 6000, 1000, 5000]))
    for module in (geneb, logistic, fits):
        monkeypatch.setattr(module, "SMALL", 0)
    curvature = copies * (d * d * 24 + 12 * optimum.AT_ONCE * d)
    least = copies * 15_000 * d * 4 + 16 * 14_000 + curvature + fits.SLACK + fits.PER_CORE * logistic.n_cores()
    tracemalloc.start()
    score_parts(X, y, parts, target="binary", protocol=protocol, memory=least)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The copies, blocks of rows, and a few numbers for each row.
    assert peak < copies * (n - 5000) * d * 4 + 8e6 * logistic.n_cores()
    with pytest.raises(ProbeError, match="bytes of memory are too few: vectors of 14,000 x 128 need at least"):
        score_parts(X, y, parts, target="binary", protocol=protocol, memory=1e6)
