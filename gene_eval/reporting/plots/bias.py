"""Scores by how much is published on the tested genes."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from gene_eval.analysis.bias import TaskBias
from gene_eval.reporting.plots.layout import INK, MARGIN, MUTED, Page, text_width
from gene_eval.reporting.plots.ranks import COLOURS, MARKERS

__all__ = ["bias_plot"]

WIDE, HIGH, ROOM = 2.3, 1.9, 0.75
COLUMNS = 4


def bias_plot(found: Sequence[TaskBias]) -> Figure:
    """A panel for each task (and setting): score by quintile of publications, a line with 95 % bars for each model."""
    panels: dict[tuple[str, str], list[TaskBias]] = {}
    for each in found:
        panels.setdefault((each.task.id, str(each.settings)), []).append(each)
    many = len({settings for _, settings in panels}) > 1
    models = list(dict.fromkeys(each.model for each in found))
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    title = "Score by fifths of the tested genes, from the least to the most published on (bars: 95 % interval)"
    width = max(MARGIN + columns * (WIDE + ROOM) + 0.3 + text_width(models), 2 * MARGIN + text_width([title], 10))
    page = Page(width, 0.55 + rows * (HIGH + ROOM) + 0.2)
    page.text(MARGIN, 0.12, title, fontsize=10)
    for number, ((task, settings), members) in enumerate(panels.items()):
        row, column = divmod(number, columns)
        axes = page.axes(MARGIN + 0.45 + column * (WIDE + ROOM), 0.75 + row * (HIGH + ROOM), WIDE, HIGH)
        for each in members:
            scores = each.strata["quintile"]
            style = models.index(each.model)
            errors = np.nan_to_num([scores.scores - scores.low, scores.high - scores.scores]).clip(0)
            axes.errorbar(
                scores.centers,
                scores.scores,
                yerr=errors,
                color=COLOURS[style % len(COLOURS)],
                marker=MARKERS[style % len(MARKERS)],
                markersize=3.5,
                linewidth=1,
                elinewidth=0.8,
                label=each.model,
            )
        axes.set_title(task + (f"\n{settings}" if many else ""), fontsize=7.5, loc="left", color=INK)
        axes.set_xlabel("log10(1 + publications)", fontsize=7, color=MUTED)
        axes.set_ylabel(members[0].metric, fontsize=7, color=MUTED)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(length=2, labelsize=7, colors=MUTED)
    handles = {
        label: handle
        for axes in page.figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    page.figure.axes[columns - 1].legend(
        list(handles.values()), list(handles), fontsize=7, loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False
    )
    return page.figure
