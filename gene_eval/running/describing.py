"""What a result says about its inputs, its scores and the machine."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval import __version__
from gene_eval.core.probe import ProbeResult
from gene_eval.core.splits import Splits
from gene_eval.results.minimum import rarer_class
from gene_eval.results.predictions import make_predictions
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, TaskResult
from gene_eval.results.reproduce import COMMON_TO, model_string
from gene_eval.results.settings import common_entities
from gene_eval.running.encoding.vectors import SAMPLE, Gathered, ModelVectors
from gene_eval.running.fitting import Fit
from gene_eval.running.options import RunOptions
from gene_eval.running.tasks import TaskArrays
from model_adapters import Model

__all__ = ["describe", "of_common", "predicted", "record_of", "same_inputs", "with_results"]

DEPENDS_ON = ("pairs", "diseases", "terms", "head_sha256", "graph_sha256", "networks")
"""Settings of some results, beside those that all have."""
PACKAGES = ("datasets", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "torch")


def describe(  # noqa: PLR0913 - what a result depends on
    task: TaskArrays,
    vectors: ModelVectors,
    gathered: Gathered,
    splits: Sequence[Splits],
    options: RunOptions,
    fit: Fit,
    graph: Mapping[str, Any],
) -> TaskResult:
    """The result without its scores: everything that the scores depend on."""
    params = {"pairs": options.pairs} if task.record.entity == "gene_pair" else {}
    if task.record.entity == "gene_disease" and vectors.diseases is not None:
        of_diseases = record_of(vectors.diseases.name, vectors.diseases.model)
        params["diseases"] = model_string(of_diseases) or of_diseases.id
    if vectors.terms is not None:
        of_terms = record_of(vectors.terms.name, vectors.terms.model)
        params["terms"] = model_string(of_terms) or of_terms.id
    params |= {**fit.params, **graph}
    record = record_of(vectors.name, vectors.model)
    of_task = replace(
        task.record,
        n_tested=int((splits[0].split_of_row >= 0).sum()),
        test_train_ratio=round(float(np.mean([each.test_train_ratio for each in splits])), 6),
    )
    if of_task.target == "binary":
        rarer = [rarer_class(task.y[gathered.rows], each) for each in splits]
        of_task = replace(of_task, rarer_train=min(rarer)[0], rarer_test=min(test for _, test in rarer))
    return TaskResult(
        task=of_task,
        model=replace(record, dim=gathered.dim, embedding_sha256=gathered.sha256, health=gathered.health),
        probe=ProbeRecord(fit.settings(options.settings(task)), params=params),
        coverage=Coverage(
            n_task=task.record.n,
            n_scored=len(gathered.rows),
            n_missing=len(gathered.missing),
            missing_sample=tuple(gathered.missing[:SAMPLE]),
            scored_sha256=_sha256(task, gathered),
        ),
        scores={},
    )


def of_common(described: TaskResult, models: Sequence[str]) -> TaskResult:
    """The result as one of a run with `--common-genes`, kept apart from that on all entities of the model."""
    settings = replace(described.settings, entities=common_entities(models))
    params = {**described.probe.params, COMMON_TO: sorted(models)}
    return replace(described, probe=replace(described.probe, settings=settings, params=params))


def record_of(name: str, model: Model) -> ModelRecord:
    """What a result says about a model, before its vectors are known."""
    return ModelRecord(name, model.revision, model.adapter, 0, "", options=dict(model.options))


def _sha256(task: TaskArrays, gathered: Gathered) -> str:
    keys = task.keys
    digest = hashlib.sha256()
    for key in sorted(keys[row] for row in gathered.rows):
        digest.update(key.encode() + b"\n")
    return digest.hexdigest()


def same_inputs(found: TaskResult, wanted: TaskResult) -> bool:
    """Whether a saved result is what this run would compute: same labels, folds, entities, vectors and settings."""

    def key(result: TaskResult) -> tuple[object, ...]:
        task, model, settings = result.task, result.model, result.probe
        return (
            *(task.version, task.data_sha256, task.fold_scheme, task.folds_sha256, result.coverage.scored_sha256),
            # Simultaneous builds used to record an empty audit: such a result is made again.
            dict(task.audit),
            *(model.id, model.revision, model.adapter, model.embedding_sha256, model.options_text),
            *(
                result.settings,
                *(settings.params.get(name) for name in DEPENDS_ON),
            ),
        )

    return key(found) == key(wanted)


def with_results(described: TaskResult, scored: ProbeResult, timing: dict[str, float]) -> TaskResult:
    """The result with its scores, how the fits ended, and where and when they were made."""
    settings = described.probe
    return replace(
        described,
        probe=replace(settings, params={**settings.params, **scored.params}, convergence=scored.convergence),
        scores=scored.scores,
        labels=scored.labels,
        environment=_environment(),
        timing={name: round(seconds, 3) for name, seconds in timing.items()},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def predicted(task: TaskArrays, rows: npt.NDArray[np.int64], scored: ProbeResult) -> Any:
    """What was predicted for the scored entities, see `gene_eval.results.predictions`."""
    return make_predictions(
        task.record,
        entities={name: [column[row] for row in rows] for name, column in task.entities.items()},
        labels=task.y[rows],
        values=scored.values,
        folds=scored.split_of_row,
    )


@cache
def _environment() -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    own = {"gene-bench": __version__, "python": platform.python_version(), "platform": platform.platform()}
    return {**own, **versions}
