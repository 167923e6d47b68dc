"""Two models, compared on the tasks, genes and folds that they share; `comparison_text` says what was found.

Only what can be paired is compared, on the entities that both have (see `gene_eval.analysis.pairing`). Whatever is left
out is counted, with the reason.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from gene_eval.analysis.all_pairs import AllPairs
from gene_eval.analysis.groups import (
    SOURCE_CORRELATION,
    Suites,
    basis,
    clusters,
    generalizes,
    group_metric,
    group_tasks,
    ranking_metric,
)
from gene_eval.analysis.pairing import Pair, Pairing, PredictionsOf
from gene_eval.analysis.power import why_unranked
from gene_eval.analysis.selection import choose_settings
from gene_eval.core.statistics.over_tasks import ClusterMean, cluster_means, cluster_t_test
from gene_eval.core.statistics.paired_tests import (
    ALPHA,
    PairedTest,
    benjamini_hochberg,
    corrected_t_test,
    fixed_tasks_test,
    standard_error_factors,
)
from gene_eval.errors import ReportError
from gene_eval.results.minimum import RULE, meets_minimum
from gene_eval.results.paths import slug
from gene_eval.results.records import Settings, TaskRecord, TaskResult
from gene_eval.text import count, nearest, some

__all__ = ["Comparison", "GroupComparison", "TaskComparison", "compare", "find_model"]


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """Two models on one task, by the metric that models are ranked by.

    `mean_a` and `mean_b` are over the folds in which both are defined, `test.n` of `n_folds`, and over the `n_scored`
    entities that are compared: which these are, `kind` says (see `gene_eval.analysis.pairing.Pair`). `holm_p` is the
    p-value adjusted for all pairs of models on this task, as in ranks, `bh_p` for the tasks compared; `detectable` is
    the smallest true difference that would probably (with a chance of 80 %) be found on this task, by the errors of all
    pairs of models. An undefined number is nan. A task that is not `is_counted` is too small for statements over tasks;
    `why_unranked` says why any other is in none.
    """

    task: TaskRecord
    metric: str
    n_scored: int
    n_folds: int
    mean_a: float
    mean_b: float
    test: PairedTest
    holm_p: float
    bh_p: float
    detectable: float
    is_counted: bool = True
    kind: str = "same"

    @property
    def why_unranked(self) -> str:
        """Why the task is in no statement over tasks, whatever its scores are; empty for others."""
        return why_unranked(self.task)

    @property
    def detectable_interval(self) -> tuple[float, float]:
        """Interval of the true value of `detectable` (95 %); it is wide, because few folds estimate it poorly."""
        low, high = standard_error_factors(self.test.df)
        return self.detectable * low, self.detectable * high

    @property
    def better(self) -> str:
        """The better model: "a", "b", or "" where the difference is not clear after Holm's correction."""
        return _better(self.test.difference, self.holm_p)


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """Two models over the tasks of a group (see `gene_eval.analysis.groups`).

    With six sources or more, every source counts once, and `p_value` is of a t-test over sources (`basis` is
    "8 sources"): the statement is about tasks from sources like these. With fewer, every task counts once (labels of
    one multi-label task as one) and `p_value` is that of `fixed_tasks_test` (`basis` is "3 tasks"): the statement is
    about these tasks only.
    `holm_p` is adjusted for all pairs of models that have these tasks, as in ranks. `wins_a` counts the tasks on
    which A is better after correction, `ahead_a` those on which its score is higher.
    """

    name: str
    metric: str
    n_tasks: int
    basis: str
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p_value: float
    holm_p: float
    wins_a: int
    wins_b: int
    ahead_a: int
    ahead_b: int

    @property
    def is_mixed(self) -> bool:
        """Whether there are few sources and their tasks do not all point the same way."""
        return "source" not in self.basis and self.ahead_a > 0 and self.ahead_b > 0

    @property
    def better(self) -> str:
        """The better model: "a", "b", or "" where the difference is not clear, or `is_mixed`."""
        return "" if self.is_mixed else _better(self.difference, self.holm_p)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on everything that can be paired.

    `left_out` holds, by reason, the tasks that could not be paired; `mixed` the models whose results have several
    revisions or options, so that they are not one model. p-values are adjusted for all pairs of the `n_models` of the
    results.
    """

    model_a: str
    model_b: str
    settings: Settings
    groups: tuple[GroupComparison, ...]
    tasks: tuple[TaskComparison, ...]
    left_out: Mapping[str, tuple[str, ...]]
    mixed: tuple[str, ...]
    n_models: int = 2

    @property
    def warnings(self) -> tuple[str, ...]:
        """A line for each reason why tasks were left out, and for each mixed model."""
        left_out = (
            f"{count(len(tasks), 'task')} left out: {reason} ({some(tasks)})" for reason, tasks in self.left_out.items()
        )
        mixed = (
            f"{model} has results of different revisions or options; run it again with --overwrite"
            for model in self.mixed
        )
        shared = [task.task.id for task in self.tasks if task.kind == "shared"]
        fewer = [f"{count(len(shared), 'task')} compared on the entities that both models have ({some(shared)})"]
        close = [task.task.id for task in self.tasks if task.kind == "nearly"]
        nearly = [f"{count(len(close), 'task')} compared on genes of which up to 1 % differ ({some(close)})"]
        small = [task.task.id for task in self.tasks if not task.is_counted]
        shown = [f"{count(len(small), 'task')} too small to be part of a mean ({some(small)}): {RULE}"]
        weak = [f"{task.task.id} ({why})" for task in self.tasks if task.is_counted and (why := task.why_unranked)]
        unranked = [f"{count(len(weak), 'task')} part of no mean: {some(weak)}"]
        told = ((shared, fewer), (close, nearly), (small, shown), (weak, unranked))
        return (*left_out, *mixed, *(line for tasks, lines in told if tasks for line in lines))


def compare(
    results: Iterable[TaskResult],
    model_a: str,
    model_b: str,
    *,
    where: Mapping[str, Any] | None = None,
    predictions: PredictionsOf | None = None,
    suites: Suites | None = None,
) -> Comparison:
    """Compare two models on every task that both were scored on in the same way.

    Args:
        results: Those of any models; the two are picked out, and p-values adjusted for the pairs of all.
        model_a: Name of the first model, see `find_model`.
        model_b: Name of the second.
        where: Axes of the settings to compare, where both have results of several; see `choose_settings`.
        suites: Lists of tasks that are compared by themselves as well, see `group_tasks`.
        predictions: Gives what was predicted, for the entities that both have; see `Pairing`.

    Raises:
        ReportError: A model has no results, both are the same, or they share no task that can be paired.
    """
    given = list(results)
    models = sorted({result.model.id for result in given})
    if len(models) < 2:
        held = f"results of one model only ({models[0]})" if models else "no results"
        msg = f"{held}: nothing to compare; add one with: gene-bench run MODEL -o DIR"
        raise ReportError(msg)
    first, second = find_model(model_a, models), find_model(model_b, models)
    if first == second:
        msg = f"{model_a!r} and {model_b!r} are both {first}; name two models of: {', '.join(models)}"
        raise ReportError(msg)
    settings, of_a, of_b = _common_settings(given, first, second, where)
    pairing = Pairing(predictions)
    paired, left_out = _pair(of_a, of_b, first, second, pairing)
    known = (each for each in given if each.model.id in (first, second) or meets_minimum(each))
    everyone = _everyone(known, settings, {task: of_a[task].task for task in paired}, pairing)
    tasks = _adjusted([_compare_task(of_a[task], pair, everyone, (first, second)) for task, pair in paired.items()])
    undefined = tuple(each.task.id for each in tasks if not each.test.n)
    if undefined:
        left_out["no fold in which both scores are defined"] = undefined
        tasks = [each for each in tasks if each.test.n]
    if not tasks:
        reasons = "; ".join(f"{reason} ({some(names)})" for reason, names in left_out.items())
        msg = f"{first} and {second} share no task that can be compared: {reasons}"
        raise ReportError(msg)
    mixed = tuple(model for model, found in ((first, of_a), (second, of_b)) if _is_mixed(found.values()))
    groups = _groups(tasks, suites, everyone, (first, second), settings)
    return Comparison(first, second, settings, groups, tuple(tasks), left_out, mixed, len(everyone.models))


def find_model(name: str, models: Sequence[str]) -> str:
    """The model id that a name stands for: the id, its folder's name, or its last part where only one ends so.

    Raises:
        ReportError: No such model, or several; the message names the nearest.

    >>> find_model("all-minilm-l6-v2", ["random", "sentence-transformers/all-MiniLM-L6-v2"])
    'sentence-transformers/all-MiniLM-L6-v2'
    """
    if name in models:
        return name
    wanted = name.rstrip("/").casefold()
    found = [model for model in models if wanted in (slug(model).casefold(), _last(model), model.casefold())]
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"model {name!r} may be {' or '.join(found)}; give the full id"
        raise ReportError(msg)
    near = nearest(wanted, [_last(model) for model in models])
    holding = [model for model in models if near and _last(model) == near] or [
        model for model in models if wanted in model.casefold()
    ]
    hint = f"did you mean {holding[0]!r}? " if holding else ""
    msg = f"no results of model {name!r}: {hint}(there are: {some(models, limit=10)})"
    raise ReportError(msg)


def _common_settings(
    results: Sequence[TaskResult], a: str, b: str, where: Mapping[str, Any] | None
) -> tuple[Settings, dict[str, TaskResult], dict[str, TaskResult]]:
    """The one setting in which both were scored, and the results of each by task."""
    found: dict[str, dict[Settings, dict[str, TaskResult]]] = {a: {}, b: {}}
    for result in results:
        if result.model.id in found:
            found[result.model.id].setdefault(result.settings, {})[result.task.id] = result
    shared = found[a].keys() & found[b].keys()
    if not shared:
        ways = (f"{model} with {' and '.join(map(str, sorted(found[model])))}" for model in (a, b))
        msg = f"{'; '.join(ways)}: scores of different settings cannot be paired; run both the same way"
        raise ReportError(msg)
    chosen = choose_settings(shared, where, of=f"the pair of {a} and {b}")
    return chosen, found[a][chosen], found[b][chosen]


def _pair(
    of_a: Mapping[str, TaskResult], of_b: Mapping[str, TaskResult], a: str, b: str, pairing: Pairing
) -> tuple[dict[str, Pair], dict[str, tuple[str, ...]]]:
    paired: dict[str, Pair] = {}
    reasons: dict[str, list[str]] = {}
    for task in sorted(of_a.keys() | of_b.keys()):
        if task not in of_b or task not in of_a:
            reasons.setdefault(f"no result of {b if task in of_a else a}", []).append(task)
        elif isinstance(pair := pairing.of(of_a[task], of_b[task]), Pair):
            paired[task] = pair
        else:
            reasons.setdefault(pair, []).append(task)
    return paired, {reason: tuple(tasks) for reason, tasks in reasons.items()}


def _is_mixed(results: Iterable[TaskResult]) -> bool:
    return len({(each.model.revision, each.model.options_text) for each in results}) > 1


def _everyone(
    results: Iterable[TaskResult], settings: Settings, records: Mapping[str, TaskRecord], pairing: Pairing
) -> AllPairs:
    """All models on the tasks that the two are compared on, of these settings and of equal labels and folds.

    As in ranks, a result that is too small does not count; except those of the two themselves, whose pairs say so.
    """
    by_model: dict[str, dict[str, TaskResult]] = {}
    for result in results:
        task = records.get(result.task.id)
        if result.settings == settings and task is not None and _version(result.task) == _version(task):
            by_model.setdefault(result.model.id, {})[task.id] = result
    unlike = pairing.unlike({(model, task): one for model, each in by_model.items() for task, one in each.items()})
    return AllPairs.of(by_model, tuple(records), unlike)


def _version(task: TaskRecord) -> tuple[str, str, str]:
    return task.version, task.data_sha256, task.folds_sha256


def _compare_task(result: TaskResult, pair: Pair, everyone: AllPairs, names: tuple[str, str]) -> TaskComparison:
    folds = list(zip(pair.first, pair.second, strict=True))
    both = [(a, b) for a, b in folds if not math.isnan(a + b)]
    a, b = [fold[0] for fold in both], [fold[1] for fold in both]
    ratio = float(everyone.ratios[everyone.tasks.index(result.task.id)])
    test = corrected_t_test(a, b, test_train_ratio=ratio)
    return TaskComparison(
        task=result.task,
        metric=ranking_metric(result.task, result.settings),
        n_scored=pair.n,
        n_folds=len(folds),
        mean_a=fmean(a) if a else math.nan,
        mean_b=fmean(b) if b else math.nan,
        test=test,
        holm_p=everyone.adjusted([result.task], names, test.p_value),
        bh_p=math.nan,
        detectable=everyone.detectable(result.task.id),
        is_counted=pair.is_counted,
        kind=pair.kind,
    )


def _adjusted(tasks: Sequence[TaskComparison]) -> list[TaskComparison]:
    adjusted = benjamini_hochberg([each.test.p_value for each in tasks]).tolist()
    return [replace(each, bh_p=bh_p) for each, bh_p in zip(tasks, adjusted, strict=True)]


def _groups(
    tasks: Sequence[TaskComparison],
    suites: Suites | None,
    everyone: AllPairs,
    names: tuple[str, str],
    settings: Settings,
) -> tuple[GroupComparison, ...]:
    by_id = {each.task.id: each for each in tasks}
    members = group_tasks((each.task for each in tasks if each.is_counted), suites)
    found = []
    for name, ids in members.items():
        group = _group(name, [by_id[task] for task in ids], group_metric(name, settings))
        holm_p = everyone.adjusted([by_id[task].task for task in ids], names, group.p_value)
        found.append(replace(group, holm_p=holm_p))
    return tuple(found)


def _group(name: str, tasks: Sequence[TaskComparison], metric: str) -> GroupComparison:
    records = [each.task for each in tasks]
    columns = [[each.mean_a, each.mean_b, each.test.difference] for each in tasks]
    units = clusters(records)
    by_model = cluster_means(np.array(columns).T, units)
    found: ClusterMean | PairedTest
    if generalizes(records):
        found = cluster_t_test(by_model[2], correlation=SOURCE_CORRELATION)
        difference = found.mean
    else:
        found = fixed_tasks_test([each.test for each in tasks], clusters=units)
        difference = found.difference
    mean_a, mean_b, _ = by_model.mean(axis=1).tolist()
    wins = Counter(each.better for each in tasks)
    signs = np.sign([each.test.difference for each in tasks])
    return GroupComparison(
        name=name,
        metric=metric,
        n_tasks=len(tasks),
        basis=basis(records),
        mean_a=mean_a,
        mean_b=mean_b,
        difference=difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        holm_p=math.nan,
        wins_a=wins["a"],
        wins_b=wins["b"],
        ahead_a=int((signs > 0).sum()),
        ahead_b=int((signs < 0).sum()),
    )


def _better(difference: float, p_value: float) -> str:
    if not p_value < ALPHA:
        return ""
    return "a" if difference > 0 else "b"


def _last(model: str) -> str:
    return model.rstrip("/").rpartition("/")[2].casefold()
