"""Pictures of a table of results, as PNG and SVG; equal results give equal files.

The colours (viridis, and Okabe and Ito's set) can be told apart with any kind of colour vision, and in print.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gene_eval.analysis.heads import LINEAR
from gene_eval.analysis.tables import Report, Table
from gene_eval.errors import ReportError
from gene_eval.files import atomic_path
from gene_eval.results.paths import axes_name
from gene_eval.text import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "figure", "in_style", "save", "write", "write_figure"]

# Neither dates nor versions nor random ids, nor a user's own settings; names of models are text, never formulas.
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.parse_math": False,
    "svg.hashsalt": "gene-bench",
    "svg.fonttype": "path",
}
METADATA: dict[str, dict[str, str | None]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
DPI = 150
# Agg draws no more than 2^16 pixels a side.
LARGEST = 60_000


def save(report: Report, folder: str | os.PathLike[str], *, pair: tuple[str, str] | None = None) -> list[Path]:
    """Write every picture of the report into a folder; several tables take a subfolder each.

    A picture that the results are too few for is not written, and a line on stderr says why.

    Args:
        report: As `reports.build` makes it.
        folder: Made if it is not there.
        pair: Models of the per-fold scatter. Default: the two best that are no controls.

    Returns:
        Paths of the files.

    Raises:
        FileError: A picture cannot be written.
    """
    written: list[Path] = []
    for table in report.tables:
        below = axes_name(table.settings.shown) if len(report.tables) > 1 else ""
        target = Path(folder, below)
        with in_style():
            for name, drawn in draw(table, pair=pair):
                if isinstance(drawn, str):
                    say(f"no picture {name}: {drawn}")
                else:
                    written += write(drawn, target, name)
    return written


def draw(table: Table, *, pair: tuple[str, str] | None = None) -> Iterator[tuple[str, "Figure | str"]]:
    """File name (without ending) and figure of each picture, or why the table has too few results for it."""
    for name, make in _pictures(table, pair).items():
        yield name, make()


def figure(table: Table, name: str, *, pair: tuple[str, str] | None = None) -> "Figure":
    """One picture, as `save` writes it.

    Args:
        table: Of results.
        name: "families", "figure2", "tasks", "ranks", "similarity_models", "similarity_tasks", "folds", or of
            another head than the linear one "heads".
        pair: Models of "folds". Default: the two best that are no controls.

    Raises:
        ReportError: The table has too few results for it.
    """
    with in_style():
        drawn = _pictures(table, pair)[name]()
    if isinstance(drawn, str):
        msg = f"too few results to draw {name!r}: {drawn}"
        raise ReportError(msg)
    return drawn


def write_figure(make: Callable[[], "Figure"], path: Path) -> None:
    """Draw and write one picture of its own, of the kind that the file's name ends in.

    Raises:
        ReportError: It ends in something else.
        FileError: It cannot be written.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in METADATA:
        msg = f"{path}: a picture is named .{' or .'.join(METADATA)}"
        raise ReportError(msg)
    with in_style(), atomic_path(path) as part:
        make().savefig(part, format=ending, dpi=DPI, metadata=METADATA[ending])


def _pictures(table: Table, pair: tuple[str, str] | None) -> dict[str, Callable[[], "Figure | str"]]:
    """Name to what draws a picture, or says why there are too few results for it."""
    # Late: matplotlib takes half a second to load, and most commands draw nothing.
    from gene_eval.reporting.plots.heads import head_scatter
    from gene_eval.reporting.plots.heat import family_map, figure2_map, task_map
    from gene_eval.reporting.plots.ranks import fold_scatter, rank_plot
    from gene_eval.reporting.plots.similarity import model_similarity, task_similarity

    return {
        "families": lambda: family_map(table),
        "figure2": lambda: figure2_map(table),
        "tasks": lambda: task_map(table),
        "ranks": lambda: rank_plot(table),
        "similarity_models": lambda: model_similarity(table),
        "similarity_tasks": lambda: task_similarity(table),
        "folds": lambda: fold_scatter(table, pair),
        **({"heads": lambda: head_scatter(table)} if table.settings.head != LINEAR else {}),
    }


@contextmanager
def in_style() -> Iterator[None]:
    """Draw in the style of the pictures."""
    from matplotlib import style

    with style.context(["default", STYLE]), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def write(figure: "Figure", folder: Path, name: str) -> Iterator[Path]:
    """Write a picture in both forms."""
    for ending, metadata in METADATA.items():
        path = folder / f"{name}.{ending}"
        dpi = min(DPI, LARGEST / max(figure.get_size_inches()))
        with atomic_path(path) as part:
            figure.savefig(part, format=ending, dpi=dpi, metadata=metadata)
        yield path
