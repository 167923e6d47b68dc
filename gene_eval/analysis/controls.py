"""What the controls of a task leave of the scores of models: who is within reach of one, and scores above the best."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.groups import ranking_metric
from gene_eval.analysis.pairing import Pair, Pairs
from gene_eval.core.statistics.paired_tests import PairedTest, corrected_t_test, pooled_detectable_difference
from gene_eval.results.records import Score, TaskResult
from gene_eval.text import some

__all__ = ["CONTROLS", "AgainstControls", "against_controls", "gain_test", "is_control", "near_lines", "rescaled"]

# Adapters whose vectors hold nothing about the gene they stand for, or next to nothing.
CONTROLS = ("length", "lookup", "nuisance", "random", "shuffled")

Found = Mapping[tuple[str, str], TaskResult]
"""(model, task) to the result."""


@dataclass(frozen=True, slots=True)
class AgainstControls:
    """The models of one task beside its controls, by the metric that models are ranked by.

    Attributes:
        metric: Which that is (`gene_eval.analysis.groups.ranking_metric`).
        control: The control with the highest score.
        score: Its score.
        detectable: The true difference that a test on this task finds with a chance of 80 %, its error pooled over all
            pairs of models; nan where no pair has an error to judge by.
        rescaled: Model to (score - that of the control) / (1 - that of the control), for ROC-AUC; nan if the control
            has 1. Each score is of the entities that its model has.
        near: Model to the controls that come within the detectable difference of it, or are above it.
    """

    metric: str
    control: str
    score: float
    detectable: float
    rescaled: Mapping[str, float]
    near: Mapping[str, tuple[str, ...]]


def is_control(result: TaskResult) -> bool:
    """Whether it is a control's."""
    return result.model.adapter in CONTROLS


def rescaled(score: float, control: float) -> float:
    """The share of what the control leaves that is reached: 0 as good as the control, 1 perfect; nan if it has 1.

    >>> round(rescaled(0.9, 0.8), 3), round(rescaled(0.7, 0.8), 3)
    (0.5, -0.5)
    """
    return (score - control) / (1 - control) if control < 1 else math.nan


def gain_test(scores: Mapping[str, Score], test_train_ratio: float) -> PairedTest:
    """The gain over covariates with its interval: the corrected paired t-test of its folds.

    Args:
        scores: "covariates" and "both", see `gene_eval.results.records.GainRecord`.
        test_train_ratio: Of the result.
    """
    return corrected_t_test(scores["both"].folds, scores["covariates"].folds, test_train_ratio=test_train_ratio)


def against_controls(found: Found, pairs: Pairs) -> dict[str, AgainstControls]:
    """Every task that a control and another model were scored on.

    Args:
        found: Results of one setting.
        pairs: Where two were not scored on the same entities, see `gene_eval.analysis.pairing.Pairing.unlike`.
    """
    by_task: dict[str, dict[str, TaskResult]] = defaultdict(dict)
    for (model, task), result in found.items():
        if (score := _score(result)) is not None and not math.isnan(score.mean):
            by_task[task][model] = result
    made = {task: _of_task(task, results, pairs) for task, results in sorted(by_task.items())}
    return {task: each for task, each in made.items() if each is not None}


def near_lines(models: Sequence[str], against: Mapping[str, AgainstControls]) -> Iterator[str]:
    """For each model, on which tasks a control comes within the detectable difference of it."""
    for model in models:
        if tasks := [task for task, each in against.items() if each.near.get(model)]:
            controls = sorted({control for task in tasks for control in against[task].near[model]})
            yield (
                f"{model} is not above every control by what can be detected, on {len(tasks)} of {len(against)} tasks"
                f" ({some(tasks)}): {some(controls)}"
            )


def _of_task(task: str, results: Mapping[str, TaskResult], pairs: Pairs) -> AgainstControls | None:
    means = {model: score.mean for model, result in results.items() if (score := _score(result))}
    controls = sorted(model for model, result in results.items() if is_control(result))
    models = sorted(means.keys() - set(controls))
    if not controls or not models:
        return None
    # Of equal ones, the first by name.
    best = max(controls, key=lambda model: means[model])
    differences = _differences(task, results, pairs)
    ratio = max(result.test_train_ratio for result in results.values())
    detectable = pooled_detectable_difference(differences.values(), test_train_ratio=ratio)
    reach = 0.0 if math.isnan(detectable) else detectable
    metric = ranking_metric(results[best].task, results[best].settings)
    return AgainstControls(
        metric=metric,
        control=best,
        score=means[best],
        detectable=detectable,
        rescaled={model: rescaled(means[model], means[best]) for model in models}
        if metric.startswith("roc_auc")
        else {},
        near={
            model: tuple(
                control
                for control in controls
                if (folds := differences.get((model, control))) is not None and not np.nanmean(folds) > reach
            )
            for model in models
        },
    )


def _differences(
    task: str, results: Mapping[str, TaskResult], pairs: Pairs
) -> dict[tuple[str, str], npt.NDArray[np.float64]]:
    """(model, other) in both orders to what they differ by in each fold, where the two can be paired."""
    made = {}
    for one, other in combinations(sorted(results), 2):
        pair = pairs.get((one, other, task))
        if isinstance(pair, str):
            # In words, why they cannot be paired.
            continue
        first, second = (pair.first, pair.second) if isinstance(pair, Pair) else _folds(results[one], results[other])
        if len(first) != len(second):
            continue
        difference = np.subtract(np.array(first, dtype=np.float64), np.array(second, dtype=np.float64))
        if not np.isnan(difference).all():
            made[one, other], made[other, one] = difference, -difference
    return made


def _score(result: TaskResult) -> Score | None:
    return result.scores.get(ranking_metric(result.task, result.settings))


def _folds(*results: TaskResult) -> tuple[tuple[float, ...], ...]:
    return tuple(score.folds for result in results if (score := _score(result)))
