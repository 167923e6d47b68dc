"""Reads JSON: a dictionary of vectors, arrays with names, or a list of records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from model_adapters.errors import VectorsError, one_line
from model_adapters.files.layout import Ask, Rows, rows_of_sheet
from model_adapters.files.readers.archives import unpack
from model_adapters.files.readers.mappings import rows_of_mapping
from model_adapters.files.sheets import ArrowSheet

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 2 * 1024**3


def read_json(path: Path, ask: Ask) -> Rows:
    """Read gene -> list of numbers, `{"embeddings": [[...]], "genes": [...]}`, or records with a gene and numbers.

    Raises:
        VectorsError: it is no JSON, over 2 GB, or no vectors of genes.
    """
    import pyarrow as pa

    _, content = unpack(path)
    if content.size > MAX_BYTES:
        message = f"{ask.where} has {content.size:,} bytes, at most {MAX_BYTES:,} are read; write it as parquet"
        raise VectorsError(message)
    try:
        loaded = json.loads(content.to_pybytes())
    except (ValueError, RecursionError) as error:
        message = f"{ask.where} is not readable JSON ({one_line(error)}); write it again"
        raise VectorsError(message) from error
    if isinstance(loaded, list) and loaded and all(isinstance(record, dict) for record in loaded):
        try:
            return rows_of_sheet(ArrowSheet(pa.Table.from_pylist(loaded)), ask)
        except pa.ArrowException as error:
            message = f"{ask.where}: its records are no table ({one_line(error)}); give each the same fields"
            raise VectorsError(message) from error
    if not isinstance(loaded, dict):
        message = f"{ask.where} holds a {type(loaded).__name__}, expected a dictionary: gene -> list of numbers"
        raise VectorsError(message)
    return rows_of_mapping(loaded, ask)
