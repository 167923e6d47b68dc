"""Words of labels in what text models read: how they are found, and masked on request (`mask=labels`)."""

from collections.abc import Iterable, Sequence
from typing import Any

from gene_eval.core.words import label_words, masked
from gene_eval.results.records import TaskRecord
from gene_eval.running.tasks import TaskArrays

__all__ = ["WORDS", "label_names", "masked_models", "without_words", "words_of_tasks"]

WORDS = "masked_words"
"""Model option of a result: what was taken out of the texts."""


def label_names(task: TaskRecord) -> tuple[str, ...]:
    """Names of the labels that a text may state, one for each column of labels: the positive class of a binary task."""
    if task.target == "binary":
        return task.label_names[1:2]
    return () if task.target == "regression" else task.label_names


def words_of_tasks(tasks: Iterable[TaskArrays]) -> tuple[str, ...]:
    """Beginnings of words and phrases that state a label of any of the tasks, sorted."""
    return tuple(sorted({word for task in tasks for name in label_names(task.record) for word in label_words(name)}))


def masked_models(model: Any) -> list[Any]:
    """The models that read their column with words of labels masked: the model itself, or some of its parts."""
    own = [model] if getattr(model, "masked_input", None) else []
    return [*own, *(one for part in getattr(model, "parts", ()) for one in masked_models(part))]


def without_words(genes: Any, model: Any, words: Sequence[str]) -> Any:
    """A gene table with the columns that such models read; the table itself for others."""
    columns = {one.input_column: one.masked_input for one in masked_models(model)}
    for name, column in columns.items():
        if column in genes.column_names:
            genes = genes.add_column(name, masked(genes[column][:], words))
    return genes
