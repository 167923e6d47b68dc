"""Learning curves against fits on the same rows chosen by hand."""

import math

import numpy as np
import pytest

from gene_eval.core import Splits, probe
from gene_eval.core.few_labels.draws import hash_order, hash_rows
from gene_eval.core.few_labels.learning_curves import Curve, learning_curve, nested
from gene_eval.core.probe import Score

HASHES = hash_rows(f"GENE{i}" for i in range(150))


def test_a_point_is_the_probe_on_the_first_rows_of_each_fold(make_problem):
    p = make_problem("binary")
    curve = learning_curve(p.X, p.y, target="binary", folds=p.folds, hashes=HASHES, seed=4, engine="sklearn")
    order = hash_order(HASHES, seed=4)
    first = {fold: [row for row in order if p.folds[row] == fold] for fold in range(5)}
    part = {fold: rows[: math.ceil(len(rows) / 4)] for fold, rows in first.items()}
    splits = Splits.from_rows(
        [(sum((part[other] for other in range(5) if other != fold), []), first[fold]) for fold in range(5)], n=150
    )
    expected = probe(p.X, p.y, target="binary", splits=splits, engine="sklearn").scores["roc_auc"]
    assert curve.scores[2].folds == pytest.approx(expected.folds)
    assert curve.n_train[2] == np.mean([splits.train_rows(s).sum() for s in range(5)])
    assert curve.scores[-1] == probe(p.X, p.y, target="binary", folds=p.folds, engine="sklearn").scores["roc_auc"]


def test_parts_are_nested_and_score_the_same_rows(make_problem):
    p = make_problem("binary")
    splits = Splits.from_folds(p.folds)
    parts = nested(splits, HASHES, seed=0, shares=(1 / 16, 1 / 2, 1))
    for split in range(5):
        rows = [part.train_rows(split) for part in parts]
        assert (rows[0] <= rows[1]).all()
        assert (rows[1] <= rows[2]).all()
        assert np.array_equal(rows[2], splits.train_rows(split))
        assert all(np.array_equal(part.test_rows(split), splits.test_rows(split)) for part in parts)


def test_the_area_is_the_mean_height_over_log2():
    points = [Score(mean, 0.0, (mean,)) for mean in (0.5, 0.7, 0.8)]
    # (0.6 * 1 + 0.75 * 2) / 3
    assert Curve("roc_auc", (1 / 8, 1 / 4, 1), (10, 20, 80), tuple(points)).area == pytest.approx(0.7)
    undefined = (*points[:2], Score(math.nan, math.nan, (math.nan,)))
    assert math.isnan(Curve("roc_auc", (1 / 8, 1 / 4, 1), (10, 20, 80), undefined).area)
