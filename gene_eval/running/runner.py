"""Models times tasks: loads, embeds, probes and saves, one result after the other."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from builders import RawFiles
from gene_eval.errors import GeneBenchError
from gene_eval.files import check_writable
from gene_eval.results.replacing import refuse_other_vectors
from gene_eval.running.boundary import one_line_errors
from gene_eval.running.describing import record_of
from gene_eval.running.encoding.lookups import LookupVectors, is_lookup
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.models import NamedModel, control_models, load_models
from gene_eval.running.options import RunOptions
from gene_eval.running.outcome import Failure, Results
from gene_eval.running.plan import Cell, Plan, RunModels
from gene_eval.running.resolve import make_resolve
from gene_eval.running.scoring import Scored, Scorer, found_in, kept
from gene_eval.running.tasks import TaskArrays, collect_tasks
from gene_eval.running.validity.label_texts import masked_models, words_of_tasks
from model_adapters import choose_devices
from model_adapters.embedding.chunks import progress_bar

__all__ = ["run"]


def run(models: Any, tasks: Any = (), **options: Any) -> Results:
    """Score models on tasks: what `gene-bench run` does, as one call.

    A name that does not exist stops the run before it begins. After that, a failure costs one task of one model: the
    rest continues, and what is saved stays.

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
        if options.device is not None and options.client is None:
            choose_devices(options.device)
        if options.out is not None:
            check_writable(options.out / "any")
        self.options, self.log = options, options.log
        self.raw = options.raw or RawFiles(options.data_dir)
        self.resolve = make_resolve(self.raw, options.log)
        self.results = Results(folder=options.out)
        self.told: set[str] = set()
        self.place: dict[int, Cell] = {}

    def score_all(self, models: Any, tasks: Any) -> Results:
        """Score every model on every task."""
        if self.options.client is None:
            return self._scored(models, tasks, None)
        # Imported late, so that a run on one machine needs no Dask.
        from gene_eval.running.cluster.executor import Cluster

        with Cluster(self.options) as cluster:
            return self._scored(models, tasks, cluster)

    def _scored(self, models: Any, tasks: Any, cluster: Any) -> Results:
        options = self.options
        # Names are looked up at once; the tables are built below, after the models were found to exist.
        chosen = collect_tasks(
            tasks,
            self.raw,
            subtasks=options.subtasks,
            splits=options.splits,
            repeats=options.repeats,
            build=None if cluster is None else cluster.build,
        )
        of_run = self._models(models)
        self._refuse(of_model for of_model in of_run.scored if not masked_models(of_model.model))
        ready: list[TaskArrays] = []
        for item in chosen:
            if isinstance(item, Failure):
                self._fail(item)
            else:
                ready.append(item)
        if any(masked_models(of_model.model) for of_model in of_run.scored):
            words = words_of_tasks(ready) if options.masked_words is None else options.masked_words
            for of_model in of_run.scored:
                of_model.mask(words)
            self._refuse(of_model for of_model in of_run.scored if masked_models(of_model.model))
        plan = Plan(of_run, ready, options.fits)
        for cell, outcome in self._here(plan) if cluster is None else cluster.execute(plan, self._took):
            self._take(plan, cell, outcome)
        # Workers finish in any order.
        self.results.results.sort(key=lambda result: self.place[id(result)])
        for of_model in of_run.scored:
            self._tell_missing(of_model.name)
        return self.results

    def _models(self, models: Any) -> RunModels:
        options = self.options
        diseases, terms, covariates = (
            None if given is None else self._of(load_models(given, resolve=resolve))[0]
            for given, resolve in (
                (options.diseases, self.resolve),
                (options.terms, self.resolve),
                (options.covariates, None),
            )
        )
        named = load_models(models, names=options.name, resolve=self.resolve)
        asked = self._of(named, diseases=diseases, terms=terms)
        controls = self._of(control_models(named), diseases=diseases, terms=terms) if options.controls else []
        return RunModels(asked, controls, covariates, diseases, terms)

    def _here(self, plan: Plan) -> Iterator[tuple[Cell, Scored | Failure]]:
        """The cells one after the other, in this process."""
        from tqdm.auto import tqdm

        options, fits = self.options, len(plan.fits)
        scorer = Scorer(
            options,
            partial(found_in, options.out, with_predictions=bool(options.predictions)),
            compared=plan.models.asked,
            covariates=plan.models.covariates,
            log=self.log,
        )
        cells = plan.cells()
        for of_model in plan.models.scored:
            tasks = tqdm(
                plan.tasks, desc=f"Scoring {of_model.name}", unit="task", disable=options.hides_bars, leave=False
            )
            for task in tasks:
                for cell in [next(cells) for _ in range(fits)]:
                    outcome: Scored | Failure
                    try:
                        with one_line_errors():
                            outcome = kept(scorer.score(task, of_model, plan.fits[cell.fit]), options.out)
                    except GeneBenchError as error:
                        outcome = Failure(task.record.id, of_model.name, str(error))
                    yield cell, outcome
            self._took("embed", of_model.seconds)

    def _took(self, stage: str, seconds: float) -> None:
        self.results.seconds[stage] = self.results.seconds.get(stage, 0.0) + seconds

    def _take(self, plan: Plan, cell: Cell, outcome: Scored | Failure) -> None:
        """Record what became of a cell, and tell what could not be added to it."""
        if isinstance(outcome, Failure):
            self._fail(outcome, what="failed" if cell.model < len(plan.models.asked) else "no control")
            return
        for failure, what in outcome.told:
            self._fail(failure, what=what)
        for stage, seconds in outcome.seconds.items():
            self._took(stage, seconds)
        self.results.add(outcome.result, outcome.predictions)
        self.results.fitted += outcome.is_new
        self.results.up_to_date += not outcome.is_new
        self.place[id(outcome.result)] = cell

    def _refuse(self, vectors: Iterable[ModelVectors]) -> None:
        """Stop before any work if a name belongs to other vectors in the folder."""
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
        """Tell about a failure; one of a control that was only added does not fail the run."""
        is_known = failure.reason in self.told
        self.told.add(failure.reason)
        if what == "failed":
            self.results.failures.append(failure)
        where = f"{failure.model} on {failure.task}" if failure.model else failure.task
        # A builder names its task too.
        reason = failure.reason.removeprefix(f"{where}: ")
        self.log(f"{what}: {where}: {'for the same reason' if is_known else reason}")

    def _tell_missing(self, name: str) -> None:
        scored = [result for result in self.results if result.model.id == name]
        lacking = [result.coverage for result in scored if result.coverage.n_missing]
        if lacking:
            tasks = [result.task.id for result in scored if result.coverage.n_missing]
            shown = [f"{c.n_missing:,} of {c.n_task:,} on {task}" for c, task in zip(lacking[:3], tasks, strict=False)]
            more = f" and some on {len(lacking) - 3} more tasks" if len(lacking) > 3 else ""
            self.log(f"{name}: entities without a vector are left out: {', '.join(shown)}{more}")
