"""Words of labels in what text models read: found, and taken out on request (`mask=labels`)."""

from collections.abc import Iterable, Sequence
from typing import Any

from gene_eval.core.words import label_words, masked
from gene_eval.results.records import TaskRecord
from gene_eval.running.tasks import TaskArrays

__all__ = ["label_names", "masked_input", "without_words", "words_of_tasks"]


def label_names(task: TaskRecord) -> tuple[str, ...]:
    """Names of the labels that a text may state, one for each column of labels: the positive class of a binary task."""
    if task.target == "binary":
        return task.label_names[1:2]
    return () if task.target == "regression" else task.label_names


def words_of_tasks(tasks: Iterable[TaskArrays]) -> tuple[str, ...]:
    """Beginnings of words and phrases that say a label of any of the tasks, sorted."""
    return tuple(sorted({word for task in tasks for name in label_names(task.record) for word in label_words(name)}))


def masked_input(model: Any) -> str | None:
    """The column that a model reads without words of labels; None of a model that reads its column as it is."""
    column: str | None = getattr(model, "masked_input", None)
    return column


def without_words(genes: Any, model: Any, words: Sequence[str]) -> Any:
    """A gene table with the column that such a model reads; the table itself for others."""
    column = masked_input(model)
    if column is None or column not in genes.column_names:
        return genes
    return genes.add_column(model.input_column, masked(genes[column][:], words))
