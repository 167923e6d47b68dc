"""The base of builders of tasks about sequences: rows stay as published, and so do the parts they were published in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from builders.base import GeneTaskBuilder
from builders.errors import TaskDataError
from builders.raw_files import Source
from builders.sequences.config import SequenceConfig
from builders.sequences.repeats import audit_parts
from builders.sequences.rows import SPLIT_SCHEME, checked_rows, draw_split
from builders.text import some

if TYPE_CHECKING:
    import datasets
    import pandas as pd

__all__ = ["SEQUENCE_RULES", "SequenceTaskBuilder"]

SEQUENCE_RULES = 1
"""Version of the rules that all tasks about sequences share; raise it when rows would differ for the same input."""


class SequenceTaskBuilder(GeneTaskBuilder):
    """Turns rows into `sequence_id`, `sequence`, `label` and `split`.

    Nothing is merged, dropped or moved: repeats are part of what was published, and are counted. Where the source
    published no parts, 30 % are drawn for testing (see `draw_split`). `rows()` returns `sequence` and `label`, as
    texts, and perhaps `split` and `sequence_id`; without `sequence_id`, which only a table of the user's own has, the
    identifier is a hash of the sequence, so that one that is in several tasks has one identifier, and one vector.
    """

    BUILDER_CONFIGS: ClassVar[list[Any]] = []

    def inputs(self, config: SequenceConfig) -> list[tuple[Source, str]]:
        """Raw files that a config needs; no gene is looked up, so not HGNC's."""
        return [(self.SOURCE, key) for key in config.files or self.SOURCE.files]

    @classmethod
    def rules(cls) -> str:
        """Versions of everything that decides over rows besides config and raw files."""
        code = cls._code_sha256()
        return f"sequences {SEQUENCE_RULES}, rules {cls.RULES_VERSION}" + (code and f", code {code}")

    def source_rows(self) -> pd.DataFrame:
        """What `rows()` returns, checked and in the form of a task.

        Raises:
            TaskDataError: See `checked_rows`.
        """
        try:
            return checked_rows(self.rows(self.config))
        except TaskDataError as error:
            message = f"{self.config.name}: {error}"
            raise TaskDataError(message) from error

    def _build_task(self) -> tuple[Any, datasets.Features]:
        import pyarrow as pa

        rows = self.source_rows()
        self.audit.rows_read = self.audit.n = len(rows)
        if "split" not in rows:
            rows["split"] = draw_split(rows["sequence_id"].tolist(), rows["label"].tolist())
            rows = rows.sort_values("split", ascending=False, kind="stable", ignore_index=True)
            self.audit.notes.append(f"the source has no split: test is the 30 % that {SPLIT_SCHEME} draws")
        self.audit.parts = audit_parts(rows)
        self.audit.notes += self._size_notes()
        names = self._class_names(rows["label"])
        features = _features(names)
        number = {name: i for i, name in enumerate(names)}
        table = rows.assign(label=rows["label"].map(number))
        return pa.Table.from_pandas(table, schema=features.arrow_schema, preserve_index=False), features

    def _size_notes(self) -> list[str]:
        return [
            f"{part} has {self.audit.parts[part]['rows']:,} rows, {expected:,} were expected"
            for part, expected in self.config.sizes.items()
            if part in self.audit.parts and self.audit.parts[part]["rows"] != expected
        ]

    def _class_names(self, labels: pd.Series[Any]) -> list[str]:
        """Names of the classes in the order of their numbers.

        Raises:
            TaskDataError: A label is not one of the config's, or there are too few or too many for the target.
        """
        config, found = self.config, set(labels)
        names = list(config.labels or sorted(found, key=_order))
        if stray := sorted(found.difference(names)):
            message = f"{config.name}: unexpected label {stray[0]!r}; expected one of {', '.join(names)}"
            raise TaskDataError(message)
        if len(found) < 2 or (config.target == "binary" and len(names) != 2):
            expected = "2" if config.target == "binary" else "2 or more"
            count = f"{len(found)} class{'es' if len(found) > 1 else ''}"
            message = f"{config.name}: {count} ({some(sorted(found))}); a {config.target} task has {expected}"
            raise TaskDataError(message)
        return names


def _order(label: str) -> tuple[bool, float, str]:
    """Numbers first, by their values, so that 1 comes after -1 and 10 after 9."""
    try:
        value = float(label)
    except ValueError:
        value = math.nan
    is_number = math.isfinite(value)
    return not is_number, value if is_number else 0.0, label


def _features(names: list[str]) -> datasets.Features:
    import datasets

    text = datasets.Value("string")
    label = datasets.ClassLabel(names=names)
    return datasets.Features({"sequence_id": text, "sequence": text, "label": label, "split": text})
