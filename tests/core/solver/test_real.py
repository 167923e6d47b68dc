"""The fast engine on real word counts, against scikit-learn's Newton solver run to convergence."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from builders import RawFiles
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.probe import score_splits
from gene_eval.core.solver import problem
from gene_eval.core.splits import Splits
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.tasks import collect_tasks
from model_adapters import load_model

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def read(raw_dir):
    """Word counts, labels and folds of a task."""
    raw = RawFiles(raw_dir)
    vectors = ModelVectors(load_model("bag-of-words"), raw, name="bag-of-words", log=lambda line: None)

    def read(name):
        (task,) = collect_tasks(name, raw)
        gathered = vectors.gather(task)
        return gathered.X.materialise(), task.y[gathered.rows], task.folds[0][gathered.rows].astype(np.int64)

    return read


def assert_close_scores(y, folds, values, expected, *, target):
    ours, theirs = (
        score_splits(y, each, Splits.from_folds(folds), target=target, names=[])[0] for each in (values, expected)
    )
    for metric, score in theirs.items():
        assert ours[metric].mean == pytest.approx(score.mean, abs=1e-3), metric


def test_transcription_factors_by_their_words(read):
    X, y, folds = read("humantfs_is_tf")
    X, y = X[:, ::4], y.astype(bool)
    out = get_engine("fast")(X, y, target="binary", splits=Splits.from_folds(folds), params=Params())
    assert out.convergence["converged"]
    expected = np.empty(len(y))
    for fold in range(5):
        # Newton's method takes half a minute a fold on all 1,024 words, hence every fourth.
        fit = LogisticRegression(solver="newton-cholesky", tol=1e-8, max_iter=100)
        fit.fit(X[folds != fold].astype(np.float64), y[folds != fold])
        expected[folds == fold] = fit.decision_function(X[folds == fold].astype(np.float64))
    assert np.sqrt(np.mean((out.values - expected) ** 2)) < 1e-3 * np.sqrt(np.mean(expected**2))
    assert_close_scores(y, folds, out.values, expected, target="binary")


def test_a_prognosis_by_words(read):
    X, y, folds = read("hpa_pathology_liver_cancer")
    keep = np.random.default_rng(0).permutation(len(y))[:3000]
    X, y, folds = X[keep, ::10], y[keep], folds[keep]
    out = get_engine("fast")(X, y, target="multiclass", splits=Splits.from_folds(folds), params=Params())
    assert out.convergence["converged"]
    expected = np.empty_like(out.values)
    for fold in range(5):
        fit = LogisticRegression(solver="newton-cholesky", tol=1e-8, max_iter=100)
        fit.fit(X[folds != fold].astype(np.float64), y[folds != fold])
        expected[folds == fold] = fit.predict_proba(X[folds == fold].astype(np.float64))
    assert np.abs(out.values - expected).max() < 0.02
    assert_close_scores(y, folds, out.values, expected, target="multiclass")


def test_low_precision_changes_no_score_of_word_counts(read, monkeypatch):
    """The pathways at 1,024 words, the worst conditioned real task: products in bfloat16 against float32."""
    X, y, folds = read("reactome_pathways")
    monkeypatch.setattr(problem, "supports_bfloat16", lambda device, dtype, width: True)
    splits, outs = Splits.from_folds(folds), []
    for low_precision in (False, True):
        params = Params(low_precision=low_precision)
        outs.append(get_engine("fast")(X, y[:, ::4].astype(bool), target="multilabel", splits=splits, params=params))
        assert outs[-1].convergence["converged"]
    plain, rounded = (out.values for out in outs)
    assert 0 < np.sqrt(np.mean((rounded - plain) ** 2)) < 2e-4 * plain.std()
