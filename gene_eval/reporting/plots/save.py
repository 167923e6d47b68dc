"""Pictures of a table of results, as PNG and SVG; equal results give equal files.

The colours (viridis, and Okabe and Ito's set) can be told apart with any kind of colour vision, and in print.
"""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gene_eval.analysis.tables import Report, Table
from gene_eval.files import atomic_path
from gene_eval.results.paths import axes_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "save"]

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

    Args:
        report: As `reports.build` makes it.
        folder: Made if it is not there.
        pair: Models of the per-fold scatter. Default: the two best that are no controls.

    Returns:
        Paths of the files.

    Raises:
        FileError: A picture cannot be written.
    """
    from matplotlib import style

    written: list[Path] = []
    for table in report.tables:
        below = axes_name(table.settings.shown) if len(report.tables) > 1 else ""
        target = Path(folder, below)
        with style.context(["default", STYLE]), warnings.catch_warnings():
            # A name in a script that the font lacks is drawn as boxes.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            for name, figure in draw(table, pair=pair):
                written += _write(figure, target, name)
    return written


def draw(table: Table, *, pair: tuple[str, str] | None = None) -> Iterator[tuple[str, "Figure"]]:
    """File name (without ending) and figure of each picture that the table has enough results for."""
    # Late: matplotlib takes half a second to load, and most commands draw nothing.
    from gene_eval.reporting.plots.heat import family_map, figure2_map, task_map
    from gene_eval.reporting.plots.ranks import fold_scatter, rank_plot
    from gene_eval.reporting.plots.similarity import model_similarity, task_similarity

    if table.means:
        yield "families", family_map(table)
    if table.figure2:
        yield "figure2", figure2_map(table)
    yield "tasks", task_map(table)
    if table.rankings:
        yield "ranks", rank_plot(table)
    for name, similarity in (("similarity_models", model_similarity), ("similarity_tasks", task_similarity)):
        if figure := similarity(table):
            yield name, figure
    if figure := fold_scatter(table, pair):
        yield "folds", figure


def _write(figure: "Figure", folder: Path, name: str) -> Iterator[Path]:
    for ending, metadata in METADATA.items():
        path = folder / f"{name}.{ending}"
        dpi = min(DPI, LARGEST / max(figure.get_size_inches()))
        with atomic_path(path) as part:
            figure.savefig(part, format=ending, dpi=dpi, metadata=metadata)
        yield path
