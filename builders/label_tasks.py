"""One label of a multi-label task as a binary task of its own.

Its folds are stratified by that label; those of other schemes, which keep groups together, are the task's.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from builders.catalog import Built
from builders.config import ENTITY_COLUMNS, TaskConfig, entity_keys
from builders.errors import UnknownTaskError
from builders.folds import FoldColumns, assign
from builders.folds.parts import SPLIT, in_parts
from builders.labels import task_rows, task_table
from builders.text import did_you_mean

if TYPE_CHECKING:
    import datasets
    import numpy as np
    import numpy.typing as npt

__all__ = ["label_slugs", "subtasks"]


def label_slugs(names: list[str]) -> list[str]:
    """Names of labels as they stand in a task id; two that would be equal are numbered.

    >>> label_slugs(["DNA Repair", "Gene expression (Transcription)", "dna repair"])
    ['dna_repair', 'gene_expression_transcription', 'dna_repair_2']
    """
    slugs: list[str] = []
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "label"
        numbered = (f"{slug}_{number}" for number in itertools.count(2))
        slugs.append(next(each for each in itertools.chain([slug], numbered) if each not in slugs))
    return slugs


def subtasks(task: Built, pattern: str = "*") -> list[Built]:
    """The labels of a multi-label task that match a glob, each as `task/label`.

    Args:
        task: A loaded multi-label task.
        pattern: Glob over the label slugs.

    Returns:
        Binary tasks over the task's entities, in label order; the positive class is the label.

    Raises:
        UnknownTaskError: The task is not multi-label, or no label matches; the message suggests the nearest.
    """
    config = task.config
    if not isinstance(config, TaskConfig) or config.target != "multilabel":
        message = f"{config.name} has no sub-tasks: only the labels of a multi-label task are tasks of their own"
        raise UnknownTaskError(message)
    names: list[str] = task.dataset.features["label"].feature.names
    slugs = label_slugs(names)
    chosen = [i for i, slug in enumerate(slugs) if fnmatch.fnmatchcase(slug, pattern)]
    if not chosen:
        message = (
            f"{config.name} has no label '{pattern}'{did_you_mean(pattern, slugs) or ';'} it has {', '.join(slugs)}"
        )
        raise UnknownTaskError(message)
    return [_subtask(task, config, i, names[i], slugs[i]) for i in chosen]


def _subtask(task: Built, config: TaskConfig, label: int, name: str, slug: str) -> Built:
    import datasets

    binary = replace(
        config,
        name=f"{config.name}/{slug}",
        target="binary",
        labels=(f"not {name}", name),
        description=f"Whether the gene has the label '{name}' of {config.name} (1) or not (0).",
        paper_name=None,
        paper_size=None,
    )
    assert binary.labels is not None
    entities = {key: task.dataset[key][:] for key in ENTITY_COLUMNS[config.entity]}
    values = [int(label in cell) for cell in task.dataset["label"][:]]
    rows = task_rows(entities, values, binary.labels, binary)
    table, features = task_table(rows, values, binary.labels, binary, _columns(task.dataset, assign("random", rows)))
    if SPLIT in task.dataset.column_names:
        parts = dict(zip(entity_keys(entities.values()), task.dataset[SPLIT][:], strict=True))
        table, features = in_parts(table, features, list(entities), parts)
    info = datasets.DatasetInfo(description=binary.description, license=binary.license, features=features)
    return replace(task, config=binary, dataset=datasets.Dataset(table, info=info))


def _columns(dataset: datasets.Dataset, folds: npt.NDArray[np.int8]) -> FoldColumns:
    import numpy as np

    others = [name for name in dataset.column_names if name.startswith("fold_")]
    families = [name for name in dataset.column_names if name.startswith("family")]
    return FoldColumns(
        folds={"fold": folds, **{name: np.asarray(dataset[name][:], dtype=np.int8) for name in others}},
        families={name: dataset[name][:] for name in families},
    )
