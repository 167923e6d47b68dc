"""Reads pickles that hold plain data. A pickle is a program: this runs none of it and builds only what is named here.

`pickle.Unpickler` with a restricted `find_class` still calls what it allows, and ten bytes (LONG_BINPUT with a
large index) make it allocate gigabytes. Here the opcodes are read one by one, and a call is understood only where it
stands for a numpy scalar.
"""

from __future__ import annotations

import pickletools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from builders.errors import SourceFileError
from builders.readers.archives import read_bytes

__all__ = ["load_plain"]

T = TypeVar("T")
# Geneformer's token dictionaries, the largest in use, have 1 MB.
MAX_BYTES = 64 * 1024**2
_VALUES = frozenset(
    ("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT")
    + ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8")
)
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TAKES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "SETITEM": 2, "STACK_GLOBAL": 2, "REDUCE": 2, "BUILD": 1}
_TAKES_TO_MARK = frozenset(("TUPLE", "APPENDS", "SETITEMS"))
_KEYS = (str, int, float, bool, type(None))
_PLAIN = (*_KEYS, dict, list, tuple)
# numpy < 2 and numpy >= 2; protocol 2 writes bytes as a call of encode.
_GLOBALS = {
    "numpy.core.multiarray scalar": "scalar",
    "numpy._core.multiarray scalar": "scalar",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",
}
_DTYPE = re.compile(r"[<>=|](b1|[iuf][1248]|U\d{1,4})")


class _Refused(Exception):
    """The pickle holds something other than plain data."""


@dataclass
class _Global:
    """Stands for a function that the pickle names; the function itself is never imported."""

    name: str


@dataclass
class _Dtype:
    """Stands for a numpy dtype; its byte order comes with a later BUILD."""

    code: str
    order: str = "="


def load_plain(path: Path, *, limit: int = MAX_BYTES) -> Any:
    """Content of a pickle (protocols 2 to 5) made of dict, list, tuple, str, int, float, bool and None.

    Numpy scalars become Python's numbers; dict keys are strings, numbers or None.

    Raises:
        SourceFileError: Truncated or damaged, larger than `limit` bytes, or anything else is in it: a class, a
            function, an array. Nothing that a pickle names is imported or called.
    """
    content = read_bytes(path, limit=limit)
    try:
        value = _build(content)
        _require_plain(value)
    except _Refused as error:
        message = f"{path}: holds {error}; expected only dict, list, tuple, str and numbers (nothing was run)"
        raise SourceFileError(message) from error
    except (ValueError, TypeError, IndexError, KeyError) as error:
        message = f"{path}: not a pickle of protocol 2 to 5, or a half-downloaded one ({error}); fetch it again"
        raise SourceFileError(message) from error
    return value


def _build(content: bytes) -> Any:
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    for opcode, arg, _ in pickletools.genops(content):
        name = opcode.name
        if name in _VALUES:
            stack.append(arg)
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if name == "MEMOIZE" else _typed(arg, int)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[_typed(arg, int)])
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "GLOBAL":
            stack.append(_global(str(arg)))
        elif name in _TAKES or name in _TAKES_TO_MARK:
            start = marks.pop() if name in _TAKES_TO_MARK else len(stack) - _TAKES[name]
            if start < 0:
                message = f"{name} on an empty stack"
                raise ValueError(message)
            items = stack[start:]
            del stack[start:]
            _apply(name.rstrip("S123"), items, stack)
        elif name not in ("PROTO", "FRAME", "STOP"):
            message = f"an object of another kind (opcode {name})"
            raise _Refused(message)
    (value,) = stack
    return value


def _apply(name: str, items: list[Any], stack: list[Any]) -> None:
    """Do what an opcode does to the items that it takes off the stack."""
    if name == "TUPLE":
        stack.append(tuple(items))
    elif name == "APPEND":
        _typed(stack[-1], list).extend(items)
    elif name == "SETITEM":
        target = _typed(stack[-1], dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, _KEYS):
                message = f"a dict key of type {type(key).__name__}"
                raise _Refused(message)
            target[key] = value
    elif name == "STACK_GLOBAL":
        stack.append(_global(" ".join(items)))
    elif name == "REDUCE":
        stack.append(_call(_typed(items[0], _Global).name, _typed(items[1], tuple)))
    else:
        _typed(stack[-1], _Dtype).order = _typed(items[0], tuple)[1]


def _global(name: str) -> _Global:
    if name not in _GLOBALS:
        message = f"a reference to {name.replace(' ', '.')}"
        raise _Refused(message)
    return _Global(_GLOBALS[name])


def _call(name: str, arguments: tuple[Any, ...]) -> Any:
    """The value of `dtype(code, align, copy)`, `encode(text, "latin1")` or `scalar(dtype, bytes)`."""
    if name == "dtype":
        return _Dtype(_typed(arguments[0], str))
    if name == "encode":
        return _typed(arguments[0], str).encode("latin1")
    dtype, data = _typed(arguments[0], _Dtype), _typed(arguments[1], bytes)
    code = f"{dtype.order}{dtype.code}"
    if not _DTYPE.fullmatch(code):
        message = f"a numpy scalar of type '{code}'"
        raise _Refused(message)
    import numpy as np

    (value,) = np.frombuffer(data, dtype=np.dtype(code)).tolist()
    return value


def _typed(value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind):
        message = f"{type(value).__name__} where {kind.__name__.strip('_').lower()} belongs"
        raise TypeError(message)
    return value


def _require_plain(value: Any) -> None:
    pending, seen = [value], set()
    while pending:
        item = pending.pop()
        if type(item) not in _PLAIN:
            message = f"a value of type {type(item).__name__.strip('_').lower()}"
            raise _Refused(message)
        if isinstance(item, dict | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            pending.extend(item.values() if isinstance(item, dict) else item)
