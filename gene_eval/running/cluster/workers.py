"""Which workers there are, and what they announce."""

import time
from collections.abc import Callable
from typing import Any

__all__ = ["Workers"]

LOOK = 2.0
"""Seconds between two looks."""


class Workers:
    """The workers of a client.

    Args:
        client: Of `distributed`.
        log: Takes a line for the user.
    """

    def __init__(self, client: Any, log: Callable[[str], None]) -> None:
        self._client, self._log = client, log
        self._next, self._scheduler = 0.0, ""
        self.count = self.threads = 0
        self.announced: frozenset[str] = frozenset()
        self._addresses: list[str] = []
        self._offers: list[dict[str, float]] = []

    def look(self) -> bool:
        """Look which there are, unless that was just done; whether it was looked."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + LOOK
        info = self._client.scheduler_info(n_workers=-1)
        workers: dict[str, Any] = info["workers"]
        if not workers and not self._scheduler:
            self._log(f"no worker at {info['address']} yet; start some with: dask worker {info['address']}")
        self._scheduler = self._scheduler or info["id"]
        self.count = len(workers)
        self._offers = offers = [each["resources"] for each in workers.values()]
        self.announced = frozenset(name for offer in offers for name, n in offer.items() if n >= 1)
        self.threads = sum(each["nthreads"] for each in workers.values())
        self._addresses = sorted(workers) if len(set(map(str, offers))) == 1 else []
        return True

    def needed(self, kind: str) -> dict[str, int]:
        """What a step of a kind ("gpu" or "cpu") asks of its worker: where no worker announces it, nothing."""
        return {kind: 1} if kind in self.announced else {}

    def that_take(self, kind: str) -> int:
        """How many workers take steps of a kind."""
        needed = self.needed(kind)
        return sum(offer.get(kind, 0) >= 1 for offer in self._offers) if needed else len(self._offers)

    def chosen(self, place: int, of: int) -> list[str]:
        """The workers whose turn it is, where that many take turns.

        None where workers announce different things: of one that is named, Dask forgets what it announced when it dies.
        """
        return self._addresses[place::of]

    def is_lost(self) -> bool:
        """Whether the scheduler is not the one that the run began with."""
        try:
            return bool(self._client.scheduler_info(n_workers=0)["id"] != self._scheduler)
        # Whatever keeps it from answering.
        except Exception:  # noqa: BLE001
            return True
