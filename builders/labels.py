"""From rows to a task: what rows must hold, one row per entity, the prevalence rule, label numbers, folds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from builders.audit import Audit
from builders.config import Duplicates, Target, TaskConfig
from builders.errors import TaskDataError
from builders.folds import N_FOLDS, FoldColumns, TaskRows
from builders.text import some

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "MIN_CLASS_SIZE",
    "MIN_PREVALENCE",
    "check_rows",
    "drop_rare",
    "encode",
    "one_row_per_entity",
    "task_rows",
    "task_table",
]

# The paper uses a label only if at least 1 % of the covered entities have it (arXiv 2412.04075, section 2.3).
MIN_PREVALENCE = 0.01
# Fewer members than folds cannot be in every test fold.
MIN_CLASS_SIZE = N_FOLDS


def check_rows(rows: object, keys: Sequence[str], target: Target) -> pd.DataFrame:
    """Check what `rows()` returned.

    Args:
        rows: What it returned.
        keys: Columns that name the entity.
        target: Kind of task.

    Returns:
        The rows, numbered from 0; the cells of a multi-label task as frozen sets.

    Raises:
        TaskDataError: It is not a frame, has no rows, lacks a column or has a cell of the wrong type; the message
            names the row.
    """
    import numpy as np
    import pandas as pd

    wanted = [*keys, "label"]
    if not isinstance(rows, pd.DataFrame):
        message = f"rows() returned {type(rows).__name__}; expected a pandas.DataFrame with {', '.join(wanted)}"
        raise TaskDataError(message)
    if missing := [name for name in wanted if name not in rows]:
        message = f"rows() lacks {', '.join(map(repr, missing))}; it returned {some(map(repr, rows)) or 'no column'}"
        raise TaskDataError(message)
    if twice := [name for name in wanted if list(rows).count(name) > 1]:
        message = f"rows() returned several columns {twice[0]!r}; expected one"
        raise TaskDataError(message)
    if rows.empty:
        message = "rows() returned no rows; expected at least one for each label"
        raise TaskDataError(message)
    rows = rows.reset_index(drop=True)
    for name in (*keys, *(f"{key}_alt" for key in keys if f"{key}_alt" in rows)):
        _require(rows[name], name, "an identifier as str", str)
    labels = rows["label"]
    if target == "regression":
        _require(labels, "label", "a number", Real)
    elif target != "multilabel":
        _require(labels, "label", "a name as str", str)
    else:
        _require(labels, "label", "a collection of names", (tuple, list, set, frozenset, np.ndarray))
        strange = [i for i, cell in enumerate(labels.tolist()) if not all(isinstance(name, str) for name in cell)]
        if strange:
            message = f"rows(): label of row {strange[0]} is {labels[strange[0]]!r:.60}; expected names as str in it"
            raise TaskDataError(message)
        rows = rows.assign(label=labels.map(frozenset))
    return rows


def _require(cells: pd.Series[Any], column: str, expected: str, kinds: type | tuple[type, ...]) -> None:
    values = cells.tolist()
    wrong = {kind for kind in set(map(type, values)) if not issubclass(kind, kinds) or kind is bool}
    # A missing value is a float, or an object of pandas' own.
    missing = cells.isna() if wrong or kinds is Real else None
    if wrong or (missing is not None and missing.any()):
        row = next(i for i, value in enumerate(values) if type(value) in wrong or value != value)
        hint = "; leave out the row of a missing value" if missing is not None and missing[row] else ""
        message = f"rows(): {column} of row {row} is {values[row]!r:.60}; expected {expected}{hint}"
        raise TaskDataError(message)


def one_row_per_entity(rows: pd.DataFrame, keys: Sequence[str], duplicates: Duplicates, audit: Audit) -> pd.DataFrame:
    """Collapse the rows of an entity.

    Args:
        rows: Columns `keys` and `label`; the cells of a multi-label task are frozen sets.
        keys: Columns that name the entity.
        duplicates: "agree": equal labels collapse, an entity with different ones is dropped and counted;
            "union": the label sets of a multi-label task are united.
        audit: Takes the counts.

    Returns:
        One row per entity, sorted by its keys.
    """
    import pandas as pd

    rows = rows[[*keys, "label"]]
    repeated = rows.duplicated(list(keys), keep=False)
    grouped: dict[tuple[str, ...], list[Any]] = {}
    # Only repeated entities are gathered in Python: a source of millions of rows has few.
    for *entity, label in zip(*(rows[repeated][column].tolist() for column in rows), strict=True):
        grouped.setdefault(tuple(entity), []).append(label)
    merged: list[tuple[Any, ...]] = []
    for key, labels in grouped.items():
        if duplicates == "union":
            merged.append((*key, frozenset().union(*labels)))
        elif all(label == labels[0] for label in labels):
            merged.append((*key, labels[0]))
        else:
            audit.add_conflict(key)
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
    import pandas as pd

    if target == "regression":
        return rows
    labels = rows["label"]
    counts = Counter(label for cell in labels for label in cell) if target == "multilabel" else Counter(labels.tolist())
    least = max(MIN_CLASS_SIZE, math.ceil(MIN_PREVALENCE * len(rows))) if target == "multilabel" else MIN_CLASS_SIZE
    rare = {label: count for label, count in counts.items() if count < least}
    audit.labels_dropped = {str(label): rare[label] for label in sorted(rare)}
    if target == "multilabel":
        left = [cell.difference(rare) for cell in labels]
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
        return _finite(labels, task), None
    found = {label for cell in labels for label in cell} if target == "multilabel" else set(labels)
    ordered = (
        [name for name in names if name in found] if names else sorted(found, key=lambda name: (name.casefold(), name))
    )
    if stray := found.difference(ordered):
        message = (
            f"{task}: unexpected label {sorted(stray)[0]!r}; expected one of {', '.join(names or ())}"
            " (labels are what the cells hold, or what rows() makes of them; to leave cells out, name those that are"
            " labels: cells={cell: label})"
        )
        raise TaskDataError(message)
    least = 1 if target == "multilabel" else 2
    if len(ordered) < least:
        message = (
            f"{task}: {len(rows)} rows with {len(ordered)} usable label(s); expected {least} with 5 members or more"
        )
        raise TaskDataError(message)
    if target == "binary" and len(ordered) > 2:
        message = f"{task}: {len(ordered)} classes ({some(ordered)}); a binary task has two"
        raise TaskDataError(message)
    number = {name: i for i, name in enumerate(ordered)}
    if target == "multilabel":
        return [sorted(number[label] for label in cell) for cell in labels], ordered
    return [number[label] for label in labels], ordered


def _finite(labels: Sequence[float], task: str) -> list[float]:
    values = [float(label) for label in labels]
    if not all(map(math.isfinite, values)):
        message = f"{task}: {sum(not math.isfinite(value) for value in values)} values are not finite numbers"
        raise TaskDataError(message)
    if len(set(values)) < 2:
        message = f"{task}: all {len(values)} values are equal; expected values that differ"
        raise TaskDataError(message)
    return values


def task_rows(
    entities: Mapping[str, Sequence[str]], values: Sequence[Any], names: Sequence[str] | None, config: TaskConfig
) -> TaskRows:
    """What the folds of a task are made from; they are stratified by class where each entity has exactly one.

    Args:
        entities: Entity column -> (n,) identifiers.
        values: (n,) labels as `encode` returns them.
        names: Class names; None for regression.
        config: The task.
    """
    if names is None:
        return TaskRows(entities)
    if config.target == "multilabel":
        return TaskRows(entities, labels=values)
    return TaskRows(entities, labels=[(value,) for value in values], classes=[names[value] for value in values])


def task_table(
    rows: TaskRows, values: Sequence[Any], names: Sequence[str] | None, config: TaskConfig, columns: FoldColumns
) -> tuple[pa.Table, datasets.Features]:
    """Rows and column types of a task: entity, `label`, `fold`, the folds of other schemes, families.

    Args:
        rows: Entities of the task.
        values: (n,) labels as `encode` returns them.
        names: Class names; None for regression.
        config: The task.
        columns: Its folds and families.
    """
    import datasets
    import pyarrow as pa

    features = datasets.Features({key: datasets.Value("string") for key in rows.entities})
    label = datasets.Value("float64") if names is None else datasets.ClassLabel(names=list(names))
    features["label"] = datasets.List(label) if config.target == "multilabel" else label
    for name, folds in columns.folds.items():
        fold = datasets.Value("int8")
        features[name] = datasets.List(fold, length=2) if folds.ndim == 2 else fold
    features.update({name: datasets.Value("string") for name in columns.families})
    table: dict[str, Any] = {key: list(column) for key, column in rows.entities.items()}
    table["label"] = list(values)
    table |= {name: folds.tolist() for name, folds in columns.folds.items()}
    table |= {name: list(families) for name, families in columns.families.items()}
    return pa.table(table, schema=features.arrow_schema), features
