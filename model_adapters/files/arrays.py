"""Reads vectors that are not in a table with a column `symbol`: NumPy arrays, word2vec text and h5ad."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.errors import UnknownModelError, VectorsError, did_you_mean, one_line, some
from model_adapters.files.table_model import Rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def gene_list_of(path: Path) -> Path:
    """Return the list of genes that belongs to an array: `<name>.genes.tsv` or `genes.tsv` beside it (or `.txt`).

    Raises:
        UnknownModelError: there is none.
    """
    wanted = [path.with_name(f"{name}.{kind}") for name in (f"{path.stem}.genes", "genes") for kind in ("tsv", "txt")]
    for candidate in wanted:
        if candidate.is_file():
            return candidate
    message = f"{path.name}: no {' or '.join(other.name for other in wanted)} beside it; name its list with genes=FILE"
    raise UnknownModelError(message)


def read_array(path: Path, genes: Path, *, key: str | None = None) -> Rows:
    """Read an .npz or .npy file, whose rows are named by the lines of another file.

    Args:
        path: the array. Of several in an .npz, the only one of two dimensions, unless `key` names it.
        genes: one line for each row, with or without a header line; the gene is in the first column, or in the
            column that the header calls `symbol`.
        key: name of an array in an .npz.

    Raises:
        VectorsError: no such array, not of two dimensions, not of numbers, or the lines do not fit the rows.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        vectors = loaded if isinstance(loaded, np.ndarray) else _choose(loaded, key, where=path.name)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, VectorsError):
            raise
        message = f"{path.name} is not a readable {path.suffix[1:]} file of numbers ({one_line(error)}); write it again"
        raise VectorsError(message) from error
    if vectors.ndim != 2 or not vectors.size or vectors.dtype.kind not in "fiu":
        message = f"{path.name} holds {vectors.dtype} of shape {vectors.shape}, expected numbers of shape (genes, d)"
        raise VectorsError(message)
    return Rows(_gene_names(genes, len(vectors), where=path.name), vectors)


def _choose(arrays: Any, key: str | None, *, where: str) -> NDArray[Any]:
    names = list(arrays)
    if key is not None and key not in names:
        message = f"{where} has no array {key!r}, it has {some(names, limit=8)}{did_you_mean(key, names)}"
        raise VectorsError(message)
    if key is None:
        flat = [name for name in names if arrays[name].ndim == 2]
        if len(flat) != 1:
            message = f"{where} has {len(flat)} arrays of two dimensions ({some(names, limit=8)}); choose with key=NAME"
            raise VectorsError(message)
        key = flat[0]
    chosen: NDArray[Any] = arrays[key]
    return chosen


def _gene_names(path: Path, n: int, *, where: str) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        message = f"{path.name} is not UTF-8 text ({one_line(error)}); save it as text with one gene a line"
        raise VectorsError(message) from error
    rows = [line.split("\t") for line in lines if line.strip()]
    header = rows[0] if rows and ("symbol" in rows[0] or len(rows) == n + 1) else []
    column = header.index("symbol") if "symbol" in header else 0
    names = [row[column].strip() if column < len(row) else "" for row in rows[bool(header) :]]
    if len(names) != n:
        message = f"{path.name} names {len(names)} genes, but {where} has {n} rows; expected one line for each row"
        raise VectorsError(message)
    return names


def read_word2vec(path: Path) -> Rows:
    """Read word2vec text: a line is a gene and its numbers, between blanks or tabs; a line `n d` may come first.

    Raises:
        VectorsError: it is not text, a line has another number of numbers, or the first line announces other counts.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        message = f"{path.name} is not UTF-8 text ({one_line(error)}); expected word2vec text, not its binary form"
        raise VectorsError(message) from error
    announced = _header(lines)
    pairs = [line.split(maxsplit=1) for line in lines[bool(announced) :]]
    if not pairs:
        message = f"{path.name} names no gene, expected lines of a gene and its numbers"
        raise VectorsError(message)
    if short := [pair[0] for pair in pairs if len(pair) < 2]:
        message = f"{path.name}: no numbers after {short[0]!r}; expected lines of a gene and its numbers"
        raise VectorsError(message)
    names = [pair[0] for pair in pairs]
    try:
        vectors = np.loadtxt([pair[1] for pair in pairs], dtype=np.float32, comments=None, ndmin=2)
    except ValueError as error:
        raise VectorsError(_line_message(path.name, pairs, error)) from error
    if announced and announced != [*vectors.shape]:
        message = (
            f"{path.name}: its first line announces {announced[0]} genes of dimension {announced[1]}, but it has "
            f"{len(vectors)} of {vectors.shape[1]}; a half-downloaded file?"
        )
        raise VectorsError(message)
    return Rows(names, vectors)


def _header(lines: list[str]) -> list[int]:
    """Return `[n, d]` of the first line, if it is a header and not a gene named by a number with one number."""
    if not lines or not re.fullmatch(r"\d+\s+\d+\s*", lines[0]):
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


def read_h5ad(path: Path, *, key: str | None = None) -> Rows:
    """Read one array of an AnnData file: `varm/NAME` (its rows are variables) or `obsm/NAME` (observations).

    Only that array and the names of its rows are read, from the HDF5 layout that anndata 0.7 and later write.

    Args:
        path: the .h5ad file.
        key: which array; needed if there are several.

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
            found = [f"{group}/{name}" for group in ("varm", "obsm") for name in file.get(group, ())]
            if key is None and len(found) != 1:
                message = f"{path.name} has {some(found, limit=8) or 'no varm and no obsm'}; choose one array with key="
                raise VectorsError(message + (found[0] if found else "varm/NAME"))
            chosen = found[0] if key is None else key
            if chosen not in found:
                message = f"{path.name} has no {chosen}, it has {some(found, limit=8)}{did_you_mean(chosen, found)}"
                raise VectorsError(message)
            array = file[chosen]
            if not isinstance(array, h5py.Dataset) or array.ndim != 2:
                kind = array.attrs.get("encoding-type", "an array of another shape")
                message = f"{path.name}: {chosen} holds {kind}, expected a dense array of two dimensions"
                raise VectorsError(message)
            index = file[chosen.partition("/")[0].removesuffix("m")]
            names = index[index.attrs["_index"]]
            names = names["values"] if isinstance(names, h5py.Group) else names
            return Rows(names.asstr()[:].tolist(), array[:])
    except (OSError, KeyError, TypeError) as error:
        message = f"{path.name} is not an h5ad file of anndata 0.7 or later ({one_line(error)}); write it again"
        raise VectorsError(message) from error
