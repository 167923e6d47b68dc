"""Scores as published, against the calls of scikit-learn that the paper's code makes."""

import numpy as np
import pytest
from sklearn import metrics as sk

from gene_eval.core import Splits, probe
from gene_eval.core.published import published_scores


def test_multilabel_is_scored_on_predicted_labels(make_problem):
    p = make_problem("multilabel")
    found = probe(p.X, p.y, target="multilabel", folds=p.folds, engine="sklearn")
    scores = published_scores(p.y, found.values, Splits.from_folds(p.folds), target="multilabel")
    for fold in range(5):
        y, predicted = p.y[p.folds == fold], found.values[p.folds == fold] > 0
        expected = {
            "roc_auc_weighted": sk.roc_auc_score(y, predicted, average="weighted"),
            "hamming_loss": sk.hamming_loss(y, predicted),
            "accuracy": sk.accuracy_score(y, predicted),
            "precision_weighted": sk.precision_score(y, predicted, average="weighted", zero_division=0),
            "recall_weighted": sk.recall_score(y, predicted, average="weighted", zero_division=0),
            "f1_weighted": sk.f1_score(y, predicted, average="weighted", zero_division=0),
        }
        assert {name: score.folds[fold] for name, score in scores.items()} == pytest.approx(expected)
    assert scores["roc_auc_weighted"].mean < found.scores["roc_auc_weighted"].mean


def test_label_0_is_the_positive_one_of_binary_tasks(make_problem):
    p = make_problem("binary")
    found = probe(p.X, p.y, target="binary", folds=p.folds, engine="sklearn")
    scores = published_scores(p.y, found.values, Splits.from_folds(p.folds), target="binary")
    for fold in range(5):
        y, values = p.y[p.folds == fold], found.values[p.folds == fold]
        predicted = (values > 0).astype(int)
        expected = {
            "roc_auc": sk.roc_auc_score(y, values),
            "accuracy": sk.accuracy_score(y, predicted),
            "precision": sk.precision_score(y, predicted, pos_label=0),
            "recall": sk.recall_score(y, predicted, pos_label=0),
            "f1": sk.f1_score(y, predicted, pos_label=0),
        }
        assert {name: score.folds[fold] for name, score in scores.items()} == pytest.approx(expected)


@pytest.mark.parametrize("target", ["multiclass", "regression"])
def test_other_targets_have_no_form_of_their_own(target):
    splits = Splits.from_folds([0, 1])
    assert published_scores(np.array([0, 1]), np.zeros(2), splits, target=target) == {}
