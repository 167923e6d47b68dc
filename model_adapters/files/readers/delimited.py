"""Reads tables of text: csv and tsv of any separator and encoding, packed or not, with or without a header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.embedding.table import check_lengths
from model_adapters.errors import VectorsError, one_line, some
from model_adapters.files.identifiers import are_row_numbers, may_name_genes, odd_names
from model_adapters.files.layout import EXPECTED, Ask, Rows, rows_of_sheet
from model_adapters.files.readers.archives import Packed, packed
from model_adapters.files.readers.sniffing import BLANK, LISTS, NUMBERS, TEXTS, Form, number, sniff, split_line
from model_adapters.files.sheets import GrowingRows, TextSheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

MANY_COLUMNS = 2000
"""Arrow's reader takes seconds for ten thousand columns; row by row it is as fast whatever their number."""
BLOCK = 1024**2
"""Bytes of text that are parsed at a time; a row has to fit in."""
ROWS_AT_ONCE = 256
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "-nan", "-NaN", "#N/A"]


def read_delimited(path: Path, ask: Ask) -> Rows:
    """Read a table of text.

    Raises:
        VectorsError: it is not text, or not a table of vectors.
    """
    content = packed(path)
    with content.open() as file:
        form = sniff(file, Path(content.name), where=ask.where)
    return read_form(content, form, ask)


def read_form(content: Packed, form: Form, ask: Ask) -> Rows:
    """Read a table whose form is known."""
    if form.separator == BLANK or len(form.header) > MANY_COLUMNS:
        rows = rows_of_sheet(_by_rows(content, form, ask), ask)
    else:
        rows = rows_of_sheet(_by_columns(content, form, ask), ask)
    rows.reading.notes.extend(form.notes)
    return rows


class _Collected:
    """Rows that are read, of which text, identifiers and float32 numbers are kept."""

    def __init__(self, form: Form, ask: Ask) -> None:
        self._form, self._ask = form, ask
        self.texts: dict[str, list[Any]] = {name: [] for name in form.columns_of(TEXTS)}
        self.lists: dict[str, GrowingRows | VectorsError] = {name: GrowingRows() for name in form.columns_of(LISTS)}
        numbers = form.columns_of(NUMBERS)
        # Entrez ids may have more digits than float32.
        self.exact: dict[str, list[float]] = {name: [] for name in numbers if name == ask.id or may_name_genes(name)}
        self.numbers = [name for name in numbers if name not in self.exact]
        self.matrix = GrowingRows(len(self.numbers))
        self._rows = 0

    def add(self, cells: Mapping[str, Any], numbers: NDArray[np.float32]) -> None:
        """Take some rows: the cells of other columns than `numbers`, and the (n, d) numbers."""
        for name, column in (*self.texts.items(), *self.exact.items()):
            column.extend(cells[name])
        first = next(iter(self.texts), "")
        names: Sequence[str] = cells[first] if first else [f"row {self._rows + i + 1}" for i in range(len(numbers))]
        for name, rows in self.lists.items():
            if isinstance(rows, GrowingRows):
                try:
                    rows.add(_parse_lists(cells[name], names, where=self._ask.where), names, where=self._ask.where)
                except VectorsError as error:
                    # It counts only where these are the vectors.
                    self.lists[name] = error
        self.matrix.add(numbers, names, where=self._ask.where)
        self._rows += len(numbers)

    def sheet(self) -> TextSheet:
        """Return them as a table."""
        if not self._rows:
            message = f"{self._ask.where} has no rows, expected one for each gene"
            raise VectorsError(message)
        return TextSheet(
            self._form.header, texts=self.texts, exact=self.exact, lists=self.lists, numbers=self.numbers,
            matrix=self.matrix.rows,
        )  # fmt: skip


def _by_columns(content: Packed, form: Form, ask: Ask) -> TextSheet:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    lists = form.columns_of(LISTS)
    types = {name: pa.float64() if kind == NUMBERS else pa.string() for name, kind in form.kinds.items()}
    refused: list[tuple[str, int, int]] = []

    def refuse(row: Any) -> str:
        refused.append((row.text, row.expected_columns, row.actual_columns))
        return "error"

    found = _Collected(form, ask)
    try:
        with (
            content.open() as file,
            pa_csv.open_csv(
                file,
                # One thread: with several, the refused row that is named could be any of them.
                read_options=pa_csv.ReadOptions(
                    use_threads=False,
                    column_names=form.header,
                    skip_rows=form.skip,
                    encoding=form.encoding,
                    block_size=BLOCK,
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=form.separator, newlines_in_values=bool(lists), invalid_row_handler=refuse
                ),
                # A symbol stays as it is ("NA" is a name); numbers may be missing, which is refused later, by gene.
                convert_options=pa_csv.ConvertOptions(
                    column_types=types, strings_can_be_null=False, null_values=MISSING, decimal_point=form.decimal
                ),
            ) as reader,
        ):
            for batch in reader:
                cells = {name: batch.column(name).to_pylist() for name in (*found.texts, *found.lists)}
                cells |= {name: batch.column(name).to_numpy(zero_copy_only=False).tolist() for name in found.exact}
                numbers = np.empty((batch.num_rows, len(found.numbers)), dtype=np.float32)
                with np.errstate(over="ignore"):
                    for position, dimension in enumerate(found.numbers):
                        numbers[:, position] = batch.column(dimension).to_numpy(zero_copy_only=False)
                found.add(cells, numbers)
    except pa.ArrowException as error:
        if form.encoding == "utf8" and "UTF8" in str(error):
            latin = replace(form, encoding="latin1", notes=(*form.notes, "not UTF-8; read as latin-1"))
            form.notes = latin.notes
            return _by_columns(content, latin, ask)
        if (name := _no_dimension(form, error, ask)) is not None:
            form.kinds[name] = TEXTS
            return _by_columns(content, form, ask)
        raise VectorsError(_message(form, refused, error, where=ask.where)) from error
    return found.sheet()


def _no_dimension(form: Form, error: Exception, ask: Ask) -> str | None:
    """Return the column of an invalid number, if it may be text whose first rows looked like numbers."""
    if (found := re.search(r"column #(\d+): .*invalid value", str(error))) is None:
        return None
    name, dimensions = form.header[int(found[1])], form.columns_of(NUMBERS)
    unasked = ask.columns is not None and not fnmatchcase(name, ask.columns)
    return name if name in dimensions and (unasked or name in odd_names(dimensions)) else None


def _message(form: Form, refused: list[tuple[str, int, int]], error: Exception, *, where: str) -> str:
    if refused:
        text, expected, actual = refused[0]
        fields = split_line(text, form.separator)
        gene = next((field for field in fields if number(field, form.decimal) is None), text)[:20]
        return f"{where}: the row of {gene} has {actual} fields, the header has {expected}; all must have the same"
    value = re.search(r"column #(\d+): .*invalid value '(.*)'", str(error))
    if value:
        shown = value[2].encode("ascii", "backslashreplace").decode()[:40]
        return f"{where}: column {form.header[int(value[1])]!r} holds {shown!r}, expected numbers"
    return f"{where} is not a readable table ({one_line(error)[:200]}); {EXPECTED}"


def _by_rows(content: Packed, form: Form, ask: Ask) -> TextSheet:
    """Read a row at a time, each into one row of a matrix."""
    found = _Collected(form, ask)
    at = {name: position for position, name in enumerate(form.header)}
    numeric = [at[name] for name in found.numbers]
    encoding = form.encoding.replace("utf8", "utf-8-sig")
    with content.open() as file, io.TextIOWrapper(file, encoding=encoding) as lines:
        rows = (
            split_line(line.rstrip("\n"), form.separator) for line in islice(lines, form.skip, None) if line.strip()
        )
        while some_rows := list(islice(rows, ROWS_AT_ONCE)):
            numbers = np.empty((len(some_rows), len(numeric)), dtype=np.float32)
            for row, cells in enumerate(some_rows):
                if len(cells) != len(form.header):
                    counts = f"the row of {cells[0][:20]} has {len(cells)} fields, the header has {len(form.header)}"
                    message = f"{ask.where}: {counts}; all must have the same"
                    raise VectorsError(message)
                numbers[row] = _numbers([cells[position] for position in numeric], cells[0], form, ask)
            others = {name: [cells[at[name]] for cells in some_rows] for name in (*found.texts, *found.lists)}
            exact = {
                name: [float(_numbers([cells[at[name]]], cells[0], form, ask)[0]) for cells in some_rows]
                for name in found.exact
            }
            found.add(others | exact, numbers)
    return found.sheet()


def _numbers(cells: list[str], name: str, form: Form, ask: Ask) -> NDArray[np.float64]:
    """Return cells as numbers; Arrow parses them three times as fast as Python."""
    import pyarrow as pa

    if form.decimal == ",":
        cells = [cell.replace(",", ".") for cell in cells]
    try:
        parsed: NDArray[np.float64] = pa.array(cells, pa.string()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        return np.array([_or_missing(cell, name, ask) for cell in cells])
    return parsed


def _or_missing(value: str, name: str, ask: Ask) -> float:
    if value.strip() in MISSING:
        return float("nan")
    found = number(value, ".")
    if found is None:
        message = f"{ask.where}: {name[:20]} has {value[:40]!r} in its vector, expected numbers"
        raise VectorsError(message)
    return found


def _parse_lists(texts: Sequence[str], names: Sequence[str], *, where: str) -> NDArray[np.float64]:
    vectors = []
    for name, text in zip(names, texts, strict=True):
        try:
            vectors.append(_parse_list(text))
        except ValueError as error:
            message = f"{where}: the vector of {name} is not a list of numbers ({error}); expected [0.1, 0.2, ...]"
            raise VectorsError(message) from None
    check_lengths(np.array([len(vector) for vector in vectors]), names, where=where)
    return np.stack(vectors)


def _parse_list(text: str) -> NDArray[np.float64]:
    """Read `[0.1, 0.2]`, and `[0.1 0.2]` as NumPy prints it; Arrow parses numbers three times as fast as json."""
    import pyarrow as pa

    parts = text.strip().removeprefix("[").removesuffix("]").replace(",", " ").split()
    vector: NDArray[np.float64] = pa.array(parts, pa.string()).cast(pa.float64()).to_numpy()
    return vector


def gene_list(path: Path, n: int, *, where: str) -> dict[str, list[str]]:
    """Read the list of genes of an array: column -> n names; a header may come first.

    Raises:
        VectorsError: it is no text, or has another number of lines than the array has rows.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        message = f"{path.name} is not UTF-8 text ({one_line(error)}); save it as text with one gene a line"
        raise VectorsError(message) from error
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    rows = [[cell.strip() for cell in row] for row in csv.reader(filter(str.strip, lines), delimiter=separator)]
    header = rows[0] if rows and ("symbol" in rows[0] or len(rows) == n + 1) else []
    body = rows[bool(header) :]
    if len(body) != n:
        message = f"{path.name} names {len(body)} genes, but {where} has {n} rows; expected one line for each row"
        raise VectorsError(message)
    width = max(map(len, body), default=0)
    # Without a header, genes come first, unless their numbers do.
    first = "column 1" if are_row_numbers([row[0] for row in body]) else "gene"
    names = [header[i] if i < len(header) else f"column {i + 1}" if i else first for i in range(width)]
    if len(set(names)) != len(names):
        message = f"{path.name}: columns occur more than once: {some(names)}; give each its own name"
        raise VectorsError(message)
    return {name: [row[i] if i < len(row) else "" for row in body] for i, name in enumerate(names)}
