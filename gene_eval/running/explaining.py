"""Further blocks of a result: what vectors add to covariates, and scores of permuted labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.controls.gain import gain
from gene_eval.core.controls.permutation import Permuted, permuted
from gene_eval.core.few_labels.draws import hash_rows
from gene_eval.core.lookup import Groups
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.repeats import pooled_score
from gene_eval.core.splits import Splits
from gene_eval.core.table import as_array
from gene_eval.errors import CoverageError, GeneBenchError
from gene_eval.results.records import GainRecord, TaskResult
from gene_eval.running.boundary import one_line_errors
from gene_eval.running.encoding.lookups import is_lookup
from gene_eval.running.encoding.vectors import Gathered, ModelVectors
from gene_eval.running.fitting import Fit
from gene_eval.running.options import RunOptions
from gene_eval.running.outcome import Failure
from gene_eval.running.tasks import TaskArrays

__all__ = ["ScoredOn", "explained", "has_gain", "lacks_explanation", "with_blocks_of"]


@dataclass(frozen=True)
class ScoredOn:
    """What a result was scored on."""

    task: TaskArrays
    vectors: ModelVectors
    gathered: Gathered
    repeats: Sequence[Splits]
    fit: Fit


def explained(  # noqa: PLR0913 - a result, and what it is made with
    result: TaskResult,
    on: ScoredOn,
    options: RunOptions,
    *,
    covariates: ModelVectors | None,
    machine: Mapping[str, Any],
    tell: Callable[..., None],
) -> TaskResult:
    """The result with its gain and scores of permuted labels, where the options ask for them.

    Args:
        result: Result with scores.
        on: What it was scored on.
        options: Options of the run.
        covariates: Covariates of a gain.
        machine: `device` and `memory` of the probe.
        tell: Takes the reason why a gain cannot be had, which is a line and not a failure.
    """
    if covariates is not None and has_gain(on.task, on.vectors, on.fit):
        try:
            with one_line_errors():
                result = replace(result, gain=_gain(on, covariates, options))
        except GeneBenchError as error:
            tell(Failure(on.task.record.id, on.vectors.name, str(error)), what="no gain")
    if options.control and on.task.record.entity == "sequence":
        reason = "labels are permuted within folds, but this task has published parts"
        tell(Failure(on.task.record.id, on.vectors.name, reason), what="no permuted labels")
    elif options.control:
        observed = result.scores[MAIN_METRIC[on.task.record.target]].mean
        result = replace(result, permuted=_permuted(on, options, observed=observed, machine=machine))
    return result


def with_blocks_of(found: TaskResult | None, result: TaskResult) -> TaskResult:
    """The result with those blocks of a saved one of the same inputs that this run was not asked for."""
    if found is None:
        return result
    return replace(
        result,
        gain=result.gain or found.gain,
        permuted=result.permuted or found.permuted,
        curve=result.curve or found.curve,
    )


def lacks_explanation(found: TaskResult, options: RunOptions, *, can_gain: bool) -> bool:
    """Whether a saved result lacks what the options ask for."""
    if options.covariates is not None and can_gain:
        if found.gain is None or found.gain.covariates != options.covariates:
            return True
    if found.task.entity == "sequence":
        return False
    n_permuted = 0 if found.permuted is None else len(found.permuted.scores)
    return options.control is not None and n_permuted != options.permutations


def has_gain(task: TaskArrays, vectors: ModelVectors, fit: Fit) -> bool:
    """Whether a gain is made: for vectors, linear fits on all training entities, genes or pairs, not for numbers."""
    if is_lookup(vectors.model) or vectors.model.adapter == "nuisance" or fit.shots is not None:
        return False
    return fit.is_linear and task.record.target != "regression" and task.record.entity in ("gene", "gene_pair")


def _gain(on: ScoredOn, covariates: ModelVectors, options: RunOptions) -> GainRecord:
    """The gain on the entities that have covariates too.

    Raises:
        GeneBenchError: No entity has covariates, or a fold is left without entities.
    """
    task, gathered = on.task, on.gathered
    keep = np.zeros(task.record.n, dtype=bool)
    keep[gathered.rows] = True
    known = covariates.gather(task, keep=keep, pairs=options.pairs)
    place = np.searchsorted(gathered.rows, known.rows)
    assert not isinstance(gathered.X, Groups)
    assert not isinstance(known.X, Groups)
    X, Z = as_array(gathered.X)[place], as_array(known.X)
    names = task.record.label_names if task.record.target == "multilabel" else None
    made = [
        gain(
            X,
            Z,
            task.y[known.rows],
            target=task.record.target,
            splits=splits.take(place),
            seed=options.seed,
            label_names=names,
        )
        for splits in on.repeats
    ]
    scores = {name: pooled_score([getattr(each, name) for each in made]) for name in ("covariates", "both", "gain")}
    labels = {
        label: {name: pooled_score([each.labels[label][name] for each in made]) for name in of_label}
        for label, of_label in made[0].labels.items()
    }
    return GainRecord(covariates.name, known.sha256, len(known.rows), made[0].metric, scores, labels)


def _permuted(on: ScoredOn, options: RunOptions, *, observed: float, machine: Mapping[str, Any]) -> Permuted:
    """The main metric beside that of permuted labels, from the same fits on the same folds.

    Raises:
        CoverageError: The score is undefined.
    """
    task, rows = on.task, on.gathered.rows
    if np.isnan(observed):
        message = f"the score on {task.record.id} is undefined in every fold; leave control permuted out"
        raise CoverageError(message)
    settings, keys = options.settings(task), task.keys

    def values(labels: npt.NDArray[Any], *, target: str, splits: Splits) -> npt.NDArray[np.float64]:
        return on.fit.values(on.gathered.X, labels, target=target, splits=splits, settings=settings, **machine)

    return permuted(
        values,
        task.y[rows],
        target=task.record.target,
        repeats=on.repeats,
        hashes=hash_rows([keys[row] for row in rows]),
        observed=observed,
        seed=options.seed,
        n_permutations=options.permutations,
    )
