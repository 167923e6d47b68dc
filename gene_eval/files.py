"""The one way to write a file: a reader sees the old one or the new one, never a part of it."""

import os
import platform
import re
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from gene_eval.errors import FileError

__all__ = ["atomic_path", "atomic_write", "check_writable"]

# Letters of a file's name, so that its temporary neighbour stays below the 255 bytes that file systems allow.
KEPT = 40
PART = re.compile(r"\..*\.(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}\.part")
MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to, which replaces `path` when the block ends; after an error, `path` is as it was.

    Missing folders are made. A link is followed; a pipe, `/dev/stdout` and other irregular files are written directly.

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
        part = target.with_name(f".{target.name[:KEPT]}.{MACHINE}-{os.getpid()}-{secrets.token_hex(4)}.part")
        _sweep(target.parent)
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except OSError as error:
        # Such as a file where a folder is needed.
        where = f" ({error.filename})" if error.filename and Path(error.filename) not in (path, part) else ""
        message = f"cannot write {path}: {error.strerror or error}{where}"
        raise FileError(message) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def atomic_write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file; text is written as UTF-8, with its line ends as they are.

    Raises:
        FileError: The file cannot be written; what was there stays.
    """
    with atomic_path(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a file that cannot be written, before the work whose result it is to hold; nothing is touched.

    Raises:
        FileError: It is a folder, below a file, or in a folder that cannot be written.
    """
    path = Path(path)
    parent = next(above for above in Path(os.path.realpath(path)).parents if above.exists())
    if path.is_dir():
        reason = "it is a folder, expected the name of a file"
    elif not parent.is_dir():
        reason = f"{parent} is a file, expected a folder"
    elif not os.access(parent, os.W_OK | os.X_OK):
        reason = f"folder {parent} cannot be written; name another"
    else:
        return
    message = f"cannot write {path}: {reason}"
    raise FileError(message)


@cache
def _sweep(folder: Path) -> None:
    """Remove what killed processes of this machine have left of their files; this process does it once."""
    for path in folder.iterdir():
        if (part := PART.fullmatch(path.name)) and part["machine"] == MACHINE and not _is_alive(int(part["process"])):
            with suppress(OSError):
                path.unlink()


def _is_alive(process: int) -> bool:
    # Only there is signal 0 a question.
    if os.name == "posix":
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except OSError:
            pass
    return True
