"""Opens files that may be packed, with bounds: a few bytes can unpack to gigabytes."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from model_adapters.errors import VectorsError, some

if TYPE_CHECKING:
    import pyarrow as pa

PACKED = (".gz", ".zip")
FREE_BYTES = 512 * 1024**2
"""What may be unpacked whatever its ratio: a table of memberships is nearly all zeros."""
MAX_RATIO = 100
"""Zeros compress a thousand times, vectors hardly ever ten times."""
CHUNK = 1 << 20


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


def unpack(path: Path) -> tuple[str, pa.Buffer]:
    """Return name and content of a file, or of the one file in a gzip or zip; a plain file is mapped, not read.

    Raises:
        VectorsError: a zip with several files, or more bytes in it than `check_size` allows.
    """
    import pyarrow as pa

    kind = path.suffix.lower()
    stored = path.stat().st_size
    if kind == ".gz":
        with gzip.open(path) as packed:
            chunks, size = [], 0
            while chunk := packed.read(CHUNK):
                chunks.append(chunk)
                size += len(chunk)
                check_size(size, stored, where=path.name)
            return path.stem, pa.py_buffer(b"".join(chunks))
    if kind == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if _is_content(each.filename)]
            if len(members) != 1:
                message = f"{path.name} has {len(members)} files in it ({some(each.filename for each in members)})"
                raise VectorsError(message + ", expected one table")
            check_size(members[0].file_size, stored, where=path.name)
            return Path(members[0].filename).name, pa.py_buffer(archive.read(members[0]))
    if not stored:
        return path.name, pa.py_buffer(b"")
    with pa.memory_map(str(path)) as mapped:
        return path.name, mapped.read_buffer()


def _is_content(name: str) -> bool:
    """Return whether a member is no folder and nothing that macOS packs beside the files."""
    return not name.endswith("/") and not name.startswith("__MACOSX/") and not Path(name).name.startswith(".")
