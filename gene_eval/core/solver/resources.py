"""Cores and memory: how work is spread over the ones, and how many problems fit into the other.

Row blocks run on one Python thread per core, each product on one core.
A product on a tile is too small to be shared between cores: the barrier costs more than the work, and on a busy machine
a hundred times more. Tiles are independent, and PyTorch releases the interpreter lock while it computes.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

_cores: list[int] = []
_precisions: list[str] = []
"""What there was before the first, once for each that is inside `one_core_per_thread` now, in whatever thread."""
_lock = Lock()


@contextmanager
def one_core_per_thread() -> Iterator[int]:
    """Keep PyTorch's operations on one core each; gives the cores there were before, over which `run` spreads.

    Products of float32 are float32 meanwhile, also where the caller allows TF32 or bfloat16 inside them. Several
    threads may be inside: the first one changes the settings, and the last one restores them.
    """
    with _lock:
        n_threads = _cores[-1] if _cores else torch.get_num_threads()
        precision = _precisions[-1] if _cores else torch.get_float32_matmul_precision()
        if not _cores:
            _pool(n_threads)
            torch.set_num_threads(1)
            torch.set_float32_matmul_precision("highest")
        _cores.append(n_threads)
        _precisions.append(precision)
    try:
        yield n_threads
    finally:
        with _lock:
            _cores.pop()
            _precisions.pop()
            if not _cores:
                torch.set_num_threads(n_threads)
                torch.set_float32_matmul_precision(precision)


@contextmanager
def all_cores() -> Iterator[None]:
    """Inside `one_core_per_thread`, give one large operation of the calling thread all cores again."""
    torch.set_num_threads(_cores[-1] if _cores else torch.get_num_threads())
    try:
        yield
    finally:
        torch.set_num_threads(1 if _cores else torch.get_num_threads())


def run(work: Callable[[Sequence[Item]], Result], items: Sequence[Item]) -> list[Result]:
    """The results of `work` on one contiguous share of the items per core, in order, so that sums of them repeat."""
    n_shares = min(_cores[-1] if _cores else 1, len(items))
    if n_shares <= 1:
        return [work(items)]
    cuts = [len(items) * i // n_shares for i in range(n_shares + 1)]
    shares = [items[low:high] for low, high in zip(cuts[:-1], cuts[1:], strict=True)]
    others = [_pool(_cores[-1]).submit(torch.no_grad()(work), share) for share in shares[1:]]
    # The calling thread has a core of its own; to wake another for its share would take as long as a small tile.
    first = work(shares[0])
    return [first, *(other.result() for other in others)]


@cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, "gene-eval-core", initializer=torch.set_num_threads, initargs=(1,))


SHARE = 0.5
"""Of the free memory, by default."""


def free_memory(device: torch.device) -> int:
    """Bytes free now."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def problems_per_block(budget: float, *, weights: int, split_fits: int, bytes_each: int, logits: int = 0) -> int:
    """How many common fits with those of their splits fit into the budget, at least one.

    A common fit keeps 80 steps and gradient changes, twice, a window of as many and 20 other vectors; a split's fit
    a window and 20 vectors. Two float64 matrices over the pairs of a window take 25,600 numbers, for a moment twice.
    Both keep `logits` logits and residuals for products in low precision.

    >>> problems_per_block(1e9, weights=385, split_fits=5, bytes_each=4)
    278
    """
    vectors, small = 500 + 180 * split_fits, 51_200 * (2 + split_fits)
    each = (vectors * weights + small + 2 * (1 + split_fits) * logits) * bytes_each
    return max(1, int(budget / each))
