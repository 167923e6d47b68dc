"""Further tables of a report: annotated labels, few labels, learning curves, scores as published; as grids of text."""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, pstdev, stdev
from typing import Final

from gene_eval.analysis.controls import gain_test
from gene_eval.analysis.tables import Table
from gene_eval.core.annotation import HIDDEN_SHARES, TOP_SHARES, auc_with_hidden_positives
from gene_eval.core.probe import Score
from gene_eval.core.statistics.paired_tests import PairedTest
from gene_eval.results.records import TaskResult

__all__ = ["AS_PUBLISHED", "appendix", "published_grid"]

Grid = list[list[str]]
Listed = Sequence[tuple[str, str, TaskResult]]
"""Task, model and result, in the order of the table."""

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
HEADS: Final = (
    "Score by this head less that by the linear head, on the same vectors, entities and folds: mean over folds, 95 %"
    " interval and p of the corrected paired t-test, and p after Holm's correction over all lines. No head is ranked."
)
GAIN: Final = (
    "ROC-AUC of covariates alone, of the vectors on top of them (their cross-fitted log-odds are a fixed offset), and"
    " the gain: the difference with the 95 % interval of the corrected paired t-test, on the entities that have both."
)
PERMUTED: Final = (
    "The same fits on permuted labels, which keep their folds: mean and standard deviation over permutations,"
    " selectivity (the score less that mean), and p = (1 + permutations that score as high) / (1 + permutations)."
)


def appendix(table: Table) -> Iterator[tuple[str, str, Grid]]:
    """Title, explanation and grid of each further table that the results have something for."""
    listed = _results(table)
    for title, text, grid in (
        (f"Head {table.settings.head} less linear", HEADS, _heads(table, listed)),
        ("Annotated labels", HIDDEN, _annotated(listed)),
        ("Gain over covariates", GAIN, _gains(listed)),
        ("Permuted labels", PERMUTED, _permuted(listed)),
        (
            "Few labels",
            "Spread is the standard deviation over draws of examples, of the mean over folds.",
            _few_labels(listed),
        ),
        (
            "Learning curves",
            "The metric by share of the training entities; area is its mean height over log2 of their number.",
            _curves(listed),
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


def _annotated(listed: Listed) -> Grid:
    hidden = [f"AUC, {share:.0%} hidden" for share in HIDDEN_SHARES]
    top = [f"recall, top {share:.0%}" for share in TOP_SHARES.values()]
    grid = [["task", "model", "ROC-AUC", "average precision", "lift", *top, *hidden]]
    for task, model, result in listed:
        suffix = "" if result.task.target == "binary" else "_macro"
        lift = result.scores.get(f"average_precision_lift{suffix}")
        if lift and (auc := result.scores.get(result.task.main_metric)):
            scores = [result.scores.get(f"{name}{suffix}") for name in ("average_precision", "", *TOP_SHARES)]
            scores[1] = lift
            corrected = [_number(auc_with_hidden_positives(auc.mean, share)) for share in HIDDEN_SHARES]
            grid.append([task, model, _shown(auc), *map(_shown, scores), *corrected])
    return grid


def _heads(table: Table, listed: Listed) -> Grid:
    grid = [["task", "model", "metric", "linear", table.settings.head, "difference", "95 % interval", "p", "p (Holm)"]]
    for task, model, _ in listed if table.to_linear else ():
        if (found := table.to_linear.get((model, task))) is not None:
            scores = [_shown(found.linear), _shown(found.other)]
            tested = [_number(found.test.difference), _interval(found.test), _p_value(found.test.p_value)]
            grid.append([task, model, found.metric, *scores, *tested, _p_value(found.holm_p)])
    return grid


def _gains(listed: Listed) -> Grid:
    grid = [["task", "model", "covariates", "n", "covariates alone", "with vectors", "gain", "95 % interval", "p"]]
    for task, model, result in listed:
        if (found := result.gain) is None:
            continue
        labels = {f"{task}/{label}": scores for label, scores in found.labels.items()}
        for name, scores in {task: found.scores, **labels}.items():
            test = gain_test(scores, result.test_train_ratio)
            numbers = [_number(scores[each].mean) for each in ("covariates", "both")]
            tested = [_number(test.difference), _interval(test), _p_value(test.p_value)]
            grid.append([name, model, found.covariates, str(found.n), *numbers, *tested])
    return grid


def _permuted(listed: Listed) -> Grid:
    grid = [["task", "model", "metric", "score", "permuted", "selectivity", "permutations", "p"]]
    for task, model, result in listed:
        if (found := result.permuted) is not None:
            score = _shown(result.scores.get(found.metric))
            drawn = f"{fmean(found.scores):z.3f} ± {pstdev(found.scores):.3f}"
            selectivity, p_value = _number(found.selectivity), _p_value(found.p_value)
            grid.append([task, model, found.metric, score, drawn, selectivity, str(len(found.scores)), p_value])
    return grid


def _few_labels(listed: Listed) -> Grid:
    grid = [["task", "model", "metric", "mean", "spread over draws"]]
    for task, model, result in listed:
        if not result.draws:
            continue
        metric = result.task.main_metric
        draws = [value for value in result.draws.get(metric, ()) if not math.isnan(value)]
        if len(draws) > 1:
            grid.append([task, model, metric, _shown(result.scores.get(metric)), _number(stdev(draws))])
    return grid


def _curves(listed: Listed) -> Grid:
    found = [(task, model, result.curve) for task, model, result in listed if result.curve]
    if not found:
        return []
    shares = _numbers(found[0][2], "share")
    grid = [["task", "model", "metric", *(f"{share:.3g}" for share in shares), "area"]]
    for task, model, curve in found:
        area = _numbers({"area": [curve.get("area")]}, "area")
        grid.append([task, model, str(curve.get("metric")), *map(_number, [*_numbers(curve, "mean"), *area])])
    return grid


def _results(table: Table) -> Listed:
    return [
        (task.name, model, result)
        for task in table.tasks
        for model in table.models
        if (result := table.results.get((model, task.name))) is not None
    ]


def _numbers(block: Mapping[str, object], name: str) -> Sequence[float]:
    """Numbers of a block that a file may hold freely; what is none is undefined."""
    values = block.get(name)
    listed = values if isinstance(values, list | tuple) else []
    return [float(value) if isinstance(value, int | float) else math.nan for value in listed]


def _interval(test: PairedTest) -> str:
    return NOTHING if math.isnan(test.low) else f"{test.low:z.3f} to {test.high:z.3f}"


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else _number(value)


def _shown(score: Score | None) -> str:
    return NOTHING if score is None else _number(score.mean)


def _number(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:z.3f}"
