"""A user's own sequences with labels: the same rules as for a published task, without a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builders.catalog import Built
from builders.errors import TaskDataError
from builders.raw_files import Source
from builders.sequences.builder import SequenceTaskBuilder
from builders.sequences.config import SequenceConfig
from builders.text import some

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["build_sequence_table"]

USER = Source(name="user", title="Your table", files={})
SEQUENCES = ("sequence", "text")
"""Names of the column of sequences."""


def build_sequence_table(name: str, frame: pd.DataFrame) -> Built:
    """Make a task of sequences with labels.

    Args:
        name: Task id.
        frame: `sequence` or `text`, `label`, and perhaps `split` (train, validation, test) and `sequence_id`. Without
            `split`, 30 % are drawn for testing; without `sequence_id`, a hash of the sequence is the identifier. Two
            classes are a binary task, of which the second in order is positive.

    Raises:
        TaskDataError: A column is missing, or the rows make no task; see `checked_rows`.
    """
    column = next((each for each in SEQUENCES if each in frame), None)
    if column is None or "label" not in frame:
        found = some(map(str, frame.columns)) or "none"
        message = f"{name}: columns are {found}; expected 'sequence' (or 'text') and 'label'"
        raise TaskDataError(message)
    others = [each for each in ("split", "sequence_id") if each in frame]
    rows = frame[[column, "label", *others]].rename(columns={column: "sequence"})
    # A label may be a number; a missing one stays missing.
    rows = rows.assign(label=[label if _is_missing(label) else str(label) for label in rows["label"].tolist()])
    config = SequenceConfig(
        name=name,
        description=f"The user's table {name}.",
        target="binary" if rows["label"].nunique() == 2 else "multiclass",
        family="user",
    )
    dataset, audit = _builder(config, rows).build_in_memory()
    return Built(config, dataset, audit, built=True)


def _is_missing(label: Any) -> bool:
    return label is None or label != label


def _builder(config: SequenceConfig, frame: pd.DataFrame) -> SequenceTaskBuilder:
    class TableBuilder(SequenceTaskBuilder):
        """The rows of one table."""

        SOURCE = USER
        BUILDER_CONFIGS = [config]  # noqa: RUF012

        def rows(self, config: SequenceConfig) -> pd.DataFrame:
            return frame

    return TableBuilder(config.name)
