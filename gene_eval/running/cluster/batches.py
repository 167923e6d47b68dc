"""In which order cells are handed out, and how many at a time: the large ones first, the small ones together."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from gene_eval.results.records import TaskRecord
from gene_eval.running.plan import Cell, Plan

__all__ = ["IN_FLIGHT", "LONGEST", "Batches"]

IN_FLIGHT: Final = 5_000
"""Cells that the scheduler knows of at a time, so that its memory does not grow with the run."""
LONGEST: Final = 1.0
"""Seconds that a step with several cells may take: what is lost where its worker dies, or waited for at the end."""
MOST: Final = 100
"""Cells of a step."""
UNTRIED: Final = 4
"""Cells for each thread that are handed out while nothing is known of the seconds of their kind."""


def size_of(task: TaskRecord) -> int:
    """What the seconds of a task's cells are in proportion to, roughly: rows times labels."""
    return task.n * (len(task.label_names) if task.target in ("multiclass", "multilabel") else 1)


class Batches:
    """Cells of a plan that wait to be handed out.

    As many models as there are workers are open at a time, one for each worker, so that the vectors of few are needed
    at once and what is made of them is made once. Of each the largest tasks come first: a worker that ends early finds
    small ones.

    Args:
        plan: Of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self.left = len(plan)
        self._models, self._fits = len(plan.models.scored), range(len(plan.fits))
        self._sizes = [size_of(task.record) for task in plan.tasks]
        self._tasks = sorted(range(len(plan.tasks)), key=lambda task: -self._sizes[task])
        self._again: deque[list[Cell]] = deque()
        self._open: deque[deque[Cell]] = deque()
        self._groups: dict[int, tuple[int, int]] = {}
        # Of each fit: seconds and sizes of its cells so far, and the least seconds.
        self._paces: dict[int, tuple[float, int, float]] = {}

    def again(self, cells: list[Cell]) -> None:
        """Hand out cells again, in one step."""
        self._again.append(cells)
        self.left += len(cells)

    def took(self, cell: Cell, seconds: float) -> None:
        """Learn what a cell took."""
        before, sizes, least = self._paces.get(cell.fit, (0.0, 0, seconds))
        self._paces[cell.fit] = before + seconds, sizes + self._sizes[cell.task], min(least, seconds)

    def seconds(self, cell: Cell) -> float | None:
        """An estimate for a cell; None where none with its fit is done."""
        if cell.fit not in self._paces:
            return None
        total, sizes, least = self._paces[cell.fit]
        return max(total / max(sizes, 1) * self._sizes[cell.task], least)

    def group(self, model: int) -> tuple[int, int]:
        """Place of a model among those that were opened with it, and how many these are."""
        return self._groups[model]

    def take(self, in_flight: int, *, threads: int, workers: int) -> Iterator[list[Cell]]:
        """The next cells to hand out, those of a step together; they are of one model.

        Args:
            in_flight: Cells that are handed out and not done.
            threads: Steps that workers can do at a time.
            workers: How many there are.
        """
        while self.left and in_flight < IN_FLIGHT:
            batch = self._again.popleft() if self._again else self._next(in_flight, max(threads, 1), max(workers, 1))
            if not batch:
                return
            self.left -= len(batch)
            in_flight += len(batch)
            yield batch

    def _next(self, in_flight: int, threads: int, workers: int) -> list[Cell]:
        if not self._open:
            first = len(self._groups)
            models = range(first, min(first + workers, self._models))
            self._groups |= {model: (model - first, len(models)) for model in models}
            self._open.extend(deque(self._cells(model)) for model in models)
        # In turns, so that all lanes end together.
        lane, batch, total = self._open.popleft(), list[Cell](), 0.0
        most = min(MOST, IN_FLIGHT // (4 * threads), self.left // (2 * threads))
        while lane and len(batch) < max(most, 1):
            seconds = self.seconds(lane[0])
            if seconds is None and (batch or in_flight >= UNTRIED * threads):
                break
            if batch and total + (seconds or 0) > LONGEST:
                break
            batch.append(lane.popleft())
            total += LONGEST if seconds is None else seconds
        if lane:
            self._open.append(lane)
        return batch

    def _cells(self, model: int) -> Iterator[Cell]:
        return (Cell(model, task, fit) for task in self._tasks for fit in self._fits)
