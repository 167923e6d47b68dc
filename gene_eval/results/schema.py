"""What may stand in a result file: JSON, its versions, and the types of its fields."""

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

from gene_eval.errors import NewerSchemaError, ResultError

__all__ = ["INLINE", "SCHEMA_VERSION", "parse", "plain", "read_record", "read_value"]

# 2: split, head, shots and entities of the probe; default_split, default_protocol, rarer_train, rarer_test, repeats,
# n_tested, test_train_ratio and from_annotation of the task; predictions, draws, curve, as_published,
# gain, permuted, intervals, confusion, all_rows and imported.
SCHEMA_VERSION = 2

MOST_DIGITS = 18
# Of what a field may hold freely, such as options; copies and other forms of a result are made by recursion.
DEEPEST = 20

_JSON_NAMES: dict[type, str] = {
    NoneType: "null",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}

INLINE = "inline"
"""In the metadata of a field: its record's fields stand in the file beside the other fields, not below a name."""

T = TypeVar("T")


def parse(text: str) -> dict[str, Any]:
    """The JSON object of a result file, of any schema that is known; what a file of schema 1 lacks has a default.

    Raises:
        NewerSchemaError: Written by a later gene-bench.
        ResultError: Not JSON, not an object, or without a schema version.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole_number)
        # An escaped half of a character pair is valid JSON, but no text: it can be neither printed nor written.
        if "\\ud" in text.lower():
            json.dumps(content, ensure_ascii=False).encode()
    except (json.JSONDecodeError, RecursionError, UnicodeEncodeError) as error:
        reason = "half of a character pair" if isinstance(error, UnicodeEncodeError) else error
        msg = f"not valid JSON ({reason})"
        raise ResultError(msg) from error
    if not isinstance(content, dict):
        msg = f"holds a JSON {type(content).__name__}, expected an object"
        raise ResultError(msg)
    version = content.get("schema_version")
    if type(version) is int and version > SCHEMA_VERSION:
        msg = f"schema_version is {version}, this gene-bench reads 1 to {SCHEMA_VERSION}"
        raise NewerSchemaError(msg)
    if type(version) is not int or version < 1:
        msg = f"schema_version is {version!r}, expected 1 to {SCHEMA_VERSION}"
        raise ResultError(msg)
    return content


def plain(value: object) -> object:
    """Mappings, sequences and numbers (NumPy's too) as the types the json module writes; undefined numbers are null.

    Raises:
        TypeError: It is something else.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    msg = f"a {type(value).__name__} cannot be written to a result file: {value!r}"
    raise TypeError(msg)


def _refuse_constant(name: str) -> float:
    msg = f"not valid JSON ({name}); undefined numbers are null"
    raise ResultError(msg)


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        msg = f"{digits[:20]} is larger than any number that is kept"
        raise ResultError(msg)
    return value


def _whole_number(digits: str) -> int:
    # Before it is converted: Python refuses thousands of digits by an error of its own, and floats end at 1e308.
    if len(digits) > MOST_DIGITS:
        msg = f"an integer of {len(digits.lstrip('-')):,} digits, expected at most {MOST_DIGITS}"
        raise ResultError(msg)
    return int(digits)


def read_value(kind: Any, value: object, where: str) -> Any:
    """Check a JSON value against the annotation of a field above; `where` is its path in the file."""
    if kind is object:
        _check_depth(value, where)
        return value
    if kind is float:
        return _number(value, where)
    origin, arguments, is_record = _form(kind)
    if origin is UnionType:
        return None if value is None else read_value(arguments[0], value, where)
    if origin is tuple:
        items = _expect(list, value, where)
        if arguments[0] is float and all(type(item) is float for item in items):
            return tuple(items)
        return tuple(read_value(arguments[0], item, f"{where}[{number}]") for number, item in enumerate(items))
    if origin is Mapping:
        return {
            key: read_value(arguments[1], item, f"{where}.{key}") for key, item in _expect(dict, value, where).items()
        }
    if is_record:
        return read_record(kind, _expect(dict, value, where), where)
    return _expect(kind, value, where)


@cache
def _form(kind: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """What a type is made of; asked once for each, since a large folder has millions of values."""
    return get_origin(kind), get_args(kind), is_dataclass(kind)


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any, bool, bool], ...]:
    """Name, type, whether it is inline and whether it must be there, of each field of a record."""
    return tuple(
        (
            each.name,
            each.type,
            bool(each.metadata.get(INLINE)),
            each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(kind)
    )


def read_record(kind: Any, value: Mapping[str, object], where: str = "") -> Any:
    """Make a dataclass of a JSON object; `where` is its path in the file.

    Raises:
        ResultError: A field is missing or of another type than the annotation says.
    """
    taken = {}
    for each, of, is_inline, is_needed in _fields(kind):
        if is_inline:
            taken[each] = read_record(of, value, where)
        elif each in value:
            taken[each] = read_value(of, value[each], f"{where}.{each}" if where else each)
        elif is_needed:
            name = f"{where}.{each}".lstrip(".")
            msg = f"field {name} is missing"
            raise ResultError(msg)
    return kind(**taken)


def _check_depth(value: object, where: str, depth: int = 0) -> None:
    if depth > DEEPEST:
        msg = f"field {where} is nested more than {DEEPEST} levels deep"
        raise ResultError(msg)
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, where, depth + 1)


def _expect(kind: type[T], value: object, where: str) -> T:
    # Not isinstance: true and false would pass for integers.
    if type(value) is not kind:
        msg = f"field {where} is {_JSON_NAMES[type(value)]}, expected {_JSON_NAMES[kind]}"
        raise ResultError(msg)
    return value


def _number(value: object, where: str) -> float:
    """A number, NaN for null."""
    if value is None:
        return math.nan
    return float(_expect(float, float(value) if type(value) is int else value, where))
