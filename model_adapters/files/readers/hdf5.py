"""Reads AnnData's files (.h5ad) by their HDF5 layout, without anndata."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from model_adapters.errors import VectorsError, did_you_mean, one_line, some
from model_adapters.files.identifiers import may_name_genes
from model_adapters.files.layout import Ask, Rows, rows_of_array
from model_adapters.files.readers.archives import check_size

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

GROUPS = {"varm": "var", "obsm": "obs"}


def read_h5ad(path: Path, ask: Ask) -> Rows:
    """Read one array of an AnnData file: `varm/NAME` (its rows are variables), `obsm/NAME` (observations) or `X`.

    Only that array and the names of its rows are read, from the layout that anndata 0.7 and later write. The names are
    the index and those columns of `var` or `obs` that are called as columns of genes are; of `X`, the rows or the
    columns, whichever are genes.

    Raises:
        VectorsError: h5py is not installed, or there is no such array, or it is not a dense one of two dimensions.
    """
    try:
        import h5py
    except ImportError as error:
        message = f"{path.name}: h5ad files are read with h5py, which is not installed; pip install 'gene-bench[h5ad]'"
        raise VectorsError(message) from error
    try:
        with h5py.File(path, "r") as file:
            chosen = _choose(file, ask)
            array = _dense(file, chosen, ask)
            if chosen != "X":
                return rows_of_array(_names(file, GROUPS[chosen.partition("/")[0]], ask), array, ask)
            return _rows_of_x(file, array, ask)
    except (OSError, KeyError, TypeError, RuntimeError, ValueError) as error:
        if isinstance(error, VectorsError):
            raise
        message = f"{path.name} is not an h5ad file of anndata 0.7 or later ({one_line(error)}); write it again"
        raise VectorsError(message) from error


def _choose(file: Any, ask: Ask) -> str:
    found = [f"{group}/{name}" for group in GROUPS for name in file.get(group, ())]
    every = [*found, *(["X"] if "X" in file else [])]
    chosen = ask.key or (found[0] if len(found) == 1 else "X" if every == ["X"] else None)
    if chosen is None:
        there = some(every, limit=8) or "no varm and no obsm"
        message = f"{ask.where} has {there}; choose one array with key={found[0] if found else 'varm/NAME'}"
        raise VectorsError(message)
    if chosen not in every:
        message = f"{ask.where} has no {chosen}, it has {some(every, limit=8)}{did_you_mean(chosen, every)}"
        raise VectorsError(message)
    return chosen


def _dense(file: Any, chosen: str, ask: Ask) -> NDArray[Any]:
    import h5py

    array = file[chosen]
    if not isinstance(array, h5py.Dataset) or array.ndim != 2:
        kind = array.attrs.get("encoding-type", "an array of another shape")
        message = f"{ask.where}: {chosen} holds {kind}, expected a dense array of two dimensions"
        raise VectorsError(message)
    check_size(
        math.prod(array.shape) * array.dtype.itemsize, array.id.get_storage_size(), where=f"{ask.where}: {chosen}"
    )
    read: NDArray[Any] = array[:]
    return read


def _rows_of_x(file: Any, array: NDArray[Any], ask: Ask) -> Rows:
    """Take the columns of X as genes, as AnnData has them, unless more of its rows are known genes."""
    found = []
    for group, oriented in (("var", array.T), ("obs", array)):
        try:
            found.append(rows_of_array(_names(file, group, ask), oriented, ask))
        except VectorsError as error:
            first = error
    if not found:
        raise first
    rows = max(found, key=lambda each: each.identified[0].share)
    rows.reading.notes.append(f"one vector for each {'row' if rows.vectors is array else 'column'} of X")
    return rows


def _names(file: Any, group: str, ask: Ask) -> dict[str, list[Any]]:
    """Return the index of a group and its other columns that may name genes."""
    frame = file[group]
    index = frame.attrs["_index"]
    index = index.decode() if isinstance(index, bytes) else str(index)
    columns = [name for name in frame if name != index and (name == ask.id or may_name_genes(name))]
    return {
        f"{group}/{name}" if name == index and name.startswith("_") else name: names
        for name in (index, *columns)
        if (names := _strings(frame[name])) is not None
    }


def _strings(values: Any) -> list[Any] | None:
    """Return a column as text or numbers: strings, strings with a mask, or categories; None for another kind."""
    import h5py

    if isinstance(values, h5py.Group):
        if "codes" in values:
            categories, codes = _strings(values["categories"]), values["codes"][:]
            return None if categories is None else [categories[code] if code >= 0 else None for code in codes.tolist()]
        values = values["values"]
    if values.ndim != 1:
        return None
    if h5py.check_string_dtype(values.dtype) is not None:
        found: list[Any] = values.asstr()[:].tolist()
        return found
    numbers: list[Any] | None = values[:].tolist() if values.dtype.kind in "iu" else None
    return numbers
