"""Ranks of all models over tasks, with intervals, and the models that are not distinguished."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.groups import basis, clusters, generalizes, group_metric, group_tasks
from gene_eval.analysis.pairing import why_not_paired
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.statistics.paired_tests import ALPHA, fixed_tasks_p_values, holm
from gene_eval.core.statistics.resampling import Ranking, cluster_means, rank_models, tie_groups
from gene_eval.errors import ReportError
from gene_eval.results.minimum import meets_minimum
from gene_eval.results.records import Score, TaskRecord, TaskResult

__all__ = ["GroupRanking", "ModelRank", "rank"]


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
            if the two were scored on different genes.
        ties: Largest runs of models, best first, of which no two differ; a model may be in several. Two differ if p is
            below 0.05 and, where there are fewer than six sources, every task points the same way.
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
    ties: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]
    uneven: tuple[str, ...]
    distinguished: frozenset[tuple[str, str]] = frozenset()


def rank(results: Iterable[TaskResult], *, seed: int = 0) -> tuple[GroupRanking, ...]:
    """Rank all models overall, by family, and on regression tasks.

    With six sources or more in a group, differences are tested by a bootstrap of sources; with fewer, by
    `fixed_tasks_p_values`, about these tasks only. Intervals and ties follow from these tests. Groups that no model has
    all tasks of are not there; a result that is too small (`gene_eval.results.minimum`) counts as none.

    Args:
        results: Of one setting, and of one version, labels and folds of each task.
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
    groups = group_tasks(records.values())
    found = (_group(name, [records[task] for task in tasks], by_model, seed) for name, tasks in groups.items())
    return tuple(group for group in found if group is not None)


def _version(task: TaskRecord) -> tuple[str, str, str]:
    return task.version, task.data_sha256, task.folds_sha256


def _group(
    name: str, tasks: Sequence[TaskRecord], by_model: Mapping[str, Mapping[str, TaskResult]], seed: int
) -> GroupRanking | None:
    scores = {model: [_main_score(of_model.get(task.id)) for task in tasks] for model, of_model in by_model.items()}
    models = sorted(model for model, row in scores.items() if all(score is not None for score in row))
    if not models:
        return None
    rows = [[score for score in scores[model] if score is not None] for model in models]
    means = np.array([[score.mean for score in row] for row in rows], dtype=np.float64)
    ranking = rank_models(means, clusters=clusters(tasks), seed=seed)
    ratio = max(by_model[model][task.id].test_train_ratio for model in models for task in tasks)
    p_values = ranking.p_values if generalizes(tasks) else _fixed_p_values(rows, test_train_ratio=ratio)
    p_values = np.where(_paired([[by_model[model][task.id] for task in tasks] for model in models]), p_values, np.nan)
    differ = p_values < ALPHA
    if not generalizes(tasks):
        differ &= _consistent(means)
    order = np.argsort(-ranking.means, kind="stable").tolist()
    ranks = _ranks(models, ranking, differ, is_tested=~np.isnan(p_values), errors=_errors(means, clusters(tasks)))
    ordered = [(i, j) for i in range(len(models)) for j in range(len(models)) if i != j]
    scored = {task.id: {by_model[model][task.id].coverage.scored_sha256 for model in models} for task in tasks}
    return GroupRanking(
        name=name,
        metric=group_metric(name),
        tasks=tuple(task.id for task in tasks),
        basis=basis(tasks),
        models=tuple(ranks[i] for i in order),
        p_values={(models[i], models[j]): float(p_values[i, j]) for i, j in ordered},
        ties=tuple(tuple(models[i] for i in run) for run in tie_groups(ranking.means, np.where(differ, 0.0, 1.0))),
        left_out=tuple(sorted(by_model.keys() - set(models))),
        distinguished=frozenset((models[i], models[j]) for i, j in np.argwhere(differ).tolist()),
        uneven=tuple(task for task, hashes in scored.items() if len(hashes) > 1),
    )


def _main_score(result: TaskResult | None) -> Score | None:
    score = result.scores.get(MAIN_METRIC[result.task.target]) if result else None
    return None if score is None or math.isnan(score.mean) else score


def _fixed_p_values(rows: Sequence[Sequence[Score]], *, test_train_ratio: float) -> npt.NDArray[np.float64]:
    n_folds = max(len(score.folds) for row in rows for score in row)
    folds = np.full((len(rows), len(rows[0]), n_folds), np.nan)
    for i, row in enumerate(rows):
        for j, score in enumerate(row):
            folds[i, j, : len(score.folds)] = score.folds
    p_values = fixed_tasks_p_values(folds, test_train_ratio=test_train_ratio)
    upper = np.triu_indices(len(rows), k=1)
    p_values[upper] = holm(p_values[upper])
    p_values.T[upper] = p_values[upper]
    return p_values


def _paired(results: Sequence[Sequence[TaskResult]]) -> npt.NDArray[np.bool_]:
    """(M, M) whether two models can be paired on every task."""
    table = np.ones((len(results), len(results)), dtype=bool)
    for i, row in enumerate(results):
        for j, other in enumerate(results[:i]):
            table[i, j] = table[j, i] = not any(map(why_not_paired, row, other))
    return table


def _consistent(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """(M, M) whether no task points the other way, for (M, T) scores."""
    differences = scores[:, np.newaxis] - scores[np.newaxis]
    return np.asarray((differences >= 0).all(axis=2) | (differences <= 0).all(axis=2))


def _errors(scores: npt.NDArray[np.float64], units: Sequence[str]) -> list[float | None]:
    """Standard error of each model's mean over clusters."""
    by_unit = cluster_means(scores, units)
    n = by_unit.shape[1]
    return [None] * len(scores) if n < 2 else (by_unit.std(axis=1, ddof=1) / math.sqrt(n)).tolist()


def _ranks(
    models: Sequence[str],
    ranking: Ranking,
    differ: npt.NDArray[np.bool_],
    *,
    is_tested: npt.NDArray[np.bool_],
    errors: Sequence[float | None],
) -> list[ModelRank]:
    better = ranking.means[np.newaxis] > ranking.means[:, np.newaxis]
    low = 1 + (differ & better).sum(axis=1)
    high = len(models) - (differ & ~better).sum(axis=1)
    return [
        ModelRank(model, float(ranking.means[i]), int(ranking.ranks[i]), int(low[i]), int(high[i]), errors[i])
        if is_tested[i].any()
        else ModelRank(model, float(ranking.means[i]), int(ranking.ranks[i]), None, None, errors[i])
        for i, model in enumerate(models)
    ]
