"""Heat maps: models by family, as in the paper's Figures 2 and S1, and tasks by model, as in its Figure S2."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gene_eval.analysis.groups import MAIN, OVERALL, REGRESSION, group_metric, is_family, is_regression
from gene_eval.analysis.tables import LEAST_COVERAGE, Cell, Mean, Means, Table, TaskLine, scored_of
from gene_eval.reporting.plots.layout import (
    AUC,
    MARGIN,
    MUTED,
    SCALES,
    SIZE,
    Array,
    Page,
    Scale,
    colour_bar,
    heat,
    label_room,
    names,
    row_labels,
    text_width,
    top_labels,
)

__all__ = ["family_map", "figure2_map", "task_map"]

CELL, ROW = 0.62, 0.34
NO_MEAN = "no model has a score on every task of a group"
SPREAD = "Mean over tasks (standard deviation over tasks: their spread, no error of the mean)"
TASK_CELL, TASK_ROW = 0.6, 0.19
# More values than this are read by no one, and take long to draw.
MOST_NUMBERS = 4000


class _Block(NamedTuple):
    title: str
    columns: Sequence[str]
    means: Means
    groups: Sequence[str]
    scale: Scale


def family_map(table: Table) -> Figure | str:
    """Mean and standard deviation over the tasks of each family, and over regression tasks on a scale of their own."""
    if not table.means:
        return NO_MEAN
    auc = [group for group in table.groups if not is_regression(group)]
    blocks = []
    if auc:
        blocks.append(_block("", table.means, table.groups, auc, AUC))
    if numbers := [group for group in table.groups if is_regression(group)]:
        blocks.append(_block("", table.means, table.groups, numbers, group_metric(REGRESSION, table.settings)))
    return _family_blocks(table, SPREAD, blocks)


def figure2_map(table: Table) -> Figure | str:
    """ROC-AUC and F1 by the families of the paper's Figure 2."""
    if not table.figure2:
        return NO_MEAN
    groups = [group for group in table.figure2_groups if group != REGRESSION]
    return _family_blocks(
        table,
        f"{SPREAD}, by the families of the paper's Figure 2",
        [
            _block("ROC-AUC, as Figure 2", table.figure2, table.figure2_groups, groups, AUC),
            _block("F1, as Figure S1", table.figure_s1, table.figure2_groups, groups, "F1"),
        ],
    )


def _block(title: str, means: Means, groups: Mapping[str, Sequence[str]], chosen: Sequence[str], unit: str) -> _Block:
    counts = [f"{group.replace('_', ' ')} ({len(groups[group])})" for group in chosen]
    return _Block(title, counts, means, chosen, SCALES[unit])


def _family_blocks(table: Table, title: str, blocks: Sequence[_Block]) -> Figure:
    shown = names(table)
    left = MARGIN + max(text_width(shown.values()) + 0.1, 1.4 * len(blocks))
    above, beside = label_room([column for block in blocks for column in block.columns])
    gap = 0.3
    top = 0.4 + max(above, 0.5) + (0.2 if any(block.title for block in blocks) else 0)
    width = left + sum(CELL * len(block.groups) + gap for block in blocks) - gap + beside
    height = top + ROW * len(table.models) + MARGIN
    page = Page(max(width, MARGIN * 2 + text_width([title], 10)), height)
    page.text(MARGIN, 0.12, title, fontsize=10)
    controls = [row for row, model in enumerate(table.models) if model in table.controls]
    at = left
    for number, block in enumerate(blocks):
        found = [[block.means.get((model, group)) for group in block.groups] for model in table.models]
        axes = page.axes(at, top, CELL * len(block.groups), ROW * len(table.models))
        values = np.array([[mean.mean if mean else math.nan for mean in row] for row in found])
        heat(axes, values, block.scale, texts=[[_mean_text(mean) for mean in row] for row in found], size=7)
        top_labels(axes, block.columns)
        if block.title:
            page.text(at, 0.38, block.title, fontsize=SIZE, weight="bold")
        if number == 0:
            row_labels(axes, list(shown.values()), muted=controls)
        colour_bar(page, MARGIN + 0.1 + 1.4 * number, top - 0.55, 1.0, block.scale)
        at += CELL * len(block.groups) + gap
    return page.figure


def _mean_text(mean: Mean | None) -> str:
    if mean is None:
        return "–"
    return f"{mean.mean:z.3f}" if mean.std is None else f"{mean.mean:z.3f}\n({mean.std:.3f})"


def task_map(table: Table) -> Figure:
    """Main metric of every model on every task, by family; regression on a scale of its own.

    What counts in no mean is without colour; a score of less than `LEAST_COVERAGE` of a task is marked.
    """
    sections = _sections(table)
    shown = names(table)
    task_names = [name for _, members in sections for name in members]
    labels = {task.name: _task_label(table, task) for task in table.tasks}
    left = MARGIN + max(text_width(labels.values()) + 0.1, 2.8)
    above, beside = label_room(shown.values())
    gap = 0.3
    legend = _legend(table)
    top = 0.55 + max(above, 0.8)
    height = top + sum(TASK_ROW * len(members) + gap for _, members in sections) + MARGIN
    title = "Main metric of each task, mean ± standard deviation over folds (entities scored, where not all)"
    wide = 2 * MARGIN + max(text_width([title], 10), text_width([legend]))
    page = Page(max(left + TASK_CELL * len(shown) + beside, wide), height)
    page.text(MARGIN, 0.12, title, fontsize=10)
    page.text(MARGIN, 0.33, legend, color=MUTED)
    values = {name: _row(table, name) for name in task_names}
    is_r2 = {task.name: task.target == "regression" for task in table.tasks}
    scales = {kind: SCALES["r2" if kind else AUC] for kind in sorted(set(is_r2.values()))}
    for number, scale in enumerate(scales.values()):
        colour_bar(page, MARGIN + 0.1 + 1.4 * number, top - 0.78, 1.0, scale)
    has_numbers = len(task_names) * len(shown) <= MOST_NUMBERS
    controls = [column for column, model in enumerate(shown) if model in table.controls]
    at = top
    for number, (title, members) in enumerate(sections):
        rows = np.array([values[name] for name in members])
        # The gap above the first block is taken by the models' names.
        at += gap if number else 0
        axes = page.axes(left, at, TASK_CELL * len(shown), TASK_ROW * len(members))
        texts = [[_score_text(table.cells.get((model, name))) for model in shown] for name in members]
        marked = [
            (row, column)
            for row, name in enumerate(members)
            for column, model in enumerate(shown)
            if _is_partly_scored(table, model, name)
        ]
        heat(axes, rows, scales[is_r2[members[0]]], texts=texts if has_numbers else None, marked=marked)
        row_labels(axes, [labels[name] for name in members])
        page.text(left - 0.055, at - 0.05, title, fontsize=SIZE, weight="bold", ha="right", va="bottom", color=MUTED)
        if not number:
            top_labels(axes, list(shown.values()), muted=controls)
        at += TASK_ROW * len(members)
    return page.figure


def _is_partly_scored(table: Table, model: str, name: str) -> bool:
    cell = table.cells.get((model, name))
    return cell is not None and cell.n_scored < LEAST_COVERAGE * (cell.n_scored + cell.n_missing)


def _legend(table: Table) -> str:
    """What the marks mean that are there."""
    marks = {
        f"orange corner: scored on less than {LEAST_COVERAGE:.0%} of the task".replace("%", " %"): any(
            _is_partly_scored(table, model, name) for model, name in table.cells
        ),
        "without colour: too small to be in a mean": not all(cell.is_counted for cell in table.cells.values()),
    }
    return "; ".join(text for text, is_there in marks.items() if is_there)


def _task_label(table: Table, task: TaskLine) -> str:
    """Name of a task, and how much of it was scored where that is not all."""
    scored = scored_of(task, (table.cells.get((model, task.name)) for model in table.models))
    return task.name if scored == str(task.n) else f"{task.name} ({scored})"


def _score_text(cell: Cell | None) -> str:
    if cell is None or cell.mean is None:
        return "–"
    # An R2 has no lower bound; the cell has an end.
    digits = 2 if max(abs(cell.mean), cell.std or 0) < 10 else 0
    return f"{cell.mean:z.{digits}f}" + ("" if cell.std is None else f" ±{cell.std:.{digits}f}")


def _sections(table: Table) -> list[tuple[str, list[str]]]:
    """Title and tasks of each block, what is in no mean last."""
    shown = [name for name in table.groups if is_family(name) or name in set(MAIN) - {OVERALL}]
    counted = {name: list(table.groups[name]) for name in shown}
    known = {name for members in counted.values() for name in members}
    rest = [task for task in table.tasks if task.name not in known]
    for title, is_r2 in (("not ranked", False), ("regression, not ranked", True)):
        if members := [task.name for task in rest if (task.target == "regression") == is_r2]:
            counted[title] = members
    return [(title.replace("_", " "), members) for title, members in counted.items()]


def _row(table: Table, name: str) -> Array:
    cells = [table.cells.get((model, name)) for model in table.models]
    return np.array([cell.mean if cell and cell.is_counted and cell.mean is not None else math.nan for cell in cells])
