"""Vectors that somebody else computed: a file with one vector for each gene."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, Resolve, file_sha256
from model_adapters.errors import UnknownModelError, VectorsError, did_you_mean, one_line, some
from model_adapters.tables import check_lengths, check_symbols, embedding_table, finite_float32, is_numeric, stack_lists

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from numpy.typing import NDArray

Vectors = tuple[list[str], "NDArray[Any]"]

LAYOUT = "expected a column symbol, and a column embedding (lists) or one numeric column for each dimension"


class PrecomputedVectors:
    """A file of vectors as a model: nothing to encode, `table()` is the embedding table.

    The file has a column `symbol`, and either `embedding` (lists of numbers; other columns are ignored) or one column
    for each dimension (then every other column must be numeric). Identifiers are taken as they are, unless `resolve`
    maps them to symbols.
    """

    adapter: ClassVar[str] = "precomputed"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="FILE.parquet or FILE.csv",
        family="precomputed",
        input="a file with symbol and embedding, or symbol and numeric columns",
        dimension="the file's",
        source="your file",
    )

    def __init__(self, path: str | Path, *, resolve: Resolve | None = None) -> None:
        """Name the file; it is hashed now and read by `table()`.

        Raises:
            UnknownModelError: there is no such file, or its extension is not one of `READERS`.
        """
        self.path = Path(path).expanduser()
        _check_is_file(self.path)
        self.model_id = self.path.stem
        self.revision = file_sha256(self.path)
        self.options: Mapping[str, Any] = {"resolved": resolve is not None}
        self._resolve = resolve

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of a file."""
        if not argument:
            message = f"precomputed needs a file: precomputed:<file>, one of {', '.join(READERS)}"
            raise UnknownModelError(message)
        return cls(argument, resolve=resolve)

    def table(self) -> Dataset:
        """Return the embedding table, in the order of the file.

        Raises:
            VectorsError: the file is not a table of one finite vector of one length for each gene.
        """
        return self._read[0]

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Identifiers that `resolve` does not know, left out of the table."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[Dataset, tuple[str, ...]]:
        where = self.path.name
        names, vectors = READERS[self.path.suffix.lower()](self.path)
        check_symbols(names, where=where)
        matrix = finite_float32(vectors, names, where=where)
        if self._resolve is None:
            return embedding_table(names, matrix), ()
        symbols = list(self._resolve(names))
        kept = [row for row, symbol in enumerate(symbols) if symbol is not None]
        if not kept:
            message = f"{where}: none of its {len(names)} identifiers is a known gene ({some(names)}); expected symbols"
            raise VectorsError(message)
        _check_resolved(names, symbols, where=where)
        table = embedding_table([str(symbols[row]) for row in kept], matrix[kept])
        return table, tuple(name for name, symbol in zip(names, symbols, strict=True) if symbol is None)


def _check_is_file(path: Path) -> None:
    if path.suffix.lower() not in READERS:
        message = f"{path.name}: vectors are not read from {path.suffix or 'a file without extension'}, expected "
        raise UnknownModelError(message + ", ".join(READERS))
    if path.is_file():
        return
    if not path.parent.is_dir():
        message = f"no file {path}: there is no folder {path.parent}"
        raise UnknownModelError(message)
    others = [other.name for other in path.parent.iterdir() if other.suffix.lower() in READERS]
    message = f"no file {path}{did_you_mean(path.name, others)}"
    raise UnknownModelError(message)


def _check_resolved(names: Sequence[str], symbols: Sequence[str | None], *, where: str) -> None:
    first: dict[str, str] = {}
    for name, symbol in zip(names, symbols, strict=True):
        if symbol is None:
            continue
        if symbol in first:
            message = f"{where}: {first[symbol]} and {name} are both the gene {symbol}; keep one row for each gene"
            raise VectorsError(message)
        first[symbol] = name


def _read_parquet(path: Path) -> Vectors:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        message = f"{path.name} is not a readable parquet file ({one_line(error)}); write it again"
        raise VectorsError(message) from error
    # What pandas calls the row numbers that it saves along.
    table = table.drop_columns([name for name in table.column_names if re.fullmatch(r"__index_level_\d+__", name)])
    _check_columns(table.column_names, where=path.name)
    column = table.column("symbol")
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        message = f"{path.name}: column 'symbol' holds {kind}, expected strings"
        raise VectorsError(message)
    names = column.cast(kind).cast(pa.string()).to_pylist()
    check_symbols(names, where=path.name)
    if "embedding" in table.column_names:
        return names, stack_lists(table.column("embedding"), names, where=path.name)
    return names, _stack_columns(table.drop_columns(["symbol"]), where=path.name)


def _read_csv(path: Path) -> Vectors:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    header = _csv_header(path)
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
            parse_options=pa_csv.ParseOptions(newlines_in_values=as_lists, invalid_row_handler=refuse),
            # A symbol stays as it is ("NA" is a name); numbers may be missing, which is refused later, by gene.
            convert_options=pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    except pa.ArrowException as error:
        raise VectorsError(_csv_message(path.name, header, rows, error)) from error
    names = table.column("symbol").to_pylist()
    check_symbols(names, where=path.name)
    if as_lists:
        return names, _parse_lists(table.column("embedding").to_pylist(), names, where=path.name)
    return names, _stack_columns(table.drop_columns(["symbol"]), where=path.name)


READERS: dict[str, Callable[[Path], Vectors]] = {".parquet": _read_parquet, ".csv": _read_csv}
"""Extension of a file of vectors -> what reads it."""


def _csv_header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{path.name} is not a readable csv file ({one_line(error)}); save it as UTF-8 text"
        raise VectorsError(message) from error
    if not header:
        message = f"{path.name} is empty; {LAYOUT}"
        raise VectorsError(message)
    if "" in header:
        message = f"{path.name}: column {header.index('') + 1} has no name; write the file without row numbers"
        raise VectorsError(message)
    return header


def _csv_message(where: str, header: list[str], rows: list[tuple[str, int, int]], error: Exception) -> str:
    if rows:
        text, expected, actual = rows[0]
        fields = next(csv.reader([text]), [])
        position = header.index("symbol")
        gene = fields[position] if position < len(fields) else text[:20]
        return f"{where}: the row of {gene} has {actual} fields, the header has {expected}; all must have the same"
    value = re.search(r"column #(\d+): .*invalid value '(.*)'", str(error))
    if value:
        return f"{where}: column {header[int(value[1])]!r} holds {value[2][:40]!r}, expected numbers"
    return f"{where} is not a readable csv file ({one_line(error)}); {LAYOUT}"


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
