"""Reads what an AnnData file holds, and writes it to standard output: names as a line of JSON, then float32 bytes.

Runs as a process of its own (`hdf5.py`): some damaged files make the HDF5 library hang, others make it crash.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.errors import VectorsError, did_you_mean, one_line, some
from model_adapters.files.identifiers import may_name_genes
from model_adapters.files.readers.archives import check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUPS = {"varm": "var", "obsm": "obs"}
AT_ONCE = 16 * 1024**2
"""Bytes of an array."""


def main(asked: str) -> None:
    """Write the array that is asked for and its names, or why there is none."""
    path, where, key, identifiers, seconds = json.loads(asked)
    out = sys.stdout.buffer
    try:
        import h5py

        # Its default ends the process, also inside a library that does not return.
        signal.alarm(seconds)
        with h5py.File(path, "r") as file:
            chosen = _choose(file, key, where)
            array = _dense(file, chosen, where)
            groups = ("var", "obs") if chosen == "X" else (GROUPS[chosen.partition("/")[0]],)
            names = {group: _names(file, group, identifiers, where) for group in groups}
            out.write(json.dumps({"shape": array.shape, "names": names}).encode() + b"\n")
            for block in _blocks(array):
                out.write(block.data)
    except VectorsError as error:
        out.write(json.dumps({"refused": str(error)}).encode() + b"\n")
    # Whatever a library raises for a damaged file becomes one line.
    except Exception as error:  # noqa: BLE001
        why = f"{where} is not an h5ad file of anndata 0.7 or later ({one_line(error)}); write it again"
        out.write(json.dumps({"refused": why}).encode() + b"\n")


def _choose(file: Any, key: str | None, where: str) -> str:
    found = [f"{group}/{name}" for group in GROUPS for name in file.get(group, ())]
    every = [*found, *(["X"] if "X" in file else [])]
    chosen = key or (found[0] if len(found) == 1 else "X" if every == ["X"] else None)
    if chosen is None:
        there = some(every, limit=8) or "no varm and no obsm"
        message = f"{where} has {there}; choose one array with key={found[0] if found else 'varm/NAME'}"
        raise VectorsError(message)
    if chosen not in every:
        message = f"{where} has no {chosen}, it has {some(every, limit=8)}{did_you_mean(chosen, every)}"
        raise VectorsError(message)
    return chosen


def _dense(file: Any, chosen: str, where: str) -> Any:
    import h5py

    array = file[chosen]
    if not isinstance(array, h5py.Dataset) or array.ndim != 2:
        kind = array.attrs.get("encoding-type", "an array of another shape")
        message = f"{where}: {chosen} holds {kind}, expected a dense array of two dimensions"
        raise VectorsError(message)
    if array.dtype.kind not in "fiu" or not array.size:
        message = f"{where} holds {array.dtype} of shape {array.shape}, expected numbers of shape (genes, d)"
        raise VectorsError(message)
    _check(array, f"{where}: {chosen}")
    return array


def _check(array: Any, where: str) -> None:
    check_size(math.prod(array.shape) * array.dtype.itemsize, array.id.get_storage_size(), where=where)


def _blocks(array: Any) -> Iterator[NDArray[np.float32]]:
    """Yield a few rows at a time as float32; compressed chunks are unpacked once."""
    least = array.chunks[0] if array.chunks else 1
    rows = least * max(1, AT_ONCE // (array.dtype.itemsize * array.shape[1] * least))
    with np.errstate(over="ignore"):
        for start in range(0, len(array), rows):
            yield np.ascontiguousarray(array[start : start + rows], dtype=np.float32)


def _names(file: Any, group: str, identifiers: str | None, where: str) -> dict[str, list[Any]]:
    """Return the index of a group and its other columns that may name genes."""
    frame = file[group]
    index = frame.attrs["_index"]
    index = index.decode() if isinstance(index, bytes) else str(index)
    columns = [name for name in frame if name != index and (name == identifiers or may_name_genes(name))]
    return {
        f"{group}/{name}" if name == index and name.startswith("_") else name: names
        for name in (index, *columns)
        if (names := _strings(frame[name], f"{where}: {group}/{name}")) is not None
    }


def _strings(values: Any, where: str) -> list[Any] | None:
    """Return a column as text or numbers: strings, strings with a mask, or categories; None for another kind."""
    import h5py

    if isinstance(values, h5py.Group):
        if "codes" in values:
            categories, codes = _strings(values["categories"], where), values["codes"]
            _check(codes, where)
            return None if categories is None else [categories[code] if code >= 0 else None for code in codes[:]]
        values = values["values"]
    if values.ndim != 1:
        return None
    _check(values, where)
    if h5py.check_string_dtype(values.dtype) is not None:
        found: list[Any] = values.asstr()[:].tolist()
        return found
    numbers: list[Any] | None = values[:].tolist() if values.dtype.kind in "iu" else None
    return numbers


if __name__ == "__main__":
    main(sys.argv[1])
