"""Further tables of a report: annotated labels, few labels, learning curves, scores as published; as grids of text."""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import stdev
from typing import Final

from gene_eval.analysis.tables import Table
from gene_eval.core.annotation import HIDDEN_SHARES, TOP_SHARES, auc_with_hidden_positives
from gene_eval.core.probe import Score
from gene_eval.results.records import TaskResult

__all__ = ["AS_PUBLISHED", "appendix", "published_grid"]

Grid = list[list[str]]

NOTHING: Final = "–"
AS_PUBLISHED: Final = (
    "The code behind arXiv 2412.04075 takes the ROC-AUC of a multi-label task from predicted labels, 0 or 1, and"
    " weights labels by their positives; of a binary task its F1 is that of label 0. Fits and folds are the same."
    " Predicted labels depend on where the threshold lies, so models that rank genes alike can differ there: rankings"
    " go by ours. What remains between a published score and the one here is data (releases, genes) and the paper's"
    " unseeded folds."
)
HIDDEN: Final = (
    "Where labels come from annotation, a negative may be a gene that nobody has annotated yet. Lift is average"
    " precision over prevalence; recall is the share of positives among the genes of highest score; the last columns"
    " are the ROC-AUC if that share of the negatives were positives that are not annotated and rank as the others do."
)


def appendix(table: Table) -> Iterator[tuple[str, str, Grid]]:
    """Title, explanation and grid of each further table that the results have something for."""
    for title, text, grid in (
        ("Annotated labels", HIDDEN, _annotated(table)),
        (
            "Few labels",
            "Spread is the standard deviation over draws of examples, of the mean over folds.",
            _few_labels(table),
        ),
        (
            "Learning curves",
            "The metric by share of the training entities; area is its mean height over log2 of their number.",
            _curves(table),
        ),
    ):
        if len(grid) > 1:
            yield title, text, grid


def published_grid(table: Table) -> Grid:
    """Scores of the paper's code beside ours, a line for each task and model; only a heading where there are none."""
    grid = [["task", "model", "ROC-AUC", "as published", "F1", "as published", "Hamming loss"]]
    for task, model, result in _results(table):
        theirs, suffix = result.as_published, "" if result.task.target == "binary" else "_weighted"
        if theirs:
            pairs = [
                (scores.get(f"{name}{suffix}")) for name in ("roc_auc", "f1") for scores in (result.scores, theirs)
            ]
            grid.append([task, model, *map(_shown, pairs), _shown(theirs.get("hamming_loss"))])
    return grid


def _annotated(table: Table) -> Grid:
    hidden = [f"AUC, {share:.0%} hidden" for share in HIDDEN_SHARES]
    top = [f"recall, top {share:.0%}" for share in TOP_SHARES.values()]
    grid = [["task", "model", "ROC-AUC", "average precision", "lift", *top, *hidden]]
    for task, model, result in _results(table):
        suffix = "" if result.task.target == "binary" else "_macro"
        lift = result.scores.get(f"average_precision_lift{suffix}")
        auc = result.scores.get(result.task.main_metric)
        if lift and auc:
            scores = [result.scores.get(f"{name}{suffix}") for name in ("average_precision", "", *TOP_SHARES)]
            scores[1] = lift
            corrected = [_number(auc_with_hidden_positives(auc.mean, share)) for share in HIDDEN_SHARES]
            grid.append([task, model, _shown(auc), *map(_shown, scores), *corrected])
    return grid


def _few_labels(table: Table) -> Grid:
    grid = [["task", "model", "metric", "mean", "spread over draws"]]
    for task, model, result in _results(table):
        metric = result.task.main_metric
        draws = [value for value in result.draws.get(metric, ()) if not math.isnan(value)]
        if len(draws) > 1:
            grid.append([task, model, metric, _shown(result.scores.get(metric)), _number(stdev(draws))])
    return grid


def _curves(table: Table) -> Grid:
    found = [(task, model, result.curve) for task, model, result in _results(table) if result.curve]
    if not found:
        return []
    shares = _numbers(found[0][2], "share")
    grid = [["task", "model", "metric", *(f"{share:.3g}" for share in shares), "area"]]
    for task, model, curve in found:
        area = _numbers({"area": [curve.get("area")]}, "area")
        grid.append([task, model, str(curve.get("metric")), *map(_number, [*_numbers(curve, "mean"), *area])])
    return grid


def _results(table: Table) -> Iterator[tuple[str, str, TaskResult]]:
    for task in table.tasks:
        for model in table.models:
            if (result := table.results.get((model, task.name))) is not None:
                yield task.name, model, result


def _numbers(block: Mapping[str, object], name: str) -> Sequence[float]:
    """Numbers of a block that a file may hold freely; what is none is undefined."""
    values = block.get(name)
    listed = values if isinstance(values, list | tuple) else []
    return [float(value) if isinstance(value, int | float) else math.nan for value in listed]


def _shown(score: Score | None) -> str:
    return NOTHING if score is None else _number(score.mean)


def _number(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:.3f}"
