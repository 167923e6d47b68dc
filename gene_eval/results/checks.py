"""Whether a result file can be true: scores in the range of their metric, means and deviations those of their folds."""

import math
import re
from collections.abc import Mapping

from gene_eval.core.probe import Score
from gene_eval.errors import ResultError
from gene_eval.results.records import TaskResult
from gene_eval.results.reproduce import COMMON_TO

__all__ = ["check_result", "metric_range"]

# Of a written decimal, which keeps every digit; what is summed in another order differs by less.
TOLERANCE = 1e-6
_SIGNED = re.compile(r"mcc|pearson|spearman|gain")
# "covariates" and "both" are the ROC-AUCs whose difference a gain is.
_SHARE = re.compile(
    r"roc_auc.*|average_precision(_macro)?|accuracy|precision.*|recall.*|f1.*|hamming_loss|covariates|both"
)
_POSITIVE = re.compile(r"rmse|mae|average_precision_lift.*")


def metric_range(metric: str) -> tuple[float, float]:
    """The least and largest value that a metric can have; a metric that is not known may have any.

    >>> metric_range("roc_auc_macro"), metric_range("r2")
    ((0.0, 1.0), (-inf, 1.0))
    """
    if _SHARE.fullmatch(metric):
        return 0.0, 1.0
    if _SIGNED.fullmatch(metric):
        return -1.0, 1.0
    if _POSITIVE.fullmatch(metric):
        return 0.0, math.inf
    return -math.inf, 1.0 if metric == "r2" else math.inf


def check_result(result: TaskResult) -> None:
    """Refuse a result that no run can have written.

    Raises:
        ResultError: A score is out of its metric's range, a mean or standard deviation is not that of its folds, there
            are no folds, or counts contradict each other. The message names the field.
    """
    coverage = result.coverage
    counts = (coverage.n_scored, coverage.n_missing, coverage.n_task - coverage.n_scored - coverage.n_missing)
    if min(counts) < 0:
        msg = f"coverage: {coverage.n_scored} scored and {coverage.n_missing} missing are not part of {coverage.n_task}"
        raise ResultError(msg)
    if result.settings.shots is not None and result.settings.shots < 1:
        msg = f"field probe.shots is {result.settings.shots}, expected null or 1 and more"
        raise ResultError(msg)
    _check_params(result.probe.params)
    _check_parts(result.model.options, "model.options")
    _check_drawn(result)
    if result.imported:
        _check_imported(result.scores)
        return
    _check_scores(result.scores, "scores")
    _check_scores(result.as_published, "as_published")
    if result.gain is not None:
        _check_scores(result.gain.scores, "gain.scores")
        for label, scores in result.gain.labels.items():
            _check_scores(scores, f"gain.labels.{label}")
    _check_scores(result.all_rows, "all_rows")
    for label, scores in result.labels.items():
        _check_scores(scores, f"labels.{label}")


def _check_drawn(result: TaskResult) -> None:
    """What stands beside the scores: of permuted labels, intervals, and how rows were confused."""
    if (drawn := result.permuted) is not None and not (drawn.scores and 0 <= drawn.p_value <= 1):
        msg = f"permuted: p is {drawn.p_value:g} of {len(drawn.scores)} permutations, expected 0 to 1 of some"
        raise ResultError(msg)
    for metric, ends in result.intervals.items():
        if len(ends) != 2:
            msg = f"intervals.{metric} has {len(ends)} numbers, expected 2"
            raise ResultError(msg)
    shapes = {(len(table), *map(len, table)) for table in result.confusion}
    if len(shapes) > 1 or any(len(set(shape)) > 1 or min(shape) == 0 for shape in shapes):
        msg = "confusion: a table is not square, or has no class, or not those of the others"
        raise ResultError(msg)
    cells = [[cell for row in table for cell in row] for table in result.confusion]
    if any(min(counts) < 0 or not any(counts) for counts in cells):
        msg = "confusion: a table has a count below 0, or no row at all"
        raise ResultError(msg)


def _check_params(params: Mapping[str, object]) -> None:
    """What readers take from the settings of a fit, of which a run writes any."""
    penalty, names = params.get("C"), params.get(COMMON_TO, [])
    if penalty is not None and (isinstance(penalty, bool) or not isinstance(penalty, int | float)):
        msg = f"field probe.C is a {type(penalty).__name__}, expected a number"
        raise ResultError(msg)
    if not isinstance(names, list | tuple):
        msg = f"field probe.{COMMON_TO} is a {type(names).__name__}, expected a list of models"
        raise ResultError(msg)


def _check_parts(options: object, where: str) -> None:
    """What a model is made of: models with options of their own."""
    parts = options.get("parts", []) if isinstance(options, Mapping) else None
    if not isinstance(parts, list | tuple):
        msg = f"field {where} does not say what the model is made of as a list of models with options"
        raise ResultError(msg)
    for number, part in enumerate(parts):
        if not isinstance(part, Mapping) or not isinstance(part.get("adapter"), str) or "options" not in part:
            msg = f"field {where}.parts[{number}] is no model, expected adapter and options"
            raise ResultError(msg)
        _check_parts(part["options"], f"{where}.parts[{number}].options")


def _check_scores(scores: Mapping[str, Score], where: str) -> None:
    for metric, score in scores.items():
        if reason := _fault(score, *metric_range(metric)):
            msg = f"{where}.{metric}: {reason}"
            raise ResultError(msg)


def _check_imported(scores: Mapping[str, Score]) -> None:
    """A published score is a number without folds."""
    for metric, score in scores.items():
        low, high = metric_range(metric)
        if score.folds or not low <= score.mean <= high:
            found = f"imported as {score.mean:g} with {len(score.folds)} folds"
            msg = f"scores.{metric}: {found}, expected {low:g} to {high:g} and none"
            raise ResultError(msg)


def _fault(score: Score, low: float, high: float) -> str:
    if not score.folds:
        return "there are no folds"
    folds = [fold for fold in score.folds if not math.isnan(fold)]
    for value in folds:
        if not low - TOLERANCE <= value <= high + TOLERANCE:
            return f"a fold is {value:g}, expected {low:g} to {high:g}"
    if not folds:
        return "" if math.isnan(score.mean) and math.isnan(score.std) else "a mean, but no fold is defined"
    mean = math.fsum(folds) / len(folds)
    std = math.sqrt(math.fsum((fold - mean) ** 2 for fold in folds) / len(folds))
    for name, found, expected in (("mean", score.mean, mean), ("std", score.std, std)):
        # Not `>`: it is false for NaN.
        if not abs(found - expected) <= TOLERANCE * max(1.0, abs(mean)):
            return f"{name} is {found:g}, but its folds give {expected:g}"
    return ""
