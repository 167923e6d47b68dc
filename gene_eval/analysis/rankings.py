"""Ranks of all models over tasks, with intervals, and the models that are not distinguished."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.groups import Suites, basis, clusters, generalizes, group_metric, group_tasks
from gene_eval.analysis.pairing import Pair, Pairing, Pairs
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.statistics.paired_tests import ALPHA, fixed_tasks_p_values, holm
from gene_eval.core.statistics.resampling import bootstrap_p_values, cluster_means, mean_ranks, tie_groups
from gene_eval.errors import ReportError
from gene_eval.results.minimum import meets_minimum
from gene_eval.results.records import Score, TaskRecord, TaskResult

__all__ = ["GroupRanking", "ModelRank", "rank"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModelRank:
    """A model's rank by `mean`, whose standard error over sources (or tasks) is `std_error`, None for one of them.

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
        name: "overall", a family or "regression", see `gene_eval.analysis.groups`.
        metric: "roc_auc" or "r2".
        tasks: Ids of the group's tasks.
        basis: What means are over: "8 sources" (each counts once, by the mean of its tasks), or "3 tasks" (the
            labels of one multi-label task count as one).
        models: Ranks, best first.
        p_values: (model, model) to the Holm-adjusted p-value of their difference, in both orders; nan if untestable, or
            if the two cannot be paired on one of the tasks (see `gene_eval.analysis.pairing`).
        pair_p_values: The same before the adjustment: what a comparison of these two alone finds.
        ties: Largest runs of models, best first, of which no two differ; a model may be in several. Two differ if p is
            below 0.05, the entities that both have point the way of the means and, where there are fewer than six
            sources, every task points the same way.
        left_out: Models without a score on every task of the group.
        uneven: Tasks on which the models were scored on different genes.
        distinguished: Pairs of models that differ, in both orders.
    """

    name: str
    metric: str
    tasks: tuple[str, ...]
    basis: str
    models: tuple[ModelRank, ...]
    p_values: Mapping[tuple[str, str], float]
    pair_p_values: Mapping[tuple[str, str], float]
    ties: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]
    uneven: tuple[str, ...]
    distinguished: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Scores:
    """Main metric of models on tasks: (M, T, F) folds and, for the P pairs of models, (P, T, F) differences."""

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    folds: Array
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    differences: Array


def rank(
    results: Iterable[TaskResult], *, pairs: Pairs | None = None, suites: Suites | None = None, seed: int = 0
) -> tuple[GroupRanking, ...]:
    """Rank all models overall, by family, and on regression tasks.

    With six sources or more in a group, differences are tested by a bootstrap of sources; with fewer, by
    `fixed_tasks_p_values`, about these tasks only. Intervals and ties follow from these tests. Groups that no model has
    all tasks of are not there; a result that is too small (`gene_eval.results.minimum`) counts as none.

    Args:
        results: Of one setting, and of one version, labels and folds of each task.
        pairs: What `Pairing.unlike` finds; None goes by the results alone, without predictions.
        suites: Lists of tasks that are ranked by themselves, see `group_tasks`.
        seed: Of the bootstrap.

    Raises:
        ReportError: There are several of these, or two results of a model on a task.
    """
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
    groups = group_tasks(records.values(), suites)
    if pairs is None:
        pairs = Pairing().unlike({(name, task): one for name, each in by_model.items() for task, one in each.items()})
    scores = _scores(by_model, sorted(records), pairs)
    found = (_group(name, [records[task] for task in tasks], by_model, scores, seed) for name, tasks in groups.items())
    return tuple(group for group in found if group is not None)


def _version(task: TaskRecord) -> tuple[str, str, str]:
    return task.version, task.data_sha256, task.folds_sha256


def _scores(by_model: Mapping[str, Mapping[str, TaskResult]], tasks: Sequence[str], pairs: Pairs) -> _Scores:
    """The scores by fold, and what every pair of models differs by on the entities that both have."""
    models = sorted(by_model)
    found = {
        (i, j): _main_score(by_model[model].get(task)) for i, model in enumerate(models) for j, task in enumerate(tasks)
    }
    n_folds = max((len(score.folds) for score in found.values() if score), default=0)
    folds = np.full((len(models), len(tasks), n_folds), np.nan)
    for (i, j), score in found.items():
        if score is not None:
            folds[i, j, : len(score.folds)] = score.folds
    first, second = np.triu_indices(len(models), k=1)
    differences = folds[first] - folds[second]
    number = {(models[a], models[b]): n for n, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True))}
    column = {task: j for j, task in enumerate(tasks)}
    for (one, other, task), pair in pairs.items():
        if task in column and (one, other) in number:
            cell = differences[number[one, other], column[task]]
            if not (isinstance(pair, Pair) and pair.is_counted):
                cell[:] = np.nan
            elif pair.kind == "shared":
                cell[:] = np.nan
                cell[: len(pair.first)] = np.subtract(pair.first, pair.second)
    return _Scores(tuple(models), tuple(tasks), folds, first, second, differences)


def _group(
    name: str,
    tasks: Sequence[TaskRecord],
    by_model: Mapping[str, Mapping[str, TaskResult]],
    scores: _Scores,
    seed: int,
) -> GroupRanking | None:
    columns = [scores.tasks.index(task.id) for task in tasks]
    has_all: npt.NDArray[np.bool_] = np.all(~np.isnan(_mean(scores.folds[:, columns])), axis=1)
    chosen = np.flatnonzero(has_all)
    if not len(chosen):
        return None
    models = [scores.models[i] for i in chosen]
    means = cluster_means(_mean(scores.folds[chosen][:, columns]), clusters(tasks))
    mean = means.mean(axis=1)
    pairs = np.flatnonzero(has_all[scores.first] & has_all[scores.second])
    by_fold = scores.differences[pairs][:, columns]
    ratio = max(by_model[model][task.id].test_train_ratio for model in models for task in tasks)
    raw = _pair_p_values(by_fold, tasks, seed, test_train_ratio=ratio)
    first, second = (np.searchsorted(chosen, side[pairs]) for side in (scores.first, scores.second))
    is_clear = (holm(raw) < ALPHA) & _points_one_way(by_fold, mean[first] - mean[second], tasks)
    p_values, pair_p_values, differ = (
        _square(values, first, second, len(models)) for values in (holm(raw), raw, is_clear.astype(np.float64))
    )
    order = np.argsort(-mean, kind="stable").tolist()
    ranks = _ranks(models, mean, differ == 1, is_tested=~np.isnan(p_values), errors=_errors(means))
    ordered = [(i, j) for i in range(len(models)) for j in range(len(models)) if i != j]
    scored = {task.id: {by_model[model][task.id].coverage.scored_sha256 for model in models} for task in tasks}
    return GroupRanking(
        name=name,
        metric=group_metric(name),
        tasks=tuple(task.id for task in tasks),
        basis=basis(tasks),
        models=tuple(ranks[i] for i in order),
        p_values={(models[i], models[j]): float(p_values[i, j]) for i, j in ordered},
        pair_p_values={(models[i], models[j]): float(pair_p_values[i, j]) for i, j in ordered},
        ties=tuple(tuple(models[i] for i in run) for run in tie_groups(mean, np.where(differ == 1, 0.0, 1.0))),
        left_out=tuple(sorted(by_model.keys() - set(models))),
        distinguished=frozenset((models[i], models[j]) for i, j in ordered if differ[i, j] == 1),
        uneven=tuple(task for task, hashes in scored.items() if len(hashes) > 1),
    )


def _main_score(result: TaskResult | None) -> Score | None:
    score = result.scores.get(MAIN_METRIC[result.task.target]) if result else None
    return None if score is None or math.isnan(score.mean) else score


def _mean(folds: Array) -> Array:
    """Mean over the folds that are defined, nan where none is."""
    defined = ~np.isnan(folds)
    total = np.where(defined, folds, 0.0).sum(axis=-1)
    means: Array = np.where(defined.any(axis=-1), total / np.maximum(defined.sum(axis=-1), 1), np.nan)
    return means


def _pair_p_values(differences: Array, tasks: Sequence[TaskRecord], seed: int, *, test_train_ratio: float) -> Array:
    units = clusters(tasks)
    if generalizes(tasks):
        return bootstrap_p_values(_mean(differences), clusters=units, seed=seed)
    return fixed_tasks_p_values(differences, test_train_ratio=test_train_ratio, clusters=units)


def _points_one_way(by_fold: Array, by_mean: Array, tasks: Sequence[TaskRecord]) -> npt.NDArray[np.bool_]:
    """(P,) whether the entities that both have say the same as the means and, of few sources, every task does."""
    differences = np.nan_to_num(_mean(by_fold))
    if len(differences) and generalizes(tasks):
        differences = cluster_means(differences, clusters(tasks)).mean(axis=1, keepdims=True)
    signs = np.sign(differences)
    return np.asarray((signs * np.sign(by_mean)[:, np.newaxis] >= 0).all(axis=1))


def _square(values: Array, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], n: int) -> Array:
    """(n, n) with the values of pairs in both orders, nan elsewhere."""
    table = np.full((n, n), np.nan)
    table[first, second] = table[second, first] = values
    return table


def _errors(by_unit: Array) -> list[float | None]:
    """Standard error of each model's mean over clusters."""
    n = by_unit.shape[1]
    return [None] * len(by_unit) if n < 2 else (by_unit.std(axis=1, ddof=1) / math.sqrt(n)).tolist()


def _ranks(
    models: Sequence[str],
    means: Array,
    differ: npt.NDArray[np.bool_],
    *,
    is_tested: npt.NDArray[np.bool_],
    errors: Sequence[float | None],
) -> list[ModelRank]:
    places = mean_ranks(means)
    better = means[np.newaxis] > means[:, np.newaxis]
    low = 1 + (differ & better).sum(axis=1)
    high = len(models) - (differ & ~better).sum(axis=1)
    return [
        ModelRank(model, float(means[i]), int(places[i]), int(low[i]), int(high[i]), errors[i])
        if is_tested[i].any()
        else ModelRank(model, float(means[i]), int(places[i]), None, None, errors[i])
        for i, model in enumerate(models)
    ]
