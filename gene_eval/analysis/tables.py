"""Results put side by side: what every report, plot and page is made from.

Only what can be compared stands in one table: results of different settings go to separate tables, and a task whose
rows or folds differ between results takes one line for each version of it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from gene_eval.analysis.controls import CONTROLS, AgainstControls, against_controls, is_control, near_lines
from gene_eval.analysis.groups import (
    FAMILIES,
    OVERALL,
    REGRESSION,
    Suites,
    group_metric,
    group_tasks,
)
from gene_eval.analysis.heads import LINEAR, HeadDifference, differences_to_linear, is_ranked, linear_of
from gene_eval.analysis.mixtures import common, mixtures, small_sources
from gene_eval.analysis.pairing import MANY_MODELS, MOST_IN_GROUP, MOST_MODELS, Pairing, Pairs, PredictionsOf
from gene_eval.analysis.power import planned, why_unranked
from gene_eval.analysis.rankings import GroupRanking, rank_all
from gene_eval.analysis.splits import HEADLINE, differences_to_random, random_of
from gene_eval.core.metrics import MAIN_METRIC, PAPER_METRIC
from gene_eval.errors import ReportError
from gene_eval.results.minimum import RULE, meets_minimum
from gene_eval.results.records import PARTED, Settings, TaskRecord, TaskResult, defined
from gene_eval.text import some

__all__ = [
    "CONTROLS",
    "F1",
    "LABEL_METRIC",
    "LEAST_COVERAGE",
    "Cell",
    "Mean",
    "Means",
    "Report",
    "Settings",
    "Table",
    "TaskLine",
    "build",
    "labels",
    "scored_of",
]

LABEL_METRIC = MAIN_METRIC["binary"]
# Share of a task's entities; a score on fewer is marked, because in effect it may be another task.
LEAST_COVERAGE = 0.9
# What the paper's Figure S1 averages, as Figure 2 does ROC-AUC.
F1 = {"binary": "f1", "multiclass": "f1_weighted", "multilabel": "f1_weighted"}


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in a table; `name` is its id, with version and hashes where one id stands for different data.

    A task that is not `is_counted` is too small for every model (`gene_eval.results.minimum`): in no mean and no rank.
    `why_unranked` says why any other is in none; `planned` is its planned detectable difference, None where unknown.
    """

    name: str
    family: str
    target: str
    metric: str
    n: int
    is_ranked: bool
    label_names: tuple[str, ...] = ()
    is_counted: bool = True
    why_unranked: str = ""
    planned: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A model's main metric on a task and how many of the task's entities it was scored on.

    `to_random` is the difference to the score on random folds; None on these, and where they were not scored.
    """

    mean: float | None
    std: float | None
    n_scored: int
    n_missing: int
    scored_sha256: str = ""
    is_counted: bool = True
    to_random: float | None = None


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean and population standard deviation of a metric over `n_tasks` tasks; one task has no deviation."""

    mean: float
    std: float | None
    n_tasks: int


Means = Mapping[tuple[str, str], Mean]
"""(model, group) to its mean; a model without a score on every task of the group has none, so that all means of a
column are over the same tasks."""


@dataclass(frozen=True, slots=True)
class Table:
    """Results that can be compared, best model first and controls last.

    Attributes:
        settings: What all results have in common.
        models: Ids, in the order of the overall ranking; those that have none follow by name.
        controls: Those models that know nothing, by name.
        tasks: Lines, ranked ones first, by family.
        groups: "overall", family or "regression" to the names of its tasks, see `gene_eval.analysis.groups`.
        figure2_groups: The same with the families of the paper's Figure 2.
        cells: (model, task name) to the score; absent where nothing was run.
        results: (model, task name) to all that is known.
        means: Of the main metric, by `groups`; of numbers, of what they are ranked by.
        figure2: Of the paper's metric, by `figure2_groups`.
        figure_s1: Of F1, by `figure2_groups`; there is none for regression.
        rankings: Ranks by group; groups that no model has all tasks of are not there. Heads beside the linear one have
            none, see `gene_eval.analysis.heads.is_ranked`.
        task_rankings: Ranks on each task that two models or more have, of the same heads.
        against_controls: Task name to its models beside its controls, where it has both.
        to_linear: (model, task name) to the difference to the linear head, where that has scored the same.
        pairs: (model, model, task) where the two were not scored on the same entities, to what can be compared; see
            `gene_eval.analysis.pairing.Pairing.unlike`.
        suites: "@name" to all tasks that a suite averages, of which `groups` has those at hand.
        warnings: What to keep in mind, one line each.
    """

    settings: Settings
    models: tuple[str, ...]
    controls: tuple[str, ...]
    tasks: tuple[TaskLine, ...]
    groups: Mapping[str, tuple[str, ...]]
    figure2_groups: Mapping[str, tuple[str, ...]]
    cells: Mapping[tuple[str, str], Cell]
    results: Mapping[tuple[str, str], TaskResult]
    means: Means
    figure2: Means
    figure_s1: Means
    rankings: tuple[GroupRanking, ...]
    against_controls: Mapping[str, AgainstControls]
    to_linear: Mapping[tuple[str, str], HeadDifference]
    task_rankings: tuple[GroupRanking, ...]
    pairs: Pairs
    suites: Suites
    warnings: tuple[str, ...]

    @property
    def suite_notes(self) -> tuple[str, ...]:
        """A line for each suite that has all tasks of the overall mean, and therefore no group of its own."""
        overall = set(self.groups.get(OVERALL, ()))
        return tuple(
            f"Overall is {name}: {len(overall)} of its {len(tasks)} tasks are here."
            for name, tasks in self.suites.items()
            if overall and overall <= set(tasks)
        )


@dataclass(frozen=True, slots=True)
class Report:
    """All tables of a results folder, and a line for each file in it that could not be used."""

    tables: tuple[Table, ...]
    problems: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to keep in mind about the files and all tables, each line once."""
        return tuple(dict.fromkeys([*self.problems, *(line for table in self.tables for line in table.warnings)]))


def build(
    results: Iterable[TaskResult],
    *,
    problems: Sequence[str] = (),
    predictions: PredictionsOf | None = None,
    suites: Suites | None = None,
) -> Report:
    """Put results into as few tables as can honestly hold them, sorted by their settings.

    Args:
        results: Of any models, tasks and settings.
        problems: A line for each file that could not be used.
        predictions: Gives what was predicted, so that models are compared on the entities that both have.
        suites: "@name" to the tasks of a suite, which gets a mean and ranks of its own.

    Raises:
        ReportError: There are no results, or two for the same model, task and settings.
    """
    groups: dict[Settings, list[TaskResult]] = defaultdict(list)
    for result in results:
        groups[result.settings].append(result)
    if not groups:
        msg = "no results to report; make some with: gene-bench run MODEL -o DIR"
        raise ReportError(" ".join([msg, *problems[:1]]))
    made = (
        _table(settings, groups, Pairing(predictions), suites or {})
        for settings in sorted(groups, key=lambda each: (each.split != HEADLINE, each))
    )
    return Report(tuple(made), tuple(problems))


def labels(table: Table, task: TaskLine) -> tuple[str, ...]:
    """Labels of a multi-label task for which some model has scores, in the order of the task."""
    scored = {label for model in table.models if (one := table.results.get((model, task.name))) for label in one.labels}
    return (*(label for label in task.label_names if label in scored), *sorted(scored - set(task.label_names)))


def scored_of(task: TaskLine, cells: Iterable[Cell | None]) -> str:
    """How many of a task's entities were scored, from the least to the most of the models.

    >>> line = TaskLine("t", "f", "binary", "roc_auc", 2760, True)
    >>> scored_of(line, [Cell(0.5, 0.1, 445, 2315), None]), scored_of(line, [Cell(0.5, 0.1, 2760, 0)])
    ('445 of 2760', '2760')
    """
    counts = sorted({cell.n_scored for cell in cells if cell})
    if counts in ([], [task.n]):
        return str(task.n)
    return f"{counts[0]}{f'-{counts[-1]}' if len(counts) > 1 else ''} of {task.n}"


def _table(
    settings: Settings, by_settings: Mapping[Settings, Sequence[TaskResult]], pairing: Pairing, suites: Suites
) -> Table:
    results, linear = by_settings[settings], by_settings.get(linear_of(settings), ())
    # A published score knows no hashes: it stands in the line of the task, whichever rows that has here.
    versions = Counter(task_id for task_id, *_ in {_version(each.task) for each in results if not each.imported})
    records: dict[str, TaskRecord] = {}
    found: dict[tuple[str, str], TaskResult] = {}
    for result in sorted(results, key=lambda each: not each.imported):
        task = result.task
        version = f" (version {task.version}, data {task.data_sha256[:8]}, folds {task.folds_sha256[:8]})"
        name = task.id + (version if versions[task.id] > 1 else "")
        if (result.model.id, name) in found:
            msg = f"two results of {result.model.id} on {name} with {settings}; keep one of them"
            raise ReportError(msg)
        found[result.model.id, name] = result
        records[name] = task if name == task.id else replace(task, id=name)
    at_random = by_settings.get(random_of(settings), ()) if random_of(settings) != settings else ()
    to_random = differences_to_random(found, at_random)
    cells = {key: _cell(result, to_random.get(key)) for key, result in found.items()}
    models = sorted({result.model.id for result in results})
    controls = tuple(sorted({result.model.id for result in results if is_control(result)}))
    large = {name for (_, name), cell in cells.items() if cell.is_counted}
    lines = tuple(
        sorted(
            (_line(task, is_counted=task.id in large) for task in records.values()),
            key=lambda line: (not (line.is_ranked and line.is_counted), _family_key(line)),
        )
    )
    counted = [task for task in records.values() if task.id in large]
    groups = group_tasks(counted, suites)
    by_figure2 = group_tasks(
        (replace(task, family=task.figure2_family or task.family) for task in counted), suites, weak=True
    )
    figure2_groups = {name: tasks for name, tasks in by_figure2.items() if name not in suites}
    pairs = pairing.unlike(found)
    # Each has its own record: how many examples of a class were scored differs between models.
    renamed = [
        result if name == result.task.id else replace(result, task=replace(result.task, id=name))
        for (_, name), result in found.items()
    ]
    groups_ranked, tasks_ranked = rank_all(renamed, pairs=pairs, suites=suites)
    rankings = tuple(group for group in groups_ranked if is_ranked(settings, group.name))
    kinds = {task.id: REGRESSION if task.target == "regression" else OVERALL for task in records.values()}
    task_rankings = [task for task in tasks_ranked if is_ranked(settings, kinds[task.name])]
    against = against_controls(found, pairs)
    enough = {key: result for key, result in found.items() if cells[key].is_counted}
    return Table(
        settings=settings,
        models=_ordered(models, controls, rankings),
        controls=controls,
        tasks=lines,
        groups=groups,
        figure2_groups=figure2_groups,
        cells=cells,
        results=found,
        means=_means(models, groups, enough, {**MAIN_METRIC, REGRESSION: group_metric(REGRESSION, settings)}),
        figure2=_means(models, figure2_groups, enough, PAPER_METRIC),
        figure_s1=_means(models, figure2_groups, enough, F1),
        rankings=rankings,
        task_rankings=tuple(task_rankings),
        against_controls=against,
        to_linear={} if settings.head == LINEAR else differences_to_linear(found, linear),
        pairs=pairs,
        suites=suites,
        warnings=(
            *common(results),
            *mixtures(results, versions),
            *small_sources(result.task for result in results),
            *_warnings(models, lines, cells, groups),
            *_uneven(lines, pairs),
            *near_lines(models, against),
            *_many(models),
            *([] if controls else ["no control among these results: add one with: gene-bench run random -o DIR"]),
        ),
    )


def _version(task: TaskRecord) -> tuple[str, str, str, str]:
    return task.id, task.version, task.data_sha256, task.folds_sha256


def _line(task: TaskRecord, *, is_counted: bool) -> TaskLine:
    return TaskLine(
        name=task.id,
        family=task.family,
        target=task.target,
        metric=task.main_metric,
        n=task.n,
        is_ranked=not why_unranked(task),
        label_names=task.label_names,
        is_counted=is_counted,
        why_unranked=why_unranked(task),
        planned=defined(planned(task)),
    )


def _cell(result: TaskResult, to_random: float | None) -> Cell:
    score, coverage = result.scores.get(result.task.main_metric), result.coverage
    return Cell(
        mean=defined(score.mean) if score else None,
        # One fit on a published part has no spread; its interval is in the result.
        std=defined(score.std) if score and not (result.task.entity in PARTED and len(score.folds) == 1) else None,
        n_scored=coverage.n_scored,
        n_missing=coverage.n_missing,
        scored_sha256=coverage.scored_sha256,
        is_counted=meets_minimum(result),
        to_random=to_random,
    )


def _family_key(line: TaskLine) -> tuple[int, str, str]:
    position = FAMILIES.index(line.family) if line.family in FAMILIES else len(FAMILIES)
    return position, line.family, line.name


def _ordered(models: Iterable[str], controls: Sequence[str], rankings: Sequence[GroupRanking]) -> tuple[str, ...]:
    main = next((group for group in rankings if group.name in (OVERALL, REGRESSION)), None)
    order = {each.model: number for number, each in enumerate(main.models)} if main else {}
    return tuple(sorted(models, key=lambda model: (model in controls, order.get(model, len(order)), model)))


def _means(
    models: Iterable[str],
    groups: Mapping[str, Sequence[str]],
    results: Mapping[tuple[str, str], TaskResult],
    metrics: Mapping[str, str],
) -> Means:
    scores = {
        (model, name): score.mean
        for (model, name), result in results.items()
        if (score := result.scores.get(metrics.get(result.task.target, ""))) is not None and not math.isnan(score.mean)
    }
    means = {}
    for model in models:
        for group, names in groups.items():
            values = [mean for name in names if (mean := scores.get((model, name))) is not None]
            if len(values) == len(names):
                means[model, group] = Mean(
                    fmean(values), float(np.std(values)) if len(values) > 1 else None, len(values)
                )
    return means


def _warnings(
    models: Sequence[str],
    tasks: Sequence[TaskLine],
    cells: Mapping[tuple[str, str], Cell],
    groups: Mapping[str, Sequence[str]],
) -> Iterable[str]:
    if small := [task.name for task in tasks if task.is_ranked and not task.is_counted]:
        yield f"{some(small)} {'are' if len(small) > 1 else 'is'} in no mean and no rank: {RULE}"
    counted = {name for names in groups.values() for name in names}
    ranked = [task.name for task in tasks if task.name in counted]
    for model in models:
        lacking = [name for name in ranked if not _is_scored(cells.get((model, name)))]
        if lacking:
            yield (
                f"{model} has no score on {len(lacking)} of {len(ranked)} tasks ({some(lacking)}): "
                "no mean that includes them is shown for it"
            )


def _uneven(tasks: Sequence[TaskLine], pairs: Pairs) -> Iterator[str]:
    """How to read a row of scores on different genes, and which pairs of models cannot be compared there."""
    unlike = {name for _, _, name in pairs} | pairs.apart.keys()
    if uneven := [task.name for task in tasks if task.name in unlike]:
        yield (
            f"models were scored on different genes on {some(uneven)}: a row does not compare like with like;"
            " ranks and comparisons take the genes that two models share, --common-genes those that all models have"
        )
    reasons: dict[str, list[str]] = defaultdict(list)
    for (one, other, task), pair in pairs.items():
        if isinstance(pair, str):
            reasons[pair].append(f"{one} with {other} on {task}")
    if pairs.apart:
        yield f"not compared: models with others on {some(sorted(pairs.apart))}: {MANY_MODELS}"
    for reason, names in reasons.items():
        yield f"not compared: {some(names, limit=2)}: {reason}"


def _many(models: Sequence[str]) -> Iterator[str]:
    if len(models) > MOST_MODELS:
        most, ranks = (MOST_MODELS, "ranks on single tasks")
        if len(models) > MOST_IN_GROUP:
            most, ranks = (MOST_IN_GROUP, "ranks")
        yield (
            f"{len(models):,} models, more than {most:,}: {ranks} have no interval, and p-values and"
            " ties of single pairs are left out; of two models: gene-bench compare DIR MODEL MODEL"
        )


def _is_scored(cell: Cell | None) -> bool:
    return cell is not None and cell.mean is not None and cell.is_counted
