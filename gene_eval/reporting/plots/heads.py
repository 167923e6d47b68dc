"""Scores by a head against those by the linear one, task by task, as the paper's Figure S12."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gene_eval.analysis.heads import HeadDifference
from gene_eval.analysis.tables import Table
from gene_eval.reporting.plots.layout import INK, MARGIN, MUTED, Page, names

__all__ = ["head_scatter"]

PANEL, GAP, ROW_GAP, COLUMNS = 2.3, 0.75, 0.95, 4
MOST_PANELS = 24
POINT, ERROR = "#0072B2", "#D55E00"
NOTE = "a point is a task: mean over folds, with the standard deviation over folds in red; on the line both are equal"


def head_scatter(table: Table) -> Figure | str:
    """A panel for each model; or why there is none."""
    if not table.to_linear:
        return "no results of another head beside those of the linear one"
    by_model = {model: _points(table, model) for model in table.models}
    shown = {model: points for model, points in by_model.items() if points}
    if not shown:
        return "no ROC-AUC by both heads"
    models = list(shown)[:MOST_PANELS]
    short = names(table)
    n_columns = min(COLUMNS, len(models))
    n_rows = -(-len(models) // n_columns)
    page = Page(max(MARGIN + n_columns * (PANEL + GAP) + MARGIN, 6.6), 0.75 + n_rows * (PANEL + ROW_GAP))
    page.text(MARGIN, 0.12, f"Head {table.settings.head} against linear, ROC-AUC", fontsize=10)
    page.text(MARGIN, 0.33, NOTE, color=MUTED)
    everything = [score for points in shown.values() for each in points for score in (each.linear, each.other)]
    low = min(score.mean - score.std for score in everything)
    high = max(score.mean + score.std for score in everything)
    ends = (low - 0.02, high + 0.02)
    for number, model in enumerate(models):
        row, column = divmod(number, n_columns)
        axes = page.axes(MARGIN + 0.45 + column * (PANEL + GAP), 0.9 + row * (PANEL + ROW_GAP), PANEL, PANEL)
        _panel(axes, shown[model], ends)
        axes.set_title(_shortened(short[model]), fontsize=8, loc="left", color=INK, pad=14)
        axes.text(0, 1.02, _correlation(shown[model]), transform=axes.transAxes, fontsize=7, color=MUTED)
        axes.set_xlabel("linear", fontsize=7.5, color=INK, labelpad=1)
        axes.set_ylabel(table.settings.head if len(table.settings.head) < 30 else "head", fontsize=7.5, color=INK)
    return page.figure


def _points(table: Table, model: str) -> list[HeadDifference]:
    return [
        each
        for (name, _), each in table.to_linear.items()
        if name == model and each.metric.startswith("roc_auc") and not math.isnan(each.test.difference)
    ]


def _panel(axes: Axes, points: Sequence[HeadDifference], ends: tuple[float, float]) -> None:
    axes.set(xlim=ends, ylim=ends)
    axes.plot(ends, ends, color=MUTED, linewidth=0.8, zorder=1)
    linear, other = ([getattr(each, name) for each in points] for name in ("linear", "other"))
    axes.errorbar(
        [score.mean for score in linear], [score.mean for score in other],
        xerr=[score.std for score in linear], yerr=[score.std for score in other],
        fmt="none", ecolor=ERROR, elinewidth=0.7, alpha=0.6, zorder=2,
    )  # fmt: skip
    axes.scatter([score.mean for score in linear], [score.mean for score in other], s=12, color=POINT, zorder=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2, labelsize=6.5, colors=MUTED)


def _correlation(points: Sequence[HeadDifference]) -> str:
    """Pearson's coefficient over tasks, with its p-value, and on how many the head is higher."""
    higher = f"higher on {sum(each.test.difference > 0 for each in points)} of {len(points)} tasks"
    x, y = ([getattr(each, name).mean for each in points] for name in ("linear", "other"))
    if len(points) < 3 or len(set(x)) == 1 or len(set(y)) == 1:
        return higher
    # Late: it loads for a second.
    from scipy import stats

    found = stats.pearsonr(x, y)
    p_value = "p < 0.001" if found.pvalue < 0.001 else f"p = {found.pvalue:.3f}"
    return f"r = {found.statistic:.2f}, {p_value}; {higher}"


def _shortened(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:14]}…{name[-14:]}"
