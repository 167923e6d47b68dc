"""A small run of the simulation behind the first table of docs/statistics.md, on tasks made up here."""

import numpy as np
import pytest

from benchmarks.stats_real_labels import Counts, Task, between_sources, chance, lines, over_sources, study_depth


@pytest.fixture(scope="module")
def made() -> tuple[np.ndarray, list[Task]]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6))
    labels = X[:, :6] + rng.normal(size=X.shape) > 0
    labels[:, 1] = labels[:, 0]
    tasks = [Task(f"source{k}", np.arange(400), labels[:, [k]]) for k in range(6)]
    return X, tasks


def test_labels_that_are_equal_are_alike(made: tuple[np.ndarray, list[Task]]) -> None:
    X, tasks = made
    alike = between_sources(tasks, len(X))
    assert alike[0, 1] == pytest.approx(1)
    expected = np.corrcoef(tasks[2].y[:, 0], tasks[3].y[:, 0])[0, 1] ** 2
    assert alike[2, 3] == alike[3, 2] == pytest.approx(expected)


def test_models_that_know_the_same_are_seldom_called_different(made: tuple[np.ndarray, list[Task]]) -> None:
    X, tasks = made
    counts = Counts()
    chance(X, tasks, 12, counts, n_models=2)
    over_sources(X, tasks[:1] + tasks[2:] + [Task("other", tasks[1].rows, tasks[5].y)], 12, counts, n_models=2)
    rates = {name: np.mean(hits) for name, hits in counts.hits.items()}
    assert len(counts.hits["task: corrected t-test, 2 models | type 1"]) == 12 * 6
    assert rates["task: corrected t-test, 2 models | type 1"] < 0.15
    assert rates["fewer than six sources: these tasks, 2 models | type 1"] < 0.2
    assert any(line.startswith("| six sources: t-test over sources, 2 models | type 1 |") for line in lines(counts))


def test_intervals_by_study_depth_hold_the_truth() -> None:
    counts = Counts()
    study_depth(12, counts, n_genes=500, prevalence=0.3)
    assert min(np.mean(hits) for hits in counts.hits.values()) > 0.75
