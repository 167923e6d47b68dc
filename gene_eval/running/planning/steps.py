"""The steps of a run, which of them are done, and what the others would cost; nothing is built, embedded or written."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders import RawFiles, TaskConfig, configs
from builders.folds import PUBLISHED
from builders.user_builders import is_builder_spec
from gene_eval.catalogue.availability import availability
from gene_eval.core.parts.fits import GENEB
from gene_eval.errors import GeneBenchError, ResultError
from gene_eval.results import store
from gene_eval.results.paths import path_for
from gene_eval.results.records import ModelRecord, TaskResult
from gene_eval.results.settings import Settings
from gene_eval.running.cluster.limits import memory_of_cell
from gene_eval.running.describing import record_of
from gene_eval.running.fitting import Fit
from gene_eval.running.models import NamedModel, control_models, load_models
from gene_eval.running.options import RunOptions
from gene_eval.running.planning.costs import Costs, Sizes, kind_of
from gene_eval.running.resolve import make_resolve
from gene_eval.running.tasks import choose

__all__ = ["RunPlan", "StepRow", "plan"]

GIB = float(1 << 30)
FOLDS = 5


@dataclass(frozen=True)
class StepRow:
    """Steps of one kind for one table or model.

    Args:
        step: "build", "embed" or "fit".
        name: The task's or the model's.
        n: Steps.
        done: How many of them are done.
        seconds: Seconds that the others would take one worker; NaN where it cannot be estimated.
        gib: Size of a table or of vectors, or memory of the largest fit; NaN where it is not known.
    """

    step: str
    name: str
    n: int
    done: int
    seconds: float = math.nan
    gib: float = math.nan


@dataclass(frozen=True)
class RunPlan:
    """What a run would do.

    Args:
        rows: One for each task that would be built, and two for each model.
        costs: The model of seconds; None without results to fit it to.
        unknown: Cells whose seconds cannot be estimated, because rows of a task or the length of vectors are unknown.
    """

    rows: list[StepRow] = field(default_factory=list)
    costs: Costs | None = None
    unknown: int = 0


@dataclass(frozen=True)
class _Task:
    """A task, or a label of one, with what is known of it without its table."""

    name: str
    config: TaskConfig | None
    n: int | None
    labels: int

    @property
    def defaults(self) -> Settings:
        if self.config is not None and self.config.entity == "sequence":
            return Settings(protocol=GENEB, split=PUBLISHED)
        return Settings()


def plan(models: Any, tasks: Any = (), *, timings: Sequence[str | Path] = (), **options: Any) -> RunPlan:
    """Say what `gene_eval.run` would do with the same arguments.

    A cell counts as done if its file is of the same version of the task and the same model, revision and options; the
    run itself also compares hashes of labels, folds and vectors.

    Args:
        models: As `gene_eval.run` takes them.
        tasks: Names, globs and suites.
        timings: Folders of results to fit the model of seconds to, besides `out`.
        **options: As `gene_eval.run` takes them.

    Raises:
        GeneBenchError: A model, a task or an option does not exist.
    """
    chosen = RunOptions.of(options)
    raw = RawFiles(chosen.data_dir)
    named = load_models(models, names=chosen.name, resolve=make_resolve(raw, chosen.log))
    named = [*named, *(control_models(named) if chosen.controls else [])]
    wanted = [tasks] if isinstance(tasks, str) else list(tasks)
    if not all(isinstance(task, str) for task in wanted):
        message = "a plan takes names of tasks, but got a table; tables of your own are built when they are run"
        raise GeneBenchError(message)
    past = _past([*timings, *([chosen.out] if chosen.out is not None and chosen.out.is_dir() else [])])
    known = [each for name, globs in choose(wanted).items() for each in _known(name, globs, raw, past)]
    rows = [
        StepRow("build", task.name, 1, int(task.n is not None))
        for task in {each.name.partition("/")[0]: each for each in known}.values()
    ]
    costs, unknown = Costs.fit(past), 0
    for model in named:
        embedded, fitted, missing = _of_model(model, known, chosen, costs, past)
        rows += [embedded, fitted]
        unknown += missing
    return RunPlan(rows, costs, unknown)


def _past(folders: Sequence[str | Path]) -> list[TaskResult]:
    return [result for folder in dict.fromkeys(map(Path, folders)) for result in store.load_folder(folder).results]


def _known(name: str, globs: Sequence[str], raw: RawFiles, past: Sequence[TaskResult]) -> list[_Task]:
    if is_builder_spec(name):
        return [_Task(name, None, None, 1)]
    config = configs()[name]
    assert isinstance(config, TaskConfig)
    recorded = {result.task.id: result.task for result in past if result.task.id.partition("/")[0] == name}
    n = availability(name, raw).n
    if name in recorded and n is None:
        n = recorded[name].n
    names = recorded[name].label_names if name in recorded else config.labels or ()
    found = []
    for glob in globs:
        labels = 1 if glob or config.target in ("binary", "regression") else max(len(names), 1)
        found.append(_Task(f"{name}/{glob}" if glob else name, config, n, labels))
    return found


def _of_model(
    model: NamedModel, tasks: Sequence[_Task], options: RunOptions, costs: Costs | None, past: Sequence[TaskResult]
) -> tuple[StepRow, StepRow, int]:
    """The rows of a model, and how many of its cells have no estimate."""
    own = [result for result in past if result.model.id == model.name]
    dim = next((result.model.dim for result in own), None) or getattr(model.model, "dim", None)
    record = record_of(model.name, model.model)
    n = done = unknown = 0
    seconds = memory = 0.0
    for task in tasks:
        for split in options.splits or (None,):
            for fit in options.fits:
                n += 1
                settings = _settings(task, split, fit, options)
                if _is_done(task, settings, record, options):
                    done += 1
                    continue
                if costs is None or not dim or task.n is None:
                    unknown += 1
                    continue
                sizes = Sizes(task.n, dim, task.labels, options.repeats, kind_of(settings))
                seconds += costs.seconds(sizes)
                memory = max(memory, _memory(task, dim, settings))
    took = max((result.timing.get("embed_s", 0.0) for result in own), default=math.nan)
    rows = max((task.n or 0 for task in tasks), default=0)
    is_needed, is_open = done < n, unknown == n - done > 0
    gib = 4 * rows * dim / GIB if dim else math.nan
    embedded = StepRow("embed", model.name, 1, int(not is_needed), took if is_needed else 0.0, gib)
    if is_open:
        seconds = memory = math.nan
    return embedded, StepRow("fit", model.name, n, done, seconds, memory / GIB), unknown


def _settings(task: _Task, split: str | None, fit: Fit, options: RunOptions) -> Settings:
    defaults = task.defaults
    made = Settings(
        protocol=options.protocol or defaults.protocol,
        engine=options.engine,
        seed=options.seed,
        split=split or defaults.split,
    )
    return fit.settings(made)


def _is_done(task: _Task, settings: Settings, model: ModelRecord, options: RunOptions) -> bool:
    """Whether the folder has a result of the same task, model and settings."""
    if options.out is None or options.overwrite or "*" in task.name or task.config is None:
        return False
    path = path_for(options.out, model.id, task.name, settings, defaults=task.defaults)
    try:
        found = store.load(path) if path.is_file() else None
    except ResultError:
        return False
    return found is not None and (
        found.task.version,
        found.model.revision,
        found.model.adapter,
        found.model.options_text,
    ) == (str(task.config.version), model.revision, model.adapter, model.options_text)


def _memory(task: _Task, dim: int, settings: Settings) -> float:
    assert task.config is not None
    return memory_of_cell(
        task.n or 0,
        dim,
        target="binary" if "/" in task.name else task.config.target,
        labels=task.labels,
        n_splits=FOLDS,
        head=settings.head,
        engine=settings.engine,
        protocol=settings.protocol,
    )
