"""Two models with vectors of different genes, compared on those that both have, against scikit-learn."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_results import made
from sklearn.metrics import r2_score, roc_auc_score

import gene_eval
from gene_eval.analysis.pairing import Pair, Pairing
from gene_eval.analysis.tables import build
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.results.predictions import make_predictions
from gene_eval.results.records import Coverage, Score, TaskResult
from gene_eval.results.store import load_folder, save

N = 600
FOLDS = np.arange(N) % 5
KEPT = {"a": np.arange(N) < 450, "b": np.arange(N) >= 90, "c": np.arange(N) < 450}
SHARED = KEPT["a"] & KEPT["b"]
LABELS = {
    "binary": np.arange(N) // 5 % 2,
    "multiclass": np.arange(N) // 5 % 3,
    "multilabel": np.stack([np.arange(N) // 5 % 2, np.arange(N) // 5 % 3 == 0], axis=1).astype(int),
    "regression": np.sin(np.arange(N)),
}
NAMES = {"multiclass": ("x", "y", "z"), "multilabel": ("x", "y")}
COLUMNS = {"gene": ("symbol",), "gene_pair": ("symbol_a", "symbol_b")}
Scorer = Callable[[np.ndarray, np.ndarray], float]
SCORERS: dict[str, Scorer] = {
    "binary": roc_auc_score,
    "multiclass": lambda y, p: roc_auc_score(y, p, multi_class="ovr", average="weighted"),
    "multilabel": lambda y, p: roc_auc_score(y, p, average="macro"),
    "regression": r2_score,
}


def values_of(model: str, target: str, *, noise: float = 1.5) -> np.ndarray:
    """Predictions that are better the less noise there is."""
    rng = np.random.default_rng(ord(model) + len(target))
    y = LABELS[target]
    if target == "multiclass":
        odds = np.exp(np.eye(3)[y] + noise * rng.normal(size=(N, 3)))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))
    return np.asarray(y + noise * rng.normal(size=y.shape))


def by_fold(target: str, values: np.ndarray, rows: np.ndarray) -> list[float]:
    parts = [rows & (FOLDS == fold) for fold in range(5)]
    return [float(SCORERS[target](LABELS[target][part], values[part])) for part in parts]


def save_result(root: Path, model: str, target: str, *, entity: str = "gene", **options: Any) -> TaskResult:
    """Save a result with its predictions, in another order of rows for every model."""
    values, kept = values_of(model, target, **options), KEPT[model]
    folds = by_fold(target, values, kept)
    order = np.random.default_rng(ord(model)).permutation(np.flatnonzero(kept))
    names = {column: [f"{column}{row}" for row in order] for column in COLUMNS[entity]}
    result = made(model, f"hpa_{target}", folds, target=target, n=N, entity=entity, label_names=NAMES.get(target, ()))
    result = replace(
        result,
        coverage=Coverage(N, len(order), N - len(order), (), hashlib.sha256(kept.tobytes()).hexdigest()),
        scores={MAIN_METRIC[target]: Score(float(np.mean(folds)), float(np.std(folds)), tuple(folds))},
    )
    predictions = make_predictions(
        result.task, entities=names, labels=LABELS[target][order], values=values[order], folds=FOLDS[order]
    )
    save(result, root, predictions=predictions)
    return result


@pytest.mark.parametrize("entity", COLUMNS)
@pytest.mark.parametrize("target", LABELS)
def test_scores_are_made_again_on_the_genes_that_both_have(tmp_path: Path, target: str, entity: str) -> None:
    for model in ("a", "b"):
        save_result(tmp_path, model, target, entity=entity)
    folder = load_folder(tmp_path)
    pair = Pairing(folder.predictions).of(*folder.results)
    assert isinstance(pair, Pair)
    assert (pair.kind, pair.n, pair.is_counted) == ("shared", SHARED.sum(), True)
    assert pair.first == pytest.approx(by_fold(target, values_of("a", target), SHARED), abs=1e-6)
    assert pair.second == pytest.approx(by_fold(target, values_of("b", target), SHARED), abs=1e-6)


def test_compare_and_ranks_go_by_these_scores(tmp_path: Path) -> None:
    for model, noise in (("a", 0.3), ("b", 3.0), ("c", 1.0)):
        save_result(tmp_path, model, "binary", noise=noise)
    results = gene_eval.load_results(tmp_path)
    (task,) = results.compare("a", "b").comparison.tasks
    means = [np.mean(by_fold("binary", values_of(*each, noise=noise), SHARED))
             for each, noise in ((("a", "binary"), 0.3), (("b", "binary"), 3.0))]  # fmt: skip
    assert (task.kind, task.n_scored) == ("shared", SHARED.sum())
    assert (task.mean_a, task.mean_b) == (pytest.approx(means[0], abs=1e-6), pytest.approx(means[1], abs=1e-6))
    assert results.compare("a", "b").warnings == ("1 task compared on the entities that both models have (hpa_binary)",)
    assert "360 of 600" in str(results.compare("a", "b"))
    (table,) = results.report.tables
    overall = table.rankings[0]
    assert table.pairs.keys() == {("a", "b", "hpa_binary"), ("b", "c", "hpa_binary")}
    for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
        alone = results.compare(one, other).comparison.groups[0]
        assert overall.pair_p_values[one, other] == pytest.approx(alone.p_value, rel=1e-9)
    assert ("a", "b") in overall.distinguished


def test_predictions_that_cannot_be_read_are_no_silent_way_out(tmp_path: Path) -> None:
    for model in ("a", "b"):
        save_result(tmp_path, model, "binary")
    (tmp_path / "a" / "hpa_binary.predictions.parquet").write_bytes(b"PAR1")
    folder = load_folder(tmp_path)
    reason = Pairing(folder.predictions).of(*folder.results)
    assert isinstance(reason, str)
    assert reason.startswith("no score on the entities that both have: cannot read predictions ")
    warning = gene_eval.load_results(tmp_path).warnings[-2]
    assert warning.startswith("not compared: a with b on hpa_binary: no score on the entities that both have: cannot")


def test_a_pair_that_the_means_order_the_other_way_is_not_distinguished(tmp_path: Path) -> None:
    # b has the higher mean, on genes of its own that it knows by heart, and is worse on those that both have.
    save_result(tmp_path, "a", "binary", noise=0.5)
    save_result(tmp_path, "b", "binary", noise=3.0)
    found = load_folder(tmp_path)
    folds = (0.99, 0.98, 0.99, 0.99, 0.98)
    raised = replace(found.results[1], scores={"roc_auc": Score(float(np.mean(folds)), float(np.std(folds)), folds)})

    (table,) = build([found.results[0], raised], predictions=found.predictions).tables
    assert [each.model for each in table.rankings[0].models] == ["b", "a"]
    assert table.rankings[0].p_values["a", "b"] < 0.05
    assert table.rankings[0].distinguished == frozenset()
    assert [(each.low, each.high) for each in table.rankings[0].models] == [(1, 2), (1, 2)]
