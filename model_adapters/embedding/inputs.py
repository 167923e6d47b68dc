"""What of a gene table a model reads: which rows have an input, and how long it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.embedding.table import check_symbols
from model_adapters.errors import EncodingError, VectorsError, did_you_mean, some

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

MAYBE_BLANK = 100
"""Only texts shorter than this are checked for being blank: a DNA column may hold gigabytes."""

SEQUENCES = {
    name: f"; the table has it where the data directory holds {kind} (see docs/models.md, Sequences)"
    for name, kind in (("protein_sequence", "UniProt's proteins"), ("dna_sequence", "Ensembl's transcripts"))
}


@dataclass(frozen=True)
class Inputs:
    """The rows of a gene table that have an input: n rows with `symbol` and the column, and their (n,) lengths."""

    rows: Dataset
    lengths: NDArray[np.int64]


def read_inputs(genes: Dataset, column: str, *, name: str) -> Inputs:
    """Take the rows whose input is not null, empty or blank; a line in the log names those left out.

    Raises:
        EncodingError: a column is absent, symbols are blank or repeated, or no row has an input.
    """
    _check_columns(genes, column, name=name)
    # Without any format: `map` would hand its arrays to `encode`.
    rows = genes.with_format(None).select_columns(list(dict.fromkeys(["symbol", column])))
    lengths = _lengths(genes.with_format("arrow")[column][:])
    present = np.flatnonzero(lengths)
    if not present.size:
        message = f"{name} reads column {column!r}, but it is empty for all {len(genes):,} genes"
        raise EncodingError(message)
    if present.size == lengths.size:
        return Inputs(rows, lengths)
    symbols = rows["symbol"][:]
    absent = some(symbols[row] for row in np.flatnonzero(lengths == 0))
    counts = f"{lengths.size - present.size:,} of {lengths.size:,} genes have no {column}"
    logger.warning(f"{name}: {counts} and are left out: {absent}")
    return Inputs(rows.select(present), lengths[present])


def _check_columns(genes: Dataset, column: str, *, name: str) -> None:
    columns = genes.column_names
    for wanted in ("symbol", column):
        if wanted not in columns:
            hint = did_you_mean(wanted, columns) or SEQUENCES.get(wanted, "")
            message = f"{name} reads column {wanted!r}, but the gene table has {', '.join(columns) or 'none'}{hint}"
            raise EncodingError(message)
    try:
        check_symbols(genes["symbol"][:], where="the gene table")
    except VectorsError as error:
        raise EncodingError(str(error)) from None


def _lengths(values: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return bytes of texts or items of lists, 0 for what is null or blank, 1 for anything else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        lengths = _as_numpy(pc.binary_length(values))
        short = np.flatnonzero((lengths > 0) & (lengths < MAYBE_BLANK))
        trimmed = _as_numpy(pc.binary_length(pc.utf8_trim_whitespace(values.take(pa.array(short)))))
        lengths[short[trimmed == 0]] = 0
        return lengths
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _as_numpy(pc.list_value_length(values))
    return _as_numpy(values.is_valid().cast(pa.int64()))


def _as_numpy(numbers: Any) -> NDArray[np.int64]:
    array: NDArray[np.int64] = np.array(numbers.fill_null(0).to_numpy(), dtype=np.int64)
    return array
