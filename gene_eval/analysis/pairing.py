"""Which two results may be compared fold by fold: the one rule of text, page, card and ranks."""

from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.results.records import TaskResult

__all__ = ["MIN_OVERLAP", "overlap", "why_not_paired"]

MIN_OVERLAP = 0.99
"""Share of the entities of either result that both must have: one gene in a hundred hardly moves a score."""


def overlap(first: TaskResult, second: TaskResult) -> float:
    """The least share of entities of the larger result that the other has too; 1 where both scored the same.

    A result file names no entity, so that this is what the counts guarantee.
    """
    if _scored(first) == _scored(second):
        return 1.0
    a, b = first.coverage.n_scored, second.coverage.n_scored
    shared = max(0, a + b - first.coverage.n_task)
    # Both are complete and yet not the same: the counts cannot be trusted.
    return 0.0 if shared == max(a, b) else shared / max(a, b)


def why_not_paired(first: TaskResult, second: TaskResult) -> str:
    """Why the scores of one task cannot be paired; empty if they can."""
    one, other = first.task, second.task
    if one.version != other.version:
        return f"task versions differ, {one.version} and {other.version}; run both again with --overwrite"
    if one.data_sha256 != other.data_sha256:
        return "labels differ (data_sha256); run both on the same raw files with --overwrite"
    if (one.fold_scheme, one.folds_sha256) != (other.fold_scheme, other.folds_sha256):
        return "folds differ (folds_sha256); run both again with --overwrite"
    if first.probe.params.get("C") != second.probe.params.get("C") and first.settings.protocol == "paper":
        return "the penalty C differs"
    if overlap(first, second) < MIN_OVERLAP:
        return "models were scored on different genes; run both together with --common-genes"
    metric = MAIN_METRIC[one.target]
    if metric not in first.scores or metric not in second.scores:
        return f"no {metric} in a result"
    if len(first.scores[metric].folds) != len(second.scores[metric].folds):
        return "the counts of folds differ"
    return ""


def _scored(result: TaskResult) -> tuple[int, str]:
    return result.coverage.n_scored, result.coverage.scored_sha256
