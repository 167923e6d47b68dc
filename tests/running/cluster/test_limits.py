"""Memory that steps side by side share, and the estimate of what a cell takes."""

import threading

import numpy as np
import pytest

from gene_eval.core.engines import Params
from gene_eval.core.memory import least_memory
from gene_eval.running.cluster.limits import Room, memory_of_cell


def test_a_step_waits_until_there_is_room():
    room, most, order = Room(10), [], []
    begun = threading.Event()

    def step(name, nbytes):
        with room.take(nbytes):
            order.append(name)
            most.append(room.taken)

    with room.take(6):
        small, large = (threading.Thread(target=step, args=each) for each in (("small", 4), ("large", 7)))
        large.start()
        small.start()
        small.join(5)
        assert order == ["small"]
        begun.set()
    large.join(5)
    assert order == ["small", "large"]
    assert max(most) <= 10
    assert room.taken == room.steps == 0


def test_what_is_larger_than_all_room_runs_alone():
    room = Room(10)
    with room.take(25):
        assert room.taken == 25
    with room.take(5), room.take(5):
        assert room.steps == 2


@pytest.mark.parametrize(("target", "labels"), [("binary", 2), ("multilabel", 40), ("regression", 0)])
def test_a_cell_is_estimated_above_the_least_that_the_probe_accepts(target, labels):
    n, dim = 5000, 300
    X = np.zeros((n, dim), dtype=np.float32)
    least = sum(least_memory(X, engine="fast", target=target, outputs=1, n_splits=5, params=Params()))
    found = memory_of_cell(
        n, dim, target=target, labels=labels, n_splits=5, head="linear", engine="fast", protocol="paper"
    )
    assert least < found < 4 * least
