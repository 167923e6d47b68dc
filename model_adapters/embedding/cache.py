"""Where the vectors of a gene table are kept, and whether they are what was written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from model_adapters.base import file_sha256
from model_adapters.embedding.inputs import logger

if TYPE_CHECKING:
    from datasets import Dataset


@contextmanager
def work_folder(genes: Dataset, key: str) -> Iterator[tuple[bool, Path]]:
    """Yield whether the cache has the vectors, and a folder to make them in, which is kept if that is interrupted."""
    if not is_writable(genes):
        with tempfile.TemporaryDirectory(prefix="gene-bench-") as temporary:
            yield is_cached(genes, key), Path(temporary)
        return
    from filelock import FileLock

    folder = Path(genes.cache_files[0]["filename"]).parent / f"embedding-{key}"
    if is_cached(genes, key):
        yield True, folder
        return
    lock = folder.with_suffix(".lock")
    try:
        # Another process that embeds the same: wait for it, and take its vectors.
        with FileLock(lock):
            yield is_cached(genes, key), folder
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        with suppress(OSError):
            folder.rmdir()
        lock.unlink(missing_ok=True)


def is_cached(genes: Dataset, key: str) -> bool:
    """Return whether the vectors are in the cache as they were written; a damaged file is removed, and a line says so.

    The bytes are compared before the file is opened: Arrow trusts the offsets in it, and wrong ones end the process.
    """
    from datasets import is_caching_enabled

    if not genes.cache_files or not is_caching_enabled():
        return False
    path, record = _files(genes, key)
    if not path.exists():
        return False
    if not record.exists() or file_sha256(path) == record.read_text(encoding="utf-8", errors="replace"):
        return True
    logger.warning(f"{path}: the cached vectors are not those that were written; they are computed again")
    if not is_writable(genes):
        return False
    path.unlink()
    record.unlink()
    return False


def record_hash(genes: Dataset, key: str) -> None:
    """Keep the sha256 of the file of vectors beside it."""
    if not is_writable(genes):
        return
    path, record = _files(genes, key)
    # Absent where the user has disabled caching.
    if path.exists():
        part = record.with_name(f".{record.name}.{os.getpid()}.part")
        part.write_text(file_sha256(path), encoding="utf-8")
        part.replace(record)


def _files(genes: Dataset, key: str) -> tuple[Path, Path]:
    path = Path(genes._get_cache_file_path(key))
    return path, path.with_suffix(".sha256")


def is_writable(genes: Dataset) -> bool:
    """Return whether vectors can be kept beside the gene table."""
    files = genes.cache_files
    return bool(files) and os.access(Path(files[0]["filename"]).parent, os.W_OK)
