"""Scores against the share of genes whose vectors are hidden, as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gene_eval.reporting.plots.layout import INK, MARGIN, MUTED, Page, text_width
from gene_eval.reporting.plots.ranks import COLOURS, MARKERS
from gene_eval.studying.masking import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curves_picture"]

WIDE, HIGH, ROOM = 2.8, 2.2, 0.75


def curves_picture(task: str, metric: str, curves: Sequence[Curve]) -> "Figure":
    """A panel for each place that vectors are hidden of, a line with 95 % bars for each arm."""
    places, arms = (list(dict.fromkeys(each)) for each in zip(*((one.where, one.arm) for one in curves), strict=True))
    page = Page(MARGIN + len(places) * (WIDE + ROOM) + 0.3 + text_width(arms), 0.75 + HIGH + ROOM)
    page.text(MARGIN, 0.12, f"{task}: score by the share of vectors set to zero (bars: 95 % interval)", fontsize=10)
    for number, place in enumerate(places):
        axes = page.axes(MARGIN + 0.45 + number * (WIDE + ROOM), 0.75, WIDE, HIGH)
        if number:
            axes.sharey(page.figure.axes[0])
        for curve in (each for each in curves if each.where == place):
            style = arms.index(curve.arm)
            axes.errorbar(
                curve.shares,
                curve.means,
                yerr=np.nan_to_num(curve.half_widths),
                color=COLOURS[style % len(COLOURS)],
                marker=MARKERS[style % len(MARKERS)],
                markersize=3.5,
                linewidth=1,
                elinewidth=0.8,
                label=curve.arm,
            )
        axes.set_title(f"hidden of {place}", fontsize=7.5, loc="left", color=INK)
        axes.set_xlabel("share hidden", fontsize=7, color=MUTED)
        axes.set_ylabel(metric, fontsize=7, color=MUTED)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(length=2, labelsize=7, colors=MUTED)
    handles, labels = page.figure.axes[0].get_legend_handles_labels()
    page.figure.axes[-1].legend(handles, labels, fontsize=7, loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False)
    return page.figure
