"""Tables of any format as one kind of object: text columns, numeric columns, columns of lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.embedding.table import is_numeric, stack_lists
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
        """Return whether it is worth to ask whether a numeric column counts rows."""
        return name in self.kinds

    def counts_rows(self, name: str) -> bool:
        """Return whether a numeric column is 0, 1, 2, ... or 1, 2, 3, ...; never where there are few rows."""
        if self.rows < FEW or not self.may_count(name):
            return False
        column = self.stack([name])[:, 0]
        return bool(column[0] in (0, 1) and np.array_equal(column, np.arange(self.rows) + column[0]))

    def whole(self, name: str) -> bool:
        """Return whether a numeric column holds whole numbers only, but for missing ones."""
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
        """Return whether the column has an integer type: to read each of thousands of columns would take long."""
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
        return np.empty((0, 0), dtype=np.float32) if matrix is None else matrix


class TextSheet(Sheet):
    """Cells that were read as text, and one matrix of those that are numbers."""

    def __init__(
        self,
        texts: Mapping[str, Sequence[object]],
        numbers: Mapping[str, int],
        matrix: NDArray[Any],
        order: Sequence[str],
    ) -> None:
        """Take text columns, the column number in the matrix of each numeric one, and the order of all columns."""
        super().__init__({name: TEXT if name in texts else NUMBER for name in order}, len(matrix))
        self._texts, self._numbers, self._matrix = texts, numbers, matrix

    def texts(self, name: str) -> list[str | None]:
        """Return the n cells of a column as identifiers."""
        cells = self._texts[name] if name in self._texts else self._matrix[:, self._numbers[name]].tolist()
        return [clean(cell) for cell in cells]

    def stack(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return numeric columns side by side."""
        positions = [self._numbers[name] for name in names]
        with np.errstate(over="ignore"):
            if positions == list(range(self._matrix.shape[1])):
                return self._matrix.astype(np.float32, copy=False)
            picked: NDArray[np.float32] = self._matrix[:, positions].astype(np.float32)
        return picked

    def lists(self, name: str, symbols: Sequence[str], *, where: str) -> NDArray[np.float32]:
        """Have no lists."""
        raise NotImplementedError(name)


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
