"""Metrics for annotated labels, against definitions written out for one label and split."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from gene_eval.core import Splits, probe
from gene_eval.core.annotation import annotation_scores, auc_with_hidden_positives, recall_at_top


def recall(y, scores, share):
    best = np.argsort(-scores, kind="stable")[: int(np.ceil(share * len(y)))]
    return y[best].sum() / y.sum()


def test_binary_scores_are_those_of_scikit_learn_fold_by_fold(make_problem):
    p = make_problem("binary")
    found = probe(p.X, p.y, target="binary", folds=p.folds, engine="sklearn")
    scores, labels = annotation_scores(p.y, found.values, Splits.from_folds(p.folds))
    assert labels == {}
    for fold in range(5):
        y, values = p.y[p.folds == fold], found.values[p.folds == fold]
        assert scores["average_precision_lift"].folds[fold] == pytest.approx(
            average_precision_score(y, values) / y.mean()
        )
        assert scores["recall_at_1_percent"].folds[fold] == pytest.approx(recall(y, values, 0.01))
        assert scores["recall_at_5_percent"].folds[fold] == pytest.approx(recall(y, values, 0.05))


def test_labels_by_themselves_and_their_means(make_problem):
    p = make_problem("multilabel")
    p.y[p.folds == 2, 3] = 0
    found = probe(p.X, p.y, target="multilabel", folds=p.folds, engine="sklearn")
    splits = Splits.from_folds(p.folds)
    scores, labels = annotation_scores(p.y, found.values, splits, names=list("abcd"))
    for i, name in enumerate("abcd"):
        alone, _ = annotation_scores(p.y[:, i], found.values[:, i], splits)
        for metric, score in alone.items():
            np.testing.assert_allclose(labels[name][metric].folds, score.folds)
    assert np.isnan(labels["d"]["average_precision_lift"].folds[2])
    lifts = [labels[name]["average_precision_lift"].folds[2] for name in "abc"]
    assert scores["average_precision_lift_macro"].folds[2] == pytest.approx(np.mean(lifts))


def test_ties_at_the_border_count_as_a_draw_among_them_would():
    rng = np.random.default_rng(0)
    y, scores = rng.random(40) < 0.3, rng.integers(0, 4, size=40).astype(float)
    drawn = [recall(y, scores + 1e-6 * rng.random(40), 0.25) for _ in range(4000)]
    assert recall_at_top(y[:, None], scores[:, None], 0.25)[0] == pytest.approx(np.mean(drawn), abs=0.005)


def test_hidden_positives_lower_the_auc_as_stated():
    rng = np.random.default_rng(1)
    y = rng.random(20_000) < 0.5
    scores = rng.normal(size=20_000) + 1.2 * y
    true = roc_auc_score(y, scores)
    # Positives are hidden until they are a tenth of what counts as negative.
    hidden = np.flatnonzero(y)[: int((~y).sum() / 9)]
    seen = y.copy()
    seen[hidden] = False
    assert auc_with_hidden_positives(roc_auc_score(seen, scores), 0.1) == pytest.approx(true, abs=0.005)
