"""Where things go in a picture: sizes in inches, from the text that has to fit."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from gene_eval.analysis.tables import Table
from gene_eval.text import printable

__all__ = [
    "AUC",
    "INK",
    "MARGIN",
    "MUTED",
    "SIZE",
    "SLANTED",
    "UPRIGHT",
    "Array",
    "Page",
    "Scale",
    "auc_scale",
    "blank",
    "colour_bar",
    "heat",
    "label_room",
    "names",
    "r2_scale",
    "row_labels",
    "text_width",
    "top_labels",
]

AUC = "ROC-AUC"
INK, MUTED, EMPTY = "#222222", "#6b6b6b", "#ececec"
SIZE = 8
MARGIN = 0.15
LONGEST = 48
# An SVG of more cells takes megabytes; they are an image in it then.
MOST_SHAPES = 5000
SLANTED, UPRIGHT = 55, 90
# A scale that ends below this would give differences of 0.01 the whole range of colours.
LEAST_R2 = 0.5

Array = npt.NDArray[np.float64]


class Page:
    """A figure of a size in inches whose axes are placed by their distance from the upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height))

    def axes(self, left: float, top: float, width: float, height: float, **options: Any) -> Axes:
        """Axes with their upper left corner at (left, top), in inches."""
        box = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box, **options)

    def text(self, left: float, top: float, text: str, **options: Any) -> None:
        """Text whose upper left corner is at (left, top), in inches."""
        given: dict[str, Any] = {"va": "top", "ha": "left", "fontsize": SIZE, "color": INK} | options
        self.figure.text(left / self.width, 1 - top / self.height, text, **given)


@dataclass(frozen=True)
class Scale:
    """Which colours a metric takes, and from where to where."""

    label: str
    colours: str
    low: float
    high: float


def auc_scale(values: Iterable[float]) -> Scale:
    """From chance, or below where some score is clearly worse, to the best score."""
    known = _known(values)
    low = min([0.5, *known])
    return Scale(AUC, "viridis", low if low < 0.45 else 0.5, max([0.6, *known]))


def r2_scale(values: Iterable[float]) -> Scale:
    """From zero, what the mean predicts, to the best score; a negative R2 takes the colour of zero."""
    return Scale("R2 (regression)", "cividis", 0.0, max([LEAST_R2, *_known(values)]))


def _known(values: Iterable[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def names(table: Table) -> dict[str, str]:
    """A short name for each model, without its owner where that is clear, and whether it is a control."""
    short = {model: re.sub(r"[^/:+,=\s]+/", "", model) for model in table.models}
    taken = Counter(short.values())
    chosen = {model: name if name and taken[name] == 1 else model for model, name in short.items()}
    return {
        model: _shortened(printable(name)) + (" (control)" if model in table.controls else "")
        for model, name in chosen.items()
    }


def _shortened(name: str) -> str:
    half = LONGEST // 2
    return name if len(name) <= LONGEST else f"{name[:half]}…{name[-half:]}"


def text_width(texts: Iterable[str], size: float = SIZE) -> float:
    """Width of the widest text, in inches."""
    # The extents of no path at all are infinite.
    return max(
        (TextPath((0, 0), text, size=size).get_extents().width / 72 for text in texts if text.strip()), default=0
    )


def blank(axes: Axes, n_columns: int, n_rows: int) -> None:
    """Give axes one unit per cell, from the upper left, and nothing around them."""
    axes.set_xlim(0, n_columns)
    axes.set_ylim(n_rows, 0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def heat(
    axes: Axes, values: Array, scale: Scale, *, texts: Sequence[Sequence[str]] | None = None, size: float = 6.5
) -> None:
    """Draw coloured cells, one per value; grey where there is none.

    Args:
        axes: To draw on.
        values: (R, C), nan for nothing.
        scale: Colours.
        texts: (R, C) what to write into the cells.
        size: Of that text.
    """
    n_rows, n_columns = values.shape
    blank(axes, n_columns, n_rows)
    axes.set_facecolor(EMPTY)
    colours, norm = colormaps[scale.colours], Normalize(scale.low, scale.high, clip=True)
    axes.pcolormesh(
        np.ma.masked_invalid(values), cmap=colours, norm=norm, edgecolors="white", linewidth=0.6,
        rasterized=values.size > MOST_SHAPES,
    )  # fmt: skip
    if texts is None:
        return
    for row in range(n_rows):
        for column in range(n_columns):
            value = values[row, column]
            red, green, blue, _ = colours(norm(value)) if not math.isnan(value) else (1.0, 1.0, 1.0, 1.0)
            is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            axes.text(
                column + 0.5, row + 0.5, texts[row][column], ha="center", va="center", fontsize=size,
                color="white" if is_dark else INK, linespacing=1.1,
            )  # fmt: skip


def row_labels(axes: Axes, labels: Sequence[str], *, muted: Iterable[int] = ()) -> None:
    """Write a label to the left of each row."""
    grey = set(muted)
    for row, label in enumerate(labels):
        axes.annotate(
            label, (0, row + 0.5), (-4, 0), textcoords="offset points", ha="right", va="center", fontsize=SIZE,
            color=MUTED if row in grey else INK, annotation_clip=False,
        )  # fmt: skip


def top_labels(axes: Axes, labels: Sequence[str], *, muted: Iterable[int] = (), angle: int = SLANTED) -> None:
    """Write a slanted or upright label above each column."""
    grey = set(muted)
    for column, label in enumerate(labels):
        axes.annotate(
            label, (column + 0.5, 0), (0, 3), textcoords="offset points", ha="left", fontsize=SIZE, rotation=angle,
            rotation_mode="anchor", va="center" if angle == UPRIGHT else "bottom",
            color=MUTED if column in grey else INK, annotation_clip=False,
        )  # fmt: skip


def label_room(labels: Iterable[str], *, angle: int = SLANTED) -> tuple[float, float]:
    """Height above, and width to the right, that labels above columns take, in inches."""
    width = text_width(labels)
    return width * math.sin(math.radians(angle)) + 0.2, width * math.cos(math.radians(angle)) + 0.1


def colour_bar(page: Page, left: float, top: float, width: float, scale: Scale) -> None:
    """Draw a scale of the given width; it is 0.45 inches high."""
    axes = page.axes(left, top + 0.16, width, 0.1)
    axes.pcolormesh(
        np.linspace(scale.low, scale.high, 65), [0, 1], np.linspace(scale.low, scale.high, 64)[np.newaxis],
        cmap=scale.colours, vmin=scale.low, vmax=scale.high,
    )  # fmt: skip
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    middle = (scale.low + scale.high) / 2
    axes.set_xticks([scale.low, middle, scale.high], [f"{tick:.2f}" for tick in (scale.low, middle, scale.high)])
    axes.tick_params(length=2, labelsize=6.5, pad=1.5, colors=MUTED)
    page.text(left, top, scale.label, fontsize=7, color=MUTED)
