"""Rows of a task about sequences: what they must hold, their identifiers, and a split where none was published."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from builders.errors import TaskDataError
from builders.sequences.config import PARTS
from builders.text import did_you_mean, some

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IUPAC", "SPLIT_SCHEME", "checked_rows", "draw_split", "sequence_id"]

IUPAC = "ACGTURYSWKMBDHVN"
"""Letters of a nucleotide sequence (IUPAC-IUB, 1970): the bases, and codes for positions with more than one."""
TEST_SHARE = 0.3
SPLIT_SEED = 0
SPLIT_SCHEME = f"70-30-stratified-sha256-seed{SPLIT_SEED}"
"""Name of the split of a source that published none; a change of the rule is a new name."""
_STRANGE = re.compile(f"[^{IUPAC}]")
_PART_NAMES = {name: name for name in PARTS} | dict.fromkeys(("dev", "valid", "val", "eval"), "validation")


def sequence_id(sequence: str) -> str:
    """Identifier of a sequence in upper case, the same in every task: 80 bits of its sha256, in hexadecimal.

    >>> sequence_id("ACGT")
    '1dff3e84fe7877e0673b'
    """
    return hashlib.sha256(sequence.encode()).hexdigest()[:20]


def part_name(name: str) -> str:
    """Name of a part as it stands in the column `split`.

    Raises:
        TaskDataError: No part has such a name.

    >>> part_name("dev")
    'validation'
    """
    if name not in _PART_NAMES:
        message = f"split is {name!r}, expected {', '.join(PARTS)}{did_you_mean(name, _PART_NAMES)}"
        raise TaskDataError(message)
    return _PART_NAMES[name]


def checked_rows(rows: object) -> pd.DataFrame:
    """Check rows as a source has them, and put them into the form of a task.

    Args:
        rows: Frame with `sequence` (text in either case) and `label` (text), and where the source has them `split` and
            `sequence_id`.

    Returns:
        `sequence_id`, `sequence` in upper case with T for RNA's U, `label` and, if given, `split`, part after part in
        the order of `PARTS`; within a part, rows keep their order, on which the draws of few-shot tests depend.

    Raises:
        TaskDataError: It is not a frame or has no rows; a column or a part is missing; a cell is empty; a sequence has
            a letter that nucleotide sequences do not have; an identifier stands for two sequences. The message names
            row, letter and position.
    """
    import pandas as pd

    if not isinstance(rows, pd.DataFrame) or not {"sequence", "label"} <= set(rows):
        found = some(map(repr, rows)) if isinstance(rows, pd.DataFrame) else type(rows).__name__
        message = f"rows are {found}; expected a table with 'sequence' and 'label'"
        raise TaskDataError(message)
    if rows.empty:
        message = "no rows; expected sequences with labels"
        raise TaskDataError(message)
    rows = rows.reset_index(drop=True)
    if "split" in rows:
        names = {name: part_name(str(name)) for name in rows["split"].unique().tolist()}
        rows = rows.assign(split=rows["split"].map(names))
        if missing := [part for part in ("train", "test") if part not in names.values()]:
            given = ", ".join(f"{part} {int((rows['split'] == part).sum()):,}" for part in names.values())
            message = f"no part '{missing[0]}' (rows of {given}); expected train and test, or no column 'split' at all"
            raise TaskDataError(message)
        order = rows["split"].map(PARTS.index).to_numpy().argsort(kind="stable")
        rows = rows.iloc[order].reset_index(drop=True)
    for column in ("sequence", "label"):
        _require_text(rows, column)
    sequences = rows["sequence"].str.strip().str.upper().str.replace("U", "T", regex=False)
    for row, sequence in enumerate(sequences.tolist()):
        if strange := _STRANGE.search(sequence):
            where = f"sequence of {_place(rows, row)} has {strange.group()!r} at position {strange.start() + 1}"
            message = f"{where}; expected nucleotides ({', '.join(IUPAC)})"
            raise TaskDataError(message)
    ids = _own_ids(rows, sequences) if "sequence_id" in rows else [sequence_id(each) for each in sequences.tolist()]
    columns = {"sequence_id": ids, "sequence": sequences, "label": rows["label"]}
    made = pd.DataFrame(columns if "split" not in rows else {**columns, "split": rows["split"]})
    if "split" in made:
        _require_known_labels(made)
    return made


def _own_ids(rows: pd.DataFrame, sequences: pd.Series[str]) -> list[str]:
    """Identifiers as they are given: each of one sequence, since vectors are kept by them."""
    _require_text(rows, "sequence_id")
    ids: list[str] = rows["sequence_id"].tolist()
    known: dict[str, str] = {}
    for row, (name, sequence) in enumerate(zip(ids, sequences.tolist(), strict=True)):
        if known.setdefault(name, sequence) != sequence:
            message = f"sequence_id {name!r} of {_place(rows, row)} is also another sequence's; expected one for each"
            raise TaskDataError(message)
    return ids


def _require_text(rows: pd.DataFrame, column: str) -> None:
    cells = rows[column].tolist()
    for row, cell in enumerate(cells):
        if not isinstance(cell, str) or not cell.strip():
            shown = "empty" if cell == "" or cell is None or cell != cell else repr(cell)
            message = f"{column} of {_place(rows, row)} is {shown}; expected text in every row"
            raise TaskDataError(message)


def _place(rows: pd.DataFrame, row: int) -> str:
    """Where a row is, counted from 1 within its part."""
    if "split" not in rows:
        return f"row {row + 1}"
    part = rows["split"][row]
    return f"row {int((rows['split'][: row + 1] == part).sum())} of {part}"


def _require_known_labels(rows: pd.DataFrame) -> None:
    known = set(rows["label"][rows["split"] == "train"])
    for part in ("validation", "test"):
        if stray := sorted(set(rows["label"][rows["split"] == part]) - known):
            message = f"label {stray[0]!r} of {part} is missing in train, which has {some(sorted(known))}"
            raise TaskDataError(message)


def draw_split(ids: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Part of each row, "train" or "test", where the source has none: 30 % for test in all, as near in each class.

    Rows of a class are ordered by the sha256 of seed and identifier, so that no row order, platform or random
    generator matters, and equal sequences lie side by side. The test part has ceil(0.3 n) rows; those of a class are
    rounded down, and what is left goes to the classes with the largest remainders, as scikit-learn's stratified split
    does it.

    Args:
        ids: (n,) identifiers.
        labels: (n,) class names.

    >>> draw_split(["a", "b", "c", "d"], ["0", "0", "1", "1"]).count("test")
    2
    """
    total = math.ceil(TEST_SHARE * len(ids))
    groups: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault(label, []).append(row)
    shares = {label: total * len(rows) / len(ids) for label, rows in groups.items()}
    sizes = {label: math.floor(share) for label, share in shares.items()}
    largest = sorted(groups, key=lambda label: (sizes[label] - shares[label], label))
    for label in largest[: total - sum(sizes.values())]:
        sizes[label] += 1
    parts = ["train"] * len(ids)
    for label, rows in groups.items():
        for row in sorted(rows, key=lambda row: (_rank(ids[row]), row))[: sizes[label]]:
            parts[row] = "test"
    return parts


def _rank(key: Any) -> bytes:
    return hashlib.sha256(f"{SPLIT_SEED}:{key}".encode()).digest()
