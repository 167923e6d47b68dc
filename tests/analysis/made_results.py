"""Results made up for tests of what is computed from them."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, Settings, TaskRecord, TaskResult

SOURCES = ("hpa", "reactome", "humantfs", "hgnc", "uniprot", "genecorpus", "gene2vec")
FAMILIES = ("localization", "biological_process", "regulatory", "protein", "protein", "genomic", "regulatory")


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
        {MAIN_METRIC[target]: score},
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
