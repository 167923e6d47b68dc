"""One cell of a run: a model on a task with one head, from vectors to a result, wherever it is computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gene_eval.core.errors import ProbeError
from gene_eval.core.graph.nodes import Graph
from gene_eval.core.heads.graph_names import NETWORKS, is_network
from gene_eval.core.parts.fits import Parts, with_scores
from gene_eval.core.probe import ProbeResult
from gene_eval.core.repeats import pooled
from gene_eval.core.splits import Splits
from gene_eval.errors import CoverageError, GeneBenchError
from gene_eval.results import store
from gene_eval.results.paths import path_of, predictions_path
from gene_eval.results.predictions import has_predictions
from gene_eval.results.records import TaskResult
from gene_eval.results.replacing import refuse_in_place
from gene_eval.results.settings import UNSEEN
from gene_eval.running.boundary import warned
from gene_eval.running.describing import describe, of_common, predicted, same_inputs, with_results
from gene_eval.running.encoding.vectors import Gathered, ModelVectors
from gene_eval.running.explaining import ScoredOn, explained, has_gain, lacks_explanation, with_blocks_of
from gene_eval.running.fitting import Fit, with_blocks, with_tables
from gene_eval.running.options import RunOptions
from gene_eval.running.outcome import Failure
from gene_eval.running.tasks import TaskArrays

__all__ = ["Found", "Scored", "Scorer", "found_at", "found_in", "kept"]


@dataclass(frozen=True)
class Found:
    """A saved result: where it lies, what it says, and whether its predictions lie beside it as they were written."""

    path: Path
    result: TaskResult
    has_predictions: bool


@dataclass(frozen=True)
class Scored:
    """What became of a cell.

    Args:
        result: New, or the saved one.
        predictions: Table of what was predicted, where it is kept and new.
        is_new: Whether it was computed now.
        seconds: Stage to seconds.
        told: What could not be added to it, which fails nothing: the failure, and the line about it.
    """

    result: TaskResult
    predictions: Any = None
    is_new: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    told: tuple[tuple[Failure, str], ...] = ()


def found_in(out: Path | None, wanted: TaskResult, *, with_predictions: bool) -> Found | None:
    """The result that a folder holds in the place of the wanted one; its predictions are read only if asked for."""
    return None if out is None else found_at(path_of(wanted, out), with_predictions=with_predictions)


def found_at(path: Path, *, with_predictions: bool) -> Found | None:
    """The result of a file, if there is one."""
    if not path.exists():
        return None
    result = store.load(path)
    return Found(path, result, with_predictions and has_predictions(predictions_path(path), result))


def kept(scored: Scored, out: Path | None) -> Scored:
    """Write what is new to a folder; the result then names its file of predictions.

    Raises:
        FileError: It cannot be written.
    """
    if out is None or not scored.is_new:
        return scored
    path = store.save(scored.result, out, predictions=scored.predictions)
    return replace(scored, result=store.load(path)) if scored.predictions is not None else scored


@dataclass(frozen=True)
class Scorer:
    """Scores cells.

    Args:
        options: Of the run.
        find: Gives the saved result in the place of a wanted one.
        compared: Models whose common entities are scored with `common_genes`.
        covariates: Those of a gain.
        log: Takes a line for the user.
    """

    options: RunOptions
    find: Callable[[TaskResult], Found | None]
    compared: Sequence[ModelVectors] = ()
    covariates: ModelVectors | None = None
    log: Callable[[str], None] = print

    def score(self, task: TaskArrays, vectors: ModelVectors, fit: Fit) -> Scored:
        """Score one model on one task, unless that was done for the same inputs.

        Raises:
            GeneBenchError: It cannot be scored.
        """
        options = self.options
        keep = np.logical_and.reduce([other.known(task) for other in self.compared]) if options.common_genes else None
        gathered = vectors.gather(task, keep=keep, pairs=options.pairs)
        if options.missing == "error" and gathered.missing:
            message = (
                f"{len(gathered.missing):,} of {task.record.n:,} entities of {task.record.id} have no vector"
                f" ({', '.join(gathered.missing[:3])}); add them, or run with --missing drop"
            )
            raise CoverageError(message)
        splits = _splits(task, gathered)
        parts = _parts(task, gathered, dedupe=options.dedupe)
        if options.dedupe:
            splits = [parts[-1].splits()]
        graph: Graph | None = None
        graph_params: dict[str, Any] = {}
        if fit.graph:
            graph, digest = vectors.graph(fit.graph, task.gene_table)
            graph_params = {"graph_sha256": digest, **({"networks": NETWORKS} if is_network(fit.head) else {})}
        wanted = describe(task, vectors, gathered, splits, options, fit, graph_params)
        if options.common_genes:
            wanted = of_common(wanted, [other.name for other in self.compared])
        if options.dedupe:
            wanted = replace(wanted, probe=replace(wanted.probe, settings=replace(wanted.settings, entities=UNSEEN)))
        found = self._saved(wanted)
        if found is not None and not self._lacks(found, can_gain=has_gain(task, vectors, fit)):
            return Scored(found.result)
        return self._fitted(wanted, ScoredOn(task, vectors, gathered, splits, fit), found, parts=parts, graph=graph)

    def _fitted(
        self, wanted: TaskResult, on: ScoredOn, found: Found | None, *, parts: Sequence[Parts], graph: Graph | None
    ) -> Scored:
        options, task, vectors = self.options, on.task, on.vectors
        first = parts[0] if parts else None
        repeats = [self._probe(on, each, parts=first, graph=graph) for each in on.repeats]
        scored = whole = pooled([each for each, _ in repeats])
        y = task.y[on.gathered.rows]
        if options.dedupe:
            scored = replace(with_scores(whole, y, parts[-1], target=task.record.target), seconds=whole.seconds)
        timing = {"embed_s": vectors.seconds, **{f"{stage}_s": seconds for stage, seconds in scored.seconds.items()}}
        result = replace(with_results(wanted, scored, timing), curve=repeats[0][1])
        result = with_blocks(result, y, scored, on.repeats[0])
        if parts:
            result = with_tables(result, y, scored, seed=options.seed)
        if options.dedupe:
            result = replace(result, all_rows=whole.scores)
        told: list[tuple[Failure, str]] = []
        result = explained(
            result,
            on,
            options,
            covariates=self.covariates,
            machine=self._machine,
            tell=lambda failure, what: told.append((failure, what)),
        )
        result = with_blocks_of(found.result if found else None, result)
        # With few labels there is a prediction for every draw, and none is kept.
        keeps = options.predictions is not False and on.fit.shots is None
        predictions = predicted(task, on.gathered.rows, scored) if keeps else None
        return Scored(result, predictions, is_new=True, seconds=dict(scored.seconds), told=tuple(told))

    @property
    def _machine(self) -> dict[str, Any]:
        """Where the probe computes and what it may take; of several devices, which encode side by side, one solves."""
        return {"device": self.options.device and self.options.device.partition(",")[0], "memory": self.options.memory}

    def _saved(self, wanted: TaskResult) -> Found | None:
        """The saved result of the same inputs, if there is one."""
        found = None if self.options.overwrite else self.find(wanted)
        if found is None:
            return None
        refuse_in_place(found.result, wanted, found.path)
        return found if same_inputs(found.result, wanted) else None

    def _lacks(self, found: Found, *, can_gain: bool) -> bool:
        """Whether a saved result lacks something that was asked for."""
        options = self.options
        return (
            bool(options.predictions and found.result.settings.shots is None and not found.has_predictions)
            or (options.curve and not found.result.curve)
            or lacks_explanation(found.result, options, can_gain=can_gain)
        )

    def _probe(
        self, on: ScoredOn, splits: Splits, *, parts: Parts | None, graph: Graph | None
    ) -> tuple[ProbeResult, dict[str, object]]:
        """Scores, and the learning curve where one is asked for."""
        options, task, gathered = self.options, on.task, on.gathered
        keys = task.keys
        with warned() as lines:
            scored, curve = on.fit.score(
                gathered.X,
                task.y[gathered.rows],
                splits=splits,
                task=task.record,
                settings=options.settings(task),
                parts=parts,
                keys=[keys[row] for row in gathered.rows],
                with_curve=options.curve,
                graph=graph,
                **self._machine,
            )
        for text in dict.fromkeys(lines):
            self.log(f"warning: {on.vectors.name} on {task.record.id}: {text}")
        return scored, curve


def _splits(task: TaskArrays, gathered: Gathered) -> list[Splits]:
    """Splits of the entities that have vectors, for each repeat; refused where a fold of the task is left empty."""
    found = []
    for repeat in range(len(task.folds)):
        wanted = len(task.splits(np.arange(task.record.n), repeat))
        try:
            splits = task.splits(gathered.rows, repeat)
            there = len(splits)
        except ProbeError:
            there = 0
        if there < wanted:
            message = (
                f"{len(gathered.rows):,} of {task.record.n:,} entities of {task.record.id} have a vector, in {there} of"
                f" {wanted} folds; expected some in every fold, add vectors"
            )
            raise CoverageError(message)
        found.append(splits)
    return found


def _parts(task: TaskArrays, gathered: Gathered, *, dedupe: bool) -> list[Parts]:
    """Parts of the entities that have vectors, and with `dedupe` those without test rows of train; else none."""
    if task.is_parted:
        parts = task.parts(gathered.rows)
        if not dedupe:
            return [parts]
        unseen = np.where(task.seen[gathered.rows], -1, parts.codes)
        return [parts, Parts(unseen)]
    if dedupe:
        message = "dedupe leaves test sequences out that are in the published training part; this task is in folds"
        raise GeneBenchError(message)
    return []
