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
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from gene_eval.analysis.tables import LEAST_COVERAGE, Table
from gene_eval.text import printable

__all__ = [
    "AUC",
    "INK",
    "MARGIN",
    "MUTED",
    "SCALES",
    "SIZE",
    "SLANTED",
    "UPRIGHT",
    "Array",
    "Page",
    "Scale",
    "blank",
    "colour_bar",
    "heat",
    "label_room",
    "names",
    "row_labels",
    "text_width",
    "top_labels",
]

AUC = "ROC-AUC"
INK, MUTED, EMPTY, MARK = "#222222", "#6b6b6b", "#ececec", "#D55E00"
SIZE = 8
MARGIN = 0.15
LONGEST = 48
# An SVG of more cells takes megabytes; they are an image in it then.
MOST_SHAPES = 5000
SLANTED, UPRIGHT = 55, 90

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
    """Which colours a metric takes, over its own range and not that of the scores at hand.

    The same colour is the same score in every picture. Where `is_cut`, lower scores take the colour of `low`.
    """

    label: str
    colours: str
    low: float
    high: float
    is_cut: bool = False


SCALES = {
    AUC: Scale("ROC-AUC (0.5: chance)", "viridis", 0.5, 1.0, is_cut=True),
    "r2": Scale("R2 (regression)", "cividis", 0.0, 1.0, is_cut=True),
    "spearman": Scale("Spearman (regression)", "cividis", 0.0, 1.0, is_cut=True),
    "F1": Scale("F1", "viridis", 0.0, 1.0),
}


def names(table: Table) -> dict[str, str]:
    """A short name for each model, without its owner where that is clear; whether it is a control, and low coverage."""
    short = {model: re.sub(r"[^/:+,=\s]+/", "", model) for model in table.models}
    taken = Counter(short.values())
    chosen = {model: name if name and taken[name] == 1 else model for model, name in short.items()}
    return {model: _shortened(printable(name)) + _remarks(table, model) for model, name in chosen.items()}


def _remarks(table: Table, model: str) -> str:
    cells = [(task.n, cell) for task in table.tasks if (cell := table.cells.get((model, task.name)))]
    share = sum(cell.n_scored for _, cell in cells) / max(1, sum(n for n, _ in cells))
    remarks = ["control"] if model in table.controls else []
    if cells and share < LEAST_COVERAGE:
        remarks.append(f"{share:.0%} scored".replace("%", " %"))
    return f" ({', '.join(remarks)})" if remarks else ""


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
    axes: Axes,
    values: Array,
    scale: Scale,
    *,
    texts: Sequence[Sequence[str]] | None = None,
    size: float = 6.5,
    marked: Iterable[tuple[int, int]] = (),
) -> None:
    """Draw coloured cells, one per value; grey where there is none.

    Args:
        axes: To draw on.
        values: (R, C), nan for nothing.
        scale: Colours.
        texts: (R, C) what to write into the cells.
        size: Of that text.
        marked: (row, column) of cells that get a mark in their corner.
    """
    n_rows, n_columns = values.shape
    blank(axes, n_columns, n_rows)
    axes.set_facecolor(EMPTY)
    colours, norm = colormaps[scale.colours], Normalize(scale.low, scale.high, clip=True)
    axes.pcolormesh(
        np.ma.masked_invalid(values), cmap=colours, norm=norm, edgecolors="white", linewidth=0.6,
        rasterized=values.size > MOST_SHAPES,
    )  # fmt: skip
    corners = [[(column + 0.88, row), (column + 1, row), (column + 1, row + 0.4)] for row, column in marked]
    axes.add_collection(PolyCollection(corners, facecolors=MARK))
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
    ticks = (scale.low, middle, scale.high)
    first, *others = (f"{tick:.2f}" for tick in ticks)
    axes.set_xticks(ticks, [f"≤{first}" if scale.is_cut else first, *others])
    axes.tick_params(length=2, labelsize=6.5, pad=1.5, colors=MUTED)
    page.text(left, top, scale.label, fontsize=7, color=MUTED)
