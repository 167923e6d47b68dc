"""What happened between a source's rows and a task's rows, counted: nothing is dropped silently."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders.files import write_atomically
from builders.sequences.repeats import part_lines
from builders.symbols import CHANGES
from builders.text import some

if TYPE_CHECKING:
    from builders.symbols import Resolution

__all__ = ["AUDIT_FILE", "Audit"]

AUDIT_FILE = "audit.json"
SAMPLE = 10


@dataclass
class Audit:
    """Counts of one build, stored beside the dataset as `audit.json`.

    Args:
        inputs: Raw file as `<source>/<name>` -> sha256.
        rows_read: Rows the source gave for this task.
        identifiers: Distinct identifiers per status of `SymbolResolver` ("previous", "ambiguous", "unmapped", ...).
        samples: Status -> up to ten identifiers that were changed or not mapped, or "conflicts" -> up to ten entities,
            for a reader to check.
        rows_unmapped: Rows left out because an identifier has no current symbol.
        duplicates_collapsed: Rows that said the same of the same entity, or were merged by the task's rule.
        conflicts_dropped: Entities left out because their rows disagree.
        labels_dropped: Label or class -> its number of entities, under the prevalence rule.
        rows_dropped: Entities left out with a dropped class.
        n: Entities in the task.
        paper_n: Size in the paper, where it has the task.
        splits: Families of genes, relatives across folds and pairs in no test part; see `builders.folds.fold_columns`.
        no_splits: Scheme that this kind of task could have -> why it has no column.
        notes: What else a reader should know, one sentence each.
        parts: Of a task about sequences, part -> the counts of `builders.sequences.repeats.audit_parts`.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    rows_read: int = 0
    identifiers: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)
    rows_unmapped: int = 0
    duplicates_collapsed: int = 0
    conflicts_dropped: int = 0
    labels_dropped: dict[str, int] = field(default_factory=dict)
    rows_dropped: int = 0
    n: int = 0
    paper_n: int | None = None
    splits: dict[str, float] = field(default_factory=dict)
    no_splits: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_resolution(self, resolution: Resolution) -> None:
        """Count what became of the identifiers of one column."""
        self.identifiers = dict(sorted((Counter(self.identifiers) + Counter(resolution.counts)).items()))
        seen = {
            "changed": [f"{old} -> {new}" for old, new in resolution.changed.items()],
            "ambiguous": [f"{old}: {', '.join(new)}" for old, new in resolution.ambiguous.items()],
            "withdrawn": resolution.withdrawn,
            "unmapped": resolution.unmapped,
        }
        for status, items in seen.items():
            self._sample(status, items)

    def add_conflict(self, entity: Sequence[str]) -> None:
        """Count an entity that is left out because its rows disagree."""
        self.conflicts_dropped += 1
        self._sample("conflicts", [" ".join(entity)])

    def _sample(self, status: str, items: Sequence[str]) -> None:
        if items:
            self.samples[status] = sorted({*self.samples.get(status, []), *items})[:SAMPLE]

    @property
    def changed(self) -> int:
        """Number of symbols that were replaced by the current one."""
        return sum(self.identifiers.get(status, 0) for status in CHANGES)

    @property
    def is_small(self) -> bool:
        """Whether there are far fewer entities than in the paper: half a file, or another release."""
        return self.paper_n is not None and 2 * self.n < self.paper_n

    def summary(self) -> str:
        """One line for a table or a card."""
        if self.parts:
            return "; ".join(part_lines(self.parts))
        lost = {status: self.identifiers.get(status, 0) for status in ("ambiguous", "withdrawn", "unmapped")}
        parts = [f"{self.rows_read:,} rows read", f"{self.changed:,} identifiers changed"]
        parts += [f"{count:,} {status}" for status, count in lost.items()]
        parts.append(f"{self.duplicates_collapsed:,} duplicates collapsed")
        parts.append(f"{self.conflicts_dropped:,} conflicts dropped")
        parts += [f"{len(self.labels_dropped):,} rare labels dropped", f"{self.n:,} left"]
        if self.paper_n is not None:
            hint = " (far fewer than expected: are the source's files complete?)" if self.is_small else ""
            parts.append(f"{self.paper_n:,} in the paper{hint}")
        return ", ".join(parts)

    def losses(self, *, limit: int = 6) -> list[str]:
        """What was left out, by name, with one line for each reason; then the notes."""
        counts = {status: self.identifiers.get(status, 0) for status in ("ambiguous", "withdrawn", "unmapped")}
        counts["conflicts"] = self.conflicts_dropped
        lines = []
        for status, count in counts.items():
            named = self.samples.get(status, [])[:limit]
            more = f" and {count - len(named):,} more" if count > len(named) else ""
            lines += [f"{status}: {'; '.join(named)}{more}"] if named else []
        rare = [f"{label} ({n:,})" for label, n in self.labels_dropped.items()]
        return [*lines, *([f"rare labels: {some(rare, limit=limit)}"] if rare else []), *self.notes]

    def splits_summary(self) -> str:
        """One line on families and what the split schemes leave unused; empty where nothing is known."""
        parts = []
        if "families" in self.splits:
            n, largest = int(self.splits["families"]), int(self.splits["largest_family"])
            parts.append(f"genes in {n:,} families, the largest of {largest:,}")
        by_kind: dict[str, dict[str, float]] = {"related": {}, "untested": {}, "unused": {}}
        for name, value in self.splits.items():
            kind, _, scheme = name.partition("_")
            by_kind.get(kind, {})[scheme] = value
        if related := {scheme: share for scheme, share in by_kind["related"].items() if scheme != "family"}:
            shares = ", ".join(f"{share:.0%} on {scheme} folds" for scheme, share in related.items())
            parts.append(f"test genes with a relative in training: {shares}")
        for scheme, count in {**by_kind["untested"], **by_kind["unused"]}.items():
            parts.append(f"{int(count):,} entities in no test part of {scheme}")
        return "; ".join(parts)

    def counts(self) -> dict[str, Any]:
        """The counts, without file hashes, samples and texts; those of parts are in `audit.json` only."""
        left_out = ("inputs", "samples", "no_splits", "notes", "parts")
        return {key: value for key, value in asdict(self).items() if key not in left_out}

    def write(self, folder: Path) -> None:
        """Write `audit.json` into a folder."""
        write_atomically(folder / AUDIT_FILE, json.dumps(asdict(self), indent=2, sort_keys=True) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Audit:
        """Read `audit.json` from a folder; counts that this version does not know are ignored."""
        values: Mapping[str, Any] = json.loads((folder / AUDIT_FILE).read_text(encoding="utf-8"))
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})
