"""Reads tables of vectors: parquet, csv and tsv, wide or with a column of lists."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.embedding.table import check_lengths, check_named, is_numeric, stack_lists
from model_adapters.errors import VectorsError, one_line, some
from model_adapters.files.table_model import Rows

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

LAYOUT = "expected a column symbol, and a column embedding (lists) or one numeric column for each dimension"


def read_parquet(path: Path) -> Rows:
    """Read a parquet file.

    Raises:
        VectorsError: it is damaged, or no table of vectors.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        message = f"{path.name} is not a readable parquet file ({one_line(error)}); write it again"
        raise VectorsError(message) from error
    return rows_of(table, where=path.name)


def rows_of(table: pa.Table, *, where: str) -> Rows:
    """Read an Arrow table in one of the two layouts.

    Raises:
        VectorsError: it has neither layout.
    """
    import pyarrow as pa

    # What pandas calls the row numbers that it saves along.
    table = table.drop_columns([name for name in table.column_names if re.fullmatch(r"__index_level_\d+__", name)])
    _check_columns(table.column_names, where=where)
    column = table.column("symbol")
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        message = f"{where}: column 'symbol' holds {kind}, expected strings"
        raise VectorsError(message)
    names = column.cast(kind).cast(pa.string()).to_pylist()
    check_named(names, where=where)
    if "embedding" in table.column_names:
        return Rows(names, stack_lists(table.column("embedding"), names, where=where))
    return Rows(names, _stack_columns(table.drop_columns(["symbol"]), where=where))


def read_csv(path: Path) -> Rows:
    """Read a csv file, or a tsv file by its extension.

    Raises:
        VectorsError: it is not UTF-8 text, or no table of vectors.
    """
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    header = _csv_header(path, separator)
    _check_columns(header, where=path.name)
    as_lists = "embedding" in header
    types = {name: pa.string() if as_lists or name == "symbol" else pa.float64() for name in header}
    rows: list[tuple[str, int, int]] = []

    def refuse(row: Any) -> str:
        rows.append((row.text, row.expected_columns, row.actual_columns))
        return "error"

    try:
        table = pa_csv.read_csv(
            path,
            # One thread: with several, the refused row that is named could be any of them.
            read_options=pa_csv.ReadOptions(use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=separator, newlines_in_values=as_lists, invalid_row_handler=refuse
            ),
            # A symbol stays as it is ("NA" is a name); numbers may be missing, which is refused later, by gene.
            convert_options=pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    except pa.ArrowException as error:
        raise VectorsError(_csv_message(path, header, rows, error, separator=separator)) from error
    names = table.column("symbol").to_pylist()
    check_named(names, where=path.name)
    if as_lists:
        return Rows(names, _parse_lists(table.column("embedding").to_pylist(), names, where=path.name))
    return Rows(names, _stack_columns(table.drop_columns(["symbol"]), where=path.name))


def _csv_header(path: Path, separator: str) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file, delimiter=separator), [])
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{path.name} is not a readable {_kind(path)} file ({one_line(error)}); save it as UTF-8 text"
        raise VectorsError(message) from error
    if not header:
        message = f"{path.name} is empty; {LAYOUT}"
        raise VectorsError(message)
    if "" in header:
        message = f"{path.name}: column {header.index('') + 1} has no name; write the file without row numbers"
        raise VectorsError(message)
    return header


def _csv_message(
    path: Path, header: list[str], rows: list[tuple[str, int, int]], error: Exception, *, separator: str
) -> str:
    where = path.name
    if rows:
        text, expected, actual = rows[0]
        fields = next(csv.reader([text], delimiter=separator), [])
        position = header.index("symbol")
        gene = fields[position] if position < len(fields) else text[:20]
        return f"{where}: the row of {gene} has {actual} fields, the header has {expected}; all must have the same"
    value = re.search(r"column #(\d+): .*invalid value '(.*)'", str(error))
    if value:
        return f"{where}: column {header[int(value[1])]!r} holds {value[2][:40]!r}, expected numbers"
    return f"{where} is not a readable {_kind(path)} file ({one_line(error)}); {LAYOUT}"


def _kind(path: Path) -> str:
    return path.suffix[1:].lower()


def _check_columns(columns: Sequence[str], *, where: str) -> None:
    if "symbol" not in columns:
        message = f"{where} has no column 'symbol', its columns are {some(columns, limit=8) or 'none'}; {LAYOUT}"
        raise VectorsError(message)
    repeated = sorted({name for name in columns if list(columns).count(name) > 1})
    if repeated:
        message = f"{where}: columns occur more than once: {some(repeated)}; give each its own name"
        raise VectorsError(message)
    if len(columns) == 1:
        message = f"{where} has no column but 'symbol'; {LAYOUT}"
        raise VectorsError(message)


def _stack_columns(table: pa.Table, *, where: str) -> NDArray[np.float32]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not is_numeric(column.type):
            message = f"{where}: column {name!r} holds {column.type}, expected numbers; {LAYOUT}"
            raise VectorsError(message)
    matrix = np.empty((table.num_rows, table.num_columns), dtype=np.float32)
    with np.errstate(over="ignore"):
        for position, column in enumerate(table.columns):
            matrix[:, position] = column.to_numpy()
    return matrix


def _parse_lists(texts: Sequence[str], names: Sequence[str], *, where: str) -> NDArray[np.float64]:
    vectors = []
    for name, text in zip(names, texts, strict=True):
        try:
            vectors.append(_parse_list(text))
        except ValueError as error:
            message = f"{where}: the vector of {name} is no list of numbers ({error}); expected [0.1, 0.2, ...]"
            raise VectorsError(message) from None
    check_lengths(np.array([len(vector) for vector in vectors]), names, where=where)
    return np.stack(vectors)


def _parse_list(text: str) -> NDArray[np.float64]:
    """Read `[0.1, 0.2]`, and `[0.1 0.2]` as NumPy prints it; Arrow parses numbers three times as fast as json."""
    import pyarrow as pa

    parts = text.strip().removeprefix("[").removesuffix("]").replace(",", " ").split()
    vector: NDArray[np.float64] = pa.array(parts, pa.string()).cast(pa.float64()).to_numpy()
    return vector
