"""Opens files that may be packed, with bounds: a few bytes can unpack to gigabytes."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from model_adapters.errors import VectorsError, some

if TYPE_CHECKING:
    import pyarrow as pa

FREE_BYTES = 512 * 1024**2
"""Bytes that may be unpacked at any ratio: a table of memberships is nearly all zeros."""
MAX_RATIO = 100
"""Zeros compress a thousandfold, vectors hardly ever tenfold."""


def check_size(size: int, stored: int, *, where: str) -> None:
    """Refuse an array or a packed file that claims far more bytes than are stored.

    Args:
        size: Bytes in memory.
        stored: Bytes in the file.
        where: For the message.

    Raises:
        VectorsError: over 512 MB and over a hundred times what is stored.
    """
    if size > FREE_BYTES and size > MAX_RATIO * stored:
        message = f"{where} claims {size:,} bytes, but {stored:,} are stored; fetch it again"
        raise VectorsError(message)


@dataclass(frozen=True)
class Packed:
    """A file, or the one file in a gzip or zip, that can be read from its beginning as often as needed.

    Args:
        path: Of the file.
        name: Of what is in it.
        member: Of a zip; None for another file.
    """

    path: Path
    name: str
    member: zipfile.ZipInfo | None = None

    def open(self) -> IO[bytes]:
        """Return a stream of the content, which refuses to unpack more than `check_size` allows."""
        stored = self.path.stat().st_size
        if self.member is not None:
            check_size(self.member.file_size, stored, where=self.path.name)
            return zipfile.ZipFile(self.path).open(self.member)
        if self.path.suffix.lower() == ".gz":
            return io.BufferedReader(_Bounded(self.path, stored))
        return self.path.open("rb")

    def buffer(self) -> pa.Buffer:
        """Return the whole content; a plain file is mapped, not read."""
        import pyarrow as pa

        if self.member is None and self.path.suffix.lower() != ".gz" and self.path.stat().st_size:
            with pa.memory_map(str(self.path)) as mapped:
                return mapped.read_buffer()
        with self.open() as file:
            return pa.py_buffer(file.read())


def packed(path: Path) -> Packed:
    """Return a file, or the one in it.

    Raises:
        VectorsError: a zip with several files.
    """
    if path.suffix.lower() == ".gz":
        return Packed(path, path.stem)
    if path.suffix.lower() != ".zip":
        return Packed(path, path.name)
    with zipfile.ZipFile(path) as archive:
        members = [each for each in archive.infolist() if _is_content(each.filename)]
    if len(members) != 1:
        message = f"{path.name} has {len(members)} files in it ({some(each.filename for each in members)})"
        raise VectorsError(message + ", expected one table")
    return Packed(path, Path(members[0].filename).name, members[0])


class _Bounded(io.RawIOBase):
    """What a gzip unpacks to, counted."""

    def __init__(self, path: Path, stored: int) -> None:
        self._file, self._stored, self._where, self._size = gzip.open(path), stored, path.name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(len(buffer))
        self._size += len(content)
        check_size(self._size, self._stored, where=self._where)
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


def _is_content(name: str) -> bool:
    """Return whether a member is a file, and not one that macOS packs beside the files."""
    return not name.endswith("/") and not name.startswith("__MACOSX/") and not Path(name).name.startswith(".")
