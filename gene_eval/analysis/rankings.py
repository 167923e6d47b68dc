"""Ranks of all models over tasks, with intervals, and the models that are not distinguished."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.groups import basis, clusters, generalizes, group_metric, group_tasks
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.statistics.paired_tests import fixed_tasks_p_values, holm
from gene_eval.core.statistics.resampling import rank_models, tie_groups
from gene_eval.errors import ReportError
from gene_eval.results.records import Score, TaskRecord, TaskResult

__all__ = ["GroupRanking", "ModelRank", "rank"]


@dataclass(frozen=True, slots=True)
class ModelRank:
    """A model's rank by `mean`; `low` (best) to `high` (worst) is the 95 % interval, None with too few tasks."""

    model: str
    mean: float
    rank: int
    low: int | None
    high: int | None


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
        p_values: (model, model) to the Holm-adjusted p-value of their difference, in both orders; nan if untestable.
        ties: Largest runs of models, best first, of which no two differ (p < 0.05); a model may be in several.
        left_out: Models without a score on every task of the group.
        uneven: Tasks on which the models were scored on different genes.
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


def rank(results: Iterable[TaskResult], *, seed: int = 0) -> tuple[GroupRanking, ...]:
    """Rank all models overall, by family, and on regression tasks.

    With six sources or more in a group, sources are resampled and differences tested by that bootstrap; with fewer,
    tasks are resampled for the intervals (a multi-label task with its labels), and differences tested by
    `stats.fixed_tasks_p_values`. Groups that no model has all tasks of are not there.

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
    p_values = ranking.p_values if generalizes(tasks) else _fixed_p_values(rows)
    order = np.argsort(-ranking.means, kind="stable").tolist()
    columns = zip(models, ranking.means.tolist(), ranking.ranks.tolist(), ranking.low, ranking.high, strict=True)
    ranks = [ModelRank(model, mean, int(at), _rank(low), _rank(high)) for model, mean, at, low, high in columns]
    ordered = [(i, j) for i in range(len(models)) for j in range(len(models)) if i != j]
    scored = {task.id: {by_model[model][task.id].coverage.scored_sha256 for model in models} for task in tasks}
    return GroupRanking(
        name=name,
        metric=group_metric(name),
        tasks=tuple(task.id for task in tasks),
        basis=basis(tasks),
        models=tuple(ranks[i] for i in order),
        p_values={(models[i], models[j]): float(p_values[i, j]) for i, j in ordered},
        ties=tuple(tuple(models[i] for i in run) for run in tie_groups(ranking.means, p_values)),
        left_out=tuple(sorted(by_model.keys() - set(models))),
        uneven=tuple(task for task, hashes in scored.items() if len(hashes) > 1),
    )


def _main_score(result: TaskResult | None) -> Score | None:
    score = result.scores.get(MAIN_METRIC[result.task.target]) if result else None
    return None if score is None or math.isnan(score.mean) else score


def _fixed_p_values(rows: Sequence[Sequence[Score]]) -> npt.NDArray[np.float64]:
    n_folds = max(len(score.folds) for row in rows for score in row)
    folds = np.full((len(rows), len(rows[0]), n_folds), np.nan)
    for i, row in enumerate(rows):
        for j, score in enumerate(row):
            folds[i, j, : len(score.folds)] = score.folds
    p_values = fixed_tasks_p_values(folds, test_train_ratio=1 / max(n_folds - 1, 1))
    upper = np.triu_indices(len(rows), k=1)
    p_values[upper] = holm(p_values[upper])
    p_values.T[upper] = p_values[upper]
    return p_values


def _rank(value: float) -> int | None:
    return None if math.isnan(value) else int(value)
