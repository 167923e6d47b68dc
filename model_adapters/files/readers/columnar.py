"""Reads tables that have types: parquet, feather and Arrow, lines of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model_adapters.errors import VectorsError, one_line
from model_adapters.files.layout import Ask, Rows, rows_of_sheet
from model_adapters.files.readers.archives import check_size, packed
from model_adapters.files.sheets import ArrowSheet, IpcSheet, ParquetSheet

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

BUFFER = 1 << 20
"""Bytes of a file that are read at a time."""


def read_parquet(path: Path, ask: Ask) -> Rows:
    """Read a parquet file; the index of a pandas frame is one of its columns.

    Raises:
        VectorsError: it is damaged, or not a table of vectors.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Page by page: a whole row group, its levels and its values would be several times the file.
        with pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            # A value that is repeated is stored once.
            check_size(_values(file.metadata) * 4, path.stat().st_size, where=ask.where)
            return rows_of_sheet(ParquetSheet(file), ask)
    except (pa.ArrowException, OSError) as error:
        message = f"{ask.where} is not a readable parquet file ({one_line(error)}); write it again"
        raise VectorsError(message) from error


def _values(facts: Any) -> int:
    """Return how many values a parquet file says to have."""
    groups = (facts.row_group(i) for i in range(facts.num_row_groups))
    return sum(group.column(i).num_values for group in groups for i in range(group.num_columns))


def read_arrow(path: Path, ask: Ask) -> Rows:
    """Read an Arrow file: feather (version 2), or what `datasets` caches.

    Raises:
        VectorsError: it is damaged, feather of version 1, or not a table of vectors.
    """
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as mapped, pa.OSFile(str(path)) as file:
            try:
                packed_sheet = IpcSheet(file)
                # What is not packed needs no copy; what is, is unpacked beside the matrix, not beside the file too.
                sheet = packed_sheet if packed_sheet.is_packed else ArrowSheet(pa.ipc.open_file(mapped).read_all())
            except pa.ArrowInvalid:
                sheet = ArrowSheet(pa.ipc.open_stream(mapped).read_all())
            check_size(sheet.rows * len(sheet.kinds) * 4, path.stat().st_size, where=ask.where)
            return rows_of_sheet(sheet, ask)
    except (pa.ArrowException, OSError) as error:
        message = f"{ask.where} is not a readable Arrow file ({one_line(error)}); write it again, as parquet"
        raise VectorsError(message) from error


def read_json_lines(path: Path, ask: Ask) -> Rows:
    """Read lines of JSON: a gene and its vector in each, or a gene and its numbers.

    Raises:
        VectorsError: a line is not a JSON object, or this is not a table of vectors.
    """
    import pyarrow as pa
    import pyarrow.json as pa_json

    content = packed(path)
    # A block holds a line at least; one of 4,096 numbers has 80 kB.
    options = pa_json.ReadOptions(use_threads=False, block_size=2 * 1024**2)
    try:
        try:
            with content.open() as file, pa_json.open_json(file, read_options=options) as reader:
                table = pa.Table.from_batches([_in_float32(batch) for batch in reader])
        except pa.ArrowInvalid:
            # The types came from the first lines, and later lines differ: now all lines decide together.
            table = pa_json.read_json(pa.BufferReader(content.buffer()), read_options=options)
    except pa.ArrowException as error:
        message = f"{ask.where} is not readable as lines of JSON ({one_line(error)}); write one object a line"
        raise VectorsError(message) from error
    return rows_of_sheet(ArrowSheet(table), ask)


def _in_float32(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose lists of float64 have half of their size."""
    import pyarrow as pa

    kinds = [pa.list_(pa.float32()) if field.type == pa.list_(pa.float64()) else field.type for field in batch.schema]
    return batch.cast(pa.schema(list(zip(batch.schema.names, kinds, strict=True))))
