"""Reads the text tables that sources publish, and gives one clear line when something is off."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFormatError
from builders.readers.archives import decode, read_bytes
from builders.readers.columns import Renamed, canonical, require_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table"]

# pyarrow wants every row to fit in a block.
BLOCK = 1 << 24
_COMMENT = ("#", "!")


def read_table(
    path: Path,
    columns: Sequence[str],
    *,
    sep: str = "\t",
    header: bool = True,
    quoting: int = csv.QUOTE_MINIMAL,
    all_columns: bool = False,
    renamed: Renamed = (),
) -> pd.DataFrame:
    """Read text columns of a table as strings; no cell is ever taken for a missing value ("NA" is a gene name).

    Columns are found by name. Comment lines before the header, a "#" before its first name, blanks around names and
    separators at the end of lines do not matter.

    Args:
        path: Plain, gzipped or zipped text file in UTF-8.
        columns: Names that must be there, without "#"; without a header line, the names of all columns in order.
        sep: Cell separator.
        header: Whether the first line that is no comment holds the names.
        quoting: One of `csv.QUOTE_*`.
        all_columns: Keep the other columns as well, in the file's order. Default: `columns`, in the order given.
        renamed: Names that other releases use for these columns.

    Returns:
        One row per line that is not empty, every cell a str.

    Raises:
        SourceFileError: The file cannot be unpacked or is not UTF-8.
        SourceFormatError: A column is missing or named twice, a row has another number of cells, or repeats the header.
    """
    import pandas as pd

    content = read_bytes(path)
    form = _Form(path, sep, quoting)
    head = form.head(content, columns, renamed) if header else _Head(list(columns), 0, 0)
    named = [name for name in head.names if not name.startswith("#")]
    wanted = named if all_columns else list(columns)
    if header and not content[head.end :].strip():
        return pd.DataFrame(columns=wanted, dtype=str)
    frame = form.body(content, head, wanted)
    repeats = (frame[list(columns)] == list(columns)).all(axis=1).to_numpy()
    if header and repeats.any():
        message = f"{path}: row {int(repeats.argmax()) + head.lines + 1} is the header line again; two files joined?"
        raise SourceFormatError(message)
    return frame


@dataclass(frozen=True)
class _Head:
    """Names of the columns, how many lines there are up to the header, and where the rows begin."""

    names: list[str]
    lines: int
    end: int


@dataclass(frozen=True)
class _Form:
    """How the cells of a file are separated."""

    path: Path
    sep: str
    quoting: int

    def head(self, content: bytes, columns: Sequence[str], renamed: Renamed) -> _Head:
        """Find the header: the first line that is no comment, or a line with "#" that has all columns."""
        lines, start = 0, 0
        while True:
            end = content.find(b"\n", start)
            end = len(content) if end < 0 else end
            first, lines = decode(content[start:end], self.path), lines + 1
            names = canonical([name.strip().lstrip("#").strip() for name in self._cells(first)], renamed)
            start = end + 1
            if start >= len(content) or not first.startswith(_COMMENT) or all(name in names for name in columns):
                break
        require_columns(self.path, columns, names, renamed)
        twice = sorted({name for name in columns if names.count(name) > 1})
        if twice:
            message = f"{self.path}: column {', '.join(map(repr, twice))} appears more than once in the header"
            raise SourceFormatError(message)
        following = content[start : start + BLOCK].lstrip(b"\r\n").partition(b"\n")[0]
        names = _as_wide_as(self._cells(decode(following, self.path)), names)
        # "#" marks what cannot be asked for: a column without a name, or one of several with the same.
        unique = [name if name and names.count(name) == 1 else f"{name}#{i}" for i, name in enumerate(names)]
        return _Head(unique, lines, min(start, len(content)))

    def _cells(self, line: str) -> list[str]:
        reader = csv.reader([line.rstrip("\r\n")], delimiter=self.sep, quoting=self.quoting)  # type: ignore[arg-type]  # typeshed wants a literal
        return next(reader, [])

    def body(self, content: bytes, head: _Head, wanted: list[str]) -> pd.DataFrame:
        """Columns of the rows below the header."""
        import pyarrow as pa
        import pyarrow.csv

        faults: list[pa.csv.InvalidRow] = []

        def refuse(row: pa.csv.InvalidRow) -> str:
            faults.append(row)
            return "error"

        quoted = self.quoting != csv.QUOTE_NONE
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(content),
                # One thread, so that a row knows its number.
                read_options=pa.csv.ReadOptions(
                    column_names=head.names, skip_rows=head.lines, use_threads=False, block_size=BLOCK
                ),
                parse_options=pa.csv.ParseOptions(
                    delimiter=self.sep,
                    quote_char='"' if quoted else False,
                    newlines_in_values=quoted,
                    invalid_row_handler=refuse,
                ),
                convert_options=pa.csv.ConvertOptions(
                    include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
                ),
            )
        except pa.ArrowInvalid as error:
            decode(content, self.path)
            reason = str(error).splitlines()[0]
            if faults:
                reason = f"row {faults[0].number} has {faults[0].actual_columns} cells; a half-downloaded file?"
            message = f"{self.path}: not a table with {len(head.names)} columns: {reason}"
            raise SourceFormatError(message) from error
        frame: pd.DataFrame = table.to_pandas()
        return frame


def _as_wide_as(row: list[str], names: list[str]) -> list[str]:
    """The names with as many cells as a row, where separators without anything after them end the one or the other."""
    more = len(row) - len(names)
    if more > 0 and not any(row[len(names) :]):
        return [*names, *[""] * more]
    return names[: len(row)] if row and not any(names[len(row) :]) else names
