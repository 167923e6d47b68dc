"""Tables of any format as one kind of object: text columns, numeric columns, columns of lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.embedding.table import check_lengths, is_numeric, stack_lists
from model_adapters.errors import VectorsError
from model_adapters.files.identifiers import FEW, clean

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

COLUMNS_AT_ONCE = 64
ROWS_AT_ONCE = 256
LIST, NUMBER, TEXT, OTHER = "list", "number", "text", "other"


class Sheet(ABC):
    """n rows and named columns, each of one kind: "list" (of numbers), "number", "text" or "other".

    Args:
        kinds: Column -> kind, in the order of the file.
        rows: n.
    """

    def __init__(self, kinds: Mapping[str, str], rows: int) -> None:
        self.kinds = dict(kinds)
        self.rows = rows

    def of_kind(self, kind: str) -> list[str]:
        """Return the names of the columns of a kind."""
        return [name for name, its in self.kinds.items() if its == kind]

    @abstractmethod
    def texts(self, name: str) -> list[str | None]:
        """Return the n cells of a column as identifiers; see `clean`."""

    @abstractmethod
    def stack(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return numeric columns side by side, (n, d); a missing number is NaN."""

    @abstractmethod
    def lists(self, name: str, symbols: Sequence[str], *, where: str) -> NDArray[np.float32]:
        """Return a column of lists as an (n, d) array; see `stack_lists`."""

    def may_count(self, name: str) -> bool:
        """Return whether it is worth checking that a numeric column counts rows."""
        return name in self.kinds

    def counts_rows(self, name: str) -> bool:
        """Return whether a numeric column is 0, 1, 2, ... or 1, 2, 3, ...; never where there are few rows."""
        if self.rows < FEW or not self.may_count(name):
            return False
        column = self.stack([name])[:, 0]
        return bool(column[0] in (0, 1) and np.array_equal(column, np.arange(self.rows) + column[0]))

    def whole(self, name: str) -> bool:
        """Return whether a numeric column holds only whole numbers, missing ones aside."""
        column = self.stack([name])[:, 0]
        column = column[~np.isnan(column)]
        return bool(column.size and np.array_equal(column, np.rint(column)))


class ArrowSheet(Sheet):
    """An Arrow table in memory."""

    def __init__(self, table: pa.Table) -> None:
        super().__init__({name: kind_of(field.type) for name, field in _fields(table.schema)}, table.num_rows)
        self._table = table

    def _columns(self, names: Sequence[str]) -> Iterator[pa.ChunkedArray]:
        yield from (self._table.column(name) for name in names)

    def texts(self, name: str) -> list[str | None]:
        """Return the n cells of a column as identifiers."""
        (column,) = self._columns([name])
        return identifiers_of(column)

    def stack(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return numeric columns side by side."""
        matrix = np.empty((self.rows, len(names)), dtype=np.float32)
        with np.errstate(over="ignore"):
            for position, column in enumerate(self._columns(names)):
                matrix[:, position] = column.to_numpy()
        return matrix

    def lists(self, name: str, symbols: Sequence[str], *, where: str) -> NDArray[np.float32]:
        """Return a column of lists as an (n, d) array."""
        (column,) = self._columns([name])
        return stack_lists(column, symbols, where=where, name=name)


class ParquetSheet(ArrowSheet):
    """A parquet file, of which a few columns at a time are in memory."""

    def __init__(self, file: Any) -> None:
        schema = file.schema_arrow
        Sheet.__init__(self, {name: kind_of(field.type) for name, field in _fields(schema)}, file.metadata.num_rows)
        self._file = file
        self._floats = {name for name, field in _fields(schema) if str(field.type) in ("float", "double", "halffloat")}

    def may_count(self, name: str) -> bool:
        """Return whether the column has an integer type: reading each of thousands of columns would take long."""
        return name not in self._floats

    def _columns(self, names: Sequence[str]) -> Iterator[pa.ChunkedArray]:
        for start in range(0, len(names), COLUMNS_AT_ONCE):
            some_names = names[start : start + COLUMNS_AT_ONCE]
            table = self._file.read(columns=some_names, use_threads=False)
            yield from (table.column(name) for name in some_names)

    def lists(self, name: str, symbols: Sequence[str], *, where: str) -> NDArray[np.float32]:
        """Return a column of lists as an (n, d) array, a few rows at a time."""
        import pyarrow as pa

        matrix: NDArray[np.float32] | None = None
        start = 0
        for batch in self._file.iter_batches(batch_size=ROWS_AT_ONCE, columns=[name], use_threads=False):
            column = pa.chunked_array([batch.column(0)])
            block = stack_lists(column, symbols[start : start + len(column)], where=where, name=name)
            if matrix is None or block.shape[1] != matrix.shape[1]:
                if matrix is not None:
                    # Across batches: the message is that of one column.
                    return stack_lists(self._file.read(columns=[name]).column(name), symbols, where=where, name=name)
                matrix = np.empty((self.rows, block.shape[1]), dtype=np.float32)
            matrix[start : start + len(block)] = block
            start += len(block)
            # Freed pages would be kept for a while, and those of all batches together are as large as the matrix.
            pa.default_memory_pool().release_unused()
        return np.empty((0, 0), dtype=np.float32) if matrix is None else matrix


class IpcSheet(ArrowSheet):
    """A packed Arrow file, of which a few columns at a time are in memory."""

    def __init__(self, file: pa.NativeFile) -> None:
        import pyarrow as pa

        self._file, self._schema = file, pa.ipc.open_file(file).schema
        first = self._read(self._schema.names[:1]) if self._schema.names else pa.table({})
        Sheet.__init__(self, {name: kind_of(field.type) for name, field in _fields(self._schema)}, first.num_rows)
        # Arrow takes columns that are not packed from one block of all.
        parts = (chunk.buffers() for column in first.columns for chunk in column.chunks)
        self.is_packed = all(part.parent is None for buffers in parts for part in buffers if part is not None)

    def _read(self, names: Sequence[str]) -> pa.Table:
        import pyarrow as pa

        self._file.seek(0)
        wanted = [self._schema.get_field_index(name) for name in names]
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        table = pa.ipc.open_file(self._file, options=options).read_all()
        # What it was unpacked from would be kept for the next allocation.
        pa.default_memory_pool().release_unused()
        return table

    def _columns(self, names: Sequence[str]) -> Iterator[pa.ChunkedArray]:
        for start in range(0, len(names), COLUMNS_AT_ONCE):
            table = self._read(names[start : start + COLUMNS_AT_ONCE])
            yield from (table.column(name) for name in names[start : start + COLUMNS_AT_ONCE])

    def lists(self, name: str, symbols: Sequence[str], *, where: str) -> NDArray[np.float32]:
        """Return a column of lists as an (n, d) array."""
        (column,) = self._columns([name])
        return stack_lists(column, symbols, where=where, name=name)


class GrowingRows:
    """A float32 matrix that grows by rows in place: joining blocks would have them in memory twice."""

    def __init__(self, width: int | None = None) -> None:
        self.rows: NDArray[np.float32] = np.empty((0, width or 0), dtype=np.float32)
        self._width = width

    def add(self, block: NDArray[Any], names: Sequence[str], *, where: str) -> None:
        """Append some rows.

        Raises:
            VectorsError: they are longer or shorter than the first ones.
        """
        if self._width is None:
            self._width, self._first = block.shape[1], names[0]
            self.rows = np.empty((0, self._width), dtype=np.float32)
        elif block.shape[1] != self._width:
            check_lengths(np.array([self._width, block.shape[1]]), [self._first, names[0]], where=where)
        before = len(self.rows)
        # Nobody else holds a view of it yet.
        self.rows.resize((before + len(block), self._width), refcheck=False)
        with np.errstate(over="ignore"):
            self.rows[before:] = block


class TextSheet(Sheet):
    """Cells that were read as text, identifiers that are numbers, and one matrix of all other numbers."""

    def __init__(  # noqa: PLR0913 - one for each kind of column
        self,
        order: Sequence[str],
        *,
        texts: Mapping[str, Sequence[object]],
        exact: Mapping[str, Sequence[float]],
        lists: Mapping[str, GrowingRows | VectorsError],
        numbers: Sequence[str],
        matrix: NDArray[np.float32],
    ) -> None:
        """Take the columns by kind; `matrix` has those of `numbers`, `order` is that of the file."""
        kinds = dict.fromkeys(texts, TEXT) | dict.fromkeys(lists, LIST)
        super().__init__({name: kinds.get(name, NUMBER) for name in order}, len(matrix))
        self._texts, self._exact, self._lists, self._matrix = texts, exact, lists, matrix
        self._numbers = {name: position for position, name in enumerate(numbers)}

    def texts(self, name: str) -> list[str | None]:
        """Return the n cells of a column as identifiers."""
        if name in self._numbers:
            return [clean(cell) for cell in self._matrix[:, self._numbers[name]].tolist()]
        return [clean(cell) for cell in (self._exact[name] if name in self._exact else self._texts[name])]

    def may_count(self, name: str) -> bool:
        """Return whether the first cell of a column is 0 or 1: looking at each of a million columns would take long."""
        return name not in self._numbers or self._matrix[0, self._numbers[name]] in (0, 1)

    def stack(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return numeric columns side by side."""
        if len(names) == len(self._numbers) and list(names) == list(self._numbers):
            return self._matrix
        picked = np.empty((self.rows, len(names)), dtype=np.float32)
        with np.errstate(over="ignore"):
            for position, name in enumerate(names):
                picked[:, position] = self._exact.get(name, ()) or self._matrix[:, self._numbers[name]]
        return picked

    def lists(self, name: str, symbols: Sequence[str], *, where: str) -> NDArray[np.float32]:
        """Return a column of lists as an (n, d) array."""
        found = self._lists[name]
        if isinstance(found, VectorsError):
            raise found
        return found.rows


def identifiers_of(column: pa.ChunkedArray) -> list[str | None]:
    """Return the cells of an Arrow column as identifiers: text, or whole numbers."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return [clean(cell) for cell in column.cast(kind).to_pylist()]


def kind_of(kind: pa.DataType) -> str:
    """Return the kind of an Arrow type."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_numeric(kind) or pa.types.is_decimal(kind):
        return NUMBER
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return TEXT
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return LIST
    return OTHER


def _fields(schema: pa.Schema) -> Iterator[tuple[str, pa.Field]]:
    yield from ((field.name, field) for field in schema)
