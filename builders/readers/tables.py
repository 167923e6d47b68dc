"""Reads the tables that sources publish, with bounds, and one clear line when something is off."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from builders.errors import SourceFileError, SourceFormatError

__all__ = ["read_bytes", "read_parquet", "read_table", "read_text", "require_columns"]

# The largest table of the sources in use is about 200 MB unpacked.
MAX_UNPACKED_BYTES = 1024**3
CHUNK = 1 << 20
# pyarrow wants every row to fit in a block.
BLOCK = 1 << 24


def read_bytes(path: Path, *, limit: int = MAX_UNPACKED_BYTES) -> bytes:
    """Content of a file, unpacked if it is gzip or a zip with one member (told by its first bytes, not its name).

    Raises:
        SourceFileError: Truncated or damaged, larger than `limit` bytes once unpacked, a zip with another number of
            members than one, or a member whose name leaves its folder.
    """
    try:
        with path.open("rb") as handle:
            magic = handle.read(4)
            handle.seek(0)
            if magic[:2] == b"\x1f\x8b":
                with gzip.open(handle) as unpacked:
                    return _read_bounded(unpacked, path, limit)
            if magic in (b"PK\x03\x04", b"PK\x05\x06"):
                return _read_zip(handle, path, limit)
            return _read_bounded(handle, path, limit)
    # RuntimeError: zipfile's word for an encrypted member or an unknown compression.
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        message = f"{path}: damaged or half-downloaded archive ({error}); fetch it again"
        raise SourceFileError(message) from error
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror or error})"
        raise SourceFileError(message) from error


def read_text(path: Path) -> str:
    """Text of a file, unpacked as by `read_bytes`.

    Raises:
        SourceFileError: As `read_bytes`, or not UTF-8; the message has the line.
    """
    return _decode(read_bytes(path), path)


def read_table(
    path: Path,
    columns: Sequence[str],
    *,
    sep: str = "\t",
    header: bool = True,
    quoting: int = csv.QUOTE_MINIMAL,
    all_columns: bool = False,
) -> pd.DataFrame:
    """Read text columns of a table as strings; no cell is ever taken for a missing value ("NA" is a gene name).

    Args:
        path: Plain, gzipped or zipped text file in UTF-8.
        columns: Names that must be there; without a header line, the names of all columns in order.
        sep: Cell separator.
        header: Whether the first line holds the names.
        quoting: One of `csv.QUOTE_*`.
        all_columns: Keep the other columns as well, in the file's order. Default: `columns`, in the order given.

    Returns:
        One row per line that is not empty, every cell a str.

    Raises:
        SourceFileError: The file cannot be unpacked or is not UTF-8.
        SourceFormatError: A column is missing or named twice, a row has another number of cells, or repeats the header.
    """
    content = read_bytes(path)
    names = _header(content, path, columns, sep=sep, quoting=quoting) if header else list(columns)
    wanted = names if all_columns else list(columns)
    if header and content.find(b"\n") in (-1, len(content) - 1):
        return pd.DataFrame(columns=wanted, dtype=str)
    faults: list[pa.csv.InvalidRow] = []

    def refuse(row: pa.csv.InvalidRow) -> str:
        faults.append(row)
        return "error"

    try:
        table = pa.csv.read_csv(
            pa.BufferReader(content),
            # One thread, so that a row knows its number.
            read_options=pa.csv.ReadOptions(
                column_names=names, skip_rows=int(header), use_threads=False, block_size=BLOCK
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=sep,
                quote_char=False if quoting == csv.QUOTE_NONE else '"',
                newlines_in_values=quoting != csv.QUOTE_NONE,
                invalid_row_handler=refuse,
            ),
            convert_options=pa.csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
            ),
        )
    except pa.ArrowInvalid as error:
        _decode(content, path)
        reason = str(error).splitlines()[0]
        if faults:
            reason = f"row {faults[0].number} has {faults[0].actual_columns} cells; a half-downloaded file?"
        message = f"{path}: not a table with {len(names)} columns: {reason}"
        raise SourceFormatError(message) from error
    frame: pd.DataFrame = table.to_pandas()
    repeats = (frame[list(columns)] == list(columns)).all(axis=1).to_numpy()
    if header and repeats.any():
        message = f"{path}: row {int(repeats.argmax()) + 2} is the header line again; two files joined?"
        raise SourceFormatError(message)
    return frame


def read_parquet(folder: Path, schema: pa.Schema) -> pd.DataFrame:
    """Read columns of a data set that is a folder of parquet files; other columns are not loaded.

    Args:
        folder: Folder with `*.parquet` files.
        schema: Names and types of the columns.

    Returns:
        The rows of all files, in file name order.

    Raises:
        SourceFileError: No parquet file, or one that is damaged.
        SourceFormatError: A file lacks a column or has another type there.
    """
    parts = sorted(folder.glob("*.parquet"))
    if not parts:
        message = f"{folder}: no .parquet file in this folder; a download that has not begun?"
        raise SourceFileError(message)
    frame: pd.DataFrame = pa.concat_tables([_read_part(part, schema) for part in parts]).to_pandas()
    return frame


def require_columns(path: Path, columns: Sequence[str], found: Sequence[str]) -> None:
    """Check that a table has the columns that it should have.

    Raises:
        SourceFormatError: One is missing; the message has the names that are there.
    """
    missing = [name for name in columns if name not in found]
    if missing:
        shown = ", ".join(found[:12]) + (", ..." if len(found) > 12 else "")
        message = f"{path}: no column {', '.join(map(repr, missing))}; the file has {len(found)} columns: {shown}"
        raise SourceFormatError(message)


def _read_part(part: Path, schema: pa.Schema) -> pa.Table:
    try:
        with pa.parquet.ParquetFile(part) as file:
            require_columns(part, schema.names, file.schema_arrow.names)
            table = file.read(columns=schema.names)
    except (pa.ArrowException, OSError) as error:
        message = f"{part}: damaged or half-downloaded parquet file ({str(error).splitlines()[0]}); fetch it again"
        raise SourceFileError(message) from error
    try:
        return table.select(schema.names).cast(schema)
    except pa.ArrowException as error:
        kinds = ", ".join(f"{field.name} {field.type}" for field in schema)
        message = f"{part}: columns have unexpected types ({str(error).splitlines()[0]}); expected {kinds}"
        raise SourceFormatError(message) from error


def _read_zip(handle: IO[bytes], path: Path, limit: int) -> bytes:
    with zipfile.ZipFile(handle) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members:
            name = PurePosixPath(member.filename.replace("\\", "/"))
            if name.is_absolute() or ".." in name.parts:
                message = f"{path}: unsafe member name '{member.filename}'; expected one plain file"
                raise SourceFileError(message)
        if len(members) != 1:
            message = f"{path}: {len(members)} files in the zip, expected one"
            raise SourceFileError(message)
        with archive.open(members[0]) as unpacked:
            return _read_bounded(unpacked, path, limit)


def _read_bounded(handle: IO[bytes] | gzip.GzipFile, path: Path, limit: int) -> bytes:
    buffer = io.BytesIO()
    while chunk := handle.read(CHUNK):
        if buffer.tell() + len(chunk) > limit:
            message = f"{path}: more than {limit:,} bytes once unpacked; expected a table of a few hundred MB at most"
            raise SourceFileError(message)
        buffer.write(chunk)
    return buffer.getvalue()


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{path}: line {line} is not UTF-8 (byte {error.start}); save the table as UTF-8 text"
        raise SourceFileError(message) from error


def _header(content: bytes, path: Path, columns: Sequence[str], *, sep: str, quoting: int) -> list[str]:
    first = _decode(content.partition(b"\n")[0], path).rstrip("\r")
    names = next(csv.reader([first], delimiter=sep, quoting=quoting), [])  # type: ignore[arg-type]  # typeshed wants a literal
    require_columns(path, columns, names)
    twice = sorted({name for name in columns if names.count(name) > 1})
    if twice:
        message = f"{path}: column {', '.join(map(repr, twice))} appears more than once in the header"
        raise SourceFormatError(message)
    return [name if names.count(name) == 1 else f"{name}#{i}" for i, name in enumerate(names)]
