"""Splits made of blocks: against explicit lists of rows, with both engines."""

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from gene_eval.core import METRICS, ProbeError, Splits, default_folds, probe

TARGETS = tuple(METRICS)


def unseen_pairs(n, n_genes, n_folds, seed=0):
    """Pairs of genes, and splits that score pairs of two genes that no training pair has."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, n_genes, (2, n))
    a, b = left % n_folds, right % n_folds
    rows = [((a != f) & (b != f), (a == f) & (b == f)) for f in range(n_folds)]
    return left, right, Splits.from_rows(rows, n=n)


def random_splits(n, seed):
    """Four splits of blocks of unequal size; some rows are never scored, and some train in some splits only."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 9, n)
    test = np.zeros((4, 9), dtype=bool)
    test[np.arange(4), np.arange(4)] = True
    test[1, 4] = True
    train = (rng.random((4, 9)) < 0.7) & ~test
    train[:, 8] = True
    train[:, 7] = False
    return Splits(blocks, train, test)


def test_folds_are_the_simplest_splits():
    splits = Splits.from_folds([7, 7, -1, 3])
    assert splits.blocks.tolist() == [2, 2, 0, 1]
    assert splits.split_of_row.tolist() == [2, 2, 0, 1]
    for split in range(3):
        assert (splits.test_rows(split) == (splits.blocks == split)).all()
        assert (splits.train_rows(split) == (splits.blocks != split)).all()


def test_blocks_are_rows_that_all_splits_treat_alike():
    left, right, splits = unseen_pairs(400, 60, 5)
    assert splits.train.shape == (5, 15)  # unordered pairs of five folds
    for split in range(5):
        train, test = splits.train_rows(split), splits.test_rows(split)
        assert test.any()
        seen = set(left[train]) | set(right[train])
        assert not seen & (set(left[test]) | set(right[test]))
    assert (splits.split_of_row == -1).sum() == (left % 5 != right % 5).sum()
    some = splits.take(np.arange(0, 400, 2))
    assert (some.split_of_row == splits.split_of_row[::2]).all()
    by_number = Splits.from_rows([(np.flatnonzero(splits.train_rows(0)), np.flatnonzero(splits.test_rows(0)))], n=400)
    assert (by_number.test_rows(0) == splits.test_rows(0)).all()


@pytest.mark.parametrize("target", TARGETS)
def test_folds_and_their_splits_give_the_same_numbers(make_problem, target):
    p = make_problem(target)
    for engine in ("fast", "sklearn"):
        one = probe(p.X, p.y, target=target, folds=p.folds, engine=engine)
        two = probe(p.X, p.y, target=target, splits=Splits.from_folds(p.folds), engine=engine)
        assert one == two
        np.testing.assert_array_equal(one.values, two.values)
        np.testing.assert_array_equal(one.split_of_row, p.folds)


@pytest.mark.parametrize("engine", ["fast", "sklearn"])
@pytest.mark.parametrize("target", TARGETS)
def test_values_and_scores_are_those_of_explicit_rows(make_problem, target, engine):
    p = make_problem(target, n=300)
    splits = random_splits(300, seed=1)
    result = probe(p.X, p.y, target=target, splits=splits, engine=engine)
    assert {len(score.folds) for score in result.scores.values()} == {4}
    assert np.isnan(result.values[result.split_of_row == -1]).all()
    for split in range(4):
        train, test = np.flatnonzero(splits.train_rows(split)), np.flatnonzero(splits.test_rows(split))
        assert (result.split_of_row[test] == split).all()
        if target == "regression":
            expected = LinearRegression().fit(p.X[train], p.y[train]).predict(p.X[test])
            score, metric = sk.r2_score(p.y[test], expected), "r2"
        elif target == "multiclass":
            expected = newton().fit(p.X[train], p.y[train]).predict_proba(p.X[test])
            score, metric = sk.accuracy_score(p.y[test], expected.argmax(1)), "accuracy"
        else:
            columns = p.y.reshape(len(p.y), -1)
            fits = [newton().fit(p.X[train], label) for label in columns[train].T]
            expected = np.column_stack([fit.decision_function(p.X[test]) for fit in fits])
            score = np.mean([sk.roc_auc_score(y, d) for y, d in zip(columns[test].T, expected.T, strict=True)])
            metric = {"binary": "roc_auc", "multilabel": "roc_auc_macro"}[target]
            expected = expected.reshape(p.y[test].shape)
        np.testing.assert_allclose(result.values[test], expected, rtol=1e-4, atol=1e-4)
        assert result.scores[metric].folds[split] == pytest.approx(score, abs=1e-9)


def newton():
    return LogisticRegression(solver="newton-cholesky", tol=1e-10)


@pytest.mark.parametrize("protocol", ["paper", "scaled"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", ["random", "pairs", "one"])
def test_engines_agree_on_general_splits(make_problem, target, protocol, kind):
    p = make_problem(target, n=240)
    _, _, pairs = unseen_pairs(240, 40, 4)
    one = Splits.from_rows([(p.folds < 3, p.folds == 4)], n=240)
    splits = {"random": random_splits(240, seed=2), "pairs": pairs, "one": one}[kind]
    fast, reference = (
        probe(p.X, p.y, target=target, splits=splits, engine=engine, protocol=protocol, seed=3)
        for engine in ("fast", "sklearn")
    )
    assert fast.convergence["converged"]
    for metric, score in reference.scores.items():
        np.testing.assert_allclose(fast.scores[metric].folds, score.folds, rtol=0, atol=1e-3, err_msg=metric)
    assert fast.params.get("C_chosen") == reference.params.get("C_chosen")


def test_what_is_never_scored_nor_trained_on_changes_nothing(make_problem):
    p = make_problem("multilabel")
    used = np.flatnonzero(p.folds != 2)
    splits = Splits.from_rows([(p.folds < 2, p.folds > 2)], n=150)
    for engine in ("fast", "sklearn"):
        whole = probe(p.X, p.y, target="multilabel", splits=splits, engine=engine)
        part = probe(p.X[used], p.y[used], target="multilabel", splits=splits.take(used), engine=engine)
        np.testing.assert_allclose(whole.values[used], part.values, rtol=1e-4, atol=1e-4)


def test_the_scaled_protocol_takes_inner_folds_of_a_single_split_from_its_training_rows(make_problem):
    """By hand: five inner folds of the training rows, the least summed log loss, one more fit on all of them."""
    p = make_problem("binary")
    train, test = np.flatnonzero(p.folds < 4), np.flatnonzero(p.folds == 4)
    X, y = p.X[train], p.y[train]
    inner, grid = default_folds(y, target="binary", seed=5), [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]

    def decisions(fitted, scored, C):
        scaler = StandardScaler().fit(X[fitted])
        fit = LogisticRegression(C=C, tol=1e-10).fit(scaler.transform(X[fitted]), y[fitted])
        return fit.decision_function(scaler.transform(scored))

    def loss(fold, C):
        eta = decisions(inner != fold, X[inner == fold], C)
        return (np.logaddexp(0, eta) - y[inner == fold] * eta).sum()

    losses = [sum(loss(fold, C) for fold in range(5)) for C in grid]
    expected = decisions(np.ones(len(y), dtype=bool), p.X[test], grid[int(np.argmin(losses))])
    splits = Splits.from_rows([(train, test)], n=150)
    for engine in ("fast", "sklearn"):
        result = probe(p.X, p.y, target="binary", splits=splits, engine=engine, protocol="scaled", seed=5)
        assert result.params["C_chosen"] == {f"{grid[int(np.argmin(losses))]:g}": 1}
        np.testing.assert_allclose(result.values[test], expected, rtol=1e-3, atol=1e-3)


def test_values_of_a_label_that_is_constant_in_training(make_problem):
    p = make_problem("multilabel")
    p.y[:, 0] = p.folds == 1
    for engine in ("fast", "sklearn"):
        values = probe(p.X, p.y, target="multilabel", folds=p.folds, engine=engine).values
        assert set(values[p.folds == 1, 0]) == {-1.0}


BLOCKS = np.array([0, 0, 1, 2])
EYE = np.eye(3, dtype=bool)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((BLOCKS, ~EYE, EYE[:2]), r"splits need blocks \(rows,\) and train and test \(splits, blocks\), but .*"),
        ((BLOCKS + 1, ~EYE, EYE), r"block numbers must be 0\.\.2, got 1\.\.3"),
        ((BLOCKS, ~EYE[:0], EYE[:0]), "splits has no split; at least one is needed"),
        ((BLOCKS, ~EYE, 0 * EYE > 0), "split 0 has no rows to score; leave the split out"),
        ((BLOCKS, 0 * EYE > 0, EYE), "split 0 has no rows to train on; leave the split out"),
        ((BLOCKS, EYE, EYE), "split 0 trains on 2 of the rows that it scores; no row can be in both"),
        ((BLOCKS, ~EYE[[0, 0]], EYE[[0, 0]]), "splits 0 and 1 score the same rows; a row can be scored once"),
    ],
)
def test_what_is_no_set_of_splits_is_refused(arguments, message):
    with pytest.raises(ProbeError, match=f"^{message}$"):
        Splits(*arguments)


def test_the_probe_takes_folds_or_splits_of_its_rows(make_problem):
    p = make_problem("binary")
    splits = Splits.from_folds(p.folds)
    for given, message in (
        ({}, "either folds or splits, but got neither"),
        ({"folds": p.folds, "splits": splits}, "either folds or splits, but got both"),
        ({"splits": splits.take(np.arange(100))}, "X has 150 rows, but splits are of 100"),
    ):
        with pytest.raises(ProbeError, match=message):
            probe(p.X, p.y, target="binary", **given)
    apart = Splits.from_rows([(p.folds == f + 1, p.folds == f) for f in (0, 2)] + [(p.folds == 0, p.folds == 4)], n=150)
    with pytest.raises(ProbeError, match="split 0 trains on no rows that others score"):
        probe(p.X, p.y, target="binary", splits=apart, protocol="scaled")


def test_blocks_of_both_genes():
    rng = np.random.default_rng(0)
    numbers = rng.integers(-1, 4, (200, 2))
    splits = Splits.from_blocks(numbers)
    assert len(splits) == 4
    for k in range(4):
        used = (numbers >= 0).all(axis=1)
        assert splits.test_rows(k).tolist() == (numbers == k).all(axis=1).tolist()
        assert splits.train_rows(k).tolist() == (used & (numbers != k).all(axis=1)).tolist()
    tested, trained = [[part(k).sum() for k in range(4)] for part in (splits.test_rows, splits.train_rows)]
    assert splits.test_train_ratio == pytest.approx(np.mean(np.divide(tested, trained)))


def test_blocks_of_one_number_are_folds():
    folds = np.array([2, 0, 1, 0, 2, 1])
    one, two = Splits.from_blocks(folds), Splits.from_folds(folds)
    for name in ("blocks", "train", "test"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.test_train_ratio == 1 / 2
