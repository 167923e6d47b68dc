"""Solves whose products are made in bfloat16: forced here, so that they run on every processor."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from gene_eval.core import probe
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.solver import lbfgs as fast_lbfgs
from gene_eval.core.solver import problem as fast_task
from gene_eval.core.solver.low_precision import Differenced
from gene_eval.core.splits import Splits


@pytest.fixture
def low_precision(monkeypatch):
    monkeypatch.setattr(fast_task, "supports_bfloat16", lambda device, dtype, width: True)
    monkeypatch.setattr(fast_task, "SMALL", 0)


def held_out(X, y, folds, *, target="multilabel", **options):
    return get_engine("fast")(X, y, target=target, splits=Splits.from_folds(folds), params=Params(**options))


def draw(n=1500, d=80, n_labels=12, noise=4.0):
    """A task that is not small, with labels that differ in difficulty and frequency."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)).astype(np.float32)
    signal = X @ rng.normal(size=(d, n_labels)) + noise * rng.normal(size=(n, n_labels))
    return X, signal > np.linspace(0, 20, n_labels), np.arange(n) % 5


def decisions(X, y, folds):
    """Of the labels of the first fold, by scikit-learn's Newton solver."""
    train = folds > 0
    fits = [LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X[train], label[train]) for label in y.T]
    return np.column_stack([fit.decision_function(X[~train]) for fit in fits])


@pytest.mark.usefixtures("low_precision")
@pytest.mark.parametrize("scale", [0.01, 1.0])
def test_labels_are_solved_to_the_optimum(scale):
    X, y, folds = draw()
    out = held_out(scale * X, y, folds)
    assert out.params["rough_products"] == "bfloat16"
    assert out.convergence["converged"]
    assert out.convergence["n_float64"] == 0
    expected = decisions((scale * X).astype(float), y, folds)
    error = np.sqrt(np.mean((out.values[folds == 0] - expected) ** 2, axis=0))
    # Four times the default tolerance; a bfloat16 product has two or three digits.
    assert (error < 4e-5 * np.maximum(1, expected.std(axis=0))).all()


@pytest.mark.usefixtures("low_precision")
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_labels_score_as_with_scikit_learn_at_any_scale(scale):
    X, y, folds = draw(n=600, n_labels=3)
    fast, reference = (probe(scale * X, y, target="multilabel", folds=folds, engine=e) for e in ("fast", "sklearn"))
    assert fast.convergence["converged"]
    for metric, score in reference.scores.items():
        np.testing.assert_allclose(fast.scores[metric].folds, score.folds, rtol=0, atol=1e-3, err_msg=metric)


@pytest.mark.parametrize("rounded", [False, True])
def test_separable_labels_are_solved_in_float32(monkeypatch, rounded):
    """Residuals of probabilities near 0 and 1 keep their digits, also where products are rounded."""
    monkeypatch.setattr(fast_task, "supports_bfloat16", lambda device, dtype, width: rounded)
    rng = np.random.default_rng(0)
    X = 3 * rng.normal(size=(800, 1000)).astype(np.float32)
    y, folds = rng.random((800, 3)) < [0.5, 0.1, 0.02], np.arange(800) % 5
    out = held_out(X, y, folds, memory=1.0)
    assert out.convergence["converged"]
    assert out.convergence["n_float64"] == 0
    expected = decisions(X.astype(float), y, folds)
    assert (np.sqrt(np.mean((out.values[folds == 0] - expected) ** 2, axis=0)) < 1e-3 * expected.std(axis=0)).all()


@pytest.mark.usefixtures("low_precision")
@pytest.mark.parametrize("noise", [0.3, 1.5])
def test_25_unbalanced_classes_score_as_with_scikit_learn(noise):
    rng = np.random.default_rng(0)
    y = np.sort(rng.choice(25, size=900, p=(w := 1.2 ** -np.arange(25)) / w.sum()))
    X = rng.normal(size=(25, 40))[y] + noise * rng.normal(size=(900, 40))
    folds = rng.integers(0, 5, 900)
    fast, reference = (probe(X, y, target="multiclass", folds=folds, engine=e) for e in ("fast", "sklearn"))
    assert fast.convergence["converged"]
    for metric, score in reference.scores.items():
        np.testing.assert_allclose(fast.scores[metric].folds, score.folds, rtol=0, atol=1e-3, err_msg=metric)


@pytest.mark.usefixtures("low_precision")
def test_the_scaled_protocol_chooses_as_with_scikit_learn(make_problem):
    p = make_problem("multilabel")
    fast, reference = (
        probe(p.X, p.y, target="multilabel", folds=p.folds, protocol="scaled", engine=e) for e in ("fast", "sklearn")
    )
    assert fast.params["C_chosen"] == reference.params["C_chosen"]
    for metric, score in reference.scores.items():
        np.testing.assert_allclose(fast.scores[metric].folds, score.folds, rtol=0, atol=1e-3, err_msg=metric)


@pytest.mark.usefixtures("low_precision")
def test_the_certificate_is_that_of_exact_gradients():
    exact = held_out(*draw(), tol=1e-8)
    for tol in (1e-2, 1e-4):
        out = held_out(*draw(), tol=tol)
        assert out.convergence["logit_error"] < tol
        assert np.sqrt(((out.values - exact.values) ** 2).mean(axis=0)).max() < 4 * tol * exact.values.std()


@pytest.mark.usefixtures("low_precision")
def test_what_did_not_converge_is_said(make_problem):
    p = make_problem("multiclass")
    out = held_out(p.X, p.y, p.folds, target="multiclass", max_iter=2, tol=1e-9)
    assert not out.convergence["converged"]
    assert out.convergence["logit_error"] > 1e-9


@pytest.mark.usefixtures("low_precision")
def test_a_solve_repeats_to_the_bit():
    first, second = held_out(*draw()), held_out(*draw())
    assert first.values.tobytes() == second.values.tobytes()
    assert first.convergence == second.convergence


@pytest.mark.parametrize(
    ("able", "n", "width", "products"),
    [
        ({"avx512_bf16": True}, 1200, 256, "bfloat16"),
        ({"amx_bf16": True}, 1200, 256, "bfloat16"),
        ({"avx512_bf16": False, "avx2": True}, 1200, 256, "none"),
        # An older PyTorch does not say.
        (None, 1200, 256, "none"),
        ({"avx512_bf16": True}, 1200, 128, "none"),
        # So small that it is solved in float64.
        ({"avx512_bf16": True}, 400, 256, "none"),
    ],
)
def test_products_are_rounded_only_where_the_processor_says_that_it_pays(monkeypatch, able, n, width, products):
    monkeypatch.setattr("gene_eval.core.solver.low_precision.WIDE", 200)
    if able is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    X = np.random.default_rng(0).normal(size=(n, width)).astype(np.float32)
    assert held_out(X, X[:, :1] > 0, np.arange(n) % 2, tol=0.1).params["rough_products"] == products


@pytest.mark.usefixtures("low_precision")
@pytest.mark.parametrize("patience", [3, 100])
def test_nothing_leaves_by_a_rough_gradient(monkeypatch, patience):
    """Also not who has stalled, or who waits for others that do not get there."""
    monkeypatch.setattr(fast_lbfgs, "MIN_LEAVING_SHARE", 1.0)
    monkeypatch.setattr(fast_lbfgs, "STALL_LIMIT", patience)
    monkeypatch.setattr(Differenced, "__call__", far_too_small(Differenced.__call__))
    X, y, folds = draw(n=600, n_labels=3)
    out = held_out(X, y, folds, max_iter=12, tol=1e-4)
    monkeypatch.undo()
    truth = held_out(X, y, folds, low_precision=False, tol=1e-8).values
    error = np.sqrt(((out.values - truth) ** 2).mean(axis=0)).max()
    assert out.convergence["converged"] is (out.convergence["logit_error"] < 1e-4)
    assert error < 10 * max(1e-4, out.convergence["logit_error"]) * truth.std()


def far_too_small(call):
    """Gradients that end a solve too early where they are not exact."""

    def wrong(gradients, weights, problems, *, exact=True):
        found = call(gradients, weights, problems, exact=exact)
        return found if exact else 0.01 * found

    return wrong
