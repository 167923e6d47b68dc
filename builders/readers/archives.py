"""Content of a downloaded file, unpacked within bounds."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from builders.errors import SourceFileError

__all__ = ["decode", "read_bytes", "read_text"]

# The largest table of the sources in use is about 200 MB unpacked.
MAX_UNPACKED_BYTES = 1024**3
CHUNK = 1 << 20


def read_bytes(path: Path, *, limit: int = MAX_UNPACKED_BYTES) -> bytes:
    """Content of a file, unpacked if it is gzip, xz or a zip with one file (by its first bytes, not its name).

    What a Mac adds to a zip (`__MACOSX/`, `._name`, `.DS_Store`) does not count as a file.

    Raises:
        SourceFileError: Truncated or damaged, larger than `limit` bytes once unpacked, a zip with another number of
            files than one, or one whose name leaves its folder.
    """
    try:
        with path.open("rb") as handle:
            magic = handle.read(4)
            handle.seek(0)
            if magic[:2] == b"\x1f\x8b":
                with gzip.open(handle) as unpacked:
                    return _read_bounded(unpacked, path, limit)
            if magic == b"\xfd7zX":
                with lzma.open(handle) as unpacked:
                    return _read_bounded(unpacked, path, limit)
            if magic in (b"PK\x03\x04", b"PK\x05\x06"):
                return _read_zip(handle, path, limit)
            return _read_bounded(handle, path, limit)
    # RuntimeError: zipfile's word for an encrypted member or an unknown compression.
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
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
    return decode(read_bytes(path), path)


def decode(content: bytes, path: Path) -> str:
    """Text of bytes that were read from a file, without a byte order mark.

    Raises:
        SourceFileError: Not UTF-8; the message has the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{path}: line {line} is not UTF-8 (byte {error.start}); save the table as UTF-8 text"
        raise SourceFileError(message) from error


def _read_zip(handle: IO[bytes], path: Path, limit: int) -> bytes:
    with zipfile.ZipFile(handle) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        names = [PurePosixPath(member.filename.replace("\\", "/")) for member in members]
        for member, name in zip(members, names, strict=True):
            if name.is_absolute() or ".." in name.parts:
                message = f"{path}: unsafe member name '{member.filename}'; expected one plain file"
                raise SourceFileError(message)
        files = [member for member, name in zip(members, names, strict=True) if not _is_of_a_mac(name)]
        if len(files) != 1:
            message = f"{path}: {len(files)} files in the zip, expected one"
            raise SourceFileError(message)
        with archive.open(files[0]) as unpacked:
            return _read_bounded(unpacked, path, limit)


def _is_of_a_mac(name: PurePosixPath) -> bool:
    return name.parts[0] == "__MACOSX" or name.name.startswith("._") or name.name == ".DS_Store"


def _read_bounded(handle: IO[bytes] | gzip.GzipFile | lzma.LZMAFile, path: Path, limit: int) -> bytes:
    buffer = io.BytesIO()
    while chunk := handle.read(CHUNK):
        if buffer.tell() + len(chunk) > limit:
            message = f"{path}: more than {limit:,} bytes once unpacked; expected a table of a few hundred MB at most"
            raise SourceFileError(message)
        buffer.write(chunk)
    return buffer.getvalue()
