"""Dictionaries of vectors, whatever file they come from: name -> vector, or arrays with the names beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.embedding.table import check_lengths
from model_adapters.errors import VectorsError, did_you_mean, some
from model_adapters.files.layout import Ask, Rows, rows_of_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMS = "expected gene -> list of numbers, or an array of vectors and a list of genes"
KEYS = "keys"


def rows_of_mapping(mapping: Mapping[Any, Any], ask: Ask) -> Rows:
    """Read gene -> vector, `{"embeddings": (n, d), "genes": [...]}`, or one such dictionary within another.

    Raises:
        VectorsError: it is none of these, or two vectors differ in length.
    """
    if ask.key is not None:
        if ask.key not in mapping:
            keys = [str(key) for key in mapping]
            message = f"{ask.where} has no {ask.key!r}, it has {some(keys, limit=8)}{did_you_mean(ask.key, keys)}"
            raise VectorsError(message)
        if isinstance(mapping[ask.key], Mapping):
            return rows_of_mapping(mapping[ask.key], _without_key(ask))
    matrices: dict[str, NDArray[Any]] = {}
    lists: dict[str, list[str]] = {}
    inner: list[Mapping[Any, Any]] = []
    # Once: a mapping over a file may make its values anew each time they are asked for.
    for key, value in mapping.items():
        if (array := _matrix(value)) is not None:
            matrices[str(key)] = array
        elif (names := _names(value)) is not None:
            lists[str(key)] = names
        elif isinstance(value, Mapping):
            inner.append(value)
    if ask.key in matrices:
        return rows_of_array(lists, matrices[str(ask.key)], ask)
    if lists and len(matrices) == 1:
        return rows_of_array(lists, next(iter(matrices.values())), ask)
    if len(matrices) > 1 and lists:
        there = some(matrices, limit=8)
        message = f"{ask.where} has {len(matrices)} arrays of two dimensions ({there}); choose with key=NAME"
        raise VectorsError(message)
    if len(inner) == 1 and len(mapping) <= 3:
        return rows_of_mapping(inner[0], ask)
    return _from_vectors(mapping, ask)


def _from_vectors(mapping: Mapping[Any, Any], ask: Ask) -> Rows:
    if not mapping:
        message = f"{ask.where}: an empty dictionary; {FORMS}"
        raise VectorsError(message)
    names = [_text(key) for key in mapping]
    # Arrays are asked for twice: if they were kept, those of a file would be in memory beside the matrix.
    made: dict[int, NDArray[Any]] = {}
    lengths = []
    for row, (name, value) in enumerate(zip(names, mapping.values(), strict=True)):
        vector = _vector(value)
        if vector is None:
            message = f"{ask.where}: no list of numbers for {name} but {_kind(value)}; {FORMS}"
            raise VectorsError(message)
        lengths.append(len(vector))
        if isinstance(value, list | tuple):
            made[row] = vector
    check_lengths(np.array(lengths), names, where=ask.where)
    matrix = np.empty((len(names), lengths[0]), dtype=np.float32)
    with np.errstate(over="ignore"):
        for row, value in enumerate(mapping.values()):
            matrix[row] = made.pop(row) if row in made else _vector(value)
    return rows_of_array({KEYS: names}, matrix, ask)


def _text(key: object) -> str:
    return key.decode("utf-8") if isinstance(key, bytes) else str(key)


def _vector(value: Any) -> NDArray[Any] | None:
    """Return a value as (d,) real numbers, None if it is not a vector; (1, d) counts as one."""
    if isinstance(value, np.ma.MaskedArray):
        return None
    if isinstance(value, list | tuple):
        try:
            value = np.array(value)
        except (ValueError, OverflowError):
            return None
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        return None
    if value.ndim == 2 and len(value) == 1:
        value = value[0]
    return value if value.ndim == 1 else None


def _matrix(value: Any) -> NDArray[Any] | None:
    if isinstance(value, list) and value and isinstance(value[0], list | np.ndarray) and len(value) > 1:
        try:
            value = np.array(value)
        except ValueError:
            return None
    if isinstance(value, np.ndarray) and value.ndim == 2 and len(value) > 1 and value.dtype.kind != "O":
        return value
    return None


def _names(value: object) -> list[str] | None:
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "USO":
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and value:
        texts = [_text(name) for name in value if isinstance(name, str | bytes)]
        return texts if len(texts) == len(value) else None
    return None


def _kind(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"


def _without_key(ask: Ask) -> Ask:
    return Ask(ask.where, ask.resolve, ask.id, ask.columns, ask.ids, None, ask.genes)
