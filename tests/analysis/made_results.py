"""Results made up for tests of what is computed from them."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.results.predictions import make_predictions
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, Settings, TaskRecord, TaskResult
from gene_eval.results.store import save

SOURCES = ("hpa", "reactome", "humantfs", "hgnc", "uniprot", "genecorpus", "gene2vec")
FAMILIES = ("localization", "biological_process", "regulatory", "protein", "protein", "genomic", "regulatory")

SCORERS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "binary": roc_auc_score,
    "multiclass": lambda y, p: roc_auc_score(y, p, multi_class="ovr", average="weighted"),
    "multilabel": lambda y, p: roc_auc_score(y, p, average="macro"),
    "regression": lambda y, p: float(spearmanr(y, p).statistic),
}
NAMES = {"multiclass": ("x", "y", "z"), "multilabel": ("x", "y")}
ENTITIES = {"gene": ("symbol",), "gene_pair": ("symbol_a", "symbol_b")}


def made(model: str, task: str, folds: Sequence[float], *, target: str = "binary", **task_fields: object) -> TaskResult:
    source = task.split("_")[0]
    family = dict(zip(SOURCES, FAMILIES, strict=True)).get(source, "regulatory")
    record = TaskRecord(
        id=task, version="1.0.0", target=target, entity="gene", family=family, source=source, n=100,
        data_sha256="d" * 64, fold_scheme="kfold", folds_sha256="f" * 64, ranked=source != "starter",
    )  # fmt: skip
    defined = [fold for fold in folds if not math.isnan(fold)]
    mean, std = (float(np.mean(defined)), float(np.std(defined))) if defined else (math.nan, math.nan)
    score = Score(mean, std, tuple(folds))
    return TaskResult(
        replace(record, **task_fields),  # type: ignore[arg-type]
        ModelRecord(model, None, "precomputed", 4, "e" * 64),
        ProbeRecord(Settings("paper", "sklearn", 0), {"C": 1.0}),
        Coverage(100, 100, 0, (), "a" * 64),
        {MAIN_METRIC[target]: score, **({"spearman": score} if target == "regression" else {})},
    )


def two_models(*, gap: float, n_per_source: int = 2, noise: float = 0.02) -> list[TaskResult]:
    """Models `org/Good` and `plain` on tasks of seven sources; Good is better by `gap` on average."""
    rng = np.random.default_rng(0)
    found = []
    for source in SOURCES:
        for number in range(n_per_source):
            base = 0.7 + noise * rng.normal(size=5)
            other = base + gap + noise * rng.normal(size=5)
            found.append(made("plain", f"{source}_{number}", base.tolist()))
            found.append(made("org/Good", f"{source}_{number}", other.tolist()))
    return found


def with_settings(result: TaskResult, **changes: str | int) -> TaskResult:
    return replace(result, probe=replace(result.probe, settings=replace(result.settings, **changes)))


def labels(target: str, n: int) -> np.ndarray:
    rows = np.arange(n)
    return {
        "binary": rows // 5 % 2,
        "multiclass": rows // 5 % 3,
        "multilabel": np.stack([rows // 5 % 2, rows // 5 % 3 == 0], axis=1).astype(int),
        "regression": np.sin(rows),
    }[target]


def predicted(model: str, task: str, target: str, n: int, noise: float) -> np.ndarray:
    """Predictions that are better the less noise there is."""
    rng = np.random.default_rng([ord(letter) for letter in model + task])
    y = labels(target, n)
    if target == "multiclass":
        odds = np.exp(np.eye(3)[y] + noise * rng.normal(size=(n, 3)))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))
    return np.asarray(y + noise * rng.normal(size=y.shape))


def by_fold(target: str, values: np.ndarray, rows: np.ndarray) -> list[float]:
    """Scores of scikit-learn on some of the rows; row i is in fold i % 5."""
    y = labels(target, len(values))
    parts = [rows & (np.arange(len(values)) % 5 == fold) for fold in range(5)]
    return [float(SCORERS[target](y[part], values[part])) for part in parts]


def save_scored(
    root: Path,
    model: str,
    task: str,
    kept: np.ndarray,
    *,
    target: str = "binary",
    noise: float = 1.5,
    entity: str = "gene",
) -> None:
    """Save what a model scores on the rows that it has, with its predictions, in an order of rows of its own."""
    n = len(kept)
    values = predicted(model, task, target, n, noise)
    folds = by_fold(target, values, kept)
    order = np.random.default_rng(len(model)).permutation(np.flatnonzero(kept))
    result = made(model, task, folds, target=target, n=n, entity=entity, label_names=NAMES.get(target, ()))
    sha256 = hashlib.sha256(kept.tobytes()).hexdigest()
    result = replace(result, coverage=Coverage(n, len(order), n - len(order), (), sha256))
    predictions = make_predictions(
        result.task,
        entities={column: [f"{column}{row}" for row in order] for column in ENTITIES[entity]},
        labels=labels(target, n)[order],
        values=values[order],
        folds=order % 5,
    )
    save(result, root, predictions=predictions)
