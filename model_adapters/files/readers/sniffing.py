"""Finds out how a table of text is written: separator, decimal point, encoding, header, and what each column holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from model_adapters.errors import VectorsError, some
from model_adapters.files.identifiers import are_row_numbers, may_be_whole, may_name_genes, odd_names

SAMPLE_BYTES = 4 * 1024**2
SAMPLE_ROWS = 200
FEWEST_LINES = 3
SAMPLE_CELLS = 200_000
BLANK = " "
NUMBERS, TEXTS, LISTS = "numbers", "texts", "lists"
MISSING_CELLS = frozenset(("", "na", "n/a", "nan", "null", "none", "-nan", "#n/a"))
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BLANKS = re.compile(r'"([^"]*)"|(\S+)')


@dataclass
class Form:
    """How a table of text is written.

    Args:
        separator: Between cells; " " stands for any number of blanks and tabs.
        header: Name of each column.
        kinds: Column -> numbers, texts or lists.
        skip: Lines before the first row.
        decimal: Point or comma.
        encoding: "utf8", "latin1" or "utf-16".
        named: Whether the file has a header.
        notes: What a user should know.
    """

    separator: str
    header: list[str]
    kinds: dict[str, str]
    skip: int = 1
    decimal: str = "."
    encoding: str = "utf8"
    named: bool = True
    notes: tuple[str, ...] = ()

    def columns_of(self, kind: str) -> list[str]:
        """Return the columns of a kind."""
        return [name for name, its in self.kinds.items() if its == kind]


def sniff(file: IO[bytes], name: Path, *, where: str) -> Form:
    """Read the beginning of a table.

    Args:
        file: At its beginning, unpacked.
        name: Of it; `.tsv` and `.csv` decide where the cells leave a choice.
        where: For messages.

    Raises:
        VectorsError: it is empty, no text, or has one column only.
    """
    lines, encoding = _lines(file, where=where)
    if not lines:
        message = f"{where} is empty; expected a column of gene identifiers and numeric columns"
        raise VectorsError(message)
    separator, decimal = _separator(lines, name)
    rows = [split_line(line, separator) for line in lines]
    header, skip = _header(rows, decimal)
    named = bool(skip)
    body = rows[skip:]
    if named and body and len(body[0]) == len(header) + 1:
        # R's write.table: no name above the names of the rows.
        header = ["", *header]
    if not named:
        header = ["gene", *(str(i) for i in range(len(rows[0]) - 1))]
    header = [cell.strip() or (f"column {i + 1}" if i else "") for i, cell in enumerate(header)]
    if repeated := [cell for cell, count in Counter(header).items() if count > 1]:
        message = f"{where}: columns occur more than once: {some(sorted(repeated))}; give each its own name"
        raise VectorsError(message)
    if len(header) < 2:
        message = f"{where} has no column but {header[0][:40]!r}; expected gene identifiers and numeric columns"
        raise VectorsError(message)
    columns = {cell: [row[i] for row in body if i < len(row)] for i, cell in enumerate(header)}
    kinds = {cell: _kind(cells, cell, decimal) for cell, cells in columns.items()}
    dimensions = [cell for cell, kind in kinds.items() if kind == NUMBERS]
    for cell, cells in columns.items():
        # A word in a dimension is a fault of the file, to be named; it does not make the dimension a text.
        if kinds[cell] == TEXTS and cell not in odd_names([*dimensions, cell]) and _mostly_numbers(cells, decimal):
            kinds[cell] = TEXTS if may_name_genes(cell) or len(dimensions) < FEWEST_LINES else NUMBERS
    if not named:
        kinds[header[0]] = TEXTS
    notes = ("it has no header; the first column names the genes",) if not named else ()
    return Form(separator, header, kinds, skip, decimal, encoding, named, notes)


def split_line(line: str, separator: str) -> list[str]:
    """Return the cells of a line.

    >>> split_line('"TP53"  0.5 -1', BLANK), split_line("a;b;", ";"), split_line('"a ""b"", c",1,', ",")
    (['TP53', '0.5', '-1'], ['a', 'b', ''], ['a "b", c', '1', ''])
    """
    if '"' not in line:
        return line.split(None if separator == BLANK else separator)
    if separator == BLANK:
        return [quoted or plain for quoted, plain in _BLANKS.findall(line)]
    # Not `csv`, which refuses cells of over 128 kB, and vectors are longer.
    cells = re.findall(rf'(?:^|{re.escape(separator)})(?:"((?:[^"]|"")*)"|([^{re.escape(separator)}]*))', line)
    return [quoted.replace('""', '"') or plain for quoted, plain in cells]


def number(cell: str, decimal: str) -> float | None:
    """Return a cell as a number, None if it is none."""
    try:
        return float(cell.replace(",", ".") if decimal == "," else cell) if "_" not in cell else None
    except ValueError:
        return None


def _lines(file: IO[bytes], *, where: str) -> tuple[list[str], str]:
    sample = bytearray()
    complete, ends = False, 0
    # A header may be longer than a sample: genes as columns, or a million of them.
    while not complete and ends <= FEWEST_LINES:
        more = file.read(SAMPLE_BYTES)
        complete = len(more) < SAMPLE_BYTES
        ends += more.count(b"\n")
        sample += more
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
        text = sample[: len(sample) // 2 * 2].decode("utf-16", errors="ignore")
    else:
        if found := _BINARY.search(sample):
            message = f"{where} is not a readable {_suffix(where)} file (byte {found[0][0]}); save it as UTF-8 text"
            raise VectorsError(message)
        encoding = "utf8"
        try:
            text = sample.decode("utf-8-sig", errors="strict" if complete else "ignore")
        except UnicodeDecodeError:
            encoding, text = "latin1", sample.decode("latin-1")
    lines = text.splitlines()
    if not complete and len(lines) > 1:
        lines = lines[:-1]
    lines = [line for line in lines[: 2 * SAMPLE_ROWS] if line.strip()]
    return lines[
        : max(2 * FEWEST_LINES, min(SAMPLE_ROWS, SAMPLE_CELLS // max(1, len(lines[0].split(",")) if lines else 1)))
    ], encoding


def _suffix(where: str) -> str:
    return Path(where).suffix[1:].lower() or "text"


def _separator(lines: Sequence[str], name: Path) -> tuple[str, str]:
    """Return the separator under which most cells are numbers, and the decimal point of these."""
    first = {".csv": ",", ".tsv": "\t"}.get(name.suffix.lower(), "\t")
    tried = dict.fromkeys((first, ",", "\t", ";", "|", BLANK))
    best, best_score = (first, "."), (-1.0, 0)
    for separator in tried:
        rows = [split_line(line, separator) for line in lines[:50]]
        body = rows[1:] or rows
        width = Counter(map(len, body)).most_common(1)[0][0]
        if width < 2 and len(rows[0]) < 2:
            continue
        for decimal in (".", ",") if separator not in (",", BLANK) else (".",):
            cells = [cell for row in body[:20] for cell in row[1:]]
            numeric = sum(number(cell, decimal) is not None or cell.strip().lower() in MISSING_CELLS for cell in cells)
            lists = sum(cell.lstrip().startswith("[") for cell in cells)
            share = (numeric + lists) / len(cells) if cells else 0.0
            # Cells that hold another separator were not separated by this one.
            score = (round(share, 2), min(width, len(rows[0])))
            if score > best_score:
                best, best_score = (separator, decimal), score
    return best


def _header(rows: Sequence[Sequence[str]], decimal: str) -> tuple[list[str], int]:
    """Return the cells of the header and 1, or nothing and 0 if the first row is one of numbers."""
    first = [cell.strip() for cell in rows[0]]
    values = first[1:]
    if not values or any(number(cell, decimal) is None for cell in values):
        return first, 1
    numbered = are_row_numbers(values)
    if numbered and (not first[0] or may_name_genes(first[0]) or len(values) > 2):
        return first, 1
    if len(rows) > 1 and len(rows[1]) == len(first) + 1 and are_row_numbers(first):
        return first, 1
    return [], 0


def _mostly_numbers(cells: Sequence[str], decimal: str) -> bool:
    wrong = sum(number(cell, decimal) is None and cell.strip().lower() not in MISSING_CELLS for cell in cells)
    return 10 * wrong < len(cells)


def _kind(cells: Sequence[str], name: str, decimal: str) -> str:
    there = [cell.strip() for cell in cells if cell.strip().lower() not in MISSING_CELLS]
    if any(cell.startswith("[") for cell in there[:3]):
        return LISTS
    if any(number(cell, decimal) is None for cell in there):
        return TEXTS
    if may_name_genes(name) and (not there or all(may_be_whole(cell) for cell in there)):
        return TEXTS
    return NUMBERS if there or not any(cell.strip() for cell in cells) else TEXTS
