"""Split schemes side by side: which of them rank models, and what a score loses against random folds."""

from collections.abc import Iterable
from dataclasses import replace

from gene_eval.analysis.controls import Found
from gene_eval.results.records import TaskResult, defined
from gene_eval.results.settings import Settings

__all__ = ["HEADLINE", "RANDOM", "UNRANKED_SPLITS", "differences_to_random", "random_of"]

RANDOM = "random"
HEADLINE = "family"
"""The split whose tables come first: a gene that is held out with all its relatives cannot be known by them."""
UNRANKED_SPLITS = ("chromosome",)
"""Splits that are reported and rank no model."""


def random_of(settings: Settings) -> Settings:
    """The settings whose results those of another split are compared with."""
    return replace(settings, split=RANDOM)


def differences_to_random(found: Found, at_random: Iterable[TaskResult]) -> dict[tuple[str, str], float]:
    """(model, task) to the main metric minus that on random folds, where the same vectors were scored on both.

    Args:
        found: Results of a split.
        at_random: Those on random folds, all else being equal.
    """
    by_key = {_key(result): _main(result) for result in at_random}
    differences = {}
    for where, result in found.items() if by_key else ():
        score, base = _main(result), by_key.get(_key(result))
        if score is not None and base is not None:
            differences[where] = score - base
    return differences


def _key(result: TaskResult) -> tuple[object, ...]:
    """What both must share: model and vectors, task and labels."""
    task, model = result.task, result.model
    return (
        *(model.id, model.revision, model.embedding_sha256, model.options_text),
        *(task.id, task.version, task.data_sha256),
    )


def _main(result: TaskResult) -> float | None:
    score = result.scores.get(result.task.main_metric)
    return defined(score.mean) if score else None
