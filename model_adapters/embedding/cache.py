"""Where the vectors of a gene table are kept, and whether they are what was written.

Reading takes no lock, so that a complete cache may be read-only, or on a file system without locks. Where vectors
cannot be kept, they are computed each time, and a line in the log says so.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from model_adapters.base import file_sha256
from model_adapters.embedding.inputs import logger
from model_adapters.errors import CacheError

if TYPE_CHECKING:
    from datasets import Dataset
    from filelock import BaseFileLock

WAY_OUT = "set HF_HOME or HF_DATASETS_CACHE to a folder on a local disk with room"


@dataclass(frozen=True)
class Place:
    """Where an embedding is made.

    Args:
        folder: Holds what is done so far, which stays there after an interruption.
        cached: Whether the vectors are there already.
        kept: Whether they can be kept beside the gene table.
    """

    folder: Path
    cached: bool
    kept: bool


@contextmanager
def work_folder(genes: Dataset, key: str) -> Iterator[Place]:
    """Yield where to make vectors; nobody else makes them at the same time.

    Raises:
        CacheError: a file cannot be written there, because the disk is full, say.
    """
    folder = folder_of(genes, key)
    if is_cached(genes, key):
        yield Place(folder, cached=True, kept=True)
        return
    lock = _locked(folder) if genes.cache_files else None
    if lock is None:
        with tempfile.TemporaryDirectory(prefix="gene-bench-") as temporary, _writing(Path(temporary)):
            yield Place(Path(temporary), cached=False, kept=False)
        return
    try:
        with _writing(folder):
            # Another process may have embedded the same genes while this one waited for it.
            yield Place(folder, cached=is_cached(genes, key), kept=True)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        with suppress(OSError):
            folder.rmdir()
        # While it is held: a process that has opened it in the meantime sees that it is gone, and makes another.
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def is_cached(genes: Dataset, key: str) -> bool:
    """Return whether the vectors are in the cache as they were written; a damaged file is removed, and a line says so.

    The bytes are compared before the file is opened: Arrow trusts the offsets in it, and wrong ones end the process.
    """
    from datasets import is_caching_enabled

    if not genes.cache_files or not is_caching_enabled():
        return False
    path, record = _files(genes, key)
    with suppress(FileNotFoundError):
        # A folder in place of one of them is damage too.
        folders = path.is_dir() or record.is_dir()
        if not folders and file_sha256(path) == record.read_text(encoding="utf-8", errors="replace"):
            return True
        logger.warning(f"{path}: the cached vectors are not those that were written; they are computed again")
    # A file without its record is removed too: it was never finished.
    for each in (path, record):
        with suppress(OSError):
            remove(each)
    return False


def remove(path: Path) -> None:
    """Remove whatever is at a path, even a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def record_hash(genes: Dataset, key: str) -> None:
    """Keep the sha256 of the file of vectors beside it."""
    path, record = _files(genes, key)
    # Absent where the user has disabled caching.
    if path.exists():
        write_atomically(record, file_sha256(path).encode())


def write_atomically(path: Path, *content: bytes | memoryview) -> None:
    """Write a file from its pieces; after a crash it is complete or not there."""
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with part.open("wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def folder_of(genes: Dataset, key: str) -> Path:
    """Return the folder of what is done so far."""
    return Path(genes.cache_files[0]["filename"] if genes.cache_files else "").parent / f"embedding-{key}"


def _files(genes: Dataset, key: str) -> tuple[Path, Path]:
    path = Path(genes._get_cache_file_path(key))
    return path, path.with_suffix(".sha256")


def _locked(folder: Path) -> BaseFileLock | None:
    """Return the lock of a folder, which exists from now on; None where that cannot be, and a line says why."""
    from filelock import FileLock

    lock = FileLock(folder.with_suffix(".lock"))
    try:
        folder.mkdir(exist_ok=True)
        lock.acquire()
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        reason = error.strerror or str(error)
        logger.warning(f"{folder.parent}: vectors cannot be kept there ({reason}) and are lost after use; {WAY_OUT}")
        return None
    return lock


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{folder.parent}: vectors cannot be written ({error.strerror or error}); {WAY_OUT}"
        raise CacheError(message) from error
