"""Reads word2vec's formats: a gene and its numbers on each line of text, or their bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from model_adapters.errors import VectorsError, one_line
from model_adapters.files.layout import Ask, Rows, rows_of_array
from model_adapters.files.readers.archives import packed
from model_adapters.files.readers.delimited import ROWS_AT_ONCE, read_form
from model_adapters.files.readers.sniffing import NUMBERS, sniff
from model_adapters.files.sheets import GrowingRows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_NAME = 1000


def read_text(path: Path, ask: Ask) -> Rows:
    """Read a `.txt` or `.vec` file: word2vec text, or a table with a header.

    Raises:
        VectorsError: it is neither.
    """
    with path.open("rb") as file:
        first = file.readline(1 << 16)
    if first.strip() and not re.fullmatch(rb"\d+\s+\d+\s*", first):
        content = packed(path)
        with content.open() as file:
            form = sniff(file, path, where=ask.where)
        if form.named and form.columns_of(NUMBERS):
            return read_form(content, form, ask)
    names, vectors = read_word2vec(path)
    return rows_of_array({"words": names}, vectors, ask)


def read_word2vec(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Read word2vec text: a line is a gene and its numbers, between blanks or tabs; a line `n d` may come first.

    Raises:
        VectorsError: it is not text, a line has more or fewer numbers, or the first line announces other counts.
    """
    names: list[str] = []
    try:
        announced = _header(list(islice(_lines(path), 2)))
        vectors = _numbers_of(path, names, skip=bool(announced))
    except UnicodeDecodeError as error:
        message = f"{path.name} is not UTF-8 text ({one_line(error)}); expected word2vec text, not its binary form"
        raise VectorsError(message) from error
    if announced and announced != [*vectors.shape]:
        message = (
            f"{path.name}: its first line announces {announced[0]} genes of dimension {announced[1]}, but it has "
            f"{len(vectors)} of {vectors.shape[1]}; a half-downloaded file?"
        )
        raise VectorsError(message)
    return names, vectors


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as file:
        yield from (line for line in file if line.strip())


def _numbers_of(path: Path, names: list[str], *, skip: bool) -> NDArray[np.float32]:
    """Return the (n, d) numbers, a few lines at a time; their names are added to the list."""
    lines = islice(_lines(path), int(skip), None)
    found = GrowingRows()
    while pairs := [line.split(maxsplit=1) for line in islice(lines, ROWS_AT_ONCE)]:
        if short := [pair[0] for pair in pairs if len(pair) < 2]:
            message = f"{path.name}: no numbers after {short[0]!r}; expected lines of a gene and its numbers"
            raise VectorsError(message)
        try:
            block = np.loadtxt([pair[1] for pair in pairs], dtype=np.float32, comments=None, ndmin=2)
        except ValueError as error:
            raise VectorsError(_line_message(path.name, pairs, error)) from error
        found.add(block, [pair[0] for pair in pairs], where=path.name)
        names += [pair[0] for pair in pairs]
    if not names:
        message = f"{path.name} names no gene; expected lines of a gene and its numbers"
        raise VectorsError(message)
    return found.rows


def _header(lines: list[str]) -> list[int]:
    """Return `[n, d]` of the first line, if it is a header and not a gene named by a number with one number."""
    if not lines or not re.fullmatch(r"\d{1,12}\s+\d{1,12}\s*", lines[0]):
        return []
    n, dim = (int(number) for number in lines[0].split())
    return [] if len(lines) > 1 and len(lines[1].split()) == 2 and dim != 1 else [n, dim]


def _line_message(where: str, pairs: list[list[str]], error: ValueError) -> str:
    dim = len(pairs[0][1].split())
    for name, numbers in pairs:
        fields = numbers.split()
        if len(fields) != dim:
            return f"{where}: {name} has {len(fields)} numbers, {pairs[0][0]} has {dim}; all must have the same"
        if wrong := [field for field in fields if not _is_number(field)]:
            return f"{where}: {name} has {wrong[0]!r} among its numbers, expected lines of a gene and its numbers"
    return f"{where}: a line does not hold numbers after the gene ({one_line(error)})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_binary(path: Path, ask: Ask) -> Rows:
    """Read word2vec's binary format: a line `n d`, then for each word its name, a blank and d float32 numbers.

    Raises:
        VectorsError: it is cut, or announces more than it holds.
    """
    content = path.read_bytes()
    header = re.match(rb"(\d{1,12}) (\d{1,6})\n", content)
    if header is None:
        message = f"{ask.where} is not a binary word2vec file (no line of two counts comes first); save it as text"
        raise VectorsError(message)
    n, dim = int(header[1]), int(header[2])
    if n * (4 * dim + 2) > len(content) + n or not n or not dim:
        message = (
            f"{ask.where} announces {n:,} genes of dimension {dim:,}, but has {len(content):,} bytes; fetch it again"
        )
        raise VectorsError(message)
    names, vectors, start = [], np.empty((n, dim), dtype=np.float32), header.end()
    for row in range(n):
        stop = content.find(b" ", start, start + MAX_NAME)
        end = stop + 1 + 4 * dim
        if stop < 0 or end > len(content):
            message = f"{ask.where} ends within gene {row + 1:,} of {n:,}; fetch it again"
            raise VectorsError(message)
        names.append(content[start:stop].decode("utf-8").lstrip("\n"))
        vectors[row] = np.frombuffer(content, "<f4", count=dim, offset=stop + 1)
        start = end
    return rows_of_array({"words": names}, vectors, ask)
