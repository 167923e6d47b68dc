"""Reads the tables that sources publish: plain, gzipped or zipped, with bounds, and one clear line when something is off."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pandas as pd

from builders.errors import SourceFileError, SourceFormatError

__all__ = ["read_bytes", "read_table"]

# The largest table of the sources in use is about 200 MB unpacked; more than ten times that is not one of them.
MAX_UNPACKED_BYTES = 2 * 1024**3
CHUNK = 1 << 20


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
            if magic == b"PK\x03\x04":
                return _read_zip(handle, path, limit)
            return _read_bounded(handle, path, limit)
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        message = f"{path}: damaged or half-downloaded archive ({error}); fetch it again"
        raise SourceFileError(message) from error


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


def _read_bounded(handle: IO[bytes], path: Path, limit: int) -> bytes:
    buffer = io.BytesIO()
    while chunk := handle.read(CHUNK):
        if buffer.tell() + len(chunk) > limit:
            message = f"{path}: more than {limit:,} bytes once unpacked; expected a table of a few hundred MB at most"
            raise SourceFileError(message)
        buffer.write(chunk)
    return buffer.getvalue()


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
        all_columns: Keep the other columns as well.

    Returns:
        One row per line, `columns` first, every cell a str.

    Raises:
        SourceFileError: The file cannot be unpacked or is not UTF-8.
        SourceFormatError: A column is missing or named twice, or a line has another number of cells.
    """
    text = _decode(read_bytes(path), path)
    names = _header(text, path, columns, sep=sep, quoting=quoting) if header else list(columns)
    options: dict[str, Any] = {"sep": sep, "dtype": str, "keep_default_na": False, "na_filter": True, "quoting": quoting}
    try:
        frame = pd.read_csv(io.StringIO(text), header=0 if header else None, names=names, index_col=False, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        message = f"{path}: not a table with {len(names)} columns ({str(error).strip().splitlines()[0]})"
        raise SourceFormatError(message) from error
    short = frame.isna().any(axis=1)
    if short.any():
        line = int(short.to_numpy().argmax()) + 1 + int(header)
        message = f"{path}: row {line} has fewer cells than the {len(names)} columns; a half-downloaded file?"
        raise SourceFormatError(message)
    return frame if all_columns else frame[list(columns)]


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{path}: line {line} is not UTF-8 (byte {error.start}); save the table as UTF-8 text"
        raise SourceFileError(message) from error


def _header(text: str, path: Path, columns: Sequence[str], *, sep: str, quoting: int) -> list[str]:
    first = text.partition("\n")[0].rstrip("\r")
    names = next(csv.reader([first], delimiter=sep, quoting=quoting), [])  # type: ignore[arg-type]  # typeshed wants a literal
    missing = [name for name in columns if name not in names]
    if missing:
        shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        message = f"{path}: no column {', '.join(map(repr, missing))}; the file has {len(names)} columns: {shown}"
        raise SourceFormatError(message)
    twice = sorted({name for name in columns if names.count(name) > 1})
    if twice:
        message = f"{path}: column {', '.join(map(repr, twice))} appears more than once in the header"
        raise SourceFormatError(message)
    return [name if names.count(name) == 1 else f"{name}#{i}" for i, name in enumerate(names)]
