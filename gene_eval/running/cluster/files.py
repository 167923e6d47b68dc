"""What steps hand to each other: vectors and tables, each in a file that is named by the hash of its content.

A worker that has made something large puts it there and returns a `Stored`, a few hundred bytes; whoever needs it reads
the file. Where workers share no folder, `Stored` has the content with it, and Dask sends it from worker to worker.
"""

import hashlib
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from gene_eval.errors import GeneBenchError
from gene_eval.files import atomic_write

__all__ = ["Memo", "Stored", "put", "read"]


@dataclass(frozen=True)
class Stored:
    """Something large that was put away.

    Args:
        sha256: Of the content.
        nbytes: Its length.
        path: Its file; None where there is no shared folder.
        content: The content itself in that case.
    """

    sha256: str
    nbytes: int
    path: Path | None = None
    content: bytes | None = field(default=None, repr=False)

    def __sizeof__(self) -> int:
        """What it costs another worker to have it, by which Dask decides where a step that needs it runs."""
        return self.nbytes


def put(value: Any, folder: Path | None) -> Stored:
    """Put a value away.

    Args:
        value: Anything that can be pickled.
        folder: A folder that all workers see; None keeps the content in memory.

    Raises:
        FileError: The file cannot be written.
    """
    content: bytes = cloudpickle.dumps(value)
    sha256 = hashlib.sha256(content).hexdigest()
    if folder is None:
        return Stored(sha256, len(content), content=content)
    path = folder / sha256[:2] / sha256
    # Another worker may have made the same.
    if not path.exists():
        atomic_write(path, content)
    return Stored(sha256, len(content), path)


def read(stored: Stored) -> Any:
    """What was put away.

    Raises:
        GeneBenchError: The file is not there, or is not what was written.
    """
    content = stored.content
    if content is None:
        assert stored.path is not None
        content = stored.path.read_bytes()
    # Before it is unpickled, which would run whatever somebody else had put into the folder.
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        message = (
            f"{stored.path}: {len(content):,} bytes that are not what was written there; run the same command again"
        )
        raise GeneBenchError(message)
    return cloudpickle.loads(content)


class Memo:
    """What this process has read, the least recently used dropped first; a table keeps there what its tasks share.

    Args:
        limit: Bytes of content that are kept.
    """

    def __init__(self, limit: float = float(sys.maxsize)) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[int, Any]] = OrderedDict()

    def read(self, stored: Stored) -> Any:
        """What was put away, read once."""
        # One thread reads, the others wait: they mostly want the same.
        with self._lock:
            if stored.sha256 not in self._held:
                self._held[stored.sha256] = (stored.nbytes, read(stored))
            self._held.move_to_end(stored.sha256)
            while len(self._held) > 1 and sum(nbytes for nbytes, _ in self._held.values()) > self.limit:
                self._held.popitem(last=False)
            return self._held[stored.sha256][1]
