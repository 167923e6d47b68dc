"""Tasks times models: loads, embeds, probes and saves, one result after the other."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from builders import RawFiles
from gene_eval.core.errors import ProbeError
from gene_eval.core.graph.nodes import Graph
from gene_eval.core.parts.fits import Parts, with_scores
from gene_eval.core.probe import ProbeResult
from gene_eval.core.repeats import pooled
from gene_eval.core.splits import Splits
from gene_eval.errors import CoverageError, GeneBenchError
from gene_eval.files import check_writable
from gene_eval.results import store
from gene_eval.results.paths import path_of, predictions_path
from gene_eval.results.predictions import has_predictions
from gene_eval.results.records import TaskResult
from gene_eval.results.replacing import refuse_in_place, refuse_other_vectors
from gene_eval.results.settings import UNSEEN
from gene_eval.running.boundary import one_line_errors
from gene_eval.running.describing import describe, of_common, predicted, record_of, same_inputs, with_results
from gene_eval.running.encoding.lookups import LookupVectors, is_lookup
from gene_eval.running.encoding.vectors import Gathered, ModelVectors
from gene_eval.running.explaining import ScoredOn, explained, has_gain, lacks_explanation, with_blocks_of
from gene_eval.running.fitting import Fit, with_blocks, with_tables
from gene_eval.running.models import NamedModel, control_models, load_models
from gene_eval.running.options import RunOptions
from gene_eval.running.outcome import Failure, Results
from gene_eval.running.resolve import make_resolve
from gene_eval.running.tasks import TaskArrays, collect_tasks
from gene_eval.running.validity.label_texts import masked_models, words_of_tasks
from model_adapters import choose_devices
from model_adapters.embedding.chunks import progress_bar

__all__ = ["run"]


def run(models: Any, tasks: Any = (), **options: Any) -> Results:
    """Score models on tasks: what `gene-bench run` does, as one call.

    A name that does not exist stops the run before it begins. After that a failure costs one task of one model: the
    rest goes on, and what is saved stays.

    Args:
        models: One or several, or a mapping from names to them: MODEL strings, objects with `encode`, frames of vectors
            indexed by gene identifiers, mappings from identifier to vector, AnnData, Datasets with `symbol` and
            `embedding`, pairs of identifiers and an (n, d) array; see `gene_eval.running.models.load_models`.
        tasks: One or several, or a mapping from names to them: names, globs such as "reactome_*", configs, or a frame
            or Dataset of your own with an entity column and `label`; see `gene_eval.running.tasks.collect_tasks`. None
            at all: every task but the starter ones and those that are run only when they are named.
        **options: Fields of `RunOptions`: `data_dir`, `out`, `device`, `seed`, `split`, `repeats`, `head`, `protocol`,
            `engine`, `missing`, `common_genes`, `dedupe`, `pairs`, `predictions`, `overwrite`, ...

    Returns:
        Results, and what failed.

    Raises:
        GeneBenchError: A model, a task or an option does not exist, or two models have one name.

    >>> results = run("random:dim=4", "starter_is_tf", log=lambda line: None)
    >>> results.to_frame().query("is_main")[["model", "task", "metric"]].values.tolist()
    [['random:dim=4', 'starter_is_tf', 'roc_auc']]
    """
    chosen = RunOptions.of(options)
    with progress_bar(shown=chosen.shows_progress):
        return _Run(chosen).score_all(models, tasks)


class _Run:
    """One run: its options, what it has loaded, and the results so far."""

    def __init__(self, options: RunOptions) -> None:
        if options.device is not None:
            choose_devices(options.device)
        if options.out is not None:
            check_writable(options.out / "any")
        self.options, self.log = options, options.log
        self.raw = options.raw or RawFiles(options.data_dir)
        self.resolve = make_resolve(self.raw, options.log)
        self.results = Results(folder=options.out)
        self.told: set[str] = set()
        self.covariates: ModelVectors | None = None

    def score_all(self, models: Any, tasks: Any) -> Results:
        """Score every model on every task."""
        options = self.options
        chosen = collect_tasks(
            tasks, self.raw, subtasks=options.subtasks, splits=options.splits, repeats=options.repeats
        )
        diseases, terms = (
            None if given is None else self._of(load_models(given, resolve=self.resolve))[0]
            for given in (options.diseases, options.terms)
        )
        named = load_models(models, names=options.name, resolve=self.resolve)
        vectors = self._of(named, diseases=diseases, terms=terms)
        if options.covariates is not None:
            (self.covariates,) = self._of(load_models(options.covariates))
        controls = self._of(control_models(named), diseases=diseases, terms=terms) if options.controls else []
        everything = [*vectors, *controls]
        self._refuse(of_model for of_model in everything if not masked_models(of_model.model))
        ready: list[TaskArrays] = []
        for item in chosen:
            if isinstance(item, Failure):
                self._fail(item)
            else:
                ready.append(item)
        if any(masked_models(of_model.model) for of_model in everything):
            words = words_of_tasks(ready) if options.masked_words is None else options.masked_words
            for of_model in everything:
                of_model.mask(words)
            self._refuse(of_model for of_model in everything if masked_models(of_model.model))
        for of_model in everything:
            for task in self._shown(ready, of_model.name):
                for fit in self.options.fits:
                    try:
                        with one_line_errors():
                            self._score(task, of_model, vectors, fit)
                    except GeneBenchError as error:
                        self._fail(
                            Failure(task.record.id, of_model.name, str(error)),
                            what="failed" if of_model in vectors else "no control",
                        )
            self.results.seconds["embed"] = self.results.seconds.get("embed", 0.0) + of_model.seconds
            self._tell_missing(of_model.name)
        return self.results

    def _refuse(self, vectors: Iterable[ModelVectors]) -> None:
        """Stop before any work where a name is that of other vectors in the folder."""
        if self.options.out is not None and not self.options.overwrite:
            for of_model in vectors:
                refuse_other_vectors(record_of(of_model.name, of_model.model), self.options.out)

    def _of(
        self,
        models: Sequence[NamedModel],
        *,
        diseases: ModelVectors | None = None,
        terms: ModelVectors | None = None,
    ) -> list[ModelVectors]:
        options = self.options
        return [
            (LookupVectors if is_lookup(each.model) else ModelVectors)(
                each.model,
                self.raw,
                name=each.name,
                device=options.device,
                batch_size=options.batch_size,
                progress=options.shows_progress,
                log=self.log,
                diseases=diseases,
                terms=terms,
            )
            for each in models
        ]

    def _fail(self, failure: Failure, *, what: str = "failed") -> None:
        """Tell a failure; what was added to what was asked for does not fail the run."""
        is_known = failure.reason in self.told
        self.told.add(failure.reason)
        if what == "failed":
            self.results.failures.append(failure)
        where = f"{failure.model} on {failure.task}" if failure.model else failure.task
        self.log(f"{what}: {where}: {'for the same reason' if is_known else failure.reason}")

    def _tell_missing(self, name: str) -> None:
        scored = [result for result in self.results if result.model.id == name]
        lacking = [result.coverage for result in scored if result.coverage.n_missing]
        if lacking:
            tasks = [result.task.id for result in scored if result.coverage.n_missing]
            shown = [f"{c.n_missing:,} of {c.n_task:,} on {task}" for c, task in zip(lacking[:3], tasks, strict=False)]
            more = f" and some on {len(lacking) - 3} more tasks" if len(lacking) > 3 else ""
            self.log(f"{name}: entities without a vector are left out: {', '.join(shown)}{more}")

    def _shown(self, tasks: Sequence[TaskArrays], name: str) -> Iterator[TaskArrays]:
        from tqdm.auto import tqdm

        yield from tqdm(tasks, desc=f"Scoring {name}", unit="task", disable=self.options.hides_bars, leave=False)

    def _score(self, task: TaskArrays, vectors: ModelVectors, compared: Sequence[ModelVectors], fit: Fit) -> None:
        options = self.options
        keep = np.logical_and.reduce([other.known(task) for other in compared]) if options.common_genes else None
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
        graph, graph_sha256 = None, {}
        if fit.graph:
            graph, digest = vectors.graph(fit.graph, task.gene_table)
            graph_sha256 = {"graph_sha256": digest}
        wanted = describe(task, vectors, gathered, splits, options, fit, graph_sha256)
        if options.common_genes:
            wanted = of_common(wanted, [other.name for other in compared])
        if options.dedupe:
            wanted = replace(wanted, probe=replace(wanted.probe, settings=replace(wanted.settings, entities=UNSEEN)))
        found = self._saved(wanted)
        if found is not None and not self._lacks(found, can_gain=has_gain(task, vectors, fit)):
            self.results.results.append(found)
            self.results.up_to_date += 1
            return
        first = parts[0] if parts else None
        repeats = [
            self._probe(task, gathered, each, fit, name=vectors.name, parts=first, graph=graph) for each in splits
        ]
        scored = whole = pooled([each for each, _ in repeats])
        y = task.y[gathered.rows]
        if options.dedupe:
            scored = replace(with_scores(whole, y, parts[-1], target=task.record.target), seconds=whole.seconds)
        for stage, seconds in scored.seconds.items():
            self.results.seconds[stage] = self.results.seconds.get(stage, 0.0) + seconds
        timing = {"embed_s": vectors.seconds, **{f"{stage}_s": seconds for stage, seconds in scored.seconds.items()}}
        result = replace(with_results(wanted, scored, timing), curve=repeats[0][1])
        result = with_blocks(result, y, scored, splits[0])
        if parts:
            result = with_tables(result, y, scored, seed=options.seed)
        if options.dedupe:
            result = replace(result, all_rows=whole.scores)
        on = ScoredOn(task, vectors, gathered, splits, fit)
        result = explained(result, on, options, covariates=self.covariates, machine=self._machine, tell=self._fail)
        result = with_blocks_of(found, result)
        # Of few labels there is a prediction for every draw, and none is kept.
        keeps = options.predictions is not False and fit.shots is None
        self._keep(result, predicted(task, gathered.rows, scored) if keeps else None)

    @property
    def _machine(self) -> dict[str, Any]:
        """Where the probe computes and what it may take; of several devices, which encode side by side, one solves."""
        return {"device": self.options.device and self.options.device.partition(",")[0], "memory": self.options.memory}

    def _saved(self, wanted: TaskResult) -> TaskResult | None:
        """The result that the folder holds for the same inputs, if it does."""
        options = self.options
        if options.out is None or options.overwrite:
            return None
        path = path_of(wanted, options.out)
        if not path.exists():
            return None
        found = store.load(path)
        refuse_in_place(found, wanted, path)
        return found if same_inputs(found, wanted) else None

    def _lacks(self, found: TaskResult, *, can_gain: bool) -> bool:
        """Whether a saved result is without something that was asked for."""
        options = self.options
        assert options.out is not None
        path = predictions_path(path_of(found, options.out))
        return (
            bool(options.predictions and found.settings.shots is None and not has_predictions(path, found))
            or (options.curve and not found.curve)
            or lacks_explanation(found, options, can_gain=can_gain)
        )

    def _probe(
        self,
        task: TaskArrays,
        gathered: Gathered,
        splits: Splits,
        fit: Fit,
        *,
        name: str,
        parts: Parts | None,
        graph: Graph | None,
    ) -> tuple[ProbeResult, dict[str, object]]:
        """Scores, and the learning curve where one is asked for."""
        options, keys = self.options, task.keys
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scored, curve = fit.score(
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
        for text in dict.fromkeys(str(warning.message) for warning in caught):
            self.log(f"warning: {name} on {task.record.id}: {text}")
        return scored, curve

    def _keep(self, result: TaskResult, predictions: Any) -> None:
        if self.options.out is not None:
            store.save(result, self.options.out, predictions=predictions)
            result = store.load(path_of(result, self.options.out)) if predictions is not None else result
        self.results.add(result, predictions)
        self.results.fitted += 1


def _splits(task: TaskArrays, gathered: Gathered) -> list[Splits]:
    """Splits of the entities that have vectors, for each repeat; refused where a fold of the task is left without."""
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
    """Parts of the entities that have vectors, and with `dedupe` those without test rows that train has; else none."""
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
