"""Rows of a source that is one table: a column of identifiers and a column of labels, no code of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from builders.audit import Audit
from builders.config import TaskConfig
from builders.errors import SourceFormatError
from builders.text import some

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MISSING", "labelled_rows"]

MISSING = ("", "NA", "NaN", "nan")
"""Cells that say nothing in a column of labels; in other columns they may be names of genes."""


def labelled_rows(
    table: pd.DataFrame, identifiers: Sequence[str], config: TaskConfig, *, path: Path, audit: Audit
) -> pd.DataFrame:
    """Rows as `GeneTaskBuilder.rows` returns them.

    Args:
        table: Cells as strings.
        identifiers: Column of identifiers, and perhaps one of a second identifier.
        config: The task; its `column` holds names of classes, or numbers of a regression.
        path: For messages.
        audit: Takes a note of rows without a label, and of those whose cell is none of `config.cells`.

    Raises:
        SourceFormatError: A label of a regression is not a number, or no cell is one of `config.cells`.
    """
    import pandas as pd

    cells = table[config.column].str.strip()
    known = ~cells.isin(MISSING)
    if not known.all():
        audit.notes.append(f"left out, as they have no value: {int((~known).sum()):,} rows")
    if config.cells:
        known = _translatable(cells, known, config, audit)
    labels = cells[known].map(config.cells) if config.cells else cells[known]
    if config.target == "regression":
        labels = pd.to_numeric(labels, errors="coerce")
        if labels.isna().any():
            row = labels.index[labels.isna()][0]
            message = f"{path}: row {row + 2}: '{config.column}' is {cells[row]!r}; expected a number"
            raise SourceFormatError(message)
    columns = dict(zip(("symbol", "symbol_alt"), identifiers, strict=False))
    named = {column: table.loc[known, name] for column, name in columns.items()}
    return pd.DataFrame({**named, "label": labels})


def _translatable(cells: pd.Series[str], known: pd.Series[bool], config: TaskConfig, audit: Audit) -> pd.Series[bool]:
    """Which rows have a cell that the config gives a label."""
    stray = cells[known & ~cells.isin(list(config.cells))]
    if len(stray) == known.sum():
        message = (
            f"{config.name}: no cell of '{config.column}' is one of {', '.join(config.cells)}; it holds"
            f" {some(stray.unique().tolist())}"
        )
        raise SourceFormatError(message)
    if len(stray):
        counts = (f"{cell} ({n:,})" for cell, n in stray.value_counts().items())
        audit.notes.append(
            f"left out, as '{config.column}' has no label of theirs: {len(stray):,} rows, {some(counts)}"
        )
    return known & ~cells.index.isin(stray.index)
