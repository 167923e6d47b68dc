"""FASTA as databases publish it: a header line and lines of letters for each sequence."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from builders.errors import SourceFormatError
from builders.readers.archives import read_text

__all__ = ["Record", "read_records"]


class Record(NamedTuple):
    """One sequence; `line` is that of its header, counted from 1."""

    line: int
    header: str
    sequence: str


def read_records(path: Path, *, letters: str, kind: str) -> Iterator[Record]:
    """Yield the sequences of a FASTA file, gzipped or not, in its order.

    Args:
        path: The file.
        letters: What a sequence may be made of, as the inside of a regular expression's brackets.
        kind: What a sequence is, for messages: "protein", say.

    Raises:
        SourceFileError: The file cannot be read.
        SourceFormatError: A line is neither a header nor such letters.
    """
    wrong = re.compile(rf"[^\n{letters}]")
    text = read_text(path).replace("\r\n", "\n")
    if text and not text.startswith(">"):
        message = f"{path}: line 1 is not a FASTA header '>...': {text.partition(chr(10))[0][:60]!r}"
        raise SourceFormatError(message)
    line = 1
    # Split where ">" begins a line: within one it is a letter like any other ("C->U-editing enzyme").
    for record in text[1:].split("\n>") if text else []:
        header, _, body = record.partition("\n")
        if found := wrong.search(body):
            number = body.count("\n", 0, found.start())
            message = f"{path}: line {line + 1 + number} is not a {kind} sequence: {body.split(chr(10))[number][:60]!r}"
            raise SourceFormatError(message)
        yield Record(line, header, body.replace("\n", ""))
        line += 1 + record.count("\n")
