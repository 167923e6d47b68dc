"""What a step may take of the worker it runs in: threads, and memory that steps side by side share."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gene_eval.core.checks import TARGETS
from gene_eval.core.engines import ENGINES, Params
from gene_eval.core.memory import least_memory

__all__ = ["Room", "Size", "limit_threads", "memory_of_cell", "threads_of_step"]

OF_WORKER = 0.6
"""Share of a worker's memory that steps may plan with: the rest is Dask's, the libraries' and what tables share."""


class Room:
    """Bytes that steps of one process share; a step waits until there is room for it.

    Args:
        total: Bytes; None for no limit.

    >>> room = Room(10)
    >>> with room.take(20):
    ...     room.taken
    20.0
    """

    def __init__(self, total: float | None) -> None:
        self.total, self.taken, self.steps = total, 0.0, 0
        self._free = threading.Condition()

    @contextmanager
    def take(self, nbytes: float) -> Iterator[None]:
        """Hold room inside the block. A step that is larger than all of it runs alone."""
        with self._free:
            self._free.wait_for(lambda: not self.steps or self.total is None or self.taken + nbytes <= self.total)
            self.steps += 1
            self.taken += nbytes
        try:
            yield
        finally:
            with self._free:
                self.steps -= 1
                self.taken -= nbytes
                self._free.notify_all()


class Size:
    """Rows and columns of vectors that are not there yet."""

    def __init__(self, n: int, dim: int) -> None:
        self.shape = (n, dim)

    def __len__(self) -> int:
        """Number of rows."""
        return self.shape[0]


def memory_of_cell(  # noqa: PLR0913 - what a fit depends on
    n: int, dim: int, *, target: str, labels: int, n_splits: int, head: str, engine: str, protocol: str
) -> float:
    """Bytes that a fit takes above the vectors at least, and as much again for fits side by side.

    Args:
        n: Rows.
        dim: Numbers in a vector.
        target: Of `gene_eval.core.probe.probe`.
        labels: Classes, or labels of a multi-label task.
        n_splits: Splits of the rows.
        head: What is fitted.
        engine: What fits the linear head.
        protocol: Of the probe.
    """
    assert target in TARGETS
    size: Any = Size(n, dim)
    by = engine if head == "linear" and engine in ENGINES else head
    outputs = labels if target == "multiclass" else 1
    params = Params(protocol=protocol)
    prepared, fit = least_memory(size, engine=by, target=target, outputs=outputs, n_splits=n_splits, params=params)
    return float(prepared + 2 * fit + 8 * n * max(labels, 1) * 2)


def threads_of_step(nthreads: int, announced: float | None) -> int:
    """Threads that one step may use, so that all that can run side by side use those of the worker.

    Args:
        nthreads: Of the worker.
        announced: How many steps of the kind it takes at a time; None where it did not say.

    >>> threads_of_step(8, None), threads_of_step(8, 1), threads_of_step(8, 2), threads_of_step(2, 16)
    (1, 8, 4, 1)
    """
    at_a_time = nthreads if announced is None else min(nthreads, max(int(announced), 1))
    return max(nthreads // at_a_time, 1)


_limited: dict[str, tuple[int, int]] = {}


def limit_threads(n: int) -> None:
    """Let BLAS and torch take as many threads for what the calling thread computes."""
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # BLAS is limited for the whole process; steps side by side all have the same number. To look for its libraries
    # takes 5 ms, and there are others only if something was imported.
    if _limited.get("blas") != (n, len(sys.modules)):
        threadpool_limits(n)
        _limited["blas"] = n, len(sys.modules)
    torch.set_num_threads(n)
