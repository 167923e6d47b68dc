"""Ranks of models with their intervals, and two models fold by fold."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gene_eval.analysis.groups import FAMILIES
from gene_eval.analysis.rankings import GroupRanking
from gene_eval.analysis.tables import Table, TaskLine
from gene_eval.reporting.plots.layout import INK, MARGIN, MUTED, Page, names, row_labels, text_width

__all__ = ["fold_scatter", "rank_plot"]

# Okabe and Ito's colours, each with a marker of its own, so that no reader depends on colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "X")
ROW = 0.22
FEW_TICKS = 8
NOTE = (
    "line: simultaneous 95 % interval, from the models that differ after Holm's correction; hollow: could not be tested"
)

Points = dict[str, list[tuple[float, float]]]
"""Family to (first, second) scores of folds in which both are defined."""


def rank_plot(table: Table) -> Figure | str:
    """A panel per group of tasks: each model's rank with its 95 % interval; bars join what is not distinguished."""
    if not table.rankings:
        return "no model has a score on every task of a group"
    main = table.rankings[0]
    order = [each.model for each in main.models]
    order += [model for model in table.models if model not in order]
    shown = names(table)
    labels = [shown[model] for model in order]
    left = MARGIN + text_width(labels) + 0.12
    top, height = 1.1, ROW * len(order)
    runs = [run for run in main.ties if len(run) > 1]
    room = 0.11 * len(runs) + 0.15
    wide = max(2.2, 0.06 * len(order))
    narrow = max(1.15, 0.035 * len(order))
    width = left + wide + room + (narrow + 0.15) * (len(table.rankings) - 1) + MARGIN
    notes = [NOTE, *([f"bars: models not distinguished, {_words(main.name)} (p of 0.05 or more)"] if runs else [])]
    page = Page(max(width, 2 * MARGIN + text_width(notes)), top + height + 0.5)
    page.text(MARGIN, 0.12, "Rank by mean, 1 is best", fontsize=10)
    page.text(MARGIN, 0.33, "\n".join(notes), color=MUTED)
    at = left
    for number, group in enumerate(table.rankings):
        axes = page.axes(at, top, narrow if number else wide, height)
        _panel(axes, group, order, table.controls)
        if not number:
            row_labels(axes, labels, muted=[row for row, model in enumerate(order) if model in table.controls])
            _tie_bars(page, runs, order, left=at + wide, top=top)
        at += narrow + 0.15 if number else wide + room
    return page.figure


def _panel(axes: Axes, group: GroupRanking, order: Sequence[str], controls: Sequence[str]) -> None:
    axes.set_xlim(0, len(order) + 1)
    axes.set_ylim(len(order), 0)
    axes.set_yticks([])
    axes.set_xticks(_ticks(len(order)))
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.tick_params(length=2, labelsize=7, colors=MUTED)
    axes.grid(visible=True, axis="x", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(f"{_words(group.name)}\n{group.basis}", fontsize=7.5, color=INK, loc="left")
    for row in range(0, len(order), 2):
        axes.axhspan(row, row + 1, color="#f5f5f5", zorder=0)
    for each in group.models:
        at = order.index(each.model) + 0.5
        colour = MUTED if each.model in controls else COLOURS[0]
        if each.low is not None and each.high is not None:
            axes.plot([each.low, each.high], [at, at], color=colour, linewidth=2, solid_capstyle="round", alpha=0.55)
        is_sure = each.low is not None
        axes.plot(each.rank, at, "o", markersize=4.5, color=colour, markerfacecolor=colour if is_sure else "white")


def _ticks(n_models: int) -> list[int]:
    if n_models <= FEW_TICKS:
        return list(range(1, n_models + 1))
    step = max(1, -(-n_models // 4))
    return sorted({1, *range(step, n_models + 1, step)} - ({2} if step == 2 else set()))


def _tie_bars(page: Page, runs: Sequence[Sequence[str]], order: Sequence[str], *, left: float, top: float) -> None:
    for number, run in enumerate(runs):
        rows = [order.index(model) for model in run]
        axes = page.axes(left + 0.08 + 0.11 * number, top + ROW * min(rows), 0.04, ROW * (max(rows) + 1 - min(rows)))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        axes.axvspan(0, 1, 0.1 / len(run), 1 - 0.1 / len(run), color=INK, linewidth=0)


def fold_scatter(table: Table, pair: tuple[str, str] | None = None) -> Figure | str:
    """Scores of two models on every fold that both have, or why there is none.

    Args:
        table: Of results.
        pair: The two. Default: the best two that are no controls, or the best and a control.
    """
    ordered = [*(model for model in table.models if model not in table.controls), *table.controls]
    if pair is None and len(ordered) < 2:
        return "it needs two models"
    first, second = pair or (ordered[0], ordered[1])
    shared = _shared(table, first, second)
    panels = [
        (title, points)
        for title, is_r2 in (("ROC-AUC", False), ("R2", True))
        if (points := _fold_points(table, first, second, [t for t in shared if (t.target == "regression") == is_r2]))
    ]
    if not panels:
        return f"{first} and {second} share no fold"
    shown = names(table)
    families = sorted(
        {family for _, points in panels for family in points}, key=lambda family: (_style(family), family)
    )
    page = Page(MARGIN + 4.2 * len(panels) + 0.4 + text_width(map(_words, families)), 4.75)
    page.text(MARGIN, 0.12, f"{shown[second]} against {shown[first]}, fold by fold", fontsize=10)
    if uneven := sum(not _is_even(table, first, second, task) for task in shared):
        page.text(MARGIN, 0.33, f"scored on different genes in {uneven} of {len(shared)} tasks", color=MUTED)
    for number, (title, points) in enumerate(panels):
        axes = page.axes(MARGIN + 0.55 + 4.2 * number, 0.8, 3.45, 3.45)
        _scatter(axes, points, title, shown[second])
        axes.set_xlabel(shown[first], color=INK)
        axes.set_ylabel(shown[second], color=INK)
    # Beside the panels: inside, it would hide points.
    axes.legend(
        handles=[_key(family) for family in families],
        fontsize=7,
        loc="upper left",
        bbox_to_anchor=(1, 1),
        frameon=False,
    )
    return page.figure


def _shared(table: Table, first: str, second: str) -> list[TaskLine]:
    """Tasks that both models have and that count in a mean; where there are none of these, all that both have."""
    shared = [task for task in table.tasks if {(first, task.name), (second, task.name)} <= table.results.keys()]
    counted = {name for members in table.groups.values() for name in members}
    return [task for task in shared if task.name in counted] or shared


def _is_even(table: Table, first: str, second: str, task: TaskLine) -> bool:
    cells = (table.cells[model, task.name] for model in (first, second))
    return len({(cell.n_scored, cell.scored_sha256) for cell in cells}) == 1


def _fold_points(table: Table, first: str, second: str, tasks: Sequence[TaskLine]) -> Points:
    points: Points = {}
    for task in tasks:
        scores = [table.results[model, task.name].scores.get(task.metric) for model in (first, second)]
        folds = [score.folds for score in scores if score]
        if len(folds) == 2 and len(folds[0]) == len(folds[1]):
            both = [(a, b) for a, b in zip(*folds, strict=True) if not math.isnan(a + b)]
            points.setdefault(task.family, []).extend(both)
    return {family: members for family, members in points.items() if members}


def _scatter(axes: Axes, points: Points, title: str, second: str) -> None:
    pairs = [point for members in points.values() for point in members]
    low, high = min(min(pair) for pair in pairs), max(max(pair) for pair in pairs)
    margin = 0.04 * (high - low) or 0.05
    ends = (low - margin, high + margin)
    axes.set(xlim=ends, ylim=ends)
    axes.plot(ends, ends, color=MUTED, linewidth=0.8, zorder=1)
    for family, members in points.items():
        x, y = zip(*members, strict=True)
        axes.scatter(x, y, s=13, marker=MARKERS[_style(family)], color=COLOURS[_style(family)], alpha=0.65, linewidth=0)
    above = sum(b > a for a, b in pairs)
    axes.set_title(f"{title}: {second} is higher in {above} of {len(pairs)} folds", fontsize=8, loc="left", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2, labelsize=7, colors=MUTED)


def _key(family: str) -> Line2D:
    marker, colour = MARKERS[_style(family)], COLOURS[_style(family)]
    return Line2D([], [], linestyle="", marker=marker, markersize=4, color=colour, label=_words(family))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _style(family: str) -> int:
    return FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
