"""Ranks of all models on a task or over tasks, with intervals, and models that cannot be distinguished."""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.all_pairs import AllPairs, ByModel, mean_over_folds
from gene_eval.analysis.groups import (
    Suites,
    basis,
    clusters,
    generalizes,
    group_metric,
    group_tasks,
    ranking_metric,
)
from gene_eval.analysis.pair_values import PairSet, PairValues
from gene_eval.analysis.pairing import MOST_IN_GROUP, MOST_MODELS, Pairs
from gene_eval.core.statistics.over_tasks import cluster_means, cluster_std_errors, mean_ranks, tie_groups
from gene_eval.core.statistics.paired_tests import ALPHA, holm
from gene_eval.errors import ReportError
from gene_eval.results.minimum import meets_minimum
from gene_eval.results.records import TaskRecord, TaskResult

__all__ = ["GroupRanking", "ModelRank", "rank", "rank_all", "rank_tasks"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModelRank:
    """A model's rank by `mean`, whose standard error over sources is `std_error`, None where there are fewer than six.

    `low` (best) to `high` (worst) is the simultaneous 95 % interval: as many models are better, and as many worse, as
    differ from this one after Holm's correction over all pairs; None where no pair can be tested.
    """

    model: str
    mean: float
    rank: int
    low: int | None
    high: int | None
    std_error: float | None = None


@dataclass(frozen=True, slots=True)
class GroupRanking:
    """The models that were scored on every task of a group, best first.

    Attributes:
        name: "overall", a family or "regression", see `gene_eval.analysis.groups`; or the id of a single task.
        metric: What models are ranked by: "roc_auc", "r2" or "spearman"; of a single task its own.
        tasks: Ids of the group's tasks.
        basis: What means are over: "8 sources" (each counts once, by the mean of its tasks), or "3 tasks" (the
            labels of one multi-label task count as one).
        models: Ranks, best first.
        p_values: (model, model) to the Holm-adjusted p-value of their difference, in both orders; nan if untestable, or
            if the two cannot be paired on one of the tasks (see `gene_eval.analysis.pairing`). Empty where no pair is
            tested, see `rank_tasks`.
        pair_p_values: The same before the adjustment: what a comparison of these two alone finds.
        ties: Largest runs of models, best first, of which no two differ; a model may be in several. Two differ if p is
            below 0.05, the entities that both have agree with the means and, where there are fewer than six sources,
            every task points the same way. There are none for more than `MOST_MODELS` models.
        detectable: Of a single task, see `AllPairs.detectable`; nan for groups.
        left_out: Models without a score on every task of the group.
        uneven: Tasks on which the models were scored on different genes.
        distinguished: Pairs of models that differ, in both orders.
    """

    name: str
    metric: str
    tasks: tuple[str, ...]
    basis: str
    models: tuple[ModelRank, ...]
    p_values: PairValues
    pair_p_values: PairValues
    ties: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]
    uneven: tuple[str, ...]
    distinguished: Set[tuple[str, str]] = frozenset()
    detectable: float = math.nan


def rank(
    results: Iterable[TaskResult], *, pairs: Pairs | None = None, suites: Suites | None = None
) -> tuple[GroupRanking, ...]:
    """Rank all models overall, by family, and on regression tasks.

    With six sources or more in a group, differences are tested by a t-test over sources; with fewer, by
    `fixed_tasks_p_values`, about these tasks only. Intervals and ties follow from these tests; there are none for more
    than `gene_eval.analysis.pairing.MOST_IN_GROUP` models. Groups of which no model has all tasks are left out; a
    result that is too small (`gene_eval.results.minimum`) does not count.

    Args:
        results: Of one setting, and of one version, labels and folds of each task.
        pairs: What `Pairing.unlike` finds; None goes by the results alone, without predictions.
        suites: Lists of tasks that are ranked by themselves, see `group_tasks`.

    Raises:
        ReportError: Results differ in one of these, or a model has two results on a task.
    """
    return rank_all(results, pairs=pairs, suites=suites)[0]


def rank_tasks(results: Iterable[TaskResult], *, pairs: Pairs | None = None) -> tuple[GroupRanking, ...]:
    """Rank the models on each task, ranked or not, that at least two of them have; see `rank`.

    Of more than `gene_eval.analysis.pairing.MOST_MODELS` models, no pair is tested: there are ranks by score, and no
    intervals.
    """
    return rank_all(results, pairs=pairs)[1]


def rank_all(
    results: Iterable[TaskResult], *, pairs: Pairs | None = None, suites: Suites | None = None
) -> tuple[tuple[GroupRanking, ...], tuple[GroupRanking, ...]]:
    """What `rank` gives, and what `rank_tasks` gives."""
    by_model, records = _collected(results)
    scores = AllPairs.of(by_model, sorted(records), pairs)
    groups = group_tasks(records.values(), suites)
    found = (_group(name, [records[task] for task in tasks], by_model, scores) for name, tasks in groups.items())
    alone = (_group(name, [record], by_model, scores) for name, record in sorted(records.items()))
    return (
        tuple(group for group in found if group is not None),
        tuple(group for group in alone if group is not None and len(group.models) > 1),
    )


def _collected(results: Iterable[TaskResult]) -> tuple[ByModel, Mapping[str, TaskRecord]]:
    """Results by model and task, and a record of each task."""
    by_model: dict[str, dict[str, TaskResult]] = {}
    records: dict[str, TaskRecord] = {}
    settings = set()
    for result in results:
        if not meets_minimum(result):
            continue
        task = result.task
        settings.add(result.settings)
        first = records.setdefault(task.id, task)
        if _version(first) != _version(task) or len(settings) > 1:
            msg = f"results of {task.id} differ in version, labels, folds or settings; rank them apart"
            raise ReportError(msg)
        of_model = by_model.setdefault(result.model.id, {})
        if task.id in of_model:
            msg = f"two results of {result.model.id} on {task.id}; keep one of them"
            raise ReportError(msg)
        of_model[task.id] = result
    return by_model, records


def _version(task: TaskRecord) -> tuple[str, str, str]:
    return task.version, task.data_sha256, task.folds_sha256


def _group(name: str, tasks: Sequence[TaskRecord], by_model: ByModel, scores: AllPairs) -> GroupRanking | None:
    has_all = scores.has_all(tasks)
    chosen = np.flatnonzero(has_all)
    if not len(chosen):
        return None
    models = [scores.models[i] for i in chosen]
    columns = [scores.tasks.index(task.id) for task in tasks]
    means = cluster_means(mean_over_folds(scores.folds[chosen][:, columns]), clusters(tasks))
    mean = means.mean(axis=1)
    is_single = name == tasks[0].id
    is_tested = len(models) <= (MOST_MODELS if is_single else MOST_IN_GROUP)
    if is_tested:
        first, second = np.searchsorted(chosen, scores.first), np.searchsorted(chosen, scores.second)
        both = has_all[scores.first] & has_all[scores.second]
        apart = np.full(len(both), np.nan)
        apart[both] = mean[first[both]] - mean[second[both]]
        raw = scores.p_values(tasks)[both]
        adjusted = holm(raw)
        is_clear = (adjusted < ALPHA) & scores.points_one_way(tasks, apart)[both]
        p_values, pair_p_values, differ = (
            _square(values, first[both], second[both], len(models))
            for values in (adjusted, raw, is_clear.astype(np.float64))
        )
    else:
        # Of a thousand models a table takes 8 MB for each task.
        p_values = pair_p_values = differ = np.empty((0, 0))
    order = np.argsort(-mean, kind="stable").tolist()
    errors: Sequence[float | None] = [None] * len(models)
    if generalizes(tasks):
        errors = cluster_std_errors(means).tolist()
    # Nobody has one in a table of none.
    has_test = np.zeros(len(models), dtype=bool)
    has_test[: len(p_values)] = (~np.isnan(p_values)).sum(axis=1) > 0
    ranks = _ranks(models, mean, differ == 1, is_tested=has_test, errors=errors)
    scored = {task.id: {by_model[model][task.id].coverage.scored_sha256 for model in models} for task in tasks}
    settings = by_model[models[0]][tasks[0].id].settings
    names = tuple(models) if is_tested else ()
    runs = tie_groups(mean, np.where(differ == 1, 0.0, 1.0)) if len(models) <= MOST_MODELS else ()
    return GroupRanking(
        name=name,
        metric=ranking_metric(tasks[0], settings) if is_single else group_metric(name, settings),
        tasks=tuple(task.id for task in tasks),
        basis=basis(tasks),
        models=tuple(ranks[i] for i in order),
        p_values=PairValues(names, p_values),
        pair_p_values=PairValues(names, pair_p_values),
        ties=tuple(tuple(models[i] for i in run) for run in runs),
        left_out=tuple(sorted(by_model.keys() - set(models))),
        distinguished=PairSet(names, differ == 1),
        uneven=tuple(task for task, hashes in scored.items() if len(hashes) > 1),
        detectable=scores.detectable(name) if is_single else math.nan,
    )


def _square(values: Array, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], n: int) -> Array:
    """(n, n) with the values of pairs in both orders, nan elsewhere."""
    table = np.full((n, n), np.nan)
    table[first, second] = table[second, first] = values
    return table


def _ranks(
    models: Sequence[str],
    means: Array,
    differ: npt.NDArray[np.bool_],
    *,
    is_tested: npt.NDArray[np.bool_],
    errors: Sequence[float | None],
) -> list[ModelRank]:
    places = mean_ranks(means)
    if is_tested.any():
        better = means[np.newaxis] > means[:, np.newaxis]
        low = 1 + (differ & better).sum(axis=1)
        high = len(models) - (differ & ~better).sum(axis=1)
    return [
        ModelRank(model, float(means[i]), int(places[i]), int(low[i]), int(high[i]), errors[i])
        if is_tested[i]
        else ModelRank(model, float(means[i]), int(places[i]), None, None, errors[i])
        for i, model in enumerate(models)
    ]
