"""The one way to write a file: a reader sees the old one or the new one, never a part of it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gene_eval.errors import FileError

__all__ = ["atomic_path", "atomic_write"]

# Of the name of a file, so that its temporary neighbour stays below the 255 bytes that file systems allow.
KEPT = 40


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to, which replaces `path` when the block ends; after an error `path` is as it was.

    Missing folders are made. A link is followed; what is no regular file (a pipe, `/dev/stdout`) is written directly.

    Raises:
        FileError: The file cannot be written; the message names it and says why.
    """
    path = Path(path)
    part: Path | None = None
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file() and not target.is_dir():
            yield path
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, since a rename is atomic only within a file system.
        part = target.with_name(f".{target.name[:KEPT]}.{secrets.token_hex(4)}.part")
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except OSError as error:
        # A file where a folder is needed, for example.
        where = f" ({error.filename})" if error.filename and Path(error.filename) not in (path, part) else ""
        message = f"cannot write {path}: {error.strerror or error}{where}"
        raise FileError(message) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def atomic_write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file; text is UTF-8, its line ends stay as they are.

    Raises:
        FileError: The file cannot be written; what was there stays.
    """
    with atomic_path(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
