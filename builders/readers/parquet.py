"""Datasets that are folders of parquet files, as Spark writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFileError, SourceFormatError
from builders.readers.columns import Renamed, canonical, require_columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["parquet_columns", "read_parquet"]


def read_parquet(folder: Path, columns: Mapping[str, str], *, renamed: Renamed = ()) -> pd.DataFrame:
    """Read columns of a folder of parquet files; other columns are not loaded.

    Args:
        folder: Folder with `*.parquet` files, in it or in folders below it; or one such file.
        columns: Column -> name of its type in Arrow, "string" or "double", say.
        renamed: Names that other releases use for these columns.

    Returns:
        The rows of all files, in the order of their paths.

    Raises:
        SourceFileError: No parquet file, or one that is damaged.
        SourceFormatError: A file lacks a column or has another type there.
    """
    import pyarrow as pa

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])
    tables = [_read_part(part, schema, renamed) for part in _parts(folder)]
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame


def parquet_columns(folder: Path) -> list[str]:
    """Names of the columns of the first file of a folder.

    Raises:
        SourceFileError: No parquet file, or one that is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet

    part = _parts(folder)[0]
    try:
        names: list[str] = pa.parquet.read_schema(part).names
    except (pa.ArrowException, OSError) as error:
        raise SourceFileError(_damaged(part, error)) from error
    return names


def _parts(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    # Hidden files are what a copy or a download in progress leaves.
    parts = sorted(part for part in folder.rglob("*.parquet") if not part.name.startswith((".", "_")))
    if not parts:
        message = f"{folder}: no .parquet file in this folder; has its download begun?"
        raise SourceFileError(message)
    return parts


def _read_part(part: Path, schema: pa.Schema, renamed: Renamed) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        with pa.parquet.ParquetFile(part) as file:
            given = file.schema_arrow.names
            names = canonical(given, renamed)
            require_columns(part, schema.names, names, renamed)
            table = file.read(columns=[given[names.index(name)] for name in schema.names])
    except (pa.ArrowException, OSError) as error:
        raise SourceFileError(_damaged(part, error)) from error
    try:
        # By position, as the file may use another release's names.
        table = table.select([given[names.index(name)] for name in schema.names]).rename_columns(schema.names)
        return table.cast(schema)
    except pa.ArrowException as error:
        kinds = ", ".join(f"{field.name} {field.type}" for field in schema)
        message = f"{part}: columns have unexpected types ({str(error).splitlines()[0]}); expected {kinds}"
        raise SourceFormatError(message) from error


def _damaged(part: Path, error: Exception) -> str:
    return f"{part}: damaged or half-downloaded parquet file ({str(error).splitlines()[0]}); fetch it again"
