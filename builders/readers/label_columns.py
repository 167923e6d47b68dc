"""Rows of a source that is one table: a column of identifiers and a column of labels, no code of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from builders.audit import Audit
from builders.config import TaskConfig
from builders.errors import SourceFormatError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MISSING", "labelled_rows"]

MISSING = ("", "NA", "NaN", "nan")
"""Cells of a column of labels that say nothing; a gene may be called so."""


def labelled_rows(
    table: pd.DataFrame, identifiers: Sequence[str], config: TaskConfig, *, path: Path, audit: Audit
) -> pd.DataFrame:
    """Rows as `GeneTaskBuilder.rows` returns them.

    Args:
        table: Cells as strings.
        identifiers: Column of identifiers, and perhaps one of a second identifier.
        config: The task; its `column` holds names of classes, or numbers of a regression.
        path: For messages.
        audit: Takes a note of rows without a label.

    Raises:
        SourceFormatError: A label of a regression is no number.
    """
    import pandas as pd

    cells = table[config.column].str.strip()
    known = ~cells.isin(MISSING)
    if not known.all():
        audit.notes.append(f"left out, as they have no value: {int((~known).sum()):,} rows")
    labels = cells[known]
    if config.target == "regression":
        labels = pd.to_numeric(labels, errors="coerce")
        if labels.isna().any():
            row = labels.index[labels.isna()][0]
            message = f"{path}: row {row + 2}: '{config.column}' is {cells[row]!r}; expected a number"
            raise SourceFormatError(message)
    columns = dict(zip(("symbol", "symbol_alt"), identifiers, strict=False))
    named = {column: table.loc[known, name] for column, name in columns.items()}
    return pd.DataFrame({**named, "label": labels})
