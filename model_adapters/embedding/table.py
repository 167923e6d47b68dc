"""Embedding tables: n symbols and their (n, d) float32 vectors, in memory or as a `datasets.Dataset`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from model_adapters.embedding.health import gene_coverage, vector_health
from model_adapters.errors import VectorsError, some

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from numpy.typing import NDArray

ROWS_AT_ONCE = 4096
"""Rows that are tested or copied at a time: to test a whole matrix at once would take a quarter of its memory."""


class EmbeddingTable:
    """One finite vector for each of n distinct symbols; checked once, when it is made.

    Args:
        symbols: n distinct, non-blank names.
        vectors: (n, d) numbers; an array that is float32 and contiguous already is taken without a copy.
        where: file or model, for messages.

    Attributes:
        symbols: (n,) the names, in the order of the rows.
        matrix: (n, d) float32, contiguous.

    Raises:
        VectorsError: no rows, a blank or repeated symbol, another shape than (n, d), or a number that is not finite.

    >>> table = EmbeddingTable(["TP53", "INS"], np.eye(2))
    >>> table.matrix.dtype.name, table.sha256[:8], table.health["effective_rank"]
    ('float32', '3d98589f', 1.0)
    """

    def __init__(self, symbols: Sequence[str], vectors: NDArray[Any], *, where: str = "the table") -> None:
        check_symbols(symbols, where=where)
        self.symbols = tuple(symbols)
        self.matrix = finite_float32(vectors, self.symbols, where=where)

    @classmethod
    def from_dataset(cls, dataset: Dataset, *, where: str = "the embedding table") -> Self:
        """Read the columns `symbol` and `embedding` of a dataset.

        Raises:
            VectorsError: a column is missing, or see the class.
        """
        symbols, matrix = as_matrix(dataset)
        return cls(symbols, matrix, where=where)

    def to_dataset(self) -> Dataset:
        """Return `symbol` and `embedding` (`List(float32, length=d)`) as a dataset that shares the matrix."""
        return self._dataset

    @cached_property
    def _dataset(self) -> Dataset:
        from datasets import Dataset

        # Without one, `datasets` would pickle all vectors to name the dataset; the hash of the table has no order.
        order = hashlib.sha256("\n".join((self.sha256, *self.symbols)).encode()).hexdigest()
        return Dataset(arrow_table(self.symbols, self.matrix), fingerprint=order[:16])

    @cached_property
    def sha256(self) -> str:
        """Hash of symbols and float32 values, whatever the order of the rows."""
        digest = hashlib.sha256(f"{len(self.symbols)} {self.dim}\n".encode())
        little_endian = self.matrix.astype("<f4", copy=False)
        for row in sorted(range(len(self.symbols)), key=self.symbols.__getitem__):
            digest.update(self.symbols[row].encode() + b"\n")
            digest.update(little_endian[row].data)
        return digest.hexdigest()

    @cached_property
    def health(self) -> dict[str, Any]:
        """What state the vectors are in; see `vector_health`."""
        return vector_health(self.symbols, self.matrix)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.matrix.shape[1])

    def __len__(self) -> int:
        """Return n."""
        return len(self.symbols)

    def __repr__(self) -> str:
        """Return size, dimension and first symbols."""
        return f"EmbeddingTable({len(self):,} vectors of dimension {self.dim}: {some(self.symbols)})"


def embedding_table(symbols: Sequence[str], vectors: NDArray[Any]) -> Dataset:
    """Make an embedding table as a dataset in memory from n symbols and an (n, d) array.

    Raises:
        VectorsError: a symbol is blank or occurs twice, or a number is NaN or infinite.
    """
    return EmbeddingTable(symbols, vectors).to_dataset()


def arrow_table(symbols: Sequence[str], vectors: NDArray[np.float32]) -> pa.Table:
    """Return the same two columns as an Arrow table, without a copy of the (n, d) float32 array."""
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table({"symbol": pa.array(list(symbols), pa.string()), "embedding": column})


def as_matrix(table: Dataset | EmbeddingTable) -> tuple[list[str], NDArray[np.float32]]:
    """Read an embedding table as (symbols, (n, d) float32 array), in the order of its rows.

    Raises:
        VectorsError: a column is missing, or the vectors are not all numbers and of one length.
    """
    if isinstance(table, EmbeddingTable):
        return list(table.symbols), table.matrix
    absent = [name for name in ("symbol", "embedding") if name not in table.column_names]
    if absent:
        message = f"an embedding table has columns symbol and embedding, this one has {', '.join(table.column_names)}"
        raise VectorsError(message)
    arrow = table.select_columns(["symbol", "embedding"]).with_format("arrow")[:]
    symbols = arrow.column("symbol").to_pylist()
    return symbols, stack_lists(arrow.column("embedding"), symbols, where="the embedding table")


def embedding_sha256(table: Dataset | EmbeddingTable) -> str:
    """Hash what the probes see: symbols and float32 values, whatever the order of the rows or their chunks."""
    return (table if isinstance(table, EmbeddingTable) else EmbeddingTable.from_dataset(table)).sha256


def health(table: Dataset | EmbeddingTable, genes: Dataset | None = None) -> dict[str, Any]:
    """Describe an embedding table; equal vectors give equal numbers, whatever the order of the rows.

    Args:
        table: embedding table; a dataset may have NaN, which is counted.
        genes: gene table with `symbol` and, for coverage, `locus_group`.

    Returns:
        What `vector_health` returns; with genes also `coverage`: locus group -> `genes`, `with_vector`.

    Raises:
        VectorsError: the table is not one.

    >>> report = health(embedding_table(["A", "B", "C"], [[3.0, 4.0], [0.0, 0.0], [3.0, 4.0]]))
    >>> report["zero_rows"], report["duplicate_rows"], report["norm"]["max"], report["effective_rank"]
    (1, 1, 5.0, 1.0)
    """
    symbols, vectors = as_matrix(table)
    report = dict(table.health if isinstance(table, EmbeddingTable) else vector_health(symbols, vectors))
    if genes is not None:
        report["coverage"] = gene_coverage(symbols, genes)
    return report


def stack_lists(
    column: pa.ChunkedArray, symbols: Sequence[str], *, where: str, name: str = "embedding"
) -> NDArray[np.float32]:
    """Stack an Arrow column of number lists into an (n, d) float32 array; a null number becomes NaN.

    Raises:
        VectorsError: a vector is absent, empty, of another length than the first one, or not of numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    nested = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not nested or not is_numeric(kind.value_type):
        message = f"{where}: column {name!r} holds {kind}, expected lists of numbers"
        raise VectorsError(message)
    if column.null_count:
        absent = np.flatnonzero(column.is_null().to_numpy()).tolist()
        message = f"{where}: no vector for {some(symbols[i] for i in absent)}; leave such genes out of the file"
        raise VectorsError(message)
    lengths = pc.list_value_length(column).to_numpy()
    check_lengths(lengths, symbols, where=where)
    matrix = np.empty((len(column), int(lengths[0])), dtype=np.float32)
    start = 0
    # A few rows at a time: Arrow copies lists of fixed length to flatten them.
    parts = (chunk.slice(at, ROWS_AT_ONCE) for chunk in column.chunks for at in range(0, len(chunk), ROWS_AT_ONCE))
    for part in parts:
        with np.errstate(over="ignore"):
            block = part.flatten().to_numpy(zero_copy_only=False)
            matrix[start : start + len(part)] = block.reshape(len(part), -1)
        start += len(part)
    return matrix


def is_numeric(kind: pa.DataType) -> bool:
    """Return whether an Arrow type holds integers or floats."""
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def check_lengths(lengths: NDArray[np.integer[Any]], symbols: Sequence[str], *, where: str) -> None:
    """Refuse vectors of different lengths, naming two genes, and vectors without numbers."""
    odd = np.flatnonzero(lengths != lengths[0])
    if odd.size:
        other = odd[0]
        message = (
            f"{where}: vectors differ in length: {symbols[0]} has {lengths[0]} numbers, {symbols[other]} has "
            f"{lengths[other]}; all must have the same"
        )
        raise VectorsError(message)
    if lengths[0] == 0:
        message = f"{where}: the vector of {symbols[0]} is empty, expected at least one number"
        raise VectorsError(message)


def check_symbols(symbols: Sequence[str | None], *, where: str, advice: str = "keep one row for each gene") -> None:
    """Refuse an empty table, blank symbols and symbols that occur more than once."""
    check_named(symbols, where=where)
    repeated = [str(symbol) for symbol, count in Counter(symbols).items() if count > 1]
    if repeated:
        subject = "1 symbol occurs" if len(repeated) == 1 else f"{len(repeated)} symbols occur"
        message = f"{where}: {subject} more than once: {some(repeated)}; {advice}"
        raise VectorsError(message)


def check_named(symbols: Sequence[str | None], *, where: str) -> None:
    """Refuse an empty table and blank symbols."""
    if not len(symbols):
        message = f"{where} has no rows, expected one for each gene"
        raise VectorsError(message)
    blank = [row for row, symbol in enumerate(symbols, start=1) if symbol is None or not symbol.strip()]
    if blank:
        message = f"{where}: no symbol in row {some(map(str, blank))}; every row needs one"
        raise VectorsError(message)


def finite_float32(vectors: NDArray[Any], symbols: Sequence[str], *, where: str) -> NDArray[np.float32]:
    """Return (n, d) real numbers as a contiguous float32 array, without a copy if they are one already.

    Raises:
        VectorsError: see `real_float32`; or a number is NaN or infinite, or too large for float32.
    """
    matrix = real_float32(vectors, symbols, where=where)
    bad = [
        start + row
        for start in range(0, len(matrix), ROWS_AT_ONCE)
        for row in np.flatnonzero(~np.isfinite(matrix[start : start + ROWS_AT_ONCE]).all(axis=1)).tolist()
    ]
    if bad:
        kind = "NaN (or a missing number)" if np.isnan(matrix[bad[0]]).any() else "an infinite number"
        message = (
            f"{where}: {kind} in the vector of {some(symbols[i] for i in bad)}; expected finite float32 numbers, "
            "leave out genes that have none"
        )
        raise VectorsError(message)
    return matrix


def real_float32(vectors: NDArray[Any], names: Sequence[object], *, where: str) -> NDArray[np.float32]:
    """Return (n, d) numbers for n names as a contiguous float32 array; they may be NaN or infinite.

    Raises:
        VectorsError: not of shape (n, d), or masked, complex, bool or not numbers.
    """
    if isinstance(vectors, np.ma.MaskedArray):
        message = f"{where}: a masked array; expected plain numbers, leave out genes that have none"
        raise VectorsError(message)
    given = np.asarray(vectors)
    if given.dtype.kind not in "fiu":
        message = f"{where}: vectors of {given.dtype}, expected real numbers"
        raise VectorsError(message)
    if given.ndim != 2 or len(given) != len(names) or not given.shape[1]:
        message = f"{where}: {len(names):,} names for an array of shape {given.shape}, expected ({len(names)}, d)"
        raise VectorsError(message)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(given, dtype=np.float32)
