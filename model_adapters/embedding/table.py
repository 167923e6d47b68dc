"""Embedding tables: a `datasets.Dataset` with `symbol` and `embedding` (`List(float32, length=d)`)."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.errors import VectorsError, some

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from datasets import Dataset
    from numpy.typing import NDArray


def embedding_table(symbols: Sequence[str], vectors: NDArray[Any]) -> Dataset:
    """Make an embedding table in memory from n symbols and an (n, d) array.

    Raises:
        VectorsError: a symbol is blank or occurs twice, or a number is NaN or infinite.
    """
    from datasets import Dataset

    check_symbols(symbols, where="the table")
    matrix = finite_float32(vectors, symbols, where="the table")
    return Dataset(arrow_table(symbols, matrix))


def arrow_table(symbols: Sequence[str], vectors: NDArray[np.float32]) -> pa.Table:
    """Return the same two columns as an Arrow table, without a copy of the (n, d) float32 array."""
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table({"symbol": pa.array(list(symbols), pa.string()), "embedding": column})


def as_matrix(table: Dataset) -> tuple[list[str], NDArray[np.float32]]:
    """Read an embedding table as (symbols, (n, d) float32 array), in the order of its rows.

    Raises:
        VectorsError: a column is missing, or the vectors are not all numbers and of one length.
    """
    absent = [name for name in ("symbol", "embedding") if name not in table.column_names]
    if absent:
        message = f"an embedding table has columns symbol and embedding, this one has {', '.join(table.column_names)}"
        raise VectorsError(message)
    arrow = table.select_columns(["symbol", "embedding"]).with_format("arrow")[:]
    symbols = arrow.column("symbol").to_pylist()
    return symbols, stack_lists(arrow.column("embedding"), symbols, where="the embedding table")


def embedding_sha256(table: Dataset) -> str:
    """Hash what the probes see: symbols and float32 values, whatever the order of the rows or their chunks."""
    symbols, vectors = as_matrix(table)
    digest = hashlib.sha256(f"{len(symbols)} {vectors.shape[1]}\n".encode())
    for row in sorted(range(len(symbols)), key=symbols.__getitem__):
        digest.update(symbols[row].encode() + b"\n")
        digest.update(vectors[row].astype("<f4").tobytes())
    return digest.hexdigest()


def stack_lists(column: pa.ChunkedArray, symbols: Sequence[str], *, where: str) -> NDArray[np.float32]:
    """Stack an Arrow column of number lists into an (n, d) float32 array; a null number becomes NaN.

    Raises:
        VectorsError: a vector is absent, empty, of another length than the first one, or not of numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    nested = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not nested or not is_numeric(kind.value_type):
        message = f"{where}: column 'embedding' holds {kind}, expected lists of numbers"
        raise VectorsError(message)
    array = column.combine_chunks()
    if array.null_count:
        absent = np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False)).tolist()
        message = f"{where}: no vector for {some(symbols[i] for i in absent)}; leave such genes out of the file"
        raise VectorsError(message)
    check_lengths(pc.list_value_length(array).to_numpy(zero_copy_only=False), symbols, where=where)
    with np.errstate(over="ignore"):
        flat: NDArray[np.float32] = array.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return flat.reshape(len(array), -1)


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
    """Return the array as float32.

    Raises:
        VectorsError: a number is NaN or infinite, or too large for float32.
    """
    with np.errstate(over="ignore"):
        matrix = np.ascontiguousarray(vectors, dtype=np.float32)
    bad = ~np.isfinite(matrix).all(axis=1)
    if bad.any():
        genes = np.flatnonzero(bad).tolist()
        row = matrix[genes[0]]
        kind = "NaN (or a missing number)" if np.isnan(row).any() else "an infinite number"
        message = (
            f"{where}: {kind} in the vector of {some(symbols[i] for i in genes)}; expected finite float32 numbers, "
            "leave out genes that have none"
        )
        raise VectorsError(message)
    return matrix
