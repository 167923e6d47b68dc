"""Which tasks can tell models apart, judged by their class sizes before any model is run."""

import math
from collections.abc import Sequence
from typing import Final

from gene_eval.core.statistics.power import mean_auc_standard_error, planned_difference
from gene_eval.results.records import PARTED, TaskRecord

__all__ = ["FEWEST_IN_CLASS", "LARGEST_DETECTABLE", "UNRANKED", "class_sizes", "planned", "why_unranked"]

LARGEST_DETECTABLE: Final = 0.10
"""Planned detectable difference in ROC-AUC above which a task is shown and not ranked."""
FEWEST_IN_CLASS: Final = 30
"""Size of the smallest class below which a task is not ranked either."""
UNRANKED: Final = "marked as such in docs/tasks.md"
ON_RANDOM_FOLDS: Final = "5-fold-sha256"
"""Beginning of the name of the fold scheme that keeps no entities together."""
PAIRS: Final = "pairs share their genes between random folds; they are ranked with --split gene_disjoint"
SEQUENCES: Final = "about sequences, not genes: ranks are those of report --format geneb"


def class_sizes(task: TaskRecord) -> list[tuple[int, int]]:
    """(Positives, negatives) of the class of a binary task, of each class against the rest, or of each label.

    Empty for a regression task, and where a file does not hold them.
    """
    counts: Sequence[int] = task.class_counts
    if task.target == "binary":
        return [(counts[1], counts[0])] if len(counts) == 2 else []
    return [] if task.target == "regression" else [(count, task.n - count) for count in counts]


def planned(task: TaskRecord) -> float:
    """The planned detectable difference in ROC-AUC of a task; nan where `class_sizes` gives none.

    Two models of 0.75 whose scores correlate by 0.5, found with a chance of 80 % (`gene_eval.core.statistics.power`).
    """
    sizes = class_sizes(task)
    return planned_difference(mean_auc_standard_error(sizes)) if sizes else math.nan


def why_unranked(task: TaskRecord) -> str:
    """Why a task is shown, but is in no mean and no rank; empty for others, and where class sizes are not known."""
    if task.entity in PARTED:
        return SEQUENCES
    if not task.ranked:
        return UNRANKED
    if task.entity == "gene_pair" and task.fold_scheme.startswith(ON_RANDOM_FOLDS):
        return PAIRS
    sizes = class_sizes(task)
    if sizes and (smallest := min(map(min, sizes))) < FEWEST_IN_CLASS:
        return f"a class of {smallest}, fewer than {FEWEST_IN_CLASS}"
    if (difference := planned(task)) > LARGEST_DETECTABLE:
        return f"a detectable difference of {difference:.3f}, more than {LARGEST_DETECTABLE:.2f}"
    return ""
