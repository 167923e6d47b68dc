"""One label of a multi-label task as a binary task of its own, with folds stratified by that label."""

import copy
import fnmatch
import itertools
import re
from dataclasses import replace

import datasets

from builders.base import ENTITY_COLUMNS, TaskConfig
from builders.catalog import Built, near_miss
from builders.errors import UnknownTaskError
from builders.folds import assign_folds

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


def subtasks(parent: Built, pattern: str = "*") -> list[Built]:
    """The labels of a multi-label task that match a glob, each as `parent/label`.

    Args:
        parent: A loaded multi-label task.
        pattern: Glob over the label slugs.

    Returns:
        Binary tasks over the parent's entities, in label order; the positive class is the label.

    Raises:
        UnknownTaskError: The task is not multi-label, or no label matches; the message suggests the nearest.
    """
    config = parent.config
    if not isinstance(config, TaskConfig) or config.target != "multilabel":
        message = f"{config.name} has no sub-tasks: only the labels of a multi-label task are tasks of their own"
        raise UnknownTaskError(message)
    names: list[str] = parent.dataset.features["label"].feature.names
    slugs = label_slugs(names)
    chosen = [i for i, slug in enumerate(slugs) if fnmatch.fnmatchcase(slug, pattern)]
    if not chosen:
        message = f"{config.name} has no label '{pattern}'; {near_miss(pattern, slugs)}it has {', '.join(slugs)}"
        raise UnknownTaskError(message)
    return [_subtask(parent, config, i, names[i], slugs[i]) for i in chosen]


def _subtask(parent: Built, config: TaskConfig, label: int, name: str, slug: str) -> Built:
    # Not dataclasses.replace: a config of `datasets` may not have "/" in its name.
    own = copy.copy(config)
    own.name, own.target, own.labels = f"{config.name}/{slug}", "binary", (f"not {name}", name)
    own.description = f"Whether the gene has the label '{name}' of {config.name} (1) or not (0)."
    own.paper_name = own.paper_size = None
    keys = list(ENTITY_COLUMNS[config.entity])
    columns = {key: parent.dataset[key][:] for key in keys}
    values = [int(label in cell) for cell in parent.dataset["label"][:]]
    entities = ["\t".join(key) for key in zip(*columns.values(), strict=True)]
    features = datasets.Features({key: datasets.Value("string") for key in keys})
    features["label"], features["fold"] = datasets.ClassLabel(names=list(own.labels)), datasets.Value("int8")
    rows = {**columns, "label": values, "fold": assign_folds(entities, values)}
    return replace(parent, config=own, dataset=datasets.Dataset.from_dict(rows, features=features))
