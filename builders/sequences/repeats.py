"""Audit of sequences: repeats within and between parts and tasks, on either strand, with equal labels or not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from builders.sequences.config import PARTS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Overlap", "audit_parts", "overlaps", "part_lines", "reverse_complement"]

_COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVN", "TGCAAYRSWMKVHDBN")
_OTHER_LETTER = re.compile("[^ACGT]")


def reverse_complement(sequence: str) -> str:
    """The other strand of a sequence in upper case, IUPAC's codes included.

    >>> reverse_complement("AACGR")
    'YCGTT'
    """
    return sequence.translate(_COMPLEMENT)[::-1]


def audit_parts(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Count what a reader of scores should know about the sequences of each part.

    Args:
        rows: `sequence` in upper case, `label`, and `split`, without which all rows are one part, "all".

    Returns:
        For each part `rows`; `labels`, name to rows; `length`, shortest and longest; `other_letters`, rows with a
        letter that is none of A, C, G and T; `repeats`, rows whose sequence an earlier row has; `repeats_on_strand`,
        the same of distinct sequences, for the other strand; `both_labels`, sequences that have more than one label;
        and `in`: part before it -> how many of its rows are there too, `exact`, only on the `other_strand`, and of the
        exact ones those whose label there is `other_label`.
    """
    split = rows["split"] if "split" in rows else ["all"] * len(rows)
    parts: dict[str, _Part] = {}
    for name, frame in rows.groupby(split, sort=False):
        parts[str(name)] = _Part(frame["sequence"].tolist(), frame["label"].tolist())
    names = list(parts)
    return {
        name: parts[name].facts() | {"in": {other: parts[name].within(parts[other]) for other in names[:i]}}
        for i, name in enumerate(names)
    }


@dataclass(frozen=True)
class _Part:
    sequences: Sequence[str]
    labels: Sequence[str]

    @cached_property
    def labels_of(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for sequence, label in zip(self.sequences, self.labels, strict=True):
            found.setdefault(sequence, set()).add(label)
        return found

    @cached_property
    def other_strands(self) -> set[str]:
        return set(map(reverse_complement, self.labels_of))

    def facts(self) -> dict[str, Any]:
        distinct, lengths = self.labels_of, list(map(len, self.sequences))
        # Both strands of a pair are in the set; a sequence that is its own other strand repeats nothing.
        strands = sum(each in self.other_strands and each != reverse_complement(each) for each in distinct)
        return {
            "rows": len(self.sequences),
            "labels": dict(sorted(Counter(self.labels).items())),
            "length": [min(lengths), max(lengths)],
            "other_letters": sum(map(bool, map(_OTHER_LETTER.search, self.sequences))),
            "repeats": len(self.sequences) - len(distinct),
            "repeats_on_strand": strands // 2,
            "both_labels": sum(len(labels) > 1 for labels in distinct.values()),
        }

    def within(self, other: _Part) -> dict[str, int]:
        counts = Counter[str]()
        for sequence, label in zip(self.sequences, self.labels, strict=True):
            if sequence in other.labels_of:
                counts["exact"] += 1
                counts["other_label"] += label not in other.labels_of[sequence]
            elif sequence in other.other_strands:
                counts["other_strand"] += 1
        return {name: counts[name] for name in ("exact", "other_strand", "other_label")}


def part_lines(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The counts of `audit_parts` in words: a line of sizes, then what is odd about a part, if anything is.

    >>> import pandas as pd
    >>> split = ["train", "train", "test"]
    >>> rows = pd.DataFrame({"sequence": ["AC", "AC", "AC"], "label": ["0", "1", "0"], "split": split})
    >>> part_lines(audit_parts(rows))
    ['train 2, test 1 sequences of 2 letters', 'train: 1 repeats, 1 with several labels', 'test: 1 also in train']
    """
    lengths = [length for part in parts.values() for length in part["length"]]
    letters = f"{min(lengths):,}" + (f" to {max(lengths):,}" if max(lengths) > min(lengths) else "")
    # Read from a file, they come in the order of the alphabet.
    parts = {name: parts[name] for name in sorted(parts, key=("all", *PARTS).index)}
    sizes = ", ".join(f"{name} {part['rows']:,}" for name, part in parts.items())
    lines = [f"{sizes} sequences of {letters} letters"]
    for name, part in parts.items():
        counts = [
            (part["repeats"], "repeats"),
            (part["repeats_on_strand"], "repeats on the other strand"),
            (part["both_labels"], "with several labels"),
            (part["other_letters"], "with letters beyond ACGT"),
        ]
        for other, shared in part["in"].items():
            counts += [(shared["exact"], f"also in {other}"), (shared["other_label"], f"with another label in {other}")]
            counts += [(shared["other_strand"], f"on the other strand in {other}")]
        if odd := ", ".join(f"{count:,} {what}" for count, what in counts if count):
            lines.append(f"{name}: {odd}")
    return lines


@dataclass(frozen=True)
class Overlap:
    """Sequences that two tasks share.

    Args:
        one: Task with no more distinct sequences than the other.
        other: The other task.
        shared: Distinct sequences that both have.
        n_one: Distinct sequences of the one.
        n_other: Distinct sequences of the other.
        test_in_train: Of the distinct test sequences of either, those in the train part of the other one.
    """

    one: str
    other: str
    shared: int
    n_one: int
    n_other: int
    test_in_train: int

    @property
    def is_contained(self) -> bool:
        """Whether every sequence of the one is in the other."""
        return self.shared == self.n_one


def overlaps(tasks: Mapping[str, Mapping[str, Iterable[str]]]) -> list[Overlap]:
    """Pairs of tasks that share sequences, those with the largest shared part of the smaller one first.

    Args:
        tasks: Task -> part -> identifiers of its sequences.

    >>> tasks = {"tata": {"train": "ab", "test": "c"}, "all": {"train": "abcx", "test": "y"}}
    >>> overlaps(tasks)
    [Overlap(one='tata', other='all', shared=3, n_one=3, n_other=5, test_in_train=1)]
    """
    parts = {name: {part: set(ids) for part, ids in of.items()} for name, of in tasks.items()}
    every = {name: set().union(*of.values()) for name, of in parts.items()}
    found = []
    for pair in combinations(parts, 2):
        one, other = sorted(pair, key=lambda name: len(every[name]))
        if shared := every[one] & every[other]:
            leaked = [
                parts[a].get("test", set()) & parts[b].get("train", set()) for a, b in ((one, other), (other, one))
            ]
            n = sum(map(len, leaked))
            found.append(Overlap(one, other, len(shared), len(every[one]), len(every[other]), n))
    return sorted(found, key=lambda each: (-each.shared / each.n_one, each.one, each.other))
