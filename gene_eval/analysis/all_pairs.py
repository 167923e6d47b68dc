"""How much every pair of models differs on every task, fold by fold: both ranks and comparisons are made from this.

One rule of adjustment holds for both: at each level (a task, a group of tasks, all tasks) the p-values of all pairs of
models are adjusted together (Holm), so that a pair and the ranks cannot contradict each other.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.groups import SOURCE_CORRELATION, clusters, generalizes, ranking_metric
from gene_eval.analysis.pairing import Pair, Pairing, Pairs
from gene_eval.core.statistics.over_tasks import cluster_means, cluster_p_values
from gene_eval.core.statistics.paired_tests import (
    fixed_tasks_p_values,
    holm,
    pooled_detectable_difference,
    pooled_detectable_of,
)
from gene_eval.results.records import Score, TaskRecord, TaskResult

__all__ = ["AllPairs", "ByModel", "mean_over_folds"]

Array = npt.NDArray[np.float64]
ByModel = Mapping[str, Mapping[str, TaskResult]]
"""Model to task to result, all of one setting and of one version, labels and folds of each task."""


# Numbers of differences in memory at once.
BLOCK = 2_000_000
# Pairs that are tested before the others where they may be enough.
FIRST = 10_000


@dataclass(frozen=True, slots=True)
class AllPairs:
    """Scores of M models on T tasks by fold, and what is needed for the differences of their P pairs.

    The differences are on the entities that both models of a pair have. They are computed when they are asked for, some
    pairs at a time: those of 1,000 models on 400 tasks would take 8 GB.

    Attributes:
        models: Names, sorted.
        tasks: Ids.
        folds: (M, T, F) scores that models are ranked by; nan where undefined or not run.
        means: (M, T) means of these scores over folds.
        first: (P,) number of the first model of a pair.
        second: (P,) number of the second.
        ratios: (T,) test over training rows, the largest of any model.
        own: Number of a task to the pairs that were not simply scored on the same entities: numbers, ascending, and
            their (p, F) differences, nan where the two cannot be paired.
        apart: Number of a task to a number for each model; those of different ones are not paired.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    folds: Array
    means: Array
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    ratios: Array
    own: Mapping[int, tuple[npt.NDArray[np.int64], Array]]
    apart: Mapping[int, npt.NDArray[np.int64]]

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
        place = {model: i for i, model in enumerate(models)}
        column = {task: j for j, task in enumerate(tasks)}
        own: dict[int, dict[int, Array]] = {}
        for (one, other, task), pair in pairs.items():
            if task in column and one in place and other in place:
                i, j, at = place[one], place[other], column[task]
                # As numbered by `np.triu_indices`.
                number = i * len(models) - i * (i + 1) // 2 + j - i - 1
                cell = folds[i, at] - folds[j, at]
                if not (isinstance(pair, Pair) and pair.is_counted):
                    cell[:] = np.nan
                elif pair.kind == "shared":
                    cell[:] = np.nan
                    cell[: len(pair.first)] = np.subtract(pair.first, pair.second)
                own.setdefault(at, {})[number] = cell
        ratios = [
            max((each[task].test_train_ratio for each in by_model.values() if task in each), default=math.nan)
            for task in tasks
        ]
        return cls(
            tuple(models),
            tuple(tasks),
            folds,
            mean_over_folds(folds),
            first,
            second,
            np.array(ratios),
            {at: (np.array(sorted(cells)), np.stack([cells[n] for n in sorted(cells)])) for at, cells in own.items()},
            {
                column[task]: np.array([numbers.get(model, -1) for model in models])
                for task, numbers in pairs.apart.items()
                if task in column
            },
        )

    def p_values(self, tasks: Sequence[TaskRecord]) -> Array:
        """(P,) p-values over a group of tasks, not adjusted; nan where a pair cannot be tested.

        With six sources or more by a t-test of the sources' means, with fewer by `fixed_tasks_p_values`; over one task
        that is the corrected t-test of its folds.
        """
        return np.concatenate([np.empty(0), *(found for _, found in self._p_values(tasks))])

    def _p_values(self, tasks: Sequence[TaskRecord], *, first: int | None = None) -> Iterator[tuple[slice, Array]]:
        """Some pairs at a time, `first` of them to begin with, and their p-values over a group of tasks."""
        columns, units = self._columns(tasks), clusters(tasks)
        if generalizes(tasks):
            for block, differences in self._unit_differences(columns, units, first=first):
                yield block, cluster_p_values(differences, correlation=SOURCE_CORRELATION)
            return
        ratios = self.ratios[columns]
        for block in self._blocks(len(columns) * self.folds.shape[2], first=first):
            differences = self._differences(columns, block)
            yield block, fixed_tasks_p_values(differences, test_train_ratio=ratios, clusters=units)

    def adjusted(self, tasks: Sequence[TaskRecord], models: tuple[str, str], p_value: float) -> float:
        """The p-value of two models over some tasks, adjusted for all pairs of models that have these tasks (Holm).

        Args:
            tasks: Of one group, or one.
            models: The two.
            p_value: That of these two, by the same test: where their results are too small to count, they are not among
                the pairs, and this p-value is adjusted together with those of the others.
        """
        one, other = sorted(self.models.index(model) for model in models)
        known = self.has_all(tasks)
        found, larger = [], 0
        for block, p_values in self._p_values(tasks, first=FIRST):
            own = (self.first[block] == one) & (self.second[block] == other)
            considered = known[self.first[block]] & known[self.second[block]] & ~own
            found.append(np.where(considered, p_values, np.nan))
            # Holm multiplies it by how many are not smaller: mostly that is enough long before all pairs are tested.
            larger += int((found[-1] >= p_value).sum())
            if larger * p_value >= 1:
                return 1.0
        return float(holm(np.concatenate([[p_value], *found]))[0])

    def has_all(self, tasks: Sequence[TaskRecord]) -> npt.NDArray[np.bool_]:
        """(M,) which models have a score on every one of the tasks."""
        known: npt.NDArray[np.bool_] = np.all(~np.isnan(self.means[:, self._columns(tasks)]), axis=1)
        return known

    def points_one_way(self, tasks: Sequence[TaskRecord], mean_differences: Array) -> npt.NDArray[np.bool_]:
        """(P,) whether the entities that both have agree with the means and, with few sources, every task does.

        Args:
            tasks: Of the group.
            mean_differences: (P,) of the means of each pair, on each model's own entities; nan points nowhere.
        """
        columns, units, is_mean = self._columns(tasks), clusters(tasks), generalizes(tasks)
        found = [np.empty(0, dtype=bool)]
        if is_mean:
            made = self._unit_differences(columns, units)
            differences = ((block, each.mean(axis=1, keepdims=True)) for block, each in made)
        else:
            differences = ((block, self._mean_differences(columns, block)) for block in self._blocks(len(columns)))
        for block, each in differences:
            signs = np.sign(np.nan_to_num(each)) * np.sign(mean_differences[block])[:, np.newaxis]
            found.append(np.all(signs >= 0, axis=1))
        return np.concatenate(found)

    def detectable(self, task: str) -> float:
        """The true difference that a test on this task finds with a chance of 80 %, its error pooled over all pairs.

        The root mean square of the pairs' corrected standard errors, times the noncentrality that the t-test of one
        pair asks for. nan where no pair has an error to judge by.
        """
        column, ratio = self.tasks.index(task), float(self.ratios[self.tasks.index(task)])
        scored = self.folds[~np.isnan(self.means[:, column]), column]
        if self._is_plain(column):
            return pooled_detectable_difference(scored, test_train_ratio=ratio)
        return pooled_detectable_of(self._differences([column], slice(None))[:, 0], test_train_ratio=ratio)

    def _columns(self, tasks: Sequence[TaskRecord]) -> list[int]:
        return [self.tasks.index(task.id) for task in tasks]

    def _blocks(self, numbers_of_pair: int, *, first: int | None = None) -> Iterator[slice]:
        """All pairs, as many at a time as fit into `BLOCK` numbers; to begin with, at most `first` of them."""
        size = max(1, BLOCK // max(numbers_of_pair, 1))
        start, stop = 0, min(size, first or size)
        while start < len(self.first):
            yield slice(start, min(stop, len(self.first)))
            start, stop = stop, stop + size

    def _is_plain(self, column: int) -> bool:
        """Whether all models that have the task were scored on the same entities, in every fold."""
        undefined = np.isnan(self.folds[:, column])
        return (
            column not in self.own and column not in self.apart and bool((undefined.any(1) == undefined.all(1)).all())
        )

    def _unit_differences(
        self, columns: Sequence[int], units: Sequence[str], *, first: int | None = None
    ) -> Iterator[tuple[slice, Array]]:
        """Some pairs at a time, and their (p, G) differences as means over the tasks of each unit."""
        if all(map(self._is_plain, columns)):
            # The difference of the means is the mean of the differences, and models are fewer than pairs.
            means = _unit_means(self.means[:, columns], units)
            for block in self._blocks(means.shape[1], first=first):
                yield block, means[self.first[block]] - means[self.second[block]]
            return
        for block in self._blocks(len(columns), first=first):
            yield block, _unit_means(self._mean_differences(columns, block), units)

    def _mean_differences(self, columns: Sequence[int], block: slice) -> Array:
        """(p, t) differences of some pairs, as means over the folds that both have."""
        first, second = self.first[block], self.second[block]
        means = self.means[:, columns]
        differences: Array = means[first] - means[second]
        for position, column in enumerate(columns):
            if not self._is_plain(column):
                differences[:, position] = mean_over_folds(self._differences([column], block)[:, 0])
        return differences

    def _differences(self, columns: Sequence[int], block: slice) -> Array:
        """(p, t, F) differences of some pairs by fold; nan where the two cannot be paired."""
        first, second = self.first[block], self.second[block]
        folds = self.folds[:, columns]
        differences: Array = folds[first] - folds[second]
        for position, column in enumerate(columns):
            if column in self.apart:
                numbers = self.apart[column]
                differences[numbers[first] != numbers[second], position] = np.nan
            if column in self.own:
                pairs, cells = self.own[column]
                start, stop, _ = block.indices(len(self.first))
                low, high = np.searchsorted(pairs, (start, stop))
                differences[pairs[low:high] - start, position] = cells[low:high]
        return differences


def _unit_means(table: Array, units: Sequence[str]) -> Array:
    """(n, G) `cluster_means` of (n, T) numbers; nan where one of a row is undefined."""
    known = ~np.isnan(table).any(axis=1)
    means = np.full((len(table), len(set(units))), np.nan)
    if known.any():
        means[known] = cluster_means(table[known], units)
    return means


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
