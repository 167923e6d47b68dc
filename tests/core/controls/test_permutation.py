"""Permuted labels: the same fits by hand, p-values of labels that mean nothing, independence of the order of rows."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from gene_eval.core.controls.permutation import Permuted, permuted, permuted_rows
from gene_eval.core.few_labels.draws import hash_rows
from gene_eval.core.probe import probe
from gene_eval.core.splits import Splits

RNG = np.random.default_rng(1)
N = 120
X = RNG.normal(size=(N, 4))
Y = np.column_stack([X[:, 0] + RNG.normal(size=N) > 0, X[:, 1] + RNG.normal(size=N) > 0.5]).astype(int)
FOLDS = np.arange(N) % 4
HASHES = hash_rows([f"G{i}" for i in range(N)])
SPLITS = Splits.from_folds(FOLDS)


def fit(labels, *, target, splits):
    return probe(X, labels, target=target, splits=splits).values


def test_labels_stay_in_their_fold_and_do_not_depend_on_the_order_of_rows():
    rows = permuted_rows(HASHES, FOLDS, seed=3, n_permutations=5)
    assert (FOLDS[rows] == FOLDS).all()
    assert (np.sort(rows, axis=1) == np.arange(N)).all()
    assert len(np.unique(rows, axis=0)) == 5
    turned = permuted_rows(HASHES[::-1], FOLDS[::-1], seed=3, n_permutations=5)
    assert (N - 1 - turned[:, ::-1] == rows).all()


def test_scores_are_those_of_scikit_learn_on_the_permuted_labels():
    found = permuted(
        fit, Y[:, 0], target="binary", repeats=[SPLITS], hashes=HASHES, observed=0.75, seed=0, n_permutations=6
    )
    rows = permuted_rows(HASHES, FOLDS, seed=0, n_permutations=6)
    expected = []
    for each in rows:
        y, folds = Y[each, 0], []
        for fold in range(4):
            model = LogisticRegression(tol=1e-10, max_iter=10_000).fit(X[FOLDS != fold], y[FOLDS != fold])
            folds.append(roc_auc_score(y[FOLDS == fold], model.decision_function(X[FOLDS == fold])))
        expected.append(np.mean(folds))
    assert found.scores == pytest.approx(expected, abs=1e-6)
    assert found.selectivity == pytest.approx(0.75 - np.mean(expected))
    assert found.p_value == (1 + sum(score >= 0.75 for score in expected)) / 7


@pytest.mark.parametrize("target", ["multilabel", "multiclass", "regression"])
def test_other_targets(target):
    y = {"multilabel": Y, "multiclass": Y.sum(axis=1), "regression": X[:, 0] + RNG.normal(size=N)}[target]
    others = [SPLITS, Splits.from_folds(np.arange(N) // 30)]
    found = permuted(fit, y, target=target, repeats=others, hashes=HASHES, observed=0.9, n_permutations=3)
    rows = permuted_rows(HASHES, FOLDS, seed=0, n_permutations=3)
    for score, each in zip(found.scores, rows, strict=True):
        direct = [probe(X, y[each], target=target, splits=splits).scores[found.metric].folds for splits in others]
        assert score == pytest.approx(np.mean(direct), abs=1e-6)
    assert found.p_value == 0.25


def test_p_is_level_where_labels_mean_nothing():
    """Of 19 permutations p is 1/20, 2/20, ..., each as often as another: a rate of .05 at .05."""
    x, folds, hashes = X[:40, 0], FOLDS[:40] % 2, HASHES[:40]

    def as_it_is(labels, *, target, splits):
        return np.repeat(x[:, np.newaxis], labels.shape[1], axis=1)

    def p_value(number):
        y = np.random.default_rng([9, number]).permuted(Y[:40, 0])
        observed = np.mean([roc_auc_score(y[folds == fold], x[folds == fold]) for fold in range(2)])
        drawn = {"repeats": [Splits.from_folds(folds)], "hashes": hashes, "seed": number, "n_permutations": 19}
        return permuted(as_it_is, y, target="binary", observed=observed, **drawn).p_value

    p_values = np.array([p_value(number) for number in range(100)])
    assert np.mean(p_values <= 0.05) <= stats.binom.ppf(0.999, 100, 0.05) / 100
    assert p_values.mean() == pytest.approx(10.5 / 20, abs=0.09)


def test_one_more_than_the_permutations():
    assert Permuted.of("roc_auc", 0.6, [0.5, 0.6, 0.7]).p_value == 0.75
