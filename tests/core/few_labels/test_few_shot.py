"""Fits on k examples of each class, against scikit-learn on the same draws."""

import hashlib

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from gene_eval.core import ProbeError, UnknownNameError
from gene_eval.core.few_labels.draws import draw, hash_order, hash_rows
from gene_eval.core.few_labels.few_shot import few_shot, standardisation
from gene_eval.core.few_labels.fits import centroids, logistic
from gene_eval.core.splits import Splits

KEYS = [f"GENE{i}" for i in range(150)]


def run(p, k, **options):
    options = {"hashes": hash_rows(KEYS[: len(p.y)]), "n_draws": 3, **options}
    return few_shot(p.X, p.y, target=p.target, folds=p.folds, k=k, **options)


def test_hashes_are_of_the_key_and_orders_of_the_seed():
    assert hash_rows(["TP53"]).tolist() == [int(hashlib.sha256(b"TP53").hexdigest()[:16], 16)]
    hashes = hash_rows(KEYS)
    order = hash_order(hashes, seed=0)
    assert sorted(order.tolist()) == list(range(150))
    assert not np.array_equal(order, hash_order(hashes, seed=1))
    kept = np.arange(150) % 3 > 0
    assert np.flatnonzero(kept)[hash_order(hashes[kept], seed=0)].tolist() == [row for row in order if kept[row]]


def test_orders_are_even_over_many_seeds():
    hashes = hash_rows(KEYS[:10])
    first = np.bincount([hash_order(hashes, seed=seed)[0] for seed in range(2000)], minlength=10)
    assert (((first - 200) ** 2) / 200).sum() < 27.9  # chi-squared with 9 degrees of freedom, p = 0.001


def test_a_draw_is_part_of_a_larger_one():
    order, members = hash_order(hash_rows(KEYS), seed=2), np.arange(150)[:, None] % 4 == np.arange(4)
    small, large = draw(order, members, k=4), draw(order, members, k=9)
    assert np.array_equal(large[:, :4], small)
    assert (large % 4 == np.arange(4)[:, None]).all()
    assert large[1].tolist() == [row for row in order.tolist() if row % 4 == 1][:9]


@pytest.mark.parametrize("d", [5, 40])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_is_scikit_learns(d, n_classes):
    rng = np.random.default_rng(d)
    y = np.repeat(np.arange(n_classes), 8)
    rows = rng.normal(size=(4, len(y), d)) * 3 + y[:, None] * rng.normal(size=d)
    rows[1, 3] = rows[1, 4]
    rows[2, :, 0] = 2.0
    weights, intercepts = logistic(rows, y, C=0.05 if n_classes == 2 else 0.1)
    tested = rng.normal(size=(20, d))
    for number, each in enumerate(rows):
        logits = tested @ weights[number] + intercepts[number]
        expected = LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000).fit(each, y).predict_log_proba(tested)
        differences = logits[:, 1:] - logits[:, :1]
        np.testing.assert_allclose(differences, expected[:, 1:] - expected[:, :1], atol=2e-4)


def test_centroids_predict_as_nearest_centroid():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 4)
    rows, tested = rng.normal(size=(2, 12, 5)), rng.normal(size=(50, 5))
    weights, intercepts = centroids(rows, y)
    for number, each in enumerate(rows):
        predicted = (tested @ weights[number] + intercepts[number]).argmax(axis=1)
        assert np.array_equal(predicted, NearestCentroid().fit(each, y).predict(tested))


def test_scores_are_means_over_draws_of_standardised_fits(make_problem):
    p = make_problem("binary")
    found = run(p, 4, seed=1)
    hashes = hash_rows(KEYS)
    expected = np.empty((3, 5))
    for number in range(3):
        order = hash_order(hashes, seed=3 * 1 + number)
        for fold in range(5):
            train, test = p.folds != fold, p.folds == fold
            rows = StandardScaler().fit(p.X[train]).transform(p.X)
            chosen = [[row for row in order if train[row] and p.y[row] == label][:4] for label in (0, 1)]
            fitted = LogisticRegression(C=0.1, tol=1e-8).fit(rows[sum(chosen, [])], [0] * 4 + [1] * 4)
            expected[number, fold] = roc_auc_score(p.y[test], fitted.decision_function(rows[test]))
    np.testing.assert_allclose(found.scores["roc_auc"].folds, expected.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(found.draws["roc_auc"], expected.mean(axis=1), atol=1e-9)
    assert found.scores["roc_auc"].mean == pytest.approx(expected.mean())


@pytest.mark.parametrize("head", ["linear", "centroid"])
def test_each_label_is_a_binary_task_and_row_order_does_not_matter(make_problem, head):
    p = make_problem("multilabel")
    found = run(p, 4, head=head)
    alone = few_shot(p.X, p.y[:, 1], target="binary", folds=p.folds, k=4, head=head, hashes=hash_rows(KEYS), n_draws=3)
    assert found.labels["1"]["roc_auc"].folds == pytest.approx(alone.scores["roc_auc"].folds)
    back = np.arange(149, -1, -1)
    again = few_shot(
        p.X[back],
        p.y[back],
        target="multilabel",
        folds=p.folds[back],
        k=4,
        head=head,
        hashes=hash_rows(np.array(KEYS)[back]),
        n_draws=3,
    )
    assert again.scores["roc_auc_macro"].folds == pytest.approx(found.scores["roc_auc_macro"].folds)


def test_more_examples_score_higher(make_problem):
    p = make_problem("multiclass")
    few, more = (run(p, k).scores["roc_auc_ovr_macro"].mean for k in (1, 8))
    assert few + 0.05 < more


def test_labels_without_enough_examples_are_left_out_and_named(make_problem):
    p = make_problem("multilabel")
    p.y[:, 2] = 0
    p.y[:9, 2] = 1
    found = run(p, 5)
    assert found.params["labels_left_out"] == ["2"]
    assert list(found.labels) == ["0", "1", "3"]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("binary", {"k": 32}, "shots 32 needs 64 examples of each class .* the rarest class has 40; give 20 shots"),
        ("multiclass", {"k": 16}, "the rarest class has 19; give 9 shots or fewer"),
        ("regression", {"k": 1}, "the target is regression; leave shots out"),
        ("binary", {"k": 1, "head": "knn"}, "unknown head for shots 'knn': choose one of centroid, linear"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(make_problem, target, options, message):
    with pytest.raises((ProbeError, UnknownNameError), match=message):
        run(make_problem(target), **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_rows_are_standardised_as_by_scikit_learn(dtype):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(5000, 4)) * [1, 1e-3, 50, 0] + [0, 3, -200, 7]).astype(dtype)
    splits = Splits.from_folds(np.arange(5000) % 3)
    means, scales = standardisation(X, splits)
    for split in range(3):
        scaler = StandardScaler().fit(X[splits.train_rows(split)].astype(np.float64))
        np.testing.assert_allclose(means[split], scaler.mean_, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(scales[split], scaler.scale_, rtol=1e-9)
