"""Labelled sequences as collections publish them: FASTA with labels in the headers, or one file for each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFormatError
from builders.readers.archives import read_text
from builders.readers.fasta import read_records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ANY_LETTER", "header_label", "labelled", "read_labelled_fasta", "read_sequences", "read_text_files"]

ANY_LETTER = "A-Za-z*. \t-"
"""Letters of a FASTA body, as in `read_records`; which of them a sequence may have is checked with its row."""
_SIGN = re.compile(r"([PN])_?\d+")


def read_sequences(path: Path) -> list[str]:
    """Sequences of a FASTA file, in its order.

    Raises:
        SourceFileError: The file cannot be read.
        SourceFormatError: It is no FASTA.
    """
    return [record.sequence.strip() for record in read_records(path, letters=ANY_LETTER, kind="nucleotide")]


def header_label(header: str) -> str | None:
    """Label in a header: `name|label`, or P and N with a number for positive and negative; None without one.

    >>> [header_label(text) for text in ("chr1:5-9|2", "P1|1", "P_12", "N7", "gene7")]
    ['2', '1', '1', '0', None]
    """
    _, bar, label = header.rpartition("|")
    if bar:
        return label.strip() or None
    sign = _SIGN.fullmatch(header.strip())
    return None if sign is None else "1" if sign[1] == "P" else "0"


def read_labelled_fasta(path: Path) -> pd.DataFrame:
    """Columns `sequence` and `label` of a FASTA file with labels in its headers; see `header_label`.

    Raises:
        SourceFileError: The file cannot be read.
        SourceFormatError: A header has no label, or it is no FASTA.
    """
    import pandas as pd

    rows = []
    for record in read_records(path, letters=ANY_LETTER, kind="nucleotide"):
        label = header_label(record.header)
        if label is None:
            message = (
                f"{path}: line {record.line} has no label in its header, expected '>name|label': {record.header[:60]!r}"
            )
            raise SourceFormatError(message)
        rows.append((record.sequence.strip(), label))
    return pd.DataFrame(rows, columns=["sequence", "label"])


def read_text_files(folder: Path) -> list[str]:
    """Sequences of a folder with one text file for each, in the order of the numbers in their names.

    Raises:
        SourceFileError: A file cannot be read.
        SourceFormatError: There is no such file.
    """
    files = sorted(folder.glob("*.txt"), key=lambda file: (not file.stem.isdigit(), file.stem.zfill(12)))
    if not files:
        message = f"{folder}: no .txt file; expected a folder with one sequence in each"
        raise SourceFormatError(message)
    return [read_text(file).strip() for file in files]


def labelled(sequences: Iterable[str], label: str) -> pd.DataFrame:
    """The sequences of one class as `sequence` and `label`."""
    import pandas as pd

    return pd.DataFrame({"sequence": list(sequences)}, dtype=object).assign(label=label)
