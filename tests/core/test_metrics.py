"""Every metric against scikit-learn (scipy for the correlations), one label and one fold at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from gene_eval.core.metrics import (
    HIGHER_IS_BETTER,
    MAIN_METRIC,
    METRICS,
    label_scores,
    multiclass_scores,
    multilabel_scores,
    ranking_scores,
    regression_scores,
)

BINARY = {
    "accuracy": sk.accuracy_score,
    "precision": lambda y, p: sk.precision_score(y, p, zero_division=0),
    "recall": lambda y, p: sk.recall_score(y, p, zero_division=0),
    "f1": lambda y, p: sk.f1_score(y, p, zero_division=0),
    "mcc": sk.matthews_corrcoef,
}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def labels_with_both_values(rng, m, n_labels):
    y = rng.random((m, n_labels)) < rng.uniform(0.05, 0.6, n_labels)
    y[0], y[1] = True, False
    return y


@pytest.mark.parametrize("decimals", [0, 1, 12])  # many ties, some, none
def test_ranking_scores_equal_sklearn(rng, decimals):
    y = labels_with_both_values(rng, 83, 9)
    scores = (rng.normal(size=y.shape) + y).round(decimals)
    auc, ap = ranking_scores(y, scores)
    for label in range(9):
        assert auc[label] == pytest.approx(sk.roc_auc_score(y[:, label], scores[:, label]), abs=1e-12)
        assert ap[label] == pytest.approx(sk.average_precision_score(y[:, label], scores[:, label]), abs=1e-12)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40).filter(
        lambda rows: len({positive for positive, _ in rows}) == 2
    )
)
def test_roc_auc_is_the_share_of_ordered_pairs_with_ties_half(rows):
    y = np.array([positive for positive, _ in rows])
    scores = np.array([float(score) for _, score in rows])
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[y] for n in scores[~y]]
    auc, ap = ranking_scores(y[:, None], scores[:, None])
    assert auc[0] == pytest.approx(np.mean(pairs), abs=1e-12)
    assert ap[0] == pytest.approx(sk.average_precision_score(y, scores), abs=1e-12)
    mirrored, _ = ranking_scores(y[:, None], -scores[:, None])
    assert auc[0] + mirrored[0] == pytest.approx(1.0)


def test_ranking_ignores_the_order_of_rows_and_any_monotone_change(rng):
    y = labels_with_both_values(rng, 60, 4)
    scores = rng.normal(size=y.shape).round(1)
    auc, ap = ranking_scores(y, scores)
    shuffled = rng.permutation(60)
    for other in (ranking_scores(y[shuffled], scores[shuffled]), ranking_scores(y, np.exp(scores) * 1e-9)):
        np.testing.assert_array_equal(other[0], auc)
        np.testing.assert_allclose(other[1], ap, atol=1e-14)


def test_ranking_of_a_constant_label_is_nan_and_harms_no_other():
    y = np.array([[True, False, True], [True, False, False]])
    auc, ap = ranking_scores(y, np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(auc, [np.nan, np.nan, 1.0])
    np.testing.assert_array_equal(ap, [np.nan, np.nan, 1.0])
    empty, _ = ranking_scores(np.zeros((0, 2), dtype=bool), np.zeros((0, 2)))
    np.testing.assert_array_equal(empty, [np.nan, np.nan])


def test_label_scores_equal_sklearn(rng):
    y = labels_with_both_values(rng, 70, 6)
    decisions = rng.normal(size=y.shape) + y - 0.5
    decisions[:, 5] = -1.0  # nothing predicted: precision has a zero denominator
    scores = label_scores(y, decisions)
    assert tuple(scores) == METRICS["binary"]
    for label in range(6):
        for name, metric in BINARY.items():
            expected = metric(y[:, label], decisions[:, label] > 0)
            assert scores[name][label] == pytest.approx(expected, abs=1e-12), name
    assert scores["precision"][5] == scores["recall"][5] == scores["f1"][5] == scores["mcc"][5] == 0.0


def test_mcc_survives_counts_whose_product_overflows_int64():
    y = np.arange(200_000) % 2 == 0
    scores = label_scores(y[:, None], np.where(y, 1.0, -1.0)[:, None])
    assert scores["mcc"][0] == pytest.approx(1.0)


def test_multilabel_scores_equal_sklearn(rng):
    y = labels_with_both_values(rng, 90, 7)
    decisions = rng.normal(size=y.shape) + 1.5 * y - 0.7
    predicted = decisions > 0
    got = multilabel_scores(y, decisions, label_scores(y, decisions), np.ones(7, dtype=bool))
    expected = {
        "roc_auc_weighted": sk.roc_auc_score(y, decisions, average="weighted"),
        "roc_auc_macro": sk.roc_auc_score(y, decisions, average="macro"),
        "average_precision_macro": sk.average_precision_score(y, decisions, average="macro"),
        "hamming_loss": sk.hamming_loss(y, predicted),
        "accuracy": sk.accuracy_score(y, predicted),
        "precision_weighted": sk.precision_score(y, predicted, average="weighted", zero_division=0),
        "recall_weighted": sk.recall_score(y, predicted, average="weighted", zero_division=0),
        "f1_weighted": sk.f1_score(y, predicted, average="weighted", zero_division=0),
    }
    assert tuple(got) == METRICS["multilabel"]
    assert got == pytest.approx(expected, abs=1e-12)


def test_multilabel_averages_leave_out_undefined_labels_but_hamming_and_accuracy_count_them(rng):
    y = labels_with_both_values(rng, 50, 4)
    y[:, 3] = True
    decisions = rng.normal(size=y.shape)
    defined = np.array([True, True, False, False])
    got = multilabel_scores(y, decisions, label_scores(y, decisions), defined)
    assert got["roc_auc_macro"] == pytest.approx(sk.roc_auc_score(y[:, :2], decisions[:, :2], average="macro"))
    assert got["f1_weighted"] == pytest.approx(sk.f1_score(y[:, :2], decisions[:, :2] > 0, average="weighted"))
    assert got["hamming_loss"] == pytest.approx(sk.hamming_loss(y, decisions > 0))
    none = multilabel_scores(y, decisions, label_scores(y, decisions), np.zeros(4, dtype=bool))
    assert np.isnan(none["roc_auc_macro"])
    assert np.isnan(none["f1_weighted"])
    assert none["hamming_loss"] == got["hamming_loss"]


def test_multiclass_scores_equal_sklearn(rng):
    y = rng.choice(5, size=120, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    probabilities = rng.dirichlet(np.ones(5), size=120) * (1 + 2 * np.eye(5)[y])
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    got = multiclass_scores(y, probabilities, np.ones(5, dtype=bool))
    expected = {
        "roc_auc_ovr_weighted": sk.roc_auc_score(y, probabilities, multi_class="ovr", average="weighted"),
        "roc_auc_ovr_macro": sk.roc_auc_score(y, probabilities, multi_class="ovr", average="macro"),
        "accuracy": sk.accuracy_score(y, predicted),
        "precision_weighted": sk.precision_score(y, predicted, average="weighted", zero_division=0),
        "recall_weighted": sk.recall_score(y, predicted, average="weighted", zero_division=0),
        "f1_weighted": sk.f1_score(y, predicted, average="weighted", zero_division=0),
        "f1_macro": sk.f1_score(y, predicted, average="macro", zero_division=0),
        "mcc": sk.matthews_corrcoef(y, predicted),
    }
    assert tuple(got) == METRICS["multiclass"]
    assert got == pytest.approx(expected, abs=1e-12)


def test_multiclass_class_absent_from_truth_is_left_out_of_ovr_only(rng):
    y = rng.choice([0, 1, 3], size=60)
    probabilities = rng.dirichlet(np.ones(4), size=60)
    predicted = probabilities.argmax(axis=1)
    got = multiclass_scores(y, probabilities, np.array([True, True, False, True]))
    by_class = [sk.roc_auc_score(y == k, probabilities[:, k]) for k in (0, 1, 3)]
    support = [np.count_nonzero(y == k) for k in (0, 1, 3)]
    assert got["roc_auc_ovr_macro"] == pytest.approx(np.mean(by_class))
    assert got["roc_auc_ovr_weighted"] == pytest.approx(np.average(by_class, weights=support))
    assert got["f1_macro"] == pytest.approx(sk.f1_score(y, predicted, average="macro", zero_division=0))
    assert got["mcc"] == pytest.approx(sk.matthews_corrcoef(y, predicted))


def test_regression_scores_equal_sklearn_and_scipy(rng):
    y = rng.normal(size=40).round(1) * 30 + 7
    predicted = y + 20 * rng.normal(size=40)
    expected = {
        "r2": sk.r2_score(y, predicted),
        "rmse": sk.root_mean_squared_error(y, predicted),
        "mae": sk.mean_absolute_error(y, predicted),
        "pearson": stats.pearsonr(y, predicted).statistic,
        "spearman": stats.spearmanr(y, predicted).statistic,
    }
    got = regression_scores(y, predicted)
    assert tuple(got) == METRICS["regression"]
    assert got == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("y", [[2.0], [0.1, 0.1, 0.1]])
def test_regression_without_spread_keeps_the_errors_only(y):
    got = regression_scores(np.array(y), np.arange(len(y), dtype=float))
    assert all(np.isnan(got[name]) for name in ("r2", "pearson", "spearman"))
    assert got["mae"] == pytest.approx(np.abs(np.array(y) - np.arange(len(y))).mean())


def test_constant_prediction_has_an_r2_but_no_correlation():
    got = regression_scores(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0))
    assert got["r2"] == 0.0
    assert np.isnan(got["pearson"])
    assert np.isnan(got["spearman"])


@pytest.mark.parametrize("scale", [1e-200, 1e150])
def test_correlation_at_the_ends_of_the_float_range(scale):
    y = np.array([1.0, 2.0, 4.0, 3.0])
    assert regression_scores(y, y * scale)["pearson"] == pytest.approx(1.0)


def test_every_metric_has_a_direction_and_every_target_a_main_metric():
    assert set(HIGHER_IS_BETTER) == {name for names in METRICS.values() for name in names}
    assert {name for name, higher in HIGHER_IS_BETTER.items() if not higher} == {"hamming_loss", "rmse", "mae"}
    assert all(MAIN_METRIC[target] in METRICS[target] for target in METRICS)
