"""The probe against scikit-learn's own cross-validation on the same folds, and its rules for what cannot be scored."""

import math

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import PredefinedSplit, StratifiedKFold, cross_val_predict, cross_validate

import gene_eval.core.engines
from gene_eval.core import METRICS, ProbeError, ProbeResult, Score, UnknownNameError, default_folds, probe

TARGETS = tuple(METRICS)
SETTINGS = {"tol": 1e-8, "max_iter": 10_000}
WEIGHTED = {"average": "weighted", "zero_division": 0}
SCORERS = {
    "binary": {
        "roc_auc": "roc_auc",
        "average_precision": "average_precision",
        "accuracy": "accuracy",
        "precision": sk.make_scorer(sk.precision_score, zero_division=0),
        "recall": "recall",
        "f1": "f1",
        "mcc": "matthews_corrcoef",
    },
    "multiclass": {
        "roc_auc_ovr_weighted": "roc_auc_ovr_weighted",
        "roc_auc_ovr_macro": "roc_auc_ovr",
        "accuracy": "accuracy",
        "precision_weighted": sk.make_scorer(sk.precision_score, **WEIGHTED),
        "recall_weighted": sk.make_scorer(sk.recall_score, **WEIGHTED),
        "f1_weighted": sk.make_scorer(sk.f1_score, **WEIGHTED),
        "f1_macro": "f1_macro",
        "mcc": "matthews_corrcoef",
    },
    "regression": {
        "r2": "r2",
        "rmse": sk.make_scorer(sk.root_mean_squared_error),
        "mae": sk.make_scorer(sk.mean_absolute_error),
        "pearson": sk.make_scorer(lambda y, p: np.corrcoef(y, p)[0, 1]),
    },
}
MULTILABEL = {
    "roc_auc_weighted": lambda y, d: sk.roc_auc_score(y, d, average="weighted"),
    "roc_auc_macro": lambda y, d: sk.roc_auc_score(y, d, average="macro"),
    "average_precision_macro": lambda y, d: sk.average_precision_score(y, d, average="macro"),
    "hamming_loss": lambda y, d: sk.hamming_loss(y, d > 0),
    "accuracy": lambda y, d: sk.accuracy_score(y, d > 0),
    "precision_weighted": lambda y, d: sk.precision_score(y, d > 0, **WEIGHTED),
    "recall_weighted": lambda y, d: sk.recall_score(y, d > 0, **WEIGHTED),
    "f1_weighted": lambda y, d: sk.f1_score(y, d > 0, **WEIGHTED),
}


def run(p, **options) -> ProbeResult:
    return probe(p.X, p.y, target=p.target, folds=p.folds, **{"engine": "sklearn", **options})


@pytest.mark.parametrize("target", SCORERS)
def test_equals_cross_validate(make_problem, target):
    p = make_problem(target)
    model = LinearRegression() if target == "regression" else LogisticRegression(**SETTINGS)
    expected = cross_validate(model, p.X, p.y, cv=PredefinedSplit(p.folds), scoring=SCORERS[target])
    result = run(p, **({} if target == "regression" else SETTINGS))
    assert tuple(result.scores) == METRICS[target]
    for metric in SCORERS[target]:
        folds = expected[f"test_{metric}"]
        score = result.scores[metric]
        assert score.folds == pytest.approx(folds, abs=1e-12), metric
        assert score.mean == pytest.approx(folds.mean(), abs=1e-12)
        assert score.std == pytest.approx(folds.std(), abs=1e-12)


def test_out_of_the_box_settings_of_scikit_learn_are_one_option_away(make_problem):
    p = make_problem("binary")
    expected = cross_validate(LogisticRegression(C=0.3), p.X, p.y, cv=PredefinedSplit(p.folds), scoring="roc_auc")
    result = run(p, C=0.3, tol=1e-4, max_iter=100)
    assert result.scores["roc_auc"].folds == pytest.approx(expected["test_score"], abs=1e-12)
    assert result.params == {"C": 0.3, "tol": 1e-4, "max_iter": 100}


def test_multilabel_is_one_logistic_per_label_ranked_by_decision_values(make_problem):
    p = make_problem("multilabel")
    split = PredefinedSplit(p.folds)
    decisions = np.column_stack(
        [
            cross_val_predict(LogisticRegression(**SETTINGS), p.X, label, cv=split, method="decision_function")
            for label in p.y.T
        ]
    )
    names = ["nucleus", "membrane", "cytosol", "golgi"]
    result = run(p, label_names=names)
    for metric, expected in MULTILABEL.items():
        folds = [expected(p.y[p.folds == f], decisions[p.folds == f]) for f in range(5)]
        assert result.scores[metric].folds == pytest.approx(folds, abs=1e-12), metric
    assert tuple(result.scores) == METRICS["multilabel"]
    assert list(result.labels) == names
    for i, name in enumerate(names):
        alone = probe(p.X, p.y[:, i], target="binary", folds=p.folds, engine="sklearn")
        assert result.labels[name] == alone.scores
    # The fault this replaces: ranking by hard predictions gives another, lower number.
    hard = np.mean([sk.roc_auc_score(p.y[p.folds == f], decisions[p.folds == f] > 0) for f in range(5)])
    assert result.scores["roc_auc_macro"].mean > hard + 0.02


def test_ordinary_least_squares_takes_the_minimum_norm_where_features_outnumber_rows(make_problem):
    p = make_problem("regression", n=30, d=80)
    folds = np.arange(30) % 5
    expected = []
    for fold in range(5):
        X, y = p.X[folds != fold], p.y[folds != fold]
        w = np.linalg.pinv(X - X.mean(axis=0)) @ (y - y.mean())
        predicted = (p.X[folds == fold] - X.mean(axis=0)) @ w + y.mean()
        expected.append(np.sqrt(np.mean((p.y[folds == fold] - predicted) ** 2)))
    result = probe(p.X, p.y, target="regression", folds=folds, engine="sklearn")
    assert result.scores["rmse"].folds == pytest.approx(expected, rel=1e-9)


def test_spearman_is_scipys(make_problem):
    from scipy.stats import spearmanr

    p = make_problem("regression")
    predicted = cross_val_predict(LinearRegression(), p.X, p.y, cv=PredefinedSplit(p.folds))
    expected = [spearmanr(p.y[p.folds == f], predicted[p.folds == f]).statistic for f in range(5)]
    assert run(p).scores["spearman"].folds == pytest.approx(expected, abs=1e-12)


def test_label_one_is_the_positive_class(make_problem):
    p = make_problem("binary")
    rare, common = run(p), probe(p.X, 1 - p.y, target="binary", folds=p.folds, engine="sklearn")
    assert p.y.mean() < 0.45
    assert rare.scores["roc_auc"].mean == pytest.approx(common.scores["roc_auc"].mean, abs=1e-6)
    assert rare.scores["f1"].mean < common.scores["f1"].mean
    assert rare.scores["average_precision"].mean < common.scores["average_precision"].mean


@pytest.mark.parametrize("target", TARGETS)
def test_same_input_same_numbers(make_problem, target):
    p = make_problem(target)
    assert run(p) == run(p)


@pytest.mark.parametrize("target", TARGETS)
def test_input_forms_do_not_change_the_numbers(make_problem, target):
    p = make_problem(target)
    p.X = p.X.astype(np.float32)
    expected = run(p).scores
    as_lists = probe(p.X.tolist(), p.y.tolist(), target=target, folds=p.folds.tolist(), engine="sklearn")
    renamed = probe(p.X.astype(float), p.y, target=target, folds=10 * p.folds - 7, engine="sklearn")
    assert as_lists.scores == expected
    assert renamed.scores == expected
    if target != "regression":
        assert probe(p.X, p.y.astype(float), target=target, folds=p.folds, engine="sklearn").scores == expected


def test_class_numbers_are_only_names(make_problem):
    p = make_problem("multiclass")
    other = probe(p.X, p.y * 100 - 5, target="multiclass", folds=p.folds, engine="sklearn")
    assert other.scores == run(p).scores


@pytest.mark.parametrize("target", ["binary", "regression"])
def test_scores_do_not_depend_on_an_offset_of_the_vectors(make_problem, target):
    p = make_problem(target)
    expected = {metric: score.mean for metric, score in run(p).scores.items()}
    p.X = p.X + 3.0  # the intercept, which is not penalised, takes it up
    moved = {metric: score.mean for metric, score in run(p).scores.items()}
    assert moved == pytest.approx(expected, abs=1e-6)


def test_least_squares_does_not_depend_on_scale_and_the_penalised_fits_do(make_problem):
    p = make_problem("regression")
    q = make_problem("binary")
    r2, auc = run(p).scores["r2"].folds, run(q).scores["roc_auc"].mean
    p.X, q.X = p.X * 1e-3, q.X * 1e-3
    assert run(p).scores["r2"].folds == pytest.approx(r2, rel=1e-6)
    # A strong penalty shrinks decision values and turns them to the class means; it does not destroy the ranking.
    small = run(q).scores
    assert small["roc_auc"].mean == pytest.approx(auc, abs=0.1)
    assert small["recall"].mean == 0.0


def test_a_constant_label_in_one_fold_is_left_out_and_counted(make_problem):
    p = make_problem("multilabel")
    p.y[p.folds == 2, 1] = 0  # constant in the test rows of fold 2
    p.y[p.folds != 3, 3] = 1  # constant in the training rows of fold 3 ...
    result = run(p)
    constant_in_test = result.labels["1"]["roc_auc"]
    assert [math.isnan(value) for value in constant_in_test.folds] == [False, False, True, False, False]
    assert constant_in_test.n_undefined == 1
    assert constant_in_test.mean == pytest.approx(np.mean([v for v in constant_in_test.folds if v == v]))
    assert result.labels["3"]["f1"].n_undefined == 5  # ... and in the test rows of all the others
    assert math.isnan(result.labels["3"]["f1"].mean)
    assert result.scores["roc_auc_macro"].n_undefined == 0
    defined = [result.labels[name]["roc_auc"].folds[2] for name in ("0", "2")]
    assert result.scores["roc_auc_macro"].folds[2] == pytest.approx(np.mean(defined))


def test_a_label_constant_in_training_is_predicted_constant(make_problem):
    p = make_problem("multilabel")
    p.y[:, 0] = p.folds == 1  # never positive when fold 1 is held out, always positive in fold 1
    result = run(p)
    rest = probe(p.X, p.y[:, 1:], target="multilabel", folds=p.folds, engine="sklearn")
    # All of fold 1 wrong on that label: Hamming loss over four labels, and no row right.
    assert result.scores["hamming_loss"].folds[1] == pytest.approx((3 * rest.scores["hamming_loss"].folds[1] + 1) / 4)
    assert result.scores["accuracy"].folds[1] == 0.0


def test_a_binary_fold_without_both_labels_is_undefined(make_problem):
    p = make_problem("binary")
    p.y[p.folds == 4] = 1
    result = run(p)
    assert {score.n_undefined for score in result.scores.values()} == {1}
    one_sided = probe(p.X, (p.folds == 0) & (p.X[:, 0] > 0), target="binary", folds=p.folds, engine="sklearn")
    assert {score.n_undefined for score in one_sided.scores.values()} == {5}


def test_classes_absent_from_training_or_test_rows(make_problem):
    p = make_problem("multiclass")
    p.folds = np.where(p.y == 3, 0, p.folds)  # class 3 is in fold 0 only
    result = run(p)
    assert {score.n_undefined for score in result.scores.values()} == {0}
    train, test = p.folds != 0, p.folds == 0
    model = LogisticRegression(**SETTINGS).fit(p.X[train], p.y[train])
    proba = model.predict_proba(p.X[test])
    assert result.scores["accuracy"].folds[0] == pytest.approx(np.mean(model.predict(p.X[test]) == p.y[test]))
    known = [sk.roc_auc_score(p.y[test] == k, proba[:, k]) for k in range(3)]
    assert result.scores["roc_auc_ovr_macro"].folds[0] == pytest.approx(np.mean(known))


def test_a_fold_whose_training_rows_have_one_class_or_two(make_problem):
    p = make_problem("multiclass", n=90)
    p.y = np.where(p.folds == 0, p.y % 3, 0)  # training rows of fold 0 are all class 0
    scores = run(p).scores
    assert {score.n_undefined for score in scores.values()} == {5}
    p.y = np.where(p.folds == 0, p.y, p.y + (p.X[:, 0] > 0))  # now they are class 0 or 1
    train, test = p.folds != 0, p.folds == 0
    model = LogisticRegression(**SETTINGS).fit(p.X[train], p.y[train])
    assert run(p).scores["accuracy"].folds[0] == pytest.approx(model.score(p.X[test], p.y[test]))


def test_regression_fold_of_one_row_has_errors_but_no_correlation(make_problem):
    p = make_problem("regression")
    p.folds[:] = 1 + np.arange(len(p.y)) % 2
    p.folds[0] = 0
    scores = run(p).scores
    assert {metric: score.n_undefined for metric, score in scores.items()} == {
        "r2": 1,
        "rmse": 0,
        "mae": 0,
        "pearson": 1,
        "spearman": 1,
    }
    assert scores["mae"].folds[0] == pytest.approx(scores["rmse"].folds[0])
    p.y[p.folds != 2] = 4.0  # constant in the training rows of fold 2, and in the other test folds
    scores = run(p).scores
    assert scores["r2"].n_undefined == 3
    assert math.isnan(scores["r2"].mean)
    assert scores["mae"].folds[2] == pytest.approx(np.abs(p.y[p.folds == 2] - 4.0).mean())


def test_the_result_says_how_it_was_made(make_problem):
    p = make_problem("multilabel")
    result = run(p, seed=11)
    assert (result.n, result.dim, result.engine, result.protocol, result.seed) == (150, 6, "sklearn", "paper", 11)
    assert result.params == {"C": 1.0, "tol": 1e-8, "max_iter": 10_000}
    assert result.convergence["converged"] is True
    assert result.convergence["n_fits"] == 20
    assert run(make_problem("regression")).params == {}


def test_fits_that_stop_early_are_reported_once(make_problem):
    p = make_problem("multilabel")
    with pytest.warns(UserWarning, match="n_unconverged 20.*max_iter 2.*raise max_iter") as caught:
        result = run(p, max_iter=2)
    assert len(caught) == 1
    assert result.convergence == {"converged": False, "n_fits": 20, "n_unconverged": 20, "n_iter": 2}


def test_score_counts_undefined_folds():
    assert Score(mean=0.5, std=0.0, folds=(0.5, math.nan, 0.5)).n_undefined == 1


def test_an_engine_is_a_function_behind_a_name(make_problem, monkeypatch):
    for engine in gene_eval.core.engines.ENGINES:
        assert callable(gene_eval.core.engines.get_engine(engine))
    monkeypatch.setattr(gene_eval.core.engines, "ENGINES", {"constant": "test_engine:held_out"})
    with pytest.raises(UnknownNameError, match=r"^unknown engine 'sklearn': choose one of constant$"):
        run(make_problem("binary"))


X, Y, FOLDS = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 0, 1, 1, 1])
WITH_NAN = X.copy()
WITH_NAN[3, 1] = np.nan
WITH_INF = X.copy()
WITH_INF[[1, 4]] = np.inf


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": X[:, 0]}, r"X must be 2-D \(rows, features\), but has shape \(6,\)"),
        ({"X": X[:, :0]}, r"X is empty: shape \(6, 0\).*"),
        ({"X": [[1.0, 2.0], [3.0]]}, "X is ragged: its rows differ in length.*"),
        ({"X": [["a", "b"]]}, "X must be a dense array of numbers, but has dtype <U1.*"),
        ({"X": WITH_NAN}, r"X has NaN or infinite values in 1 of 6 rows \(first: row 3\); leave them out"),
        ({"X": WITH_INF}, r"X has NaN or infinite values in 2 of 6 rows \(first: row 1\); leave them out"),
        ({"y": Y[:5]}, "X has 6 rows, but y has 5"),
        ({"y": Y[:, None]}, r"y must have shape \(rows,\) for target 'binary', but has shape \(6, 1\)"),
        ({"y": Y, "target": "multilabel"}, r"y must have shape \(rows, labels\) .* but has shape \(6,\)"),
        ({"y": Y + 1}, r"labels of target 'binary' must be 0 or 1 \(1 is positive\), got 1, 2"),
        ({"y": [[0, 2]] * 3 + [[1, 0]] * 3, "target": "multilabel"}, "labels of target 'multilabel' must be 0 or 1 .*"),
        ({"y": Y + 0.5, "target": "multiclass"}, "classes in y must be whole numbers, got 0.5"),
        ({"y": list("ababab"), "target": "multiclass"}, "y must be a dense array of numbers, but has dtype <U1.*"),
        ({"y": Y * 0}, "constant labels: y has the same value in all 6 rows, .*"),
        ({"y": np.zeros((6, 3)), "target": "multilabel"}, "constant labels: every label of y has the same value .*"),
        ({"y": np.full(6, 2.5), "target": "regression"}, "constant labels: y has the same value in all 6 rows, .*"),
        ({"y": [1, 2, np.nan, 3, 4, 5], "target": "regression"}, r"y has NaN .* in 1 of 6 rows \(first: row 2\); .*"),
        ({"folds": FOLDS[:4]}, r"folds must have one number for each of the 6 rows of X, but has shape \(4,\)"),
        ({"folds": FOLDS * 0 + 3}, r"folds has only one fold \(3\); at least two are needed, .*"),
        ({"folds": FOLDS + 0.5}, "folds must be whole numbers, got 0.5"),
        ({"target": "multilable"}, "unknown target 'multilable': did you mean 'multilabel'.*"),
        ({"engine": "sclearn"}, "unknown engine 'sclearn': did you mean 'sklearn'.*"),
        ({"protocol": "papers"}, "unknown protocol 'papers': did you mean 'paper'.*"),
        ({"max_iters": 3}, "unknown option 'max_iters': did you mean 'max_iter'.*"),
        ({"C": -1.0}, "C must be a positive number, got -1.0"),
        ({"tol": "small"}, "tol must be a positive number, got 'small'"),
        ({"label_names": ["a"]}, "label_names are for target 'multilabel', but target is 'binary'"),
    ],
)
def test_bad_input_is_one_clear_line(changes, message):
    call = {"X": X, "y": Y, "target": "binary", "folds": FOLDS, **changes}
    with pytest.raises(ProbeError, match=f"^{message}$") as caught:
        probe(call.pop("X"), call.pop("y"), **call)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "message"),
    [(["a"], "y has 4 labels, but label_names has 1"), (["a", "b", "a", "c"], "label_names must differ, but 'a' .*")],
)
def test_label_names_must_fit(make_problem, names, message):
    with pytest.raises(ProbeError, match=message):
        run(make_problem("multilabel"), label_names=names)


@pytest.mark.parametrize("target", TARGETS)
def test_default_folds_are_five_shuffled_and_follow_the_seed(make_problem, target):
    y = make_problem(target).y
    folds = default_folds(y, target=target, seed=1)
    assert np.bincount(folds).tolist() == [30] * 5
    np.testing.assert_array_equal(folds, default_folds(y, target=target, seed=1))
    assert (folds != default_folds(y, target=target, seed=2)).any()
    if target in ("binary", "multiclass"):
        splits = StratifiedKFold(5, shuffle=True, random_state=1).split(y, y)
        assert all((folds[test] == fold).all() for fold, (_, test) in enumerate(splits))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 0, 1], "4 rows are fewer than the 5 folds"),
        ([0, 0, 1, 1, 0, 1, 0, 1], "no class has 5 rows"),
    ],
)
def test_default_folds_need_rows(y, message):
    with pytest.raises(ProbeError, match=message):
        default_folds(y, target="binary")


def test_default_folds_take_a_rare_class_without_a_warning():
    y = np.array([1, 1] + [0] * 20)
    assert sorted(np.bincount(default_folds(y, target="binary")[y == 1], minlength=5).tolist()) == [0, 0, 0, 1, 1]
