"""Built tables on disk, as `load_dataset("gene-bench", ...)` finds them: locked while written, verified when read.

An entry is a folder `<datasets cache>/gene-bench/<config>/<version>/<hash>` with Arrow files, `dataset_info.json`,
`audit.json` and a manifest: the sha256 of these files, and the rules by which they were made. `load_dataset` takes
every folder of that depth for a dataset, so what is being built or was found damaged lies under names with a dot, which
it does not see. Reading takes no lock: a complete cache may be read-only, or on a file system without locks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builders.audit import AUDIT_FILE, Audit
from builders.config import DATASET_NAME, Config
from builders.errors import CacheError
from builders.files import write_atomically

if TYPE_CHECKING:
    import datasets

    from builders.dataset import Content

__all__ = ["Entry", "entry_folder", "find_entry", "latest_entry", "make_entry"]

MANIFEST = "manifest.json"
INFO = "dataset_info.json"
BUILDING, DAMAGED = ".building", ".damaged"
# Seconds, ten years: file systems of 32 bits end in 2038.
AHEAD = 10 * 365 * 86_400

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A table read from the cache, checked to be what was written there."""

    folder: Path
    dataset: datasets.Dataset
    audit: Audit
    rules: str


class _DamagedEntry(Exception):
    """Files of an entry are missing or have another sha256."""


def entry_folder(config: Config, name: str, *, cache_dir: str | Path | None = None) -> Path:
    """Where an entry lies: `name` is its hash, `cache_dir` the root of the datasets cache."""
    import datasets

    root = Path(cache_dir or datasets.config.HF_DATASETS_CACHE).expanduser()
    return root / DATASET_NAME / config.name / config.version / name


def find_entry(folder: Path) -> Entry | None:
    """The entry of a folder, verified; None if there is none or it is damaged."""
    with contextlib.suppress(_DamagedEntry):
        return _read(folder)
    return None


def latest_entry(config: Config, rules: str, *, cache_dir: str | Path | None = None) -> Entry | None:
    """The most recently used entry of a config among those made by these rules; damaged ones are set aside."""
    versions = entry_folder(config, "", cache_dir=cache_dir)
    times: dict[Path, float] = {}
    for folder in versions.glob("*"):
        # Another process may set it aside in the meantime.
        with contextlib.suppress(OSError):
            if folder.is_dir() and not folder.suffix:
                times[folder] = folder.stat().st_mtime
    for folder in sorted(times, key=lambda path: times[path], reverse=True):
        try:
            entry = _read(folder)
        except _DamagedEntry as error:
            _drop(folder, str(error))
            continue
        if entry is not None and entry.rules == rules:
            return entry
    return None


def make_entry(
    folder: Path, config: Config, rules: str, make: Callable[[], tuple[Content, Audit]]
) -> tuple[Entry, bool]:
    """Build an entry, unless another process does so while this one waits for its lock.

    Args:
        folder: The entry's folder.
        config: What it holds.
        rules: Those by which it is made.
        make: Returns rows and audit; called at most once, while the lock is held.

    Returns:
        The entry, and whether it was made now.

    Raises:
        CacheError: The cache cannot be written.
    """
    with _locked(folder) as workspace:
        try:
            entry = _read(folder)
            if entry is not None:
                return entry, False
        except _DamagedEntry as error:
            _set_aside(folder, str(error))
        content, audit = make()
        with _writing(folder):
            from builders.dataset import write_content

            _sweep(workspace)
            try:
                made = write_content(content, config, workspace)
                audit.write(made)
                _write_manifest(made, rules)
                folder.parent.mkdir(parents=True, exist_ok=True)
                made.replace(folder)
            finally:
                shutil.rmtree(workspace, ignore_errors=True)
    try:
        entry = _read(folder)
    except _DamagedEntry as error:
        message = f"{folder}: what was just written reads back damaged ({error}); is the disk full or failing?"
        raise CacheError(message) from error
    assert entry is not None
    return entry, True


def mark_latest(folder: Path) -> None:
    """Make an entry the one that `load_dataset` finds, which takes what was modified last.

    What an export leaves in the cache when it is loaded (version 0.0.0) was modified just then, so that an entry needs
    a time that lies ahead.
    """
    now = time.time()
    # Without permission to write, the cache is used as it is.
    with contextlib.suppress(OSError):
        os.utime(folder, (now, now + AHEAD))


def _read(folder: Path) -> Entry | None:
    try:
        if not folder.is_dir():
            return None
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        rules, sums = str(manifest["rules"]), dict(manifest["sha256"])
        changed = [name for name, digest in sums.items() if _sha256(folder / name) != digest]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{MANIFEST} or a file that it names cannot be read"
        raise _DamagedEntry(message) from error
    arrows = sorted(name for name in sums if name.endswith(".arrow"))
    if changed or not arrows or not sums.keys() >= {INFO, AUDIT_FILE}:
        message = f"{', '.join(changed) or MANIFEST} is not what was written"
        raise _DamagedEntry(message)
    import datasets
    from datasets.table import MemoryMappedTable, concat_tables

    info = datasets.DatasetInfo.from_directory(str(folder))
    # Split after split, as they were written; the files of one by their numbers.
    splits = [f"{DATASET_NAME}-{split}" for split in info.splits or ()]
    arrows.sort(key=lambda name: next((i for i, split in enumerate(splits) if name.startswith(split)), len(splits)))
    table = concat_tables([MemoryMappedTable.from_file(str(folder / name)) for name in arrows])
    fingerprint = hashlib.sha256("".join(sums[name] for name in arrows).encode()).hexdigest()[:16]
    dataset = datasets.Dataset(table, info=info, split=datasets.Split.TRAIN, fingerprint=fingerprint)
    return Entry(folder, dataset, Audit.read(folder), rules)


def _write_manifest(folder: Path, rules: str) -> None:
    sums = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}
    write_atomically(folder / MANIFEST, json.dumps({"rules": rules, "sha256": sums}, indent=2, sort_keys=True) + "\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _base(folder: Path) -> Path:
    return folder.parents[2]


def _label(folder: Path) -> str:
    """Name of an entry's workspace and lock: config, version and hash are its last three folders."""
    return "-".join(folder.parts[-3:])


def _drop(folder: Path, reason: str) -> None:
    """Set a damaged entry aside, unless another process has done so; one in a read-only cache is only named."""
    try:
        with _locked(folder):
            if find_entry(folder) is None and folder.exists():
                _set_aside(folder, reason)
    except CacheError as error:
        logger.warning("%s is damaged (%s) and is not used; %s", folder, reason, error)


def _set_aside(folder: Path, reason: str) -> None:
    target = _base(folder) / DAMAGED / _label(folder)
    with _writing(folder):
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        folder.replace(target)
    logger.warning("%s is damaged (%s): set aside as %s, to be built again", folder, reason, target)


def _sweep(workspace: Path) -> None:
    """Remove what killed builds have left; a running build holds the lock of its workspace."""
    from datasets.utils._filelock import FileLock

    for left in workspace.parent.iterdir():
        if left.is_dir() and left != workspace:
            # Not an argument of the lock: filelock 3.20 to 3.29 drops that of a subclass, and waits forever.
            with contextlib.suppress(TimeoutError), FileLock(f"{left}.lock").acquire(timeout=0):
                shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    """Hold the lock of an entry; yields an empty workspace that nobody else uses at the same time."""
    from datasets.utils._filelock import FileLock

    workspace = _base(folder) / BUILDING / _label(folder)
    with _writing(folder):
        workspace.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{workspace}.lock")
        lock.acquire()
        shutil.rmtree(workspace, ignore_errors=True)
    try:
        yield workspace
    finally:
        lock.release()


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        message = (
            f"{_base(folder).parent}: the datasets cache cannot be written ({reason});"
            " set HF_HOME or HF_DATASETS_CACHE to a folder on a local disk with room"
        )
        raise CacheError(message) from error
