"""Reads JSON: a dictionary of vectors, arrays with names, or a list of records."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.errors import VectorsError, one_line
from model_adapters.files.layout import Ask, Rows, rows_of_sheet
from model_adapters.files.readers.archives import packed
from model_adapters.files.readers.mappings import rows_of_mapping
from model_adapters.files.sheets import ArrowSheet

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

MAX_DEPTH = 32
_BLANKS = re.compile(rb"[ \t\n\r]*")
_FLAT = re.compile(rb"\[[^\[\]{}\"]*\]")
"""A list of numbers."""
_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\s\[\]{},:"]+', re.DOTALL)
"""A text, or a number, true, false or null."""


def read_json(path: Path, ask: Ask) -> Rows:
    """Read gene -> list of numbers, `{"embeddings": [[...]], "genes": [...]}`, or records with a gene and numbers.

    Raises:
        VectorsError: it is not JSON, or does not hold vectors of genes.
    """
    import pyarrow as pa

    try:
        loaded = load(packed(path).buffer())
    except (ValueError, RecursionError) as error:
        if isinstance(error, VectorsError):
            raise
        message = f"{ask.where} is not readable JSON ({one_line(error)}); write it again"
        raise VectorsError(message) from error
    if isinstance(loaded, list) and loaded and all(isinstance(record, dict) for record in loaded):
        try:
            return rows_of_sheet(ArrowSheet(pa.Table.from_pylist(loaded)), ask)
        except pa.ArrowException as error:
            message = f"{ask.where}: its records are not a table ({one_line(error)}); give each the same fields"
            raise VectorsError(message) from error
    if not isinstance(loaded, dict):
        message = f"{ask.where} holds a {type(loaded).__name__}, expected a dictionary: gene -> list of numbers"
        raise VectorsError(message)
    return rows_of_mapping(loaded, ask)


def load(content: pa.Buffer) -> Any:
    """Return the content of JSON, with lists of decimals as float32 arrays.

    `json` would make an object of every number, which takes four times the file.

    Raises:
        ValueError: it is not JSON.
    """
    head = content.slice(0, min(4, content.size)).to_pybytes()
    encoding = json.detect_encoding(head)
    if encoding not in ("utf-8", "utf-8-sig"):
        return json.loads(content.to_pybytes())
    reader = _Reader(memoryview(content))
    return reader.read(3 if encoding == "utf-8-sig" else 0)


class _Reader:
    """Reads values by their place in UTF-8; each text, number and flat list goes through `json`."""

    def __init__(self, content: memoryview) -> None:
        self._content = content

    def read(self, start: int) -> Any:
        """Return the one value from a place on."""
        value, at = self._value(start, 0)
        if (end := self._skip(at)) != len(self._content):
            message = f"something after the end at byte {end:,}"
            raise ValueError(message)
        return value

    def _skip(self, at: int) -> int:
        found = _BLANKS.match(self._content, at)
        return found.end() if found else at

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        at = self._skip(at)
        first = bytes(self._content[at : at + 1])
        if depth > MAX_DEPTH:
            message = f"nested over {MAX_DEPTH} levels"
            raise ValueError(message)
        if first == b"{":
            return self._dictionary(at + 1, depth + 1)
        if first == b"[":
            flat = _FLAT.match(self._content, at)
            if flat is not None:
                return _numbers(json.loads(flat.group())), flat.end()
            return self._list(at + 1, depth + 1)
        found = _VALUE.match(self._content, at)
        if found is None:
            message = f"no value at byte {at:,}"
            raise ValueError(message)
        return json.loads(found.group()), found.end()

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        while True:
            item, at = self._value(at, depth)
            items.append(item)
            end, at = self._end(at, b"]")
            if end:
                return items, at

    def _dictionary(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        items: dict[str, Any] = {}
        if bytes(self._content[(first := self._skip(at)) : first + 1]) == b"}":
            return items, first + 1
        while True:
            key, at = self._value(at, depth)
            at = self._skip(at)
            if not isinstance(key, str) or bytes(self._content[at : at + 1]) != b":":
                message = f"no text and colon before byte {at:,}"
                raise ValueError(message)
            items[key], at = self._value(at + 1, depth)
            end, at = self._end(at, b"}")
            if end:
                return items, at

    def _end(self, at: int, closing: bytes) -> tuple[bool, int]:
        """Return whether the container ends here, and the place after that or the comma."""
        at = self._skip(at)
        sign = bytes(self._content[at : at + 1])
        if sign not in (b",", closing):
            message = f"no comma at byte {at:,}"
            raise ValueError(message)
        return sign == closing, at + 1


def _numbers(values: list[Any]) -> list[Any] | NDArray[np.float32]:
    """Return decimals as an array; whole numbers alone may be identifiers."""
    if not any(type(value) is float for value in values[:64]):
        return values
    try:
        array = np.array(values)
    except (ValueError, OverflowError):
        return values
    with np.errstate(over="ignore"):
        return array.astype(np.float32) if array.dtype == np.float64 else values
