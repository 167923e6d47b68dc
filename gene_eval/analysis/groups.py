"""Which tasks a mean may be over, and by which metric: ROC-AUC tasks overall and by family, regression by itself.

R2 has no lower bound, so a single regression task can outweigh all others; it is never averaged with ROC-AUC. With
least squares, R2 depends on how many numbers a vector has more than on what they know: with more than a tenth of the
rows, R2 falls below that of fewer and poorer numbers. Such results are ranked by Spearman's correlation. Nor are the
tasks beyond the paper ever averaged with others: they have groups of their own.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from gene_eval.analysis.power import why_unranked
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.statistics.over_tasks import MIN_CLUSTERS
from gene_eval.results.records import Settings, TaskRecord

__all__ = [
    "EXTENDED",
    "EXTENDED_REGRESSION",
    "FAMILIES",
    "MAIN",
    "OVERALL",
    "REGRESSION",
    "SOURCE_CORRELATION",
    "Suites",
    "basis",
    "clusters",
    "generalizes",
    "group_metric",
    "group_tasks",
    "is_family",
    "is_regression",
    "ranking_metric",
]

FAMILIES = ("genomic", "regulatory", "localization", "biological_process", "protein")
OVERALL = "overall"
REGRESSION = "regression"
EXTENDED, EXTENDED_REGRESSION = "@extended", "@extended regression"
"""The tasks beyond the paper, by their suite."""
APART = (EXTENDED, EXTENDED_REGRESSION, "@genen", "@genen regression")
"""Suites whose tasks are in no mean but their own."""
MAIN = (OVERALL, REGRESSION, *APART)
"""Groups that have no task in common."""
SOURCE_CORRELATION: Final = 0.1
"""How much two sources agree on which of two equal models is ahead, because their labels repeat each other.

The mean over pairs of sources, by their labels on shared genes (benchmarks/stats_real_labels.py, docs/statistics.md).
"""
Suites = Mapping[str, Collection[str]]
"""Name of a versioned list of tasks, such as "@paper-2024", to their ids."""


def group_tasks(
    tasks: Iterable[TaskRecord], suites: Suites | None = None, *, weak: bool = False
) -> dict[str, tuple[str, ...]]:
    """Group name to the ids of its tasks: overall, the families in their usual order, regression, suites.

    Tasks that are not ranked (`gene_eval.analysis.power.why_unranked`) are in no group, nor is a label as a task of its
    own where its multi-label task is there. Tasks of the suites `APART` are in their groups only, unless there are no
    others.

    Args:
        tasks: The tasks to group.
        suites: Lists of tasks; one that holds all tasks of the first group is left out, as it would only repeat it.
        weak: Whether tasks that can hardly tell models apart are counted, as in the paper's tables.
    """
    suites = suites or {}
    is_in = (lambda task: task.ranked) if weak else (lambda task: not why_unranked(task))
    ranked = sorted(filter(is_in, tasks), key=lambda task: task.id)
    known = {task.id for task in ranked}
    counted = [task for task in ranked if "/" not in task.id or task.id.partition("/")[0] not in known]
    apart = {task for name in APART for task in suites.get(name, ())}
    main = [task for task in counted if _listed_id(task) not in apart] or counted
    auc = [task for task in main if task.target != "regression"]
    families = [*FAMILIES, *sorted({task.family for task in auc} - set(FAMILIES))]
    groups = {
        OVERALL: auc,
        **{family: [task for task in auc if task.family == family] for family in families},
        REGRESSION: [task for task in main if task.target == "regression"],
    }
    for name, ids in suites.items():
        whole = groups[REGRESSION if is_regression(name) else OVERALL]
        of_kind = [task for task in counted if (task.target == "regression") == is_regression(name)]
        members = [task for task in of_kind if (_listed_id(task) if name in MAIN else task.id) in ids]
        groups |= {name: members} if members != whole else {}
    return {name: tuple(task.id for task in members) for name, members in groups.items() if members}


def ranking_metric(task: TaskRecord, settings: Settings) -> str:
    """What models are ranked and compared by: the main metric, or "spearman" for numbers without a ridge penalty."""
    return task.main_metric if task.target != "regression" else _of_numbers(settings)


def group_metric(name: str, settings: Settings) -> str:
    """The metric of a group's scores: "roc_auc" (averaged in some way), or for numbers `ranking_metric`."""
    return _of_numbers(settings) if is_regression(name) else "roc_auc"


def is_regression(name: str) -> bool:
    """Whether the tasks of a group are regressions.

    >>> [is_regression(name) for name in ("regression", "@extended regression", "@extended")]
    [True, True, False]
    """
    return name.rpartition(" ")[2] == REGRESSION


def _of_numbers(settings: Settings) -> str:
    is_ridge = settings.head == "ridge" or (settings.head, settings.protocol) == ("linear", "scaled")
    return MAIN_METRIC["regression"] if is_ridge else "spearman"


def _listed_id(task: TaskRecord) -> str:
    """Id as suites list it: for a label, that of its task; without the version that distinguishes two of one name."""
    return task.id.partition(" ")[0].partition("/")[0]


def is_family(name: str) -> bool:
    """Whether a group is one of the families, not "overall", "regression" or a suite."""
    return name not in (OVERALL, REGRESSION) and not name.startswith("@")


def generalizes(tasks: Iterable[TaskRecord]) -> bool:
    """Whether the tasks come from enough sources for a statement about other sources like them."""
    return len({task.source for task in tasks}) >= MIN_CLUSTERS


def clusters(tasks: Iterable[TaskRecord]) -> list[str]:
    """The cluster of each task: its source where there are enough sources, else its multi-label parent or itself."""
    members = list(tasks)
    if generalizes(members):
        return [task.source for task in members]
    return [task.id.partition("/")[0] for task in members]


def basis(tasks: Iterable[TaskRecord]) -> str:
    """What a mean over the tasks is a mean of: "8 sources", or "3 tasks"."""
    members = list(tasks)
    count = len(set(clusters(members)))
    return f"{count} {'source' if generalizes(members) else 'task'}{'s' if count > 1 else ''}"
