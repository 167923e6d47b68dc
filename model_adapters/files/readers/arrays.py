"""Reads NumPy's files: an array of vectors with the names of its rows inside or beside it."""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.errors import UnknownModelError, VectorsError, did_you_mean, some
from model_adapters.files.layout import Ask, Rows, rows_of_array
from model_adapters.files.readers.archives import check_size
from model_adapters.files.readers.delimited import gene_list
from model_adapters.files.readers.mappings import rows_of_mapping
from model_adapters.files.readers.pickles import load_plain

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_HEADER = 64 * 1024


def gene_list_of(path: Path) -> Path:
    """Return the list of genes that belongs to an array: `<name>.genes.tsv` or `genes.tsv` beside it (or `.txt`).

    Raises:
        UnknownModelError: there is none.
    """
    if (found := list_beside(path)) is not None:
        return found
    wanted = " or ".join(other.name for other in _lists(path))
    message = f"{path.name}: no {wanted} beside it; name its list with genes=FILE"
    raise UnknownModelError(message)


def list_beside(path: Path) -> Path | None:
    """Return the list of genes beside an array, None if there is none."""
    return next((candidate for candidate in _lists(path) if candidate.is_file()), None)


def _lists(path: Path) -> list[Path]:
    return [path.with_name(f"{name}.{kind}") for name in (f"{path.stem}.genes", "genes") for kind in ("tsv", "txt")]


def has_names_inside(path: Path) -> bool:
    """Return whether an .npz has a one-dimensional array that is not of numbers, or an .npy holds an object."""
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return _header(file, where=path.name)[1].kind == "O"
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    shape, dtype = _header(member, where=path.name)
                    if len(shape) <= 1 and dtype.kind in "UOS":
                        return True
    # A file can make the parsers of zip and literals raise anything; `read_array` says what is wrong with it.
    except Exception:  # noqa: BLE001
        return False
    return False


def read_array(path: Path, ask: Ask) -> Rows:
    """Read an .npz or .npy file.

    Of several arrays in an .npz, the vectors are the only one of two dimensions, unless `key` names it; arrays of text
    name the rows (or `id` says which), and without any the list of genes beside the file does.

    Raises:
        VectorsError: no such array, not of two dimensions, not of real numbers, or the names do not fit the rows.
    """
    try:
        arrays = _npz(path) if path.suffix.lower() == ".npz" else {"array": _npy(path)}
    except (OSError, ValueError, EOFError, SyntaxError, zipfile.BadZipFile, NotImplementedError) as error:
        if isinstance(error, VectorsError):
            raise
        lines = str(error).splitlines() or [type(error).__name__]
        what = f"{type(error).__name__}: {lines[0]}"
        message = f"{path.name} is not a readable {path.suffix[1:]} file of numbers ({what}); write it again"
        raise VectorsError(message) from error
    if len(arrays) == 1 and isinstance(only := next(iter(arrays.values())), Mapping):
        return rows_of_mapping(only, ask)
    flat = [name for name, array in arrays.items() if _is_matrix(array)]
    key = _chosen(arrays, flat, ask) if ask.key is not None or len(flat) != 1 else flat[0]
    vectors = arrays[key]
    names: Mapping[str, list[Any]]
    names = {name: _texts(array) for name, array in arrays.items() if name != key and _may_name(array, name, ask)}
    if ask.genes is not None:
        names = gene_list(ask.genes, len(vectors), where=path.name) if vectors.ndim == 2 else {}
    elif not names and (beside := list_beside(path)) is not None:
        names = gene_list(beside, len(vectors), where=path.name) if vectors.ndim == 2 else {}
    rows = rows_of_array(names, vectors, ask)
    known = {key, *rows.reading.identifier_columns, *rows.reading.left_out}
    rows.reading.left_out |= {name: "another array" for name in arrays if name not in known}
    return rows


def _is_matrix(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.ndim == 2


def _may_name(array: Any, name: str, ask: Ask) -> bool:
    if not isinstance(array, np.ndarray | list):
        return False
    return isinstance(array, list) or (array.ndim == 1 and (array.dtype.kind in "US" or name == ask.id))


def _texts(array: Any) -> list[object]:
    if isinstance(array, list):
        return array
    if array.dtype.kind == "S":
        return [name.decode("utf-8") for name in array.tolist()]
    names: list[object] = array.tolist()
    return names


def _chosen(arrays: Mapping[str, Any], flat: list[str], ask: Ask) -> str:
    names = list(arrays)
    if ask.key is None:
        if len(arrays) == 1:
            return names[0]
        there = some(names, limit=8)
        message = f"{ask.where} has {len(flat)} arrays of two dimensions ({there}); choose with key=NAME"
        raise VectorsError(message)
    if ask.key not in arrays or isinstance(arrays[ask.key], list):
        there = some(names, limit=8)
        message = f"{ask.where} has no array {ask.key!r}, it has {there}{did_you_mean(ask.key, names)}"
        raise VectorsError(message)
    return ask.key


def _npz(path: Path) -> dict[str, Any]:
    """Read all arrays of an archive that can be vectors or names."""
    arrays: dict[str, Any] = {}
    stored = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as file:
                shape, dtype = _header(file, where=path.name)
            if dtype.kind != "O":
                _check_bytes(shape, dtype, available=member.file_size, where=f"{path.name}: array {name}")
            check_size(member.file_size, stored, where=f"{path.name}: array {name}")
            with archive.open(member) as file:
                arrays[name] = _array(file, shape, dtype, where=path.name)
    return arrays


def _npy(path: Path) -> Any:
    with path.open("rb") as file:
        shape, dtype = _header(file, where=path.name)
        if dtype.kind != "O":
            _check_bytes(shape, dtype, available=path.stat().st_size, where=path.name)
        file.seek(0)
        return _array(file, shape, dtype, where=path.name)


def _array(file: Any, shape: tuple[int, ...], dtype: np.dtype[Any], *, where: str) -> Any:
    if dtype.kind != "O":
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array
    _header(file, where=where)
    loaded = load_plain(file.read())
    found = loaded.tolist() if isinstance(loaded, np.ndarray) else loaded
    return found[0] if shape == () and isinstance(found, list) and len(found) == 1 else found


def _header(file: Any, *, where: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read magic and header of .npy; what NumPy's own function evaluates is a literal, of bounded length."""
    version = np.lib.format.read_magic(file)
    size = int.from_bytes(file.read(2 if version == (1, 0) else 4), "little")
    if size > MAX_HEADER:
        message = f"{where}: a header of {size:,} bytes, expected a few dozen"
        raise VectorsError(message)
    facts = ast.literal_eval(file.read(size).decode("latin-1"))
    shape, dtype = tuple(facts["shape"]), np.lib.format.descr_to_dtype(facts["descr"])
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        message = f"{where}: an array of shape {shape}"
        raise VectorsError(message)
    return shape, dtype


def _check_bytes(shape: tuple[int, ...], dtype: np.dtype[Any], *, available: int, where: str) -> None:
    """Refuse a header that announces more bytes than follow, before anything is allocated."""
    wanted = dtype.itemsize
    for length in shape:
        wanted *= length
    if wanted > available:
        kind = where.partition(":")[0].rpartition(".")[2]
        message = (
            f"{where} is not a readable {kind} file of numbers (ValueError: {dtype} of shape {shape} has {wanted:,} "
            f"bytes, but {available:,} are there); write it again"
        )
        raise VectorsError(message)
