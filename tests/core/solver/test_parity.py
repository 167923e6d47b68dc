"""The fast engine against scikit-learn, on cases that hurt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from gene_eval.core import PairedRows, probe
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.splits import Splits


def draw(*, n=300, d=12, n_labels=3, noise=2.0, seed=0):
    """Vectors, the noisy signals of some labels in them, and five folds."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X @ rng.normal(size=(d, n_labels)) + noise * rng.normal(size=(n, n_labels)), np.arange(n) % 5


def assert_equal_scores(X, y, folds, *, target, atol=1e-9, **options):
    fast, reference = (probe(X, y, target=target, folds=folds, engine=e, **options) for e in ("fast", "sklearn"))
    assert fast.convergence["converged"]
    for metric, score in reference.scores.items():
        np.testing.assert_allclose(fast.scores[metric].folds, score.folds, rtol=0, atol=atol, err_msg=metric)
    for label, table in reference.labels.items():
        for metric, score in table.items():
            np.testing.assert_allclose(fast.labels[label][metric].folds, score.folds, rtol=0, atol=atol)


def held_out(X, y, folds, *, target="multilabel", **options):
    return get_engine("fast")(X, y, target=target, splits=Splits.from_folds(folds), params=Params(**options))


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_scores_do_not_depend_on_who_solves_at_any_scale(scale):
    X, signal, folds = draw()
    assert_equal_scores(scale * X, signal > [0, 2, 4], folds, target="multilabel")


def test_decision_values_are_those_of_an_exact_solver():
    X, signal, folds = draw()
    y = signal > [0, 2, 4]
    expected = np.empty(y.shape)
    for fold in range(5):
        for label in range(3):
            fit = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=1000)
            fit.fit(X[folds != fold], y[folds != fold, label])
            expected[folds == fold, label] = fit.decision_function(X[folds == fold])
    np.testing.assert_allclose(held_out(X, y, folds).values, expected, rtol=0, atol=1e-5)


def test_separable_labels():
    X, signal, folds = draw(noise=0.0)
    assert_equal_scores(X, signal[:, 0] > 0, folds, target="binary")


def test_a_label_with_one_percent_positives():
    X, signal, folds = draw(n=1500)
    rare = signal[:, :2] > np.quantile(signal[:, :2], 0.99, axis=0)
    assert_equal_scores(X, rare, folds, target="multilabel")


def test_a_label_constant_in_one_training_fold_leaves_the_others_alone():
    X, signal, folds = draw()
    y = np.column_stack([signal[:, 0] > 0, (folds == 2) & (signal[:, 1] > 1)])
    assert_equal_scores(X, y, folds, target="multilabel")
    alone = held_out(X, y[:, :1], folds).values
    np.testing.assert_allclose(held_out(X, y, folds).values[:, :1], alone, atol=1e-6)


def test_duplicate_and_constant_columns_and_zero_rows():
    X, signal, folds = draw()
    X = np.column_stack([X, X[:, :3], np.ones(len(X)), np.zeros(len(X))])
    X[7:9] = 0
    assert_equal_scores(X, signal[:, 0] > 0, folds, target="binary", atol=1e-3)


def test_far_more_features_than_rows():
    rng = np.random.default_rng(0)
    X, folds = rng.normal(size=(44, 4096)), np.arange(44) % 5
    y = X[:, 0] + 0.5 * rng.normal(size=44) > 0
    assert_equal_scores(X, y, folds, target="binary")
    assert_equal_scores(X, X[:, 0], folds, target="regression")


def test_a_large_common_offset_costs_no_digits():
    X, signal, folds = draw()
    y = signal[:, :1] > 0
    moved = held_out((X + 1e6), y, folds).values
    np.testing.assert_allclose(moved, held_out(X, y, folds).values, atol=1e-4)


def test_25_unbalanced_classes():
    rng = np.random.default_rng(0)
    y = np.sort(rng.choice(25, size=900, p=(w := 1.2 ** -np.arange(25)) / w.sum()))
    X = rng.normal(size=(25, 10))[y] + 1.5 * rng.normal(size=(900, 10))
    assert_equal_scores(X, y, rng.integers(0, 5, 900), target="multiclass", atol=1e-3)


def test_two_classes_are_one_logistic_regression_as_in_scikit_learn():
    X, signal, folds = draw()
    y = signal[:, 0] > 0
    classes = held_out(X, y.astype(np.int64), folds, target="multiclass").values
    odds = held_out(X, y, folds, target="binary").values
    np.testing.assert_allclose(classes[:, 1], 1 / (1 + np.exp(-odds)), atol=1e-6)
    three = np.where((folds == 0) & (signal[:, 1] > 2), 2, y.astype(np.int64))
    assert_equal_scores(X, three, folds, target="multiclass")


def test_least_squares_with_collinear_columns_and_several_targets():
    X, signal, folds = draw()
    X = np.column_stack([X, X[:, :2] - X[:, 2:4], np.ones(len(X))])
    assert_equal_scores(X, 5 + signal[:, 0], folds, target="regression")
    both = held_out(X, signal[:, :2], folds, target="regression").values
    np.testing.assert_allclose(both[:, 1], held_out(X, signal[:, 1], folds, target="regression").values, atol=1e-9)


@pytest.mark.parametrize("mode", ["average", "concat"])
@pytest.mark.parametrize("target", ["binary", "multiclass", "regression"])
def test_pairs_are_scored_as_if_materialised(mode, target):
    rng = np.random.default_rng(1)
    genes, diseases, n = rng.normal(size=(40, 8)), rng.normal(size=(25, 8)), 600
    pairs = PairedRows(genes, rng.integers(0, 40, n), diseases, rng.integers(0, 25, n), mode)
    signal = pairs.materialise() @ rng.normal(size=pairs.shape[1]) + rng.normal(size=n)
    y = {"binary": signal > 0, "multiclass": np.digitize(signal, [-1, 1]), "regression": signal}[target]
    folds = np.arange(n) % 5
    assert_equal_scores(pairs, y, folds, target=target, atol=1e-3)
    together = held_out(pairs, y, folds, target=target).values
    np.testing.assert_allclose(together, held_out(pairs.materialise(), y, folds, target=target).values, atol=1e-4)


@pytest.mark.parametrize("target", ["multilabel", "multiclass", "regression"])
@pytest.mark.parametrize("shape", [(200, 10), (60, 90)])
def test_the_scaled_protocol_standardises_and_chooses_inside_the_training_rows(target, shape):
    X, signal, folds = draw(n=shape[0], d=shape[1], noise=4.0)
    X = X * np.exp(np.random.default_rng(0).normal(size=shape[1]))
    X[:, 3], X[folds != 1, 4] = 2.0, 1.0
    y = {
        "multilabel": signal[:, :2] > [0, 2],
        "multiclass": signal.argmax(axis=1),
        "regression": signal[:, 0],
    }[target]
    assert_equal_scores(X, y, folds, target=target, protocol="scaled", atol=1e-3)


@settings(derandomize=True, max_examples=12, deadline=None)
@given(
    n=st.integers(30, 80),
    d=st.integers(1, 40),
    scale=st.sampled_from([0.01, 1.0, 30.0]),
    rank=st.integers(1, 8),
    prevalence=st.sampled_from([0.1, 0.3, 0.5]),
    seed=st.integers(0, 99),
)
def test_any_small_problem_is_solved_to_the_optimum(n, d, scale, rank, prevalence, seed):
    """At the optimum the gradient vanishes; checked on the predictions by an exact solver of the same objective."""
    rng = np.random.default_rng(seed)
    X = scale * rng.normal(size=(n, min(rank, d))) @ rng.normal(size=(min(rank, d), d))
    y = rng.permutation(np.arange(n) < max(5, prevalence * n))
    folds = np.arange(n) % 3
    out = held_out(X, y, folds, target="binary")
    assert out.convergence["converged"]
    for fold in range(3):
        train = folds != fold
        centre = X[train].mean(axis=0)
        fit = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=2000).fit(X[train] - centre, y[train])
        expected = fit.decision_function(X[~train] - centre)
        np.testing.assert_allclose(out.values[~train], expected, rtol=1e-3, atol=1e-3)
