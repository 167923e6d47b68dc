"""Pictures of GENEB's rankings: scores and ranks by category, agreement, regimes, size, difficulty, specialists."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from gene_eval.analysis.geneb import measures
from gene_eval.analysis.geneb.board import FULL, REGIMES, Array, Board
from gene_eval.reporting.plots.layout import INK, MUTED, SIZE
from gene_eval.reporting.plots.save import in_style, write
from gene_eval.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["save_geneb"]

OWN, PUBLISHED = "#0072B2", "#999999"
"""Of Okabe and Ito's set: models scored here, and imported scores."""
ROW, COLUMN = 0.17, 0.62
NAMED = 3
"""Models named in the picture of sizes: as many of the best and of the worst."""
CHANGED = 6
"""Models named in the picture of regimes: those whose rank changes most."""


def save_geneb(boards: Sequence[Board], folder: str | os.PathLike[str]) -> list[Path]:
    """Write every picture of every board; several boards take a subfolder each.

    Returns:
        Paths of the files.

    Raises:
        FileError: A picture cannot be written.
    """
    written: list[Path] = []
    for number, board in enumerate(boards, start=1):
        target = Path(folder, f"board-{number}" if len(boards) > 1 else "")
        with in_style():
            for name, make in _pictures(board).items():
                written += write(make(), target, f"geneb_{name}")
    return written


def _pictures(board: Board) -> dict[str, Callable[[], Figure]]:
    found: dict[str, Callable[[], Figure]] = {
        "categories": lambda: _categories(board),
        "ranks": lambda: _ranks(board),
        "difficulty": lambda: _difficulty(board),
    }
    if len(board.regimes) > 1:
        found["regimes"] = lambda: _regimes(board)
    if len(board.categories) > 1 and len(board.models) > 2:
        found["agreement"] = lambda: _agreement(board)
        found["specialists"] = lambda: _specialists(board)
    if len(board.parameters) > 3:
        found["size"] = lambda: _size(board)
    return found


def _figure(width: float, height: float) -> tuple[Figure, "Axes"]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _grid(rows: Sequence[str], columns: Sequence[str], values: Array, title: str, **colours: Any) -> Figure:
    """A table of numbers as colours, each number written in its cell."""
    figure, axes = _figure(max(6.5, 2.4 + COLUMN * len(columns)), 1.6 + ROW * len(rows))
    image = axes.imshow(values, aspect="auto", **colours)
    axes.set_xticks(range(len(columns)), columns, rotation=55, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), [printable(each) for each in rows])
    low, high = image.get_clim()
    for i, line in enumerate(values):
        for j, value in enumerate(line):
            share = (value - low) / (high - low) if high > low else 0.5
            light = share < 0.15 or share > 0.85 if colours["cmap"] == "RdBu" else share < 0.55
            ink = "white" if light else INK
            axes.text(
                j, i, f"{value:.2f}" if high <= 1.01 else f"{value:.1f}", ha="center", va="center", size=6, color=ink
            )
    axes.set_title(title, fontsize=SIZE)
    figure.colorbar(image, ax=axes, shrink=0.5)
    return figure


def _labelled(board: Board) -> list[str]:
    return [f"{model} †" if model in board.imported else model for model in board.models]


def _categories(board: Board) -> Figure:
    title = "Mean Matthews coefficient of each category, all training rows († imported)"
    values = board.regimes[FULL].means
    return _grid(_labelled(board), board.categories, values, title, cmap="viridis", vmin=min(0.0, values.min()), vmax=1)


def _agreement(board: Board) -> Figure:
    tau, _, mean = measures.category_agreement(board.regimes[FULL].means)
    title = f"Kendall's tau of the models' order between categories; mean {mean}"
    return _grid(board.categories, board.categories, tau, title, cmap="RdBu", vmin=-1, vmax=1)


def _specialists(board: Board) -> Figure:
    values = measures.specialisation(board.regimes[FULL].means)
    limit = float(abs(values).max())
    title = "Specialisation: mean rank in the other categories minus the rank in this one"
    return _grid(_labelled(board), board.categories, values, title, cmap="RdBu", vmin=-limit, vmax=limit)


def _ranks(board: Board) -> Figure:
    """Macro mean of each model with its interval."""
    regime = board.regimes[FULL]
    low, high = measures.macro_intervals(regime)
    figure, axes = _figure(6.5, 1.2 + ROW * len(board.models))
    for i, model in enumerate(board.models):
        colour = PUBLISHED if model in board.imported else OWN
        axes.plot([low[i], high[i]], [i, i], color=colour, linewidth=1.5)
        axes.plot(regime.macro[i], i, "o", color=colour, markersize=4)
    axes.set_yticks(range(len(board.models)), [printable(each) for each in _labelled(board)])
    axes.set_ylim(len(board.models) - 0.5, -0.5)
    what = "tasks within categories and test rows" if board.has_tasks else "categories"
    axes.set_xlabel(f"macro mean, 95 % interval over drawn {what}")
    axes.grid(axis="x", color="#dddddd")
    axes.set_title(f"{len(board.models)} models on {board.title}", fontsize=SIZE)
    return figure


def _regimes(board: Board) -> Figure:
    """Rank of each model by macro mean in each regime."""
    shots = list(board.regimes)
    places = measures.ranks(board.regimes[FULL].macro[:, None])
    for each in shots[1:]:
        places = _beside(places, measures.ranks(board.regimes[each].macro[:, None]))
    change = abs(places - places[:, :1]).max(axis=1)
    named = {i for i in change.argsort(kind="stable")[::-1][:CHANGED].tolist() if change[i] > 0}
    figure, axes = _figure(6.5, 1.4 + ROW * len(board.models))
    for i, line in enumerate(places):
        axes.plot(range(len(shots)), line, color=OWN if i in named else "#cccccc", linewidth=1.4 if i in named else 0.8)
        colour = INK if i in named else MUTED
        axes.text(-0.05, line[0], printable(_labelled(board)[i]), ha="right", va="center", size=6, color=colour)
    axes.set_xticks(range(len(shots)), [REGIMES[each] for each in shots])
    axes.set_xlim(-1.6, len(shots) - 0.8)
    axes.set_ylim(len(board.models) + 0.5, 0.5)
    axes.set_ylabel("rank by macro mean")
    axes.set_title("Ranks by regime" + (f"; blue: the {len(named)} that change most" if named else ""), fontsize=SIZE)
    return figure


def _beside(left: Array, right: Array) -> Array:
    import numpy as np

    return np.concatenate([left, right], axis=1)


def _size(board: Board) -> Figure:
    known = [i for i, model in enumerate(board.models) if model in board.parameters]
    macro = board.regimes[FULL].macro[known]
    size = [board.parameters[board.models[i]] for i in known]
    figure, axes = _figure(6.5, 4.5)
    order = macro.argsort().tolist()
    # The others lie in a crowd.
    named = {*order[:NAMED], *order[-NAMED:], size.index(max(size)), size.index(min(size))}
    for place, (i, x, y) in enumerate(zip(known, size, macro.tolist(), strict=True)):
        model = board.models[i]
        axes.plot(x, y, "o", color=PUBLISHED if model in board.imported else OWN, markersize=4)
        if place in named:
            axes.annotate(printable(model), (x, y), xytext=(4, 2), textcoords="offset points", size=5, color=MUTED)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1e6:,.0f} M")
    axes.set_xlim(min(size) / 2, max(size) * 12)
    axes.set_xlabel("parameters")
    axes.set_ylabel("macro mean, all training rows")
    axes.set_title(f"Spearman's correlation {measures.size_and_score(size, macro)}", fontsize=SIZE)
    return figure


def _difficulty(board: Board) -> Figure:
    full = board.regimes[FULL]
    columns = {
        name.removeprefix("geneb_"): scores[:, t]
        for category, scores in full.tasks.items()
        for t, name in enumerate(board.task_names[category])
    } or {category: full.means[:, c] for c, category in enumerate(board.categories)}
    order = sorted(columns, key=lambda name: -columns[name].mean())
    figure, axes = _figure(6.5, 1.2 + ROW * len(order))
    for i, name in enumerate(order):
        ((mean, std, hard, wide),) = measures.difficulty(columns[name][:, None])
        axes.plot(columns[name], [i] * len(columns[name]), "|", color="#bbbbbb", markersize=6)
        axes.plot([mean - std, mean + std], [i, i], color="#D55E00" if wide else OWN, linewidth=1.5)
        axes.plot(mean, i, "s" if hard else "o", color="#D55E00" if wide else OWN, markersize=4)
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_xlabel("Matthews coefficient: models (grey), mean ± standard deviation")
    axes.set_title("Difficulty; square: mean below 0.35; orange: deviation above 0.12", fontsize=SIZE)
    axes.grid(axis="x", color="#dddddd")
    return figure
