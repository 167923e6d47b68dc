"""From rows to a task: one row per entity, the prevalence rule, label numbers. Pure functions over frames."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd

from builders.audit import Audit
from builders.errors import TaskDataError
from builders.folds import N_FOLDS

__all__ = ["MIN_CLASS_SIZE", "MIN_PREVALENCE", "drop_rare", "encode", "one_row_per_entity"]

# The paper uses a label only if at least 1 % of the covered entities have it (arXiv 2412.04075, section 2.3).
MIN_PREVALENCE = 0.01
# Fewer members than folds cannot be in every test fold.
MIN_CLASS_SIZE = N_FOLDS

Target = Literal["binary", "multiclass", "multilabel", "regression"]
Duplicates = Literal["agree", "union"]


def one_row_per_entity(rows: pd.DataFrame, keys: Sequence[str], duplicates: Duplicates, audit: Audit) -> pd.DataFrame:
    """Collapse the rows of an entity.

    Args:
        rows: Columns `keys` and `label`.
        keys: Columns that name the entity.
        duplicates: "agree": equal labels collapse, an entity with different ones is dropped and counted;
            "union": the label sets of a multi-label task are united.
        audit: Takes the counts.

    Returns:
        One row per entity, sorted by its keys.
    """
    rows = rows[[*keys, "label"]]
    repeated = rows.duplicated(list(keys), keep=False)
    grouped: dict[tuple[str, ...], list[Any]] = {}
    # Only repeated entities are walked in Python: a source of millions of rows has few.
    for *entity, label in zip(*(rows[repeated][column].tolist() for column in rows), strict=True):
        grouped.setdefault(tuple(entity), []).append(label)
    merged: list[tuple[Any, ...]] = []
    for key, labels in grouped.items():
        if duplicates == "union":
            merged.append((*key, tuple(sorted(set().union(*labels)))))
        elif all(label == labels[0] for label in labels):
            merged.append((*key, labels[0]))
        else:
            audit.conflicts_dropped += 1
            continue
        audit.duplicates_collapsed += len(labels) - 1
    kept = rows[~repeated]
    if merged:
        kept = pd.concat([kept, pd.DataFrame(merged, columns=list(rows))])
    return kept.sort_values(list(keys), ignore_index=True)


def drop_rare(rows: pd.DataFrame, target: Target, audit: Audit) -> pd.DataFrame:
    """Apply the prevalence rule: a multi-label label needs 1 % of the entities and 5 of them, a class needs 5.

    A multi-label entity stays when its labels go (it is a negative of all others); the entities of a class go with it.
    """
    if target == "regression":
        return rows
    labels = rows["label"]
    counts = Counter(label for cell in labels for label in cell) if target == "multilabel" else Counter(labels.tolist())
    least = max(MIN_CLASS_SIZE, math.ceil(MIN_PREVALENCE * len(rows))) if target == "multilabel" else MIN_CLASS_SIZE
    rare = {label: count for label, count in counts.items() if count < least}
    audit.labels_dropped = {str(label): rare[label] for label in sorted(rare)}
    if target == "multilabel":
        left = [tuple(label for label in cell if label not in rare) for cell in labels]
        return rows.assign(label=pd.Series(left, index=rows.index, dtype=object))
    kept = rows[~labels.isin(list(rare))].reset_index(drop=True)
    audit.rows_dropped = len(rows) - len(kept)
    return kept


def encode(
    rows: pd.DataFrame, target: Target, names: tuple[str, ...] | None, task: str
) -> tuple[list[Any], list[str] | None]:
    """Label values as numbers, and the names they stand for.

    Args:
        rows: One row per entity with the column `label`.
        target: Kind of task.
        names: Class names where the order matters: (negative, positive) of a binary task. Default: sorted.
        task: Task id, for the message.

    Returns:
        Class number per row (sorted list of them for multi-label, float for regression) and the class names.

    Raises:
        TaskDataError: Nothing to predict (one class only, no label at all, equal values everywhere), a value that is
            not finite or a label that is not in `names`.
    """
    labels = rows["label"].tolist()
    if target == "regression":
        values = [float(label) for label in labels]
        if not all(map(math.isfinite, values)):
            message = f"{task}: {sum(not math.isfinite(value) for value in values)} values are not finite numbers"
            raise TaskDataError(message)
        if len(set(values)) < 2:
            message = f"{task}: all {len(rows)} values are equal; expected values that differ"
            raise TaskDataError(message)
        return values, None
    found = {label for cell in labels for label in cell} if target == "multilabel" else set(labels)
    ordered = (
        [name for name in names if name in found] if names else sorted(found, key=lambda name: (name.casefold(), name))
    )
    if stray := found.difference(ordered):
        message = f"{task}: unexpected label {sorted(stray)[0]!r}; expected one of {', '.join(names or ())}"
        raise TaskDataError(message)
    least = 1 if target == "multilabel" else 2
    if len(ordered) < least:
        message = (
            f"{task}: {len(rows)} rows with {len(ordered)} usable label(s); expected {least} with 5 members or more"
        )
        raise TaskDataError(message)
    number = {name: i for i, name in enumerate(ordered)}
    if target == "multilabel":
        return [sorted(number[label] for label in cell) for cell in labels], ordered
    return [number[label] for label in labels], ordered
