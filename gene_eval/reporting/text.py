"""Tables of results as text: ranks, means over tasks, every task and label, coverage (Markdown, CSV, JSON, terminal).

What stands in them is made by `gene_eval.analysis.tables`.
"""

import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from gene_eval.analysis.groups import FAMILIES, MAIN, OVERALL, REGRESSION, group_metric
from gene_eval.analysis.pairing import Pair
from gene_eval.analysis.rankings import ModelRank
from gene_eval.analysis.tables import (
    LABEL_METRIC,
    LEAST_COVERAGE,
    Cell,
    Mean,
    Means,
    Report,
    Table,
    TaskLine,
    build,
    labels,
    scored_of,
)
from gene_eval.errors import ReportError
from gene_eval.reporting.appendix import AS_PUBLISHED, appendix, published_grid
from gene_eval.reporting.controls import CONTROLS_NOTE, NEAR, controls_grid, is_near
from gene_eval.reporting.page.render import render
from gene_eval.reporting.plain import csv_pieces, json_pieces
from gene_eval.reporting.rows import label_score, rows
from gene_eval.results.minimum import RULE
from gene_eval.results.records import defined
from gene_eval.text import count, markdown, printable, some

__all__ = [
    "FAMILIES",
    "NOTHING",
    "OVERALL",
    "PIECES",
    "REGRESSION",
    "RENDERERS",
    "Cell",
    "Mean",
    "Report",
    "Table",
    "TaskLine",
    "build",
    "rows",
    "to_csv",
    "to_html",
    "to_json",
    "to_markdown",
    "to_published",
    "to_text",
]

NOTHING = "–"
METRIC_WORDS = {"r2": "R2", "spearman": "Spearman's rank correlation"}
TASK_RANKS = (
    "Rank with its simultaneous 95 % interval: all pairs of models on the task, Holm-adjusted, each task by itself. "
    "Detectable: the true difference that is found with a chance of 80 %; planned from class sizes before any model, "
    "and from the errors of all pairs."
)

Grid = list[list[str]]


def to_markdown(report: Report) -> str:
    """A page with a section for each table: means, ranks, tasks, labels, coverage, and what to keep in mind."""
    parts = ["# gene-bench report"]
    for table in report.tables:
        parts.append(f"## Results with {markdown(str(table.settings))}")
        if table.warnings:
            parts.append("\n".join(f"- {markdown(warning)}" for warning in table.warnings))
        parts += [*_summary(table), "### Tasks", _pipes(_task_grid(table)), *map(markdown, _legend(table))]
        if table.task_rankings:
            parts += ["### Ranks on each task", _pipes(_task_rank_grid(table)), markdown(TASK_RANKS)]
        if len(grid := controls_grid(table)) > 1:
            parts += ["### Beside the controls", _pipes(grid), CONTROLS_NOTE]
        headings = _headings(table)
        for task in table.tasks:
            if names := labels(table, task):
                title = f"### Labels of {markdown(task.name)} ({LABEL_METRIC})"
                parts += [title, _pipes(_label_grid(table, task, names, headings))]
        for title, about, grid in appendix(table):
            parts += [f"### {title}", about, _pipes(grid)]
        parts += ["### Coverage", _coverage(table)]
    if report.problems:
        parts += ["## Files left out", "\n".join(f"- {markdown(problem)}" for problem in report.problems)]
    return "\n\n".join(parts) + "\n"


def to_published(report: Report) -> str:
    """Scores as the paper's code computes them beside ours, as Markdown."""
    parts = ["# Scores as published"]
    for table in report.tables:
        if len(grid := published_grid(table)) > 1:
            parts += [f"## Results with {markdown(str(table.settings))}", _pipes(grid)]
    if len(parts) == 1:
        msg = "no result here has scores as published; they are of protocol paper, head linear, on labels: run it again"
        raise ReportError(msg)
    return "\n\n".join([*parts, AS_PUBLISHED]) + "\n"


def to_text(report: Report) -> str:
    """Means and tasks for a terminal, aligned with spaces and without warnings (they belong on stderr)."""
    parts = []
    for table in report.tables:
        parts += [printable(str(table.settings)), *("\n".join(_aligned(grid)) for grid in _grids(table))]
        parts += _legend(table)
    return "\n\n".join(parts) + "\n"


def to_html(report: Report) -> str:
    """The same tables for a notebook; names are text there, whatever they hold."""
    parts = []
    for table in report.tables:
        parts += [f"<p>{html.escape(str(table.settings))}</p>", *map(_html_table, _grids(table))]
        parts += [f"<p>{html.escape(line)}</p>" for line in _legend(table)]
    return "\n".join(parts)


def _grids(table: Table) -> Iterator[Grid]:
    """What a terminal and a notebook show."""
    yield _task_grid(table)
    if len(grid := controls_grid(table)) > 1:
        yield grid
    if table.means:
        yield _mean_grid(table, table.means, table.groups)


def _html_table(grid: Grid) -> str:
    head, *lines = ([html.escape(cell) for cell in line] for line in grid)
    rows = ["".join(f"<td>{cell}</td>" for cell in line) for line in lines]
    header = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"


def to_csv(report: Report) -> str:
    """Tasks, labels and means by family of all tables under one header; warnings are left to other formats."""
    return "".join(csv_pieces(report))


def to_json(report: Report) -> str:
    """`tables` (settings, models, rows, means, ranks, warnings) and `problems`, as one object."""
    return "".join(json_pieces(report))


PIECES: Mapping[str, Callable[[Report], Iterator[str]]] = {"csv": csv_pieces, "json": json_pieces}
"""Formats that are written bit by bit: a file of a large folder may be larger than the memory."""
RENDERERS: Mapping[str, Callable[[Report], str]] = {
    "md": to_markdown,
    "csv": to_csv,
    "json": to_json,
    "html": render,
}


def _summary(table: Table) -> Iterator[str]:
    if table.means:
        yield "### Means over tasks"
        yield _pipes(_mean_grid(table, table.means, table.groups))
        numbers = METRIC_WORDS[group_metric(REGRESSION, table.settings)]
        yield f"Mean ± standard deviation over tasks: ROC-AUC, and {numbers} for regression, which is in no other mean."
        yield from map(markdown, table.suite_notes)
    if table.rankings:
        yield "### Ranks"
        yield _pipes(_rank_grid(table))
        yield "\n".join(markdown(line) for line in _rank_notes(table))
    if table.figure2 and table.figure2_groups != table.groups:
        yield "### Families of the paper's Figure 2"
        yield _pipes(_mean_grid(table, table.figure2, _but_regression(table.figure2_groups)))
    if table.figure_s1:
        yield "### F1, as in the paper's Figure S1"
        yield _pipes(_mean_grid(table, table.figure_s1, _but_regression(table.figure2_groups)))
        yield "F1 of binary tasks, weighted by class or label in the others."


def _but_regression(groups: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {group: names for group, names in groups.items() if group != REGRESSION}


def _task_grid(table: Table) -> Grid:
    grid = [["task", "family", "metric", "n", *_headings(table)]]
    for task in table.tasks:
        cells = [table.cells.get((model, task.name)) for model in table.models]
        values = [NOTHING if cell is None else _number(cell.mean, cell.std) + _to_random(cell) for cell in cells]
        grid.append([task.name + _marks(table, task, cells), task.family, task.metric, scored_of(task, cells), *values])
    return grid


def _to_random(cell: Cell) -> str:
    return "" if cell.to_random is None else f" ({cell.to_random:+.3f})"


def _marks(table: Table, task: TaskLine, cells: Iterable[Cell | None]) -> str:
    """Signs behind a task's name, which the legend explains."""
    known = [cell for cell in cells if cell]
    marks = {
        "*": not task.is_ranked,
        "†": any(not cell.is_counted for cell in known),
        "‡": any(cell.n_scored < LEAST_COVERAGE * task.n for cell in known),
        NEAR: is_near(table, task),
    }
    return "".join(f" {mark}" for mark, is_set in marks.items() if is_set)


def _label_grid(table: Table, task: TaskLine, names: Sequence[str], headings: Sequence[str]) -> Grid:
    columns = [
        (model, heading)
        for model, heading in zip(table.models, headings, strict=True)
        if (model, task.name) in table.results
    ]
    lines = [[name, *(_number(*label_score(table, model, task, name)) for model, _ in columns)] for name in names]
    return [["label", *(heading for _, heading in columns)], *lines]


def _mean_grid(table: Table, means: Means, groups: Mapping[str, Sequence[str]]) -> Grid:
    grid = [["model", *(f"{group} ({_size(table, group, names)})" for group, names in groups.items())]]
    for model, heading in zip(table.models, _headings(table), strict=True):
        found = [means.get((model, group)) for group in groups]
        grid.append([heading, *(_number(mean.mean, mean.std) if mean else NOTHING for mean in found)])
    return grid


def _size(table: Table, group: str, names: Sequence[str]) -> str:
    """How many tasks a mean is over; of a suite, of how many."""
    of = f" of {len(table.suites[group])}" if group in table.suites else ""
    return f"{len(names)}{of} tasks" if of else count(len(names), "task")


def _rank_grid(table: Table) -> Grid:
    ranks = [{each.model: each for each in group.models} for group in table.rankings]
    main = ranks[0]
    grid = [["model", *(f"{group.name} ({group.basis})" for group in table.rankings)]]
    error = "" if all(each.std_error is None for each in table.rankings[0].models) else " ± standard error"
    grid[0].insert(1, f"mean over {table.rankings[0].basis}{error} ▼")
    for model, heading in zip(table.models, _headings(table), strict=True):
        mean = _number(main[model].mean, main[model].std_error) if model in main else NOTHING
        grid.append([heading, mean, *(_rank(found.get(model)) for found in ranks)])
    return grid


def _task_rank_grid(table: Table) -> Grid:
    found = {ranking.name: ranking for ranking in table.task_rankings}
    grid = [["task", "metric", "planned detectable", "detectable", *_headings(table)]]
    for task in table.tasks:
        if (ranking := found.get(task.name)) is None:
            continue
        ranks = {each.model: each for each in ranking.models}
        sizes = [_number(task.planned, None), _number(defined(ranking.detectable), None)]
        marks = _marks(table, task, _cells_of(table, task))
        grid.append([task.name + marks, ranking.metric, *sizes, *(_rank(ranks.get(model)) for model in table.models)])
    return grid


def _rank(found: ModelRank | None) -> str:
    if found is None:
        return NOTHING
    return str(found.rank) if found.low is None else f"{found.rank} ({found.low}{NOTHING}{found.high})"


def _rank_notes(table: Table) -> Iterator[str]:
    yield (
        "▼ orders the rows. Rank by mean, with its simultaneous 95 % interval: from the number of models that differ "
        "(Holm-adjusted, all pairs). Over sources, every source counts once, by the mean of its tasks; over tasks, "
        "ranks are about these tasks only, and models differ only where all of them point the same way."
    )
    if any(isinstance(pair, Pair) and pair.kind == "shared" for pair in table.pairs.values()):
        yield "- Models that were scored on different genes are tested on those that both have, from saved predictions."
    for group in table.rankings:
        # Those of families are in the JSON and on the page.
        if group.name in MAIN and (alike := [run for run in group.ties if len(run) > 1]):
            runs = "; ".join(", ".join(run) for run in alike)
            yield f"- Not distinguished, {group.name} (p of 0.05 or more, Holm-adjusted): {runs}."
        if group.left_out:
            yield f"- Without a rank, {group.name} (no score on one of its tasks): {', '.join(group.left_out)}."


def _headings(table: Table) -> list[str]:
    imported = {model for (model, _), result in table.results.items() if result.imported}
    marks = [(" (control)", table.controls), (" (imported)", imported)]
    return [model + "".join(mark for mark, marked in marks if model in marked) for model in table.models]


def _number(mean: float | None, std: float | None) -> str:
    if mean is None:
        return NOTHING
    # z: a score of -0.0001 is not written as -0.000.
    return f"{mean:z.3f}" if std is None else f"{mean:z.3f} ± {std:.3f}"


def _legend(table: Table) -> list[str]:
    lines = []
    cells = [table.cells.get((model, task.name)) for model in table.models for task in table.tasks]
    if any(cell and cell.std is not None for cell in cells):
        lines.append("±: standard deviation, of a task over folds and of a mean over tasks; no error of the mean.")
    if any(cell and cell.to_random is not None for cell in cells):
        lines.append("In brackets: the score less that on random folds.")
    if any(cell is None or cell.mean is None for cell in cells):
        lines.append(f"{NOTHING} not run, failed, or undefined in every fold.")
    marks = {mark for task in table.tasks for mark in _marks(table, task, _cells_of(table, task)).split()}
    reasons: dict[str, list[str]] = {}
    for task in table.tasks:
        reasons.setdefault(task.why_unranked, []).append(task.name)
    why = "; ".join(f"{some(names)}: {reason}" for reason, names in reasons.items() if reason)
    legend = {
        "*": f"in no mean and no ranking. {why}.",
        "†": f"{RULE}: in no mean and no rank.",
        "‡": f"less than {LEAST_COVERAGE:.0%} of the entities were scored, for one of the models at least.",
        NEAR: "a control comes within the detectable difference of a model; in brackets, (score - best control) /"
        " (1 - best control).",
    }
    return [*lines, *(f"{mark} {text}" for mark, text in legend.items() if mark in marks)]


def _cells_of(table: Table, task: TaskLine) -> list[Cell | None]:
    return [table.cells.get((model, task.name)) for model in table.models]


def _coverage(table: Table) -> str:
    grid = [["task", "n", *_headings(table)]]
    for task in table.tasks:
        cells = [table.cells.get((model, task.name)) for model in table.models]
        if any(cell and cell.n_scored != task.n for cell in cells):
            values = [f"{cell.n_scored} ({cell.n_missing} missing)" if cell else NOTHING for cell in cells]
            grid.append([task.name, str(task.n), *values])
    return _pipes(grid) if len(grid) > 1 else "Every model was scored on every entity of its tasks."


def _pipes(grid: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(_escaped(line)) + " |" for line in grid]
    return "\n".join([lines[0], "| " + " | ".join("---" for _ in grid[0]) + " |", *lines[1:]])


def _escaped(line: Sequence[str]) -> Iterable[str]:
    """Each cell as Markdown; a line of a thousand numbers is looked at as a whole first."""
    whole = "".join(line)
    return line if markdown(whole) == whole else map(markdown, line)


def _aligned(grid: Sequence[Sequence[str]]) -> list[str]:
    shown = [[printable(cell) for cell in line] for line in grid]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in shown]
    return ["  ".join(line).rstrip() for line in padded]
