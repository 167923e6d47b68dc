"""Results put side by side: what every report, plot and page is made from.

Only what can be compared stands in one table: results of different settings go to separate tables, and a task whose
rows or folds differ between results takes one line for each version of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev

from gene_eval.analysis.groups import FAMILIES, OVERALL, REGRESSION, Suites, group_tasks
from gene_eval.analysis.pairing import Pairing, Pairs, PredictionsOf
from gene_eval.analysis.rankings import GroupRanking, rank
from gene_eval.core.metrics import MAIN_METRIC, PAPER_METRIC
from gene_eval.errors import ReportError
from gene_eval.results.minimum import RULE, meets_minimum
from gene_eval.results.records import PARTED, Settings, TaskRecord, TaskResult, defined
from gene_eval.results.reproduce import COMMON_TO
from gene_eval.results.settings import COMMON
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

# Adapters whose vectors hold nothing about the gene they stand for, or next to nothing.
CONTROLS = ("length", "lookup", "nuisance", "random", "shuffled")
LABEL_METRIC = MAIN_METRIC["binary"]
# Share of a task's entities; a score of fewer is marked, since it may be another task in effect.
LEAST_COVERAGE = 0.9
# What the paper's Figure S1 averages, as Figure 2 does ROC-AUC.
F1 = {"binary": "f1", "multiclass": "f1_weighted", "multilabel": "f1_weighted"}


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in a table; `name` is its id, with version and hashes where one id stands for different data.

    A task that is not `is_counted` is too small for every model (`gene_eval.results.minimum`): in no mean and no rank.
    """

    name: str
    family: str
    target: str
    metric: str
    n: int
    is_ranked: bool
    label_names: tuple[str, ...] = ()
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """A model's main metric on a task and how many of the task's entities it was scored on."""

    mean: float | None
    std: float | None
    n_scored: int
    n_missing: int
    scored_sha256: str = ""
    is_counted: bool = True


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
        controls: Those of them that know nothing, by name.
        tasks: Lines, ranked ones first, by family.
        groups: "overall", family or "regression" to the names of its tasks, see `gene_eval.analysis.groups`.
        figure2_groups: The same with the families of the paper's Figure 2.
        cells: (model, task name) to the score; what was not run is not there.
        results: (model, task name) to all that is known.
        means: Of the main metric, by `groups`.
        figure2: Of the paper's metric, by `figure2_groups`.
        figure_s1: Of F1, by `figure2_groups`; there is none for regression.
        rankings: Ranks by group; groups that no model has all tasks of are not there.
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
        ReportError: there are no results, or two for the same model, task and settings.
    """
    groups: dict[Settings, list[TaskResult]] = defaultdict(list)
    for result in results:
        groups[result.settings].append(result)
    if not groups:
        msg = "no results to report; make some with: gene-bench run MODEL -o DIR"
        raise ReportError(" ".join([msg, *problems[:1]]))
    made = (_table(settings, groups[settings], Pairing(predictions), suites or {}) for settings in sorted(groups))
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


def _table(settings: Settings, results: Sequence[TaskResult], pairing: Pairing, suites: Suites) -> Table:
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
        records[name] = replace(task, id=name)
    cells = {key: _cell(result) for key, result in found.items()}
    models = sorted({result.model.id for result in results})
    controls = tuple(sorted({result.model.id for result in results if result.model.adapter in CONTROLS}))
    large = {name for (_, name), cell in cells.items() if cell.is_counted}
    lines = tuple(
        sorted(
            (_line(task, is_counted=task.id in large) for task in records.values()),
            key=lambda line: (not (line.is_ranked and line.is_counted), _family_key(line)),
        )
    )
    counted = [task for task in records.values() if task.id in large]
    groups = group_tasks(counted, suites)
    figure2_groups = group_tasks(replace(task, family=task.figure2_family or task.family) for task in counted)
    pairs = pairing.unlike(found)
    # Each with its own record: how many examples of a class were scored differs between models.
    renamed = (replace(result, task=replace(result.task, id=name)) for (_, name), result in found.items())
    rankings = rank(renamed, pairs=pairs, suites=suites)
    return Table(
        settings=settings,
        models=_ordered(models, controls, rankings),
        controls=controls,
        tasks=lines,
        groups=groups,
        figure2_groups=figure2_groups,
        cells=cells,
        results=found,
        means=_means(models, groups, found, MAIN_METRIC),
        figure2=_means(models, figure2_groups, found, PAPER_METRIC),
        figure_s1=_means(models, figure2_groups, found, F1),
        rankings=rankings,
        pairs=pairs,
        suites=suites,
        warnings=(
            *_common(results),
            *_mixtures(results, versions),
            *_small_sources(result.task for result in results),
            *_warnings(models, lines, cells, groups),
            *_uneven(lines, pairs),
            *([] if controls else ["no control among these results: add one with: gene-bench run random -o DIR"]),
        ),
    )


def _version(task: TaskRecord) -> tuple[str, str, str, str]:
    return task.id, task.version, task.data_sha256, task.folds_sha256


def _line(task: TaskRecord, *, is_counted: bool) -> TaskLine:
    return TaskLine(
        task.id, task.family, task.target, task.main_metric, task.n, task.ranked, task.label_names, is_counted
    )


def _cell(result: TaskResult) -> Cell:
    score, coverage = result.scores.get(result.task.main_metric), result.coverage
    return Cell(
        mean=defined(score.mean) if score else None,
        # One fit on a published part has no spread; its interval is in the result.
        std=defined(score.std) if score and not (result.task.entity in PARTED and len(score.folds) == 1) else None,
        n_scored=coverage.n_scored,
        n_missing=coverage.n_missing,
        scored_sha256=coverage.scored_sha256,
        is_counted=meets_minimum(result),
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
    def value(model: str, name: str) -> float | None:
        result = results.get((model, name))
        if result is None or not meets_minimum(result):
            return None
        score = result.scores.get(metrics.get(result.task.target, ""))
        return defined(score.mean) if score else None

    means = {}
    for model in models:
        for group, names in groups.items():
            values = [mean for name in names if (mean := value(model, name)) is not None]
            if len(values) == len(names):
                means[model, group] = Mean(fmean(values), pstdev(values) if len(values) > 1 else None, len(values))
    return means


def _mixtures(results: Sequence[TaskResult], versions: Mapping[str, int]) -> Iterable[str]:
    for task_id in sorted(task_id for task_id, count in versions.items() if count > 1):
        yield (
            f"{task_id} stands {versions[task_id]} times: its rows or folds differ between results; "
            "run it again for all models with --overwrite"
        )
    states: dict[str, set[tuple[str | None, str]]] = defaultdict(set)
    pair_modes: dict[str, set[str]] = defaultdict(set)
    diseases: dict[str, set[str]] = defaultdict(set)
    for result in results:
        states[result.model.id].add((result.model.revision, result.model.options_text))
        pair_modes[result.task.id].add(str(result.probe.params.get("pairs")))
        diseases[result.task.id].add(str(result.probe.params.get("diseases")))
    for model in sorted(model for model, known in states.items() if len(known) > 1):
        yield (
            f"{model} has results of {len(states[model])} different revisions or options in one column; "
            "run it again with --overwrite"
        )
    if mixed := sorted(task_id for task_id, known in pair_modes.items() if len(known) > 1):
        yield f"vectors of pairs were made in different ways (--pairs) on {some(mixed)}; run all models the same way"
    if mixed := sorted(task_id for task_id, known in diseases.items() if len(known) > 1):
        yield f"vectors of diseases are of different models (--diseases) on {some(mixed)}; run all with the same one"


def _common(results: Sequence[TaskResult]) -> Iterator[str]:
    """What the entities of a run with `--common-genes` are."""
    entities = results[0].settings.entities
    if entities.startswith(COMMON):
        named = results[0].probe.params.get(COMMON_TO)
        models = some([str(name) for name in named], limit=10) if isinstance(named, list | tuple) else "that run"
        yield f"entities {entities}: only those that all models of one run have ({models})"


def _small_sources(tasks: Iterable[TaskRecord]) -> Iterator[str]:
    """Tasks with less than half of the entities that the paper has: of a first page, say, or half a download."""
    sizes = {task.id: (task.n, task.audit.get("paper_n")) for task in tasks}
    small = [
        f"{name} ({n:,} of {paper_n:,})"
        for name, (n, paper_n) in sorted(sizes.items())
        if isinstance(paper_n, int) and 2 * n < paper_n
    ]
    if small:
        yield f"far fewer entities than in the paper: {some(small)}; are the source's files complete?"


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
    """What scores on different genes mean for reading a row, and which pairs of models cannot be compared there."""
    if uneven := [task.name for task in tasks if any(name == task.name for _, _, name in pairs)]:
        yield (
            f"models were scored on different genes on {some(uneven)}: a row does not compare like with like;"
            " ranks and comparisons take the genes that two models share, --common-genes those that all have"
        )
    reasons: dict[str, list[str]] = defaultdict(list)
    for (one, other, task), pair in pairs.items():
        if isinstance(pair, str):
            reasons[pair].append(f"{one} with {other} on {task}")
    for reason, names in reasons.items():
        yield f"not compared: {some(names, limit=2)}: {reason}"


def _is_scored(cell: Cell | None) -> bool:
    return cell is not None and cell.mean is not None and cell.is_counted
