"""What a head gives beyond the linear one: differences on the same vectors, entities and folds, with a paired test."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gene_eval.analysis.controls import Found
from gene_eval.analysis.groups import is_regression
from gene_eval.analysis.splits import UNRANKED_SPLITS
from gene_eval.core.statistics.paired_tests import PairedTest, corrected_t_test, holm
from gene_eval.results.records import Score, TaskResult
from gene_eval.results.settings import Settings

__all__ = ["LINEAR", "HeadDifference", "differences_to_linear", "is_ranked", "linear_of"]

LINEAR = "linear"


@dataclass(frozen=True, slots=True)
class HeadDifference:
    """A model on a task, by a head and by the linear one.

    Attributes:
        metric: Main metric of the task.
        linear: Its score by the linear head.
        other: By the head.
        test: The corrected t-test of other less linear, fold by fold.
        holm_p: Its p-value, adjusted for all models and tasks of the head.
    """

    metric: str
    linear: Score
    other: Score
    test: PairedTest
    holm_p: float


def linear_of(settings: Settings) -> Settings:
    """The settings whose results those of a head are compared with."""
    return replace(settings, head=LINEAR)


def is_ranked(settings: Settings, group: str) -> bool:
    """Whether these settings rank models: those of the linear head, and of ridge regression on numbers.

    Whole chromosomes are held out to be reported, not to rank.
    """
    if settings.split in UNRANKED_SPLITS:
        return False
    return settings.head == LINEAR or (settings.head == "ridge" and is_regression(group))


def differences_to_linear(found: Found, linear: Iterable[TaskResult]) -> dict[tuple[str, str], HeadDifference]:
    """(model, task) of results of a head to their difference, where the linear head has scored the same.

    Args:
        found: Results of the head.
        linear: Those of the linear head, all else being equal.
    """
    by_key = {_key(result): result for result in linear}
    made: dict[tuple[str, str], HeadDifference] = {}
    for where, result in sorted(found.items(), key=lambda item: item[0]):
        metric, other = result.task.main_metric, by_key.get(_key(result))
        if other is None or metric not in result.scores or metric not in other.scores:
            continue
        one, base = result.scores[metric], other.scores[metric]
        if len(one.folds) == len(base.folds):
            test = corrected_t_test(one.folds, base.folds, test_train_ratio=result.test_train_ratio)
            made[where] = HeadDifference(metric, base, one, test, math.nan)
    adjusted = holm([each.test.p_value for each in made.values()]).tolist()
    return {where: replace(each, holm_p=p) for (where, each), p in zip(made.items(), adjusted, strict=True)}


def _key(result: TaskResult) -> tuple[object, ...]:
    """What the results of both heads must share: model and vectors, task, labels, folds and entities."""
    task, model = result.task, result.model
    return (
        *(model.id, model.revision, model.embedding_sha256, model.options_text),
        *(task.id, task.version, task.data_sha256, task.fold_scheme, task.folds_sha256, task.repeats),
        result.coverage.scored_sha256,
    )
