"""Scores from labels of training rows of the same groups, against sums written out."""

import numpy as np
import pytest

from gene_eval.core import ProbeError, Splits
from gene_eval.core.lookup import Groups, look_up
from gene_eval.core.repeats import pooled

RNG = np.random.default_rng(0)
N = 90
FOLDS = RNG.integers(0, 3, N)
ONE = RNG.integers(0, 12, (N, 1))
TWO = RNG.integers(0, 12, (N, 2))


def written_out(codes, columns):
    values = np.zeros(columns.shape)
    for row in range(N):
        train = FOLDS != FOLDS[row]
        prior = columns[train].mean(axis=0)
        means = []
        for code in codes[row]:
            members = [columns[other] for other in np.flatnonzero(train) for each in codes[other] if each == code]
            means.append(np.sum([*members, prior], axis=0) / (len(members) + 1))
        values[row] = np.mean(means, axis=0)
    return values


@pytest.mark.parametrize("codes", [ONE, TWO])
@pytest.mark.parametrize("target", ["binary", "multilabel", "multiclass", "regression"])
def test_values(codes, target):
    y = {
        "binary": RNG.integers(0, 2, N),
        "multilabel": RNG.integers(0, 2, (N, 3)),
        "multiclass": RNG.integers(0, 3, N),
        "regression": RNG.normal(size=N),
    }[target]
    found = look_up(Groups(codes), y, target=target, splits=Splits.from_folds(FOLDS))
    columns = np.eye(3)[y] if target == "multiclass" else y.reshape(N, -1).astype(float)
    expected = written_out(codes, columns) - (0.5 if target in ("binary", "multilabel") else 0)
    np.testing.assert_allclose(found.values.reshape(N, -1), expected, atol=1e-12)
    assert (found.n, found.dim, found.convergence) == (N, 0, {"converged": True})


def test_groups_and_splits_of_other_lengths():
    with pytest.raises(ProbeError, match="90 .* 4;"):
        look_up(Groups(ONE), np.arange(N) % 2, target="binary", splits=Splits.from_folds([0, 1, 0, 1]))


def test_pooled_repeats():
    y = RNG.integers(0, 2, (N, 2))
    runs = [
        look_up(Groups(ONE), y, target="multilabel", splits=Splits.from_folds(folds), label_names=["a", "b"])
        for folds in (FOLDS, np.roll(FOLDS, 7))
    ]
    both = pooled(runs)
    for pick in (lambda run: run.scores["roc_auc_macro"], lambda run: run.labels["b"]["f1"]):
        folds = [*pick(runs[0]).folds, *pick(runs[1]).folds]
        assert pick(both).folds == tuple(folds)
        assert (pick(both).mean, pick(both).std) == pytest.approx((np.mean(folds), np.std(folds)))
    np.testing.assert_array_equal(both.values, runs[0].values)
