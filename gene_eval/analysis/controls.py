"""What controls leave of the scores of models: which models are within reach of one, and scores above the best."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.all_pairs import mean_over_folds
from gene_eval.analysis.groups import ranking_metric
from gene_eval.analysis.pairing import Pair, Pairs
from gene_eval.core.statistics.paired_tests import (
    PairedTest,
    corrected_t_test,
    pooled_detectable_difference,
    pooled_detectable_of,
)
from gene_eval.results.records import Score, TaskResult
from gene_eval.text import some

__all__ = ["CONTROLS", "AgainstControls", "against_controls", "gain_test", "is_control", "near_lines", "rescaled"]

# Adapters whose vectors say nothing, or next to nothing, about the gene they stand for.
CONTROLS = ("length", "lookup", "nuisance", "random", "shuffled")

Found = Mapping[tuple[str, str], TaskResult]
"""(model, task) to the result."""
Scored = Mapping[str, tuple[TaskResult, Score]]
"""Of one task, model to its result and the score that it is ranked by."""


@dataclass(frozen=True, slots=True)
class AgainstControls:
    """The models of one task beside its controls, by the metric that models are ranked by.

    Attributes:
        metric: The metric (`gene_eval.analysis.groups.ranking_metric`).
        control: The control with the highest score.
        score: Its score.
        detectable: The true difference that a test on this task finds with a chance of 80 %, its error pooled over all
            pairs of models; nan where no pair has an error to judge by.
        rescaled: Model to (score - that of the control) / (1 - that of the control), for ROC-AUC; nan if the control
            has 1. Each score is on the entities that its model has.
        near: Model to the controls that come within the detectable difference of it, or are above it.
    """

    metric: str
    control: str
    score: float
    detectable: float
    rescaled: Mapping[str, float]
    near: Mapping[str, tuple[str, ...]]


def is_control(result: TaskResult) -> bool:
    """Whether it is a result of a control."""
    return result.model.adapter in CONTROLS


def rescaled(score: float, control: float) -> float:
    """How much of what the control leaves is reached: 0 is as good as the control, 1 is perfect; nan if it has 1.

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
    by_task: dict[str, dict[str, tuple[TaskResult, Score]]] = defaultdict(dict)
    for (model, task), result in found.items():
        score = result.scores.get(ranking_metric(result.task, result.settings))
        if score is not None and not math.isnan(score.mean):
            by_task[task][model] = result, score
    unlike: dict[str, dict[tuple[str, str], Pair | str]] = defaultdict(dict)
    for (one, other, task), pair in pairs.items():
        unlike[task][one, other] = pair
    made = {}
    for task, results in sorted(by_task.items()):
        controls = sorted(model for model, (result, _) in results.items() if is_control(result))
        if controls and len(controls) < len(results):
            folds = _Folds(results, unlike.get(task, {}), pairs.apart.get(task, {}))
            made[task] = _of_task(results, controls, folds)
    return made


def near_lines(models: Sequence[str], against: Mapping[str, AgainstControls]) -> Iterator[str]:
    """For each model, the tasks on which a control comes within the detectable difference of it."""
    for model in models:
        if tasks := [task for task, each in against.items() if each.near.get(model)]:
            controls = sorted({control for task in tasks for control in against[task].near[model]})
            yield (
                f"{model} is not clearly (detectably) above every control on {len(tasks)} of {len(against)} tasks"
                f" ({some(tasks)}): {some(controls)}"
            )


class _Folds:
    """Scores of the models of a task by fold, and what two of them differ by where they can be paired."""

    def __init__(
        self,
        results: Scored,
        unlike: Mapping[tuple[str, str], Pair | str],
        apart: Mapping[str, int],
    ) -> None:
        self.models = sorted(results)
        self.ratio = max(result.test_train_ratio for result, _ in results.values())
        listed = [results[model][1].folds for model in self.models]
        self.counts = np.array([len(folds) for folds in listed])
        self.folds = np.full((len(listed), self.counts.max()), np.nan)
        for row, folds in zip(self.folds, listed, strict=True):
            row[: len(folds)] = folds
        self._unlike, self._apart = unlike, np.array([apart.get(model, -1) for model in self.models])

    def less(self, other: int) -> npt.NDArray[np.float64]:
        """(M, F) scores of all models less those of one; nan where undefined, or where the two cannot be paired."""
        name = self.models[other]
        differences: npt.NDArray[np.float64] = self.folds - self.folds[other]
        differences[(self.counts != self.counts[other]) | (self._apart != self._apart[other])] = np.nan
        differences[other] = np.nan
        for number, model in enumerate(self.models if self._unlike else ()):
            first, second = sorted((model, name))
            if (pair := self._unlike.get((first, second))) is None:
                continue
            differences[number] = np.nan
            # A text says why they cannot be paired.
            if isinstance(pair, Pair) and len(pair.first) == len(pair.second):
                made = np.subtract(np.array(pair.first, dtype=np.float64), np.array(pair.second, dtype=np.float64))
                differences[number, : len(made)] = made if model == first else -made
        return differences

    def detectable(self) -> float:
        """The detectable difference by the root mean square of the pairs' corrected standard errors."""
        is_plain = not self._unlike and len(set(self._apart)) == 1 and not np.isnan(self.folds).any()
        if is_plain:
            return pooled_detectable_difference(self.folds, test_train_ratio=self.ratio)
        differences = np.concatenate([self.less(number)[number:] for number in range(len(self.models))])
        return pooled_detectable_of(differences, test_train_ratio=self.ratio)


def _of_task(results: Scored, controls: Sequence[str], folds: _Folds) -> AgainstControls:
    means = {model: score.mean for model, (_, score) in results.items()}
    models = sorted(means.keys() - set(controls))
    # Of equal ones, the first by name.
    best = max(controls, key=lambda model: means[model])
    detectable = folds.detectable()
    reach = 0.0 if math.isnan(detectable) else detectable
    metric = ranking_metric(results[best][0].task, results[best][0].settings)
    near: dict[str, list[str]] = defaultdict(list)
    for control in controls:
        differences = mean_over_folds(folds.less(folds.models.index(control)))
        for number in np.flatnonzero(~np.isnan(differences) & ~(differences > reach)).tolist():
            near[folds.models[number]].append(control)
    return AgainstControls(
        metric=metric,
        control=best,
        score=means[best],
        detectable=detectable,
        rescaled={model: rescaled(means[model], means[best]) for model in models}
        if metric.startswith("roc_auc")
        else {},
        near={model: tuple(near.get(model, ())) for model in models},
    )
