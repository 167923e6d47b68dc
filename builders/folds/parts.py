"""Tasks about genes that come in parts: which part an entity is in, and the column that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from builders.audit import Audit
from builders.config import entity_keys
from builders.errors import TaskDataError

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    import pyarrow as pa

__all__ = ["SPLIT", "in_parts", "one_part_each"]

SPLIT = "split"
"""Column of a task whose rows come in parts; the rows of a part follow each other."""
TRAIN, TEST = "train", "test"


def one_part_each(
    rows: pd.DataFrame, keys: Sequence[str], audit: Audit
) -> tuple[pd.DataFrame, Mapping[str, str] | None]:
    """Take away the test rows about entities of train; return the others, and the part of each entity.

    Args:
        rows: Resolved; `split`, if it is there, is "train" or "test".
        keys: Columns that name the entity.
        audit: Takes a note of what is left out.

    Returns:
        The rows, and entity key -> part; None where the rows have no `split`.

    Raises:
        TaskDataError: A part has another name, or no row of a part is left.
    """
    if SPLIT not in rows:
        return rows, None
    if stray := sorted(set(rows[SPLIT]) - {TRAIN, TEST}):
        message = f"rows(): split is {stray[0]!r} in some row; expected {TRAIN} or {TEST}"
        raise TaskDataError(message)
    named = entity_keys([rows[key].tolist() for key in keys])
    trained = {key for key, part in zip(named, rows[SPLIT], strict=True) if part == TRAIN}
    is_both = [part == TEST and key in trained for key, part in zip(named, rows[SPLIT], strict=True)]
    parts = {key: TRAIN if key in trained else TEST for key in named}
    n_test = len(parts) - len(trained)
    if not trained or not n_test:
        message = f"{len(trained):,} entities to train on and {n_test:,} to test on; expected some of both"
        raise TaskDataError(message)
    audit.notes.append(
        f"train has {len(trained):,} entities, test {n_test:,}; {sum(is_both):,} rows of test are about entities of"
        " train and are left out"
    )
    return rows[[not both for both in is_both]], parts


def in_parts(
    table: pa.Table, features: datasets.Features, keys: Sequence[str], parts: Mapping[str, str] | None
) -> tuple[pa.Table, datasets.Features]:
    """A task's table with the column `split`, train first; as it is where there are no parts."""
    import datasets
    import pyarrow as pa

    if parts is None:
        return table, features
    column = [parts[key] for key in entity_keys(table[key].to_pylist() for key in keys)]
    order = sorted(range(len(column)), key=lambda row: column[row] == TEST)
    features = datasets.Features({**features, SPLIT: datasets.Value("string")})
    return table.append_column(SPLIT, pa.array(column)).take(order).cast(features.arrow_schema), features
