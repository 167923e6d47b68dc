"""The steps of a run, as functions that a worker calls: build tables, embed a model, fit a cell."""

import pickle
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle  # type: ignore[import-untyped]
from distributed import WorkerPlugin, get_worker

from builders import RawFiles
from gene_eval import __version__
from gene_eval.core.checks import TARGETS
from gene_eval.errors import GeneBenchError
from gene_eval.results.paths import path_of
from gene_eval.results.records import TaskRecord, TaskResult
from gene_eval.running.boundary import one_line_errors, reason_of
from gene_eval.running.cluster.batches import LONGEST
from gene_eval.running.cluster.files import Memo, Stored, put
from gene_eval.running.cluster.limits import OF_WORKER, Room, limit_threads, memory_of_cell, threads_of_step
from gene_eval.running.cluster.vectors import Made, Want, all_models, given, make
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.options import RunOptions
from gene_eval.running.outcome import Failure
from gene_eval.running.plan import Cell, RunModels
from gene_eval.running.scoring import Found, Scored, Scorer, found_in, kept
from gene_eval.running.tasks import TaskArrays, collect_tasks

_EMBEDDING = threading.Lock()

__all__ = [
    "Broken",
    "Done",
    "Job",
    "OnWorkers",
    "Outcome",
    "RunPlugin",
    "StoredTask",
    "build",
    "embed",
    "fit",
    "fit_all",
    "stored_task",
    "without_content",
]


@dataclass(frozen=True)
class StoredTask:
    """What stands for a task whose arrays were put away.

    Args:
        record: What a result says of it.
        entities: Names of its entity columns, without the entities.
        gene_table: Config of the genes whose vectors are scored.
        split: Name of the scheme of its folds.
        arrays: Where they are; None where only the workers need to know.
    """

    record: TaskRecord
    entities: tuple[str, ...]
    gene_table: str
    split: str
    arrays: Stored | None


class Done(NamedTuple):
    """What a worker sends back of a cell: the path of its result, or the result where it cannot write it."""

    path: Path | None
    scored: Scored | None
    is_new: bool
    seconds: dict[str, float]
    embedded: dict[Want, float]
    told: tuple[tuple[Failure, str], ...]


class Broken(NamedTuple):
    """What a worker sends back of a cell that failed in a way that no check of ours foresaw: it is tried again."""

    reason: str


class Job(NamedTuple):
    """A cell of a step.

    Args:
        cell: Which.
        found: The saved result in its place, where the worker does not see it.
        tasks: Place of its table among the inputs of the step.
        at: Place of its task in the table.
        vectors: What it wants, and the place of that among the inputs of the step.
    """

    cell: Cell
    found: Found | None
    tasks: int
    at: int
    vectors: tuple[tuple[Want, int], ...]


class Outcome(NamedTuple):
    """What became of a cell, None where its step took so long that it was not begun; and its seconds."""

    what: Done | Failure | Broken | None
    seconds: float


@dataclass
class OnWorkers:
    """What every worker knows of a run.

    Args:
        options: Of the run; `out` is None where results are sent back.
        models: Of the run; those that are embedded by the client are described only.
        shared: Folder for what steps hand to each other; None where there is none.
        topic: Of lines for the user.
        version: Of gene-bench at the client.
    """

    options: RunOptions
    models: RunModels
    shared: Path | None
    topic: str
    version: str = __version__
    everything: list[ModelVectors] = field(init=False)

    def __post_init__(self) -> None:
        """List the models once: wants go by their places."""
        self.everything = all_models(self.models)

    @cached_property
    def _of_process(self) -> tuple[Room, Memo]:
        limit = get_worker().memory_manager.memory_limit
        return Room(limit and OF_WORKER * limit), Memo(limit * (1 - OF_WORKER) / 2 if limit else 4e9)

    @property
    def room(self) -> Room:
        """Memory that the steps of this worker share."""
        return self._of_process[0]

    @property
    def memo(self) -> Memo:
        """Vectors and tables that were read."""
        return self._of_process[1]

    def log(self, line: str) -> None:
        """Tell the user a line, at the client."""
        get_worker().log_event(self.topic, line)

    def check(self) -> None:
        """Refuse to work beside another gene-bench, or without the folder of the run.

        Raises:
            GeneBenchError: What is wrong with this worker.
        """
        where = get_worker().address
        if self.version != __version__:
            message = f"worker {where} has gene-bench {__version__}, this is {self.version}; install the same on both"
            raise GeneBenchError(message)
        if self.shared is not None and not self.shared.is_dir():
            message = (
                f"worker {where} does not see {self.shared.parent}; take a folder that all machines share (-o), or send"
                " results back with --gather"
            )
            raise GeneBenchError(message)


class RunPlugin(WorkerPlugin):
    """Gives each worker, those that come later too, what it knows of a run."""

    def __init__(self, name: str, run: OnWorkers) -> None:
        self.name = name
        # As bytes: a worker that cannot read it fails a step, and not its own start.
        self.content = cloudpickle.dumps(run)
        self._lock: Any = None
        self._run: OnWorkers | None = None

    def setup(self, worker: Any) -> None:
        """Called by each worker once."""
        self._lock = threading.Lock()

    @property
    def run(self) -> OnWorkers:
        """What it knows, made by the first step."""
        with self._lock:
            if self._run is None:
                self._run = self.fresh()
        return self._run

    def fresh(self) -> OnWorkers:
        """The same, with models of its own, whose weights go when it goes."""
        run: OnWorkers = pickle.loads(self.content)
        run.check()
        return run


@contextmanager
def _step(kind: str) -> Iterator[None]:
    """Let a step use its share of the worker's threads; what no check of ours foresaw is raised, to be tried again."""
    state = get_worker().state
    limit_threads(threads_of_step(state.nthreads, state.total_resources.get(kind)))
    with one_line_errors():
        yield


def _is_final(error: GeneBenchError) -> bool:
    """Whether a second try would fail in the same way: a check of ours said so."""
    return error.__cause__ is None or isinstance(error.__cause__, GeneBenchError)


def _plugin(name: str) -> RunPlugin:
    plugin = get_worker().plugins[name]
    assert isinstance(plugin, RunPlugin)
    return plugin


def build(options: RunOptions, names: Sequence[str], shared: Path | None) -> list[StoredTask | Failure]:
    """Build the tables of tasks, unless they are built, and put their arrays away."""
    with _step("cpu"):
        OnWorkers(options, RunModels([]), shared, "").check()
        found = collect_tasks(list(names), RawFiles(options.data_dir), splits=options.splits, repeats=options.repeats)
        return [each if isinstance(each, Failure) else stored_task(each, shared) for each in found]


def stored_task(task: TaskArrays, shared: Path | None) -> StoredTask:
    """Put the arrays of a task away."""
    return StoredTask(task.record, tuple(task.entities), task.gene_table, task.split, put(task, shared))


def without_content(tasks: Sequence[StoredTask | Failure]) -> list[StoredTask | Failure]:
    """What the client needs to know of tasks."""
    return [replace(each, arrays=None) if isinstance(each, StoredTask) else each for each in tasks]


def embed(name: str, want: Want, tasks: Sequence[StoredTask] | None, at: int, *first: Any) -> Stored | Failure:
    """Make vectors and put them away.

    Args:
        name: Of the run.
        want: Which.
        tasks: Tasks, of which the one at `at` has the sequences.
        at: Its place.
        *first: Wants and what was put away for them, in turns, that these are made of.

    Returns:
        Where they are; a failure is one of every cell that needs them.
    """
    want, run = Want(*want), None
    try:
        # One model at a time in a process: its weights may fill the memory.
        with _EMBEDDING, _step("gpu"):
            run, shared = _plugin(name).fresh(), _plugin(name).run
            of_model = run.everything[want.owner]
            of_model.log, of_model.raw = run.log, RawFiles(run.options.data_dir)
            task = None if tasks is None else shared.memo.read(_stored(tasks[at]))
            return put(make(of_model, want, task, _read(shared, first)), run.shared)
    except GeneBenchError as error:
        if not _is_final(error):
            raise
        return Failure("", "" if run is None else run.everything[want.owner].name, reason_of(error))


def fit_all(each: Callable[..., Done | Failure], name: str, jobs: Sequence[Job], *inputs: Any) -> list[Outcome]:
    """Score several cells, one after the other; none is begun after `LONGEST` seconds.

    Args:
        each: Scores one, as `fit` does.
        name: Of the run.
        jobs: The cells, each as `Job`.
        *inputs: Tables and vectors that these name by their places.
    """
    found: list[Outcome] = []
    until = time.monotonic() + LONGEST
    for job in map(Job._make, jobs):
        began = time.monotonic()
        what: Done | Failure | Broken | None = None
        if not found or began < until:
            vectors = [part for want, place in job.vectors for part in (want, inputs[place])]
            try:
                what = each(name, job.cell, job.found, inputs[job.tasks], job.at, *vectors)
            # Code of others, or a machine that lacks something: any.
            except Exception as error:  # noqa: BLE001
                what = Broken(reason_of(error))
        found.append(Outcome(what, time.monotonic() - began))
    return found


def fit(  # noqa: PLR0913 - what a cell needs
    name: str, cell: Cell, found: Found | None, tasks: Sequence[StoredTask], at: int, *vectors: Any
) -> Done | Failure:
    """Score one cell and write its result, or send it back.

    Args:
        name: Of the run.
        cell: Which.
        found: The saved result in its place, where the worker does not see it.
        tasks: Tasks, of which the one at `at` is scored.
        at: Its place.
        *vectors: Wants and what was put away for them, in turns.
    """
    cell, record, run = Cell(*cell), tasks[at].record, None
    try:
        with _step("cpu"):
            run = _plugin(name).run
            made = _read(run, vectors)
            task: TaskArrays = run.memo.read(_stored(tasks[at]))
            with run.room.take(_memory(run, cell, task, made)):
                scored = _scored(run, cell, found, task, made)
            is_here = run.options.out is not None
            embedded = {want: each.seconds for want, each in made.items()}
            path = path_of(scored.result, run.options.out) if run.options.out is not None else None
            return Done(path, None if is_here else scored, scored.is_new, scored.seconds, embedded, scored.told)
    except GeneBenchError as error:
        if not _is_final(error):
            raise
        return Failure(record.id, "" if run is None else run.everything[cell.model].name, reason_of(error))


def _scored(run: OnWorkers, cell: Cell, found: Found | None, task: TaskArrays, made: Mapping[Want, Made]) -> Scored:
    def of(number: int) -> ModelVectors:
        return given(run.everything, number, made)

    options, models = run.options, run.models
    find: Callable[[TaskResult], Found | None] = lambda wanted: found  # noqa: E731
    if options.out is not None:
        find = lambda wanted: found_in(options.out, wanted, with_predictions=bool(options.predictions))  # noqa: E731
    scorer = Scorer(
        options,
        find,
        compared=[of(number) for number in range(len(models.asked))] if options.common_genes else (),
        covariates=None if models.covariates is None else of(len(models.scored)),
        log=run.log,
    )
    return kept(scorer.score(task, of(cell.model), options.fits[cell.fit]), options.out)


def _memory(run: OnWorkers, cell: Cell, task: TaskArrays, made: Mapping[Want, Made]) -> float:
    """Bytes to plan with for a cell."""
    settings = options_of(run, cell, task)
    dims = [getattr(each.value, "embedding", None) for want, each in made.items() if want.owner == cell.model]
    dim = sum(each.dim for each in dims if each is not None)
    if not dim or task.record.target not in TARGETS:
        return 0.0
    return memory_of_cell(task.record.n, dim, n_splits=5, labels=len(task.record.label_names), **settings)


def options_of(run: OnWorkers, cell: Cell, task: TaskArrays) -> dict[str, Any]:
    """What the memory of a cell depends on besides its sizes."""
    settings = run.options.fits[cell.fit].settings(run.options.settings(task))
    return {
        "target": task.record.target,
        **{name: getattr(settings, name) for name in ("head", "engine", "protocol")},
    }


def _stored(task: StoredTask) -> Stored:
    assert task.arrays is not None
    return task.arrays


def _read(run: OnWorkers, pairs: Sequence[Any]) -> dict[Want, Made]:
    """What was put away for wants.

    Raises:
        GeneBenchError: A model could not be embedded.
    """
    made = {}
    for want, stored in zip(pairs[::2], pairs[1::2], strict=True):
        if isinstance(stored, Failure):
            raise GeneBenchError(stored.reason)
        made[Want(*want)] = run.memo.read(stored)
    return made
