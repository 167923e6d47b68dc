"""Tables of results: the main metric of every model on every task, and means per family (Markdown, CSV, JSON, text).

Only what can be compared stands in one table: results of different protocols, engines or seeds go to separate tables,
and a task whose rows or folds differ between results takes one line for each version of it.
"""

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, pstdev

from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.errors import ReportError
from gene_eval.results import TaskRecord, TaskResult

__all__ = [
    "RENDERERS",
    "Cell",
    "Mean",
    "Report",
    "Settings",
    "Table",
    "TaskLine",
    "build",
    "rows",
    "to_csv",
    "to_json",
    "to_markdown",
    "to_text",
]

FAMILIES = ("genomic", "regulatory", "localization", "biological_process", "protein")
OVERALL = "overall"
CONTROLS = ("random",)
NOTHING = "–"


@dataclass(frozen=True, slots=True, order=True)
class Settings:
    """What all results of one table have in common."""

    protocol: str
    engine: str
    seed: int

    def __str__(self) -> str:
        return f"protocol {self.protocol}, engine {self.engine}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in a table; `name` is its id, with version and hashes where one id stands for different data."""

    name: str
    family: str
    target: str
    metric: str
    n: int
    is_ranked: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A model's main metric on a task and how many of the task's entities it was scored on."""

    mean: float | None
    std: float | None
    n_scored: int
    n_missing: int
    scored_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean and population standard deviation of the main metric over `n_tasks` tasks."""

    mean: float
    std: float
    n_tasks: int


@dataclass(frozen=True, slots=True)
class Table:
    """Results that can be compared, best model first and controls last.

    `cells` is keyed by (model, task name) and lacks what was not run; `means` by (model, family or "overall") and lacks
    a model without a score on every ranked task of that family, so that all means of a column are over the same tasks.
    """

    settings: Settings
    models: tuple[str, ...]
    controls: tuple[str, ...]
    tasks: tuple[TaskLine, ...]
    families: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    means: Mapping[tuple[str, str], Mean]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All tables of a results folder, and a line for each file in it that could not be used."""

    tables: tuple[Table, ...]
    problems: tuple[str, ...]


def build(results: Iterable[TaskResult], *, problems: Sequence[str] = ()) -> Report:
    """Put results into as few tables as can honestly hold them, sorted by their settings.

    Raises:
        ReportError: there are no results, or two for the same model, task and settings.
    """
    groups: dict[Settings, list[TaskResult]] = defaultdict(list)
    for result in results:
        groups[Settings(result.probe.protocol, result.probe.engine, result.probe.seed)].append(result)
    if not groups:
        msg = "no results to report; make some with: gene-bench run MODEL -o DIR"
        raise ReportError(" ".join([msg, *problems[:1]]))
    return Report(tuple(_table(settings, groups[settings]) for settings in sorted(groups)), tuple(problems))


def rows(table: Table) -> list[dict[str, str | int | float | bool | None]]:
    """One row for each task and model of the table, also for those that were not run (their numbers are None)."""
    listed: list[dict[str, str | int | float | bool | None]] = []
    for task in table.tasks:
        for model in table.models:
            cell = table.cells.get((model, task.name))
            listed.append(
                {
                    **asdict(table.settings),
                    "task": task.name,
                    "family": task.family,
                    "target": task.target,
                    "is_ranked": task.is_ranked,
                    "model": model,
                    "is_control": model in table.controls,
                    "metric": task.metric,
                    "mean": cell.mean if cell else None,
                    "std": cell.std if cell else None,
                    "n_task": task.n,
                    "n_scored": cell.n_scored if cell else None,
                    "n_missing": cell.n_missing if cell else None,
                }
            )
    return listed


def to_csv(report: Report) -> str:
    """The rows of all tables under one header; warnings and problems are left to the other formats."""
    listed = [row for table in report.tables for row in rows(table)]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(listed[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return text.getvalue()


def to_json(report: Report) -> str:
    """`tables` (settings, models, rows, means, warnings) and `problems`, as one object."""
    content = {
        "tables": [
            {
                "settings": asdict(table.settings),
                "models": table.models,
                "controls": table.controls,
                "rows": rows(table),
                "means": [
                    {"model": model, "family": family, **asdict(mean)}
                    for (model, family), mean in sorted(table.means.items())
                ],
                "warnings": table.warnings,
            }
            for table in report.tables
        ],
        "problems": report.problems,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_markdown(report: Report) -> str:
    """A page with a section for each table: means over tasks, tasks, coverage, and what to keep in mind."""
    parts = ["# gene-bench report"]
    for table in report.tables:
        parts.append(f"## Results with {_escape(str(table.settings))}")
        if table.warnings:
            parts.append("\n".join(f"- {_escape(warning)}" for warning in table.warnings))
        if table.means:
            parts += ["### Means over tasks", _pipes(_mean_grid(table))]
        parts += ["### Tasks", _pipes(_task_grid(table)), *map(_escape, _legend(table))]
        parts += ["### Coverage", _coverage(table)]
    if report.problems:
        parts += ["## Files left out", "\n".join(f"- {_escape(problem)}" for problem in report.problems)]
    return "\n\n".join(parts) + "\n"


def to_text(report: Report) -> str:
    """The same tables for a terminal, aligned with spaces and without warnings (they belong on stderr)."""
    parts = []
    for table in report.tables:
        grids = [_task_grid(table)] + ([_mean_grid(table)] if table.means else [])
        parts += [_printable(str(table.settings)), *("\n".join(_aligned(grid)) for grid in grids), *_legend(table)]
    return "\n\n".join(parts) + "\n"


RENDERERS: Mapping[str, Callable[[Report], str]] = {"md": to_markdown, "csv": to_csv, "json": to_json}


def _table(settings: Settings, results: Sequence[TaskResult]) -> Table:
    versions = Counter(task_id for task_id, *_ in {_version(result.task) for result in results})
    tasks: dict[str, TaskLine] = {}
    cells: dict[tuple[str, str], Cell] = {}
    for result in results:
        task, coverage = result.task, result.coverage
        version = f" (version {task.version}, data {task.data_sha256[:8]}, folds {task.folds_sha256[:8]})"
        name = task.id + (version if versions[task.id] > 1 else "")
        metric = MAIN_METRIC[task.target]
        tasks[name] = TaskLine(name, task.family, task.target, metric, task.n, task.ranked)
        if (result.model.id, name) in cells:
            msg = f"two results of {result.model.id} on {name} with {settings}; keep one of them"
            raise ReportError(msg)
        score = result.scores.get(metric)
        cells[result.model.id, name] = Cell(
            mean=score.mean if score else None,
            std=score.std if score else None,
            n_scored=coverage.n_scored,
            n_missing=coverage.n_missing,
            scored_sha256=coverage.scored_sha256,
        )
    lines = tuple(sorted(tasks.values(), key=lambda line: (not line.is_ranked, _family_key(line.family), line.name)))
    models = {result.model.id for result in results}
    controls = {result.model.id for result in results if result.model.adapter in CONTROLS}
    means = _means(models, lines, cells)
    return Table(
        settings=settings,
        models=_ranking(models, controls, means),
        controls=tuple(sorted(controls)),
        tasks=lines,
        families=tuple(dict.fromkeys(line.family for line in lines if line.is_ranked)),
        cells=cells,
        means=means,
        warnings=(*_mixtures(results, versions), *_warnings(models, controls, lines, cells)),
    )


def _version(task: TaskRecord) -> tuple[str, str, str, str]:
    return task.id, task.version, task.data_sha256, task.folds_sha256


def _family_key(family: str) -> tuple[int, str]:
    return (FAMILIES.index(family) if family in FAMILIES else len(FAMILIES), family)


def _ranking(models: Iterable[str], controls: Iterable[str], means: Mapping[tuple[str, str], Mean]) -> tuple[str, ...]:
    def key(model: str) -> tuple[bool, bool, float, str]:
        mean = means.get((model, OVERALL))
        return model in controls, mean is None, -mean.mean if mean else 0.0, model

    return tuple(sorted(models, key=key))


def _means(
    models: Iterable[str], tasks: Sequence[TaskLine], cells: Mapping[tuple[str, str], Cell]
) -> dict[tuple[str, str], Mean]:
    groups: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        if task.is_ranked:
            groups[task.family].append(task.name)
            groups[OVERALL].append(task.name)
    means = {}
    for family, names in groups.items():
        for model in models:
            values = [cell.mean for name in names if (cell := cells.get((model, name))) and cell.mean is not None]
            if len(values) == len(names):
                means[model, family] = Mean(fmean(values), pstdev(values), len(values))
    return means


def _mixtures(results: Sequence[TaskResult], versions: Mapping[str, int]) -> Iterable[str]:
    for task_id in sorted(task_id for task_id, count in versions.items() if count > 1):
        yield (
            f"{task_id} stands {versions[task_id]} times: its rows or folds differ between results; "
            "run it again for all models with --overwrite"
        )
    states: dict[str, set[str]] = defaultdict(set)
    for result in results:
        states[result.model.id].add(repr((result.model.revision, sorted(result.model.options.items()))))
    for model in sorted(model for model, known in states.items() if len(known) > 1):
        yield (
            f"{model} has results of {len(states[model])} different revisions or options in one column; "
            "run it again with --overwrite"
        )


def _warnings(
    models: Iterable[str],
    controls: Iterable[str],
    tasks: Sequence[TaskLine],
    cells: Mapping[tuple[str, str], Cell],
) -> Iterable[str]:
    ranked = [task.name for task in tasks if task.is_ranked]
    for model in sorted(models):
        lacking = [name for name in ranked if (cell := cells.get((model, name))) is None or cell.mean is None]
        if lacking:
            yield (
                f"{model} has no score on {len(lacking)} of {len(ranked)} tasks ({_some(lacking)}): "
                "no mean that includes them is shown for it"
            )
    uneven = [
        task.name
        for task in tasks
        if len({_scored(cells[model, task.name]) for model in models if (model, task.name) in cells}) > 1
    ]
    if uneven:
        yield (
            f"models were scored on different genes on {_some(uneven)}: "
            "run them together with --common-genes to compare like with like"
        )
    if not controls:
        yield "no control among these results: add the floor with: gene-bench run random -o DIR"


def _scored(cell: Cell) -> tuple[int, str]:
    return cell.n_scored, cell.scored_sha256


def _some(names: Sequence[str], *, limit: int = 5) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _task_grid(table: Table) -> list[list[str]]:
    grid = [["task", "family", "metric", "n", *_headings(table)]]
    for task in table.tasks:
        cells = [table.cells.get((model, task.name)) for model in table.models]
        values = [NOTHING if cell is None else _number(cell.mean, cell.std) for cell in cells]
        grid.append([task.name + ("" if task.is_ranked else " *"), task.family, task.metric, str(task.n), *values])
    return grid


def _mean_grid(table: Table) -> list[list[str]]:
    counts = Counter(task.family for task in table.tasks if task.is_ranked)
    columns = [(OVERALL, counts.total()), *((family, counts[family]) for family in table.families)]
    grid = [["model", *(f"{family} ({count} task{'s' if count > 1 else ''})" for family, count in columns)]]
    for model, heading in zip(table.models, _headings(table), strict=True):
        means = [table.means.get((model, family)) for family, _ in columns]
        grid.append([heading, *(_number(mean.mean, mean.std) if mean else NOTHING for mean in means)])
    return grid


def _headings(table: Table) -> list[str]:
    return [model + (" (control)" if model in table.controls else "") for model in table.models]


def _number(mean: float | None, std: float | None) -> str:
    if mean is None:
        return NOTHING
    return f"{mean:.3f}" if std is None else f"{mean:.3f} ± {std:.3f}"


def _legend(table: Table) -> list[str]:
    lines = []
    cells = [table.cells.get((model, task.name)) for model in table.models for task in table.tasks]
    if any(cell is None or cell.mean is None for cell in cells):
        lines.append(f"{NOTHING} not run, failed, or undefined in every fold.")
    if any(not task.is_ranked for task in table.tasks):
        lines.append("* for trying things out: never part of a mean or a ranking.")
    return lines


def _coverage(table: Table) -> str:
    grid = [["task", "n", *_headings(table)]]
    for task in table.tasks:
        cells = [table.cells.get((model, task.name)) for model in table.models]
        if any(cell and cell.n_scored != task.n for cell in cells):
            values = [f"{cell.n_scored} ({cell.n_missing} missing)" if cell else NOTHING for cell in cells]
            grid.append([task.name, str(task.n), *values])
    return _pipes(grid) if len(grid) > 1 else "Every model was scored on every entity of its tasks."


def _pipes(grid: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(_escape(cell) for cell in line) + " |" for line in grid]
    return "\n".join([lines[0], "| " + " | ".join("---" for _ in grid[0]) + " |", *lines[1:]])


def _aligned(grid: Sequence[Sequence[str]]) -> list[str]:
    printable = [[_printable(cell) for cell in line] for line in grid]
    widths = [max(len(line[column]) for line in printable) for column in range(len(grid[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in printable]
    return ["  ".join(line).rstrip() for line in padded]


def _escape(text: str) -> str:
    """Names come from files of others: a pipe would end the cell, a tag or a link would become one."""
    return "".join("\\" + character if character in "\\|<>[]`*" else character for character in _printable(text))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
