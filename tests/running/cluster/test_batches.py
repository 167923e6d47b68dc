"""Which cells are handed out when, and what is done with those of a step that takes too long."""

from dataclasses import dataclass

import pytest

from gene_eval.running.cluster import worker
from gene_eval.running.cluster.batches import IN_FLIGHT, MOST, Batches
from gene_eval.running.cluster.worker import Broken, Job, fit_all
from gene_eval.running.outcome import Failure
from gene_eval.running.plan import Cell, Plan, RunModels


@dataclass
class Record:
    n: int
    target: str = "binary"
    label_names: tuple[str, ...] = ()


@dataclass
class Task:
    record: Record


def batches(*, models=1, sizes=(100, 300, 200), fits=1):
    tasks = [Task(Record(n)) for n in sizes]
    return Batches(Plan(RunModels(list(range(models))), tasks, list(range(fits))))


def take(waiting, in_flight, *, workers=1):
    return waiting.take(in_flight, threads=workers, workers=workers)


def all_of(waiting, *, seconds=10.0, workers=1):
    """Batches where each is done before the next is taken."""
    found = []
    while waiting.left:
        batch = next(take(waiting, 0, workers=workers))
        found.append(batch)
        for cell in batch:
            waiting.took(cell, seconds)
    return found


def test_large_tasks_come_first_and_labels_count():
    assert [cell.task for (cell,) in all_of(batches())] == [1, 2, 0]
    tasks = [Task(Record(100, "multilabel", tuple("abcd"))), Task(Record(300))]
    waiting = Batches(Plan(RunModels([0]), tasks, [0]))
    assert [cell.task for (cell,) in all_of(waiting)] == [0, 1]


def test_as_many_models_are_open_as_there_are_workers():
    waiting = batches(models=5, sizes=(1, 2))
    found = all_of(waiting, workers=2)
    assert [cell.model for (cell,) in found] == [0, 1, 0, 1, 2, 3, 2, 3, 4, 4]
    assert [waiting.group(model) for model in range(5)] == [(0, 2), (1, 2), (0, 2), (1, 2), (0, 1)]


def test_every_cell_is_handed_out_once():
    found = [cell for batch in all_of(batches(models=3, sizes=range(1, 41), fits=3), seconds=0.001) for cell in batch]
    assert sorted(found) == [Cell(m, t, f) for m in range(3) for t in range(40) for f in range(3)]


def test_small_cells_go_together_until_few_are_left():
    waiting = batches(sizes=[100] * 1000)
    (first,) = next(take(waiting, 0, workers=2))
    waiting.took(first, 0.1)
    assert [len(batch) for batch in take(waiting, 0, workers=2)][:3] == [10, 10, 10]
    sizes = list(map(len, all_of(batches(sizes=[100] * 1000), seconds=0.0, workers=2)))
    assert sizes[0] == 1
    assert max(sizes) == MOST
    assert sizes[1:] == sorted(sizes[1:], reverse=True)
    assert sizes[-1] == 1


def test_few_cells_are_handed_out_before_one_is_known():
    waiting = batches(sizes=[100] * 100)
    started = list(take(waiting, 0, workers=2))
    assert started == [[cell] for (cell,) in started]
    assert len(started) == 8
    assert not list(take(waiting, 8, workers=2))
    waiting.took(started[0][0], 5.0)
    assert len(list(take(waiting, 7, workers=2))) == 92


def test_what_comes_back_is_handed_out_first():
    waiting = batches()
    first = next(take(waiting, 0))
    waiting.again(first)
    assert waiting.left == 3
    assert next(take(waiting, 0)) == first
    assert not list(take(waiting, IN_FLIGHT))


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(worker, "time", clock)
    return clock


def test_a_step_that_takes_long_gives_its_other_cells_back(clock):
    def fit(name, cell, found, tasks, at, *vectors):
        assert (name, tasks, vectors) == ("run", "tables", (("want", "v")))
        clock.now += 0.6
        if cell.task == 1:
            message = "the device fell off"
            raise RuntimeError(message)
        return Failure(str(cell.task), "", "")

    jobs = [tuple(Job(Cell(0, task, 0), None, 0, 0, (("want", 1),))) for task in range(4)]
    found = fit_all(fit, "run", jobs, "tables", "v")
    assert [None if each.what is None else type(each.what) for each in found] == [Failure, Broken, None, None]
    assert "the device fell off" in found[1].what.reason
    assert [round(each.seconds, 6) for each in found] == [0.6, 0.6, 0.0, 0.0]
