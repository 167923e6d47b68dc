"""What every pair of models differs by on every task, fold by fold: what ranks and comparisons are both made from.

One rule of adjustment holds for both: at each level (a task, a group of tasks, all tasks) the p-values of all pairs of
models are adjusted together (Holm), so that a pair and the ranks cannot contradict each other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.groups import SOURCE_CORRELATION, clusters, generalizes, ranking_metric
from gene_eval.analysis.pairing import Pair, Pairing, Pairs
from gene_eval.core.statistics.over_tasks import cluster_means, cluster_p_values
from gene_eval.core.statistics.paired_tests import fixed_tasks_p_values, holm, pooled_detectable_difference
from gene_eval.results.records import Score, TaskRecord, TaskResult

__all__ = ["AllPairs", "ByModel", "mean_over_folds"]

Array = npt.NDArray[np.float64]
ByModel = Mapping[str, Mapping[str, TaskResult]]
"""Model to task to result, all of one setting and of one version, labels and folds of each task."""


@dataclass(frozen=True, slots=True)
class AllPairs:
    """Scores of M models on T tasks by fold, and the differences of their P pairs on the entities that both have.

    Attributes:
        models: Names, sorted.
        tasks: Ids.
        folds: (M, T, F) scores that models are ranked by; nan where undefined or not run.
        first: (P,) number of the first model of a pair.
        second: (P,) of the second.
        differences: (P, T, F); nan where the two cannot be paired.
        ratios: (T,) test over training rows, the largest of any model.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    folds: Array
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    differences: Array
    ratios: Array

    @classmethod
    def of(cls, by_model: ByModel, tasks: Sequence[str], pairs: Pairs | None = None) -> "AllPairs":
        """Put results side by side.

        Args:
            by_model: The results.
            tasks: Ids, in the order of the columns.
            pairs: What `Pairing.unlike` finds; None goes by the results alone, without predictions.
        """
        if pairs is None:
            pairs = Pairing().unlike(
                {(name, task): one for name, each in by_model.items() for task, one in each.items()}
            )
        models = sorted(by_model)
        folds = _folds([[_score(by_model[model].get(task)) for task in tasks] for model in models])
        first, second = np.triu_indices(len(models), k=1)
        differences = folds[first] - folds[second]
        number = {pair: n for n, pair in enumerate(zip(first.tolist(), second.tolist(), strict=True))}
        place = {model: i for i, model in enumerate(models)}
        column = {task: j for j, task in enumerate(tasks)}
        for (one, other, task), pair in pairs.items():
            if task in column and one in place and other in place:
                cell = differences[number[place[one], place[other]], column[task]]
                if not (isinstance(pair, Pair) and pair.is_counted):
                    cell[:] = np.nan
                elif pair.kind == "shared":
                    cell[:] = np.nan
                    cell[: len(pair.first)] = np.subtract(pair.first, pair.second)
        ratios = [
            max((each[task].test_train_ratio for each in by_model.values() if task in each), default=math.nan)
            for task in tasks
        ]
        return cls(tuple(models), tuple(tasks), folds, first, second, differences, np.array(ratios))

    def p_values(self, tasks: Sequence[TaskRecord]) -> Array:
        """(P,) p-values over a group of tasks, not adjusted; nan where a pair cannot be tested.

        With six sources or more by a t-test of the sources' means, with fewer by `fixed_tasks_p_values`; over one task
        that is the corrected t-test of its folds.
        """
        columns = [self.tasks.index(task.id) for task in tasks]
        differences, units = self.differences[:, columns], clusters(tasks)
        if generalizes(tasks):
            means = mean_over_folds(differences)
            return cluster_p_values(means, clusters=units, correlation=SOURCE_CORRELATION)
        return fixed_tasks_p_values(differences, test_train_ratio=self.ratios[columns], clusters=units)

    def adjusted(self, tasks: Sequence[TaskRecord], models: tuple[str, str], p_value: float) -> float:
        """The p-value of two models over some tasks, adjusted for all pairs of models that have these tasks (Holm).

        Args:
            tasks: Of one group, or one.
            models: The two.
            p_value: Theirs, by the same test: where their results are too small to count, they have none among the
                pairs and theirs is adjusted with those of the others.
        """
        one, other = sorted(self.models.index(model) for model in models)
        known = self.has_all(tasks)
        own = (self.first == one) & (self.second == other)
        p_values = np.where(own, p_value, self.p_values(tasks))
        considered = own | (known[self.first] & known[self.second])
        return float(holm(np.where(considered, p_values, np.nan))[own][0])

    def has_all(self, tasks: Sequence[TaskRecord]) -> npt.NDArray[np.bool_]:
        """(M,) which models have a score on every one of the tasks."""
        columns = [self.tasks.index(task.id) for task in tasks]
        known: npt.NDArray[np.bool_] = np.all(~np.isnan(mean_over_folds(self.folds[:, columns])), axis=1)
        return known

    def points_one_way(
        self, tasks: Sequence[TaskRecord], mean_differences: Array, pairs: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Whether the entities that both have say the same as the means and, of few sources, every task does.

        Args:
            tasks: Of the group.
            mean_differences: Of the means of each pair, on each model's own entities.
            pairs: Numbers of these pairs.
        """
        columns = [self.tasks.index(task.id) for task in tasks]
        differences = np.nan_to_num(mean_over_folds(self.differences[pairs][:, columns]))
        if len(differences) and generalizes(tasks):
            differences = cluster_means(differences, clusters(tasks)).mean(axis=1, keepdims=True)
        return np.asarray((np.sign(differences) * np.sign(mean_differences)[:, np.newaxis] >= 0).all(axis=1))

    def detectable(self, task: str) -> float:
        """The true difference that a test on this task finds with a chance of 80 %; see the function that pools."""
        column = self.tasks.index(task)
        return pooled_detectable_difference(self.differences[:, column], test_train_ratio=float(self.ratios[column]))


def mean_over_folds(folds: Array) -> Array:
    """Mean over the folds that are defined, nan where none is."""
    defined = ~np.isnan(folds)
    total = np.where(defined, folds, 0.0).sum(axis=-1)
    means: Array = np.where(defined.any(axis=-1), total / np.maximum(defined.sum(axis=-1), 1), np.nan)
    return means


def _folds(scores: Sequence[Sequence[Score | None]]) -> Array:
    n_folds = max((len(score.folds) for row in scores for score in row if score), default=0)
    folds = np.full((len(scores), len(scores[0]) if scores else 0, n_folds), np.nan)
    for i, row in enumerate(scores):
        for j, score in enumerate(row):
            if score is not None:
                folds[i, j, : len(score.folds)] = score.folds
    return folds


def _score(result: TaskResult | None) -> Score | None:
    score = result.scores.get(ranking_metric(result.task, result.settings)) if result else None
    return None if score is None or math.isnan(score.mean) else score
