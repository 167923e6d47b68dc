"""Reads pickles of plain data. A pickle is a program: this runs none of it and builds only what is named here.

`pickle.Unpickler` with a restricted `find_class` still calls what it may find, and ten bytes can make it allocate
gigabytes. Here opcodes are read one by one; a call is understood only where it stands for a number, a dtype or an array
of NumPy. Runs of floats, of which published files have a hundred million, are decoded in one step.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from model_adapters.errors import VectorsError, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from model_adapters.files.layout import Ask, Rows

SHORTEST_RUN, RUN = 16, 4096
LONG = 256
"""Size from which the bytes of an array are not copied: in a file that is mapped, they are there already."""
MAX_DEPTH = 32
MAX_SHARED = 100
"""An object may be in several places; written out, there may be at most a hundred values for each byte of the file."""
_DTYPE = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|[US]\d{1,4}|O8?)")
_NUMBER = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248])")
_NUMPY = {
    "numpy.dtype": "dtype",
    "numpy.ndarray": "ndarray",
    "_codecs.encode": "encode",
    "collections.OrderedDict": "dict",
    **{f"numpy.{core}.multiarray.{name}": name for core in ("core", "_core") for name in ("scalar", "_reconstruct")},
    **{f"numpy.{core}.numeric._frombuffer": "_frombuffer" for core in ("core", "_core")},
}
"""What a pickle may name (NumPy before and after 2.0); none of it is imported for that."""
_ADVICE = {
    "pandas": "a pandas object; where you trust it, pandas.read_pickle({name!r}).to_parquet('vectors.parquet')",
    "gensim": "a gensim model; where you trust it, KeyedVectors.load({name!r}).save_word2vec_format('vectors.txt')",
    "torch": "tensors of torch; where you trust it, torch.save({{gene: tensor, ...}}, 'vectors.pt')",
    "scipy": "a scipy object; where you trust it, save its dense array as .npz with the names of its rows",
}


class CarriesCode(ValueError):
    """A pickle names a function or class that is not plain data."""


def read_pickle(path: Path, ask: Ask) -> Rows:
    """Read a pickle of gene -> list of numbers or array, or of arrays with the names beside them.

    Raises:
        VectorsError: it is damaged, of another kind, or names anything that could run code; the message says how to
            convert it.
    """
    from model_adapters.files.readers.mappings import rows_of_mapping

    try:
        with path.open("rb") as file:
            # Not closed here: arrays of the file share its memory.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        loaded = load_plain(mapped)
    except CarriesCode as error:
        package = str(error).partition(".")[0]
        what = _ADVICE.get(package, "more than plain data; save gene -> list of numbers").format(name=path.name)
        message = f"{ask.where} names {error}, which could run code (nothing was run): it holds {what}"
        raise VectorsError(message) from error
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, struct.error, UnicodeDecodeError) as error:
        message = f"{ask.where} is not a readable pickle of plain data ({one_line(error)}); fetch it again"
        raise VectorsError(message) from error
    if not isinstance(loaded, dict):
        message = f"{ask.where} holds a {type(loaded).__name__}, expected a dictionary: gene -> list of numbers"
        raise VectorsError(message)
    return rows_of_mapping(loaded, ask)


def load_plain(content: bytes | mmap.mmap) -> Any:
    """Return the content of a pickle of protocol 2 to 5: dict, list, tuple, text, bytes, numbers and plain arrays.

    Long lists of floats come as float32 arrays, numbers of NumPy as Python's.

    Raises:
        CarriesCode: it names anything else.
        ValueError: it is damaged or has an opcode of another kind of object.
    """
    value = _Reader(content).read()
    return _Finisher(len(content)).finish(value)


@dataclass
class _Global:
    """Stands for what the pickle names; nothing is imported."""

    kind: str


@dataclass
class _Dtype:
    code: str
    order: str = "="

    @property
    def checked(self) -> np.dtype[Any]:
        code = self.code if self.code[:1] in "<>=|" else f"{self.order}{self.code}"
        if not _DTYPE.fullmatch(code):
            message = f"an array of type {code!r}"
            raise ValueError(message)
        return np.dtype(code.replace("O8", "O"))


@dataclass(slots=True)
class _Array:
    """An array that is made before its content is known."""

    value: NDArray[Any] | list[Any] | None = None


class _Mark:
    """Where a group of items begins on the stack."""


_MARK = _Mark()


class _Reader:
    """Reads opcodes with a stack and a memo, as the pickle machine does."""

    def __init__(self, content: bytes | mmap.mmap) -> None:
        self._content = content
        self._bytes = np.frombuffer(content, dtype=np.uint8)
        self._view = memoryview(content)
        self._position = 0
        self._stack: list[Any] = []
        # In the order of their numbers as Python writes them; a dictionary of a million would take 100 MB.
        self._memo: list[Any] = []
        self._others: dict[int, Any] = {}

    def read(self) -> Any:
        """Return the object on the stack at the end."""
        try:
            while True:
                opcode = self._take(1)[0]
                if opcode == 0x2E:  # STOP
                    (value,) = self._stack
                    return value
                if (handle := self._HANDLERS.get(opcode)) is None:
                    message = f"an opcode {opcode:#04x} of another kind of object at byte {self._position - 1:,}"
                    raise ValueError(message)
                handle(self)
        finally:
            del self._bytes

    def _take(self, size: int) -> bytes:
        start, self._position = self._position, self._position + size
        taken = self._content[start : self._position]
        if len(taken) != size:
            message = f"it ends within {size:,} bytes at byte {start:,}"
            raise ValueError(message)
        return taken

    def _long(self, size: int) -> bytes | memoryview:
        """Return the bytes of an array where they are, shorter ones as such."""
        taken = self._view[self._position : self._position + size] if size >= LONG else self._take(size)
        if len(taken) != size:
            return self._take(size)
        self._position += size if size >= LONG else 0
        return taken

    def _size(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little")

    def _line(self) -> str:
        start = self._position
        stop = self._content.find(b"\n", start, start + 1000)
        if stop < 0:
            message = "a name without end"
            raise ValueError(message)
        self._position = stop + 1
        return self._content[start:stop].decode("ascii")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _to_mark(self) -> list[Any]:
        for at in range(len(self._stack) - 1, -1, -1):
            if self._stack[at] is _MARK:
                items = self._stack[at + 1 :]
                del self._stack[at:]
                return items
        message = "a group of items without begin"
        raise ValueError(message)

    def _floats(self) -> None:
        """Read BINFLOAT, and all that follow it at once: an opcode is eight bytes after the one before."""
        start = self._position - 1
        codes = self._bytes[start : start + 9 * RUN : 9]
        different = np.flatnonzero(codes != 0x47)
        n = min(int(different[0]) if different.size else len(codes), (len(self._bytes) - start) // 9)
        if n < SHORTEST_RUN:
            self._push(struct.unpack(">d", self._take(8))[0])
            return
        block = self._bytes[start : start + 9 * n].reshape(n, 9)[:, 1:]
        with np.errstate(over="ignore"):
            self._push(np.ascontiguousarray(block).view(">f8").reshape(-1).astype(np.float32))
        self._position = start + 9 * n

    def _put(self, index: int) -> None:
        if index > len(self._content):
            message = f"memo index {index}"
            raise ValueError(message)
        if index < len(self._memo):
            self._memo[index] = self._stack[-1]
        elif index == len(self._memo):
            self._memo.append(self._stack[-1])
            self._others.pop(index, None)
        else:
            self._others[index] = self._stack[-1]

    def _get(self, index: int) -> None:
        self._push(self._memo[index] if index < len(self._memo) else self._others[index])

    def _append(self, items: list[Any]) -> None:
        _typed(self._stack[-1], list).extend(items)

    def _set(self, items: list[Any]) -> None:
        target = _typed(self._stack[-1], dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_typed(key, (str, bytes, int, float))] = value

    def _tuple(self, n: int) -> None:
        items = self._stack[len(self._stack) - n :] if n else []
        if len(items) != n or any(item is _MARK for item in items):
            message = "too few items on the stack"
            raise ValueError(message)
        del self._stack[len(self._stack) - n :]
        self._push(tuple(items))

    def _global(self, module: str, name: str) -> None:
        kind = _NUMPY.get(f"{module}.{name}")
        if kind is None:
            message = f"{module}.{name}"
            raise CarriesCode(message)
        self._push(_Global(kind))

    def _stack_global(self) -> None:
        name, module = _typed(self._stack.pop(), str), _typed(self._stack.pop(), str)
        self._global(module, name)

    def _reduce(self) -> None:
        arguments, function = _typed(self._stack.pop(), tuple), _typed(self._stack.pop(), _Global)
        self._push(_call(function.kind, arguments))

    def _build(self) -> None:
        state, target = _typed(self._stack.pop(), tuple), self._stack[-1]
        if isinstance(target, _Array) and target.value is None and len(state) == 5:
            _, shape, dtype, fortran, data = state
            target.value = _array(data, _typed(dtype, _Dtype), _typed(shape, tuple), "F" if fortran else "C")
        else:
            _typed(target, _Dtype).order = _typed(state[1], str)

    _HANDLERS: ClassVar[dict[int, Callable[[_Reader], Any]]] = {
        0x80: lambda self: self._take(1),
        0x95: lambda self: self._take(8),
        ord("("): lambda self: self._push(_MARK),
        ord("}"): lambda self: self._push({}),
        ord("]"): lambda self: self._push([]),
        ord(")"): lambda self: self._push(()),
        ord("N"): lambda self: self._push(None),
        0x88: lambda self: self._push(True),  # noqa: FBT003
        0x89: lambda self: self._push(False),  # noqa: FBT003
        ord("J"): lambda self: self._push(int.from_bytes(self._take(4), "little", signed=True)),
        ord("K"): lambda self: self._push(self._size(1)),
        ord("M"): lambda self: self._push(self._size(2)),
        0x8A: lambda self: self._push(int.from_bytes(self._take(self._size(1)), "little", signed=True)),
        ord("G"): _floats,
        0x8C: lambda self: self._push(self._take(self._size(1)).decode("utf-8")),
        ord("X"): lambda self: self._push(self._take(self._size(4)).decode("utf-8")),
        0x8D: lambda self: self._push(self._take(self._size(8)).decode("utf-8")),
        ord("C"): lambda self: self._push(self._take(self._size(1))),
        ord("B"): lambda self: self._push(self._long(self._size(4))),
        0x8E: lambda self: self._push(self._long(self._size(8))),
        0x96: lambda self: self._push(self._long(self._size(8))),
        # Text of Python 2, which did not tell it from bytes.
        ord("U"): lambda self: self._push(self._take(self._size(1)).decode("latin-1")),
        ord("T"): lambda self: self._push(self._take(self._size(4)).decode("latin-1")),
        0x94: lambda self: self._put(len(self._memo) + len(self._others)),
        ord("q"): lambda self: self._put(self._size(1)),
        ord("r"): lambda self: self._put(self._size(4)),
        ord("h"): lambda self: self._get(self._size(1)),
        ord("j"): lambda self: self._get(self._size(4)),
        ord("t"): lambda self: self._push(tuple(self._to_mark())),
        0x85: lambda self: self._tuple(1),
        0x86: lambda self: self._tuple(2),
        0x87: lambda self: self._tuple(3),
        ord("a"): lambda self: self._append([self._stack.pop()]),
        ord("e"): lambda self: self._append(self._to_mark()),
        ord("s"): lambda self: self._set([self._stack.pop(), self._stack.pop()][::-1]),
        ord("u"): lambda self: self._set(self._to_mark()),
        ord("c"): lambda self: self._global(self._line(), self._line()),
        0x93: _stack_global,
        ord("R"): _reduce,
        ord("b"): _build,
    }


def _call(kind: str, arguments: tuple[Any, ...]) -> Any:
    """Return what `dtype(code, ...)`, `encode(text, "latin1")`, `scalar(dtype, data)` or an array's maker stand for."""
    if kind == "dict" and not arguments:
        return {}
    if kind == "dtype":
        return _Dtype(_typed(arguments[0], str))
    if kind == "encode":
        return _typed(arguments[0], str).encode("latin-1")
    if kind == "_reconstruct":
        return _Array()
    if kind == "_frombuffer":
        data, dtype, shape, order = arguments
        return _Array(_array(data, _typed(dtype, _Dtype), _typed(shape, tuple), _typed(order, str)))
    if kind == "scalar":
        dtype, data = _typed(arguments[0], _Dtype).checked, _bytes(arguments[1])
        if not _NUMBER.fullmatch(dtype.str):
            message = "a numpy scalar that is not a number"
            raise ValueError(message)
        (number,) = np.frombuffer(data, dtype=dtype).tolist()
        return number
    message = f"a call of {kind} with {len(arguments)} arguments"
    raise ValueError(message)


def _one(item: Any) -> NDArray[np.float32]:
    return np.array([_typed(item, int | float)], dtype=np.float64).astype(np.float32)


def _array(data: Any, dtype: _Dtype, shape: tuple[Any, ...], order: str) -> NDArray[Any] | list[Any]:
    checked = dtype.checked
    lengths = [_typed(length, int) for length in shape]
    if checked.kind == "O":
        items: list[Any] = _typed(data, list)
        if len(lengths) > 1 or (lengths and lengths[0] != len(items)):
            message = f"objects of shape {shape}, expected one dimension"
            raise ValueError(message)
        return items
    content = _bytes(data)
    if min(lengths, default=0) < 0 or math.prod(lengths) * checked.itemsize != len(content):
        message = f"{len(content):,} bytes for an array of {checked} of shape {shape}"
        raise ValueError(message)
    array = np.frombuffer(content, dtype=checked).reshape(lengths, order="F" if order == "F" else "C")
    # A matrix may be kept as it is, and must not change with its file.
    return array if array.ndim < 2 else array.copy(order="K")


def _bytes(value: Any) -> bytes | memoryview:
    return value.encode("latin-1") if isinstance(value, str) else _typed(value, bytes | memoryview)


def _typed(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        message = f"{type(value).__name__.strip('_').lower()} in an unexpected position"
        raise TypeError(message)
    return value


@dataclass
class _Finisher:
    """Replaces what stood for arrays and runs of floats; counts what shared objects would be if written out."""

    limit: int
    done: dict[int, tuple[Any, int]] = field(default_factory=dict)

    def finish(self, value: Any) -> Any:
        """Return the value.

        Raises:
            ValueError: it contains itself, is nested too deeply, or shared so often that it would be huge.
        """
        finished, size = self._finish(value, 0)
        if size > MAX_SHARED * self.limit:
            message = f"{size:,} values in {self.limit:,} bytes"
            raise ValueError(message)
        return finished

    def _finish(self, value: Any, depth: int) -> tuple[Any, int]:
        if not isinstance(value, dict | list | tuple | _Array | np.ndarray):
            if isinstance(value, memoryview):
                return bytes(value), 1
            if isinstance(value, _Global | _Dtype | _Mark):
                message = f"{type(value).__name__.strip('_').lower()} among the values"
                raise ValueError(message)
            return value, 1
        if isinstance(value, np.ndarray):
            return value, value.size
        if id(value) in self.done:
            return self.done[id(value)]
        if depth > MAX_DEPTH:
            message = f"values nested over {MAX_DEPTH} levels"
            raise ValueError(message)
        result = self._container(value, depth + 1)
        self.done[id(value)] = result
        return result

    def _container(self, value: Any, depth: int) -> tuple[Any, int]:
        if isinstance(value, _Array):
            return self._finish(value.value, depth) if value.value is not None else (np.empty(0), 1)
        if isinstance(value, dict):
            items = {key: self._finish(item, depth) for key, item in value.items()}
            return {key: item for key, (item, _) in items.items()}, 1 + sum(size for _, size in items.values())
        if isinstance(value, list) and any(isinstance(item, np.ndarray) for item in value):
            # A list that was written with runs of floats; an array of NumPy comes as an _Array.
            with np.errstate(over="ignore"):
                floats = [item if isinstance(item, np.ndarray) else _one(item) for item in value]
            joined = np.concatenate(floats) if len(floats) > 1 else floats[0]
            # The runs are in memory no longer than that.
            value.clear()
            return joined, joined.size
        finished = [self._finish(item, depth) for item in value]
        size = 1 + sum(each for _, each in finished)
        plain = [item for item, _ in finished]
        return (plain if isinstance(value, list) else tuple(plain)), size
