"""Vectors and models that a Python program has in memory, as models."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from model_adapters.base import AdapterInfo, Model, Resolve, UserModel, wrong_attribute
from model_adapters.embedding.table import EmbeddingTable, check_lengths
from model_adapters.errors import ModelLoadError, UnknownModelError, VectorsError, some
from model_adapters.files.table_model import Rows, TableModel
from model_adapters.files.tables import rows_of

if TYPE_CHECKING:
    pass

DEFAULT_NAME = "vectors"
ACCEPTED = (
    "a MODEL string, a path, a pandas or polars DataFrame, a dict of identifier to vector, an AnnData, a "
    "datasets.Dataset, (identifiers, array), an EmbeddingTable, or an object with encode"
)


class MemoryVectors(TableModel):
    """Vectors in memory as a model; its revision is the sha256 of identifiers and vectors."""

    adapter: ClassVar[str] = "memory"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="from_object(OBJECT, name=NAME)",
        family="precomputed",
        input="identifiers and vectors in memory",
        dimension="the object's",
        source="your program",
    )

    def __init__(self, rows: Rows, *, name: str = DEFAULT_NAME, resolve: Resolve | None = None) -> None:
        """Take n identifiers and their vectors."""
        super().__init__(name, where=name, resolve=resolve, options={})
        self._rows = rows
        self.revision = f"sha256:{_sha256(rows)}"

    def _read(self) -> Rows:
        return self._rows


def from_object(obj: Any, *, name: str | None = None, resolve: Resolve | None = None) -> Model:
    """Make a model of what a program has: vectors in any usual form, an object with `encode`, or a MODEL string.

    Args:
        obj: pandas or polars DataFrame, dict of identifier to vector, AnnData, `datasets.Dataset`, (identifiers, (n, d)
            array), `EmbeddingTable`, an object with `encode` (see `GeneEncoder`), a MODEL string or path, or a model.
        name: the model's id; default is its own, or "vectors".
        resolve: maps identifiers to gene symbols; without it they are taken as they are.

    Raises:
        UnknownModelError: the object is none of these.
        VectorsError: a frame or dict is no table of vectors.
        ModelLoadError: an attribute of an object with `encode` is wrong.

    >>> model = from_object({"TP53": [1.0, 2.0], "INS": [3.0, 4.0]}, name="mine")
    >>> model.model_id, len(model.vector_table())
    ('mine', 2)
    """
    if name is not None and not (isinstance(name, str) and name.strip() and name.isprintable()):
        message = f"name is {name!r}, expected a non-empty string of printable characters"
        raise UnknownModelError(message)
    if isinstance(obj, str | Path):
        from model_adapters.registry import load_model

        return renamed(load_model(str(obj), resolve=resolve), name)
    if isinstance(obj, TableModel | UserModel) or callable(getattr(obj, "table", None)):
        return renamed(obj, name)
    if callable(getattr(obj, "encode", None)) and not isinstance(obj, type):
        return _encoder(obj, name)
    return MemoryVectors(_rows(obj, where=name or DEFAULT_NAME), name=name or DEFAULT_NAME, resolve=resolve)


def renamed(model: Any, name: str | None) -> Model:
    """Return the model under another id, if one is given."""
    if name is not None:
        model.model_id = name
    found: Model = model
    return found


def _encoder(obj: Any, name: str | None) -> Model:
    if callable(getattr(obj, "from_argument", None)):
        # One of our adapters.
        return renamed(obj, name)
    if name is None:
        name = getattr(obj, "model_id", None) or type(obj).__name__
    model = UserModel(obj, model_id=name)
    if wrong := wrong_attribute(model):
        message = f"{type(obj).__name__}.{wrong}; set it on the class"
        raise ModelLoadError(message)
    return model


def _rows(obj: Any, *, where: str) -> Rows:
    if isinstance(obj, EmbeddingTable):
        return Rows(obj.symbols, obj.matrix)
    if isinstance(obj, Mapping):
        return _from_mapping(obj, where=where)
    if isinstance(obj, tuple) and len(obj) == 2:
        return _from_pair(*obj, where=where)
    if hasattr(obj, "obs_names") and hasattr(obj, "varm"):
        return _from_anndata(obj, where=where)
    if hasattr(obj, "column_names") and hasattr(obj, "with_format"):
        return rows_of(obj.with_format("arrow")[:], where=where)
    if hasattr(obj, "columns") and hasattr(obj, "iloc"):
        return _from_pandas(obj, where=where)
    if hasattr(obj, "columns") and callable(getattr(obj, "to_arrow", None)):
        return rows_of(obj.to_arrow(), where=where)
    message = f"{where}: a {type(obj).__name__} is no model, expected {ACCEPTED}"
    raise UnknownModelError(message)


def _from_pandas(frame: Any, *, where: str) -> Rows:
    import pyarrow as pa

    if "symbol" in frame.columns:
        return rows_of(pa.Table.from_pandas(frame, preserve_index=False), where=where)
    names = [str(name) for name in frame.index]
    if names == [str(row) for row in range(len(names))]:
        message = (
            f"{where}: the index counts rows and no column is named symbol (columns {some(map(str, frame.columns))}); "
            "set the genes as index: frame.set_index(COLUMN)"
        )
        raise VectorsError(message)
    try:
        return Rows(names, frame.to_numpy(dtype=np.float32))
    except (TypeError, ValueError) as error:
        message = f"{where}: a column of the frame holds no numbers ({error}); keep the dimensions only"
        raise VectorsError(message) from error


def _from_mapping(mapping: Mapping[Any, Any], *, where: str) -> Rows:
    names = [str(name) for name in mapping]
    arrays = [np.asarray(vector) for vector in mapping.values()]
    numeric = [array.ndim == 1 and array.dtype.kind in "fiu" for array in arrays]
    if not names or not all(numeric):
        wrong = [name for name, right in zip(names, numeric, strict=True) if not right]
        message = f"{where}: {f'no list of numbers for {some(wrong)}' if wrong else 'an empty dict'}"
        message += "; expected identifier -> vector"
        raise VectorsError(message)
    check_lengths(np.array([len(array) for array in arrays]), names, where=where)
    return Rows(names, np.stack(arrays))


def _from_pair(identifiers: Any, vectors: Any, *, where: str) -> Rows:
    names = [str(name) for name in identifiers]
    array = vectors if isinstance(vectors, np.ma.MaskedArray) else np.asarray(vectors)
    return Rows(names, array)


def _from_anndata(data: Any, *, where: str) -> Rows:
    found = [(group, key) for group in ("varm", "obsm") for key in getattr(data, group, {})]
    if len(found) != 1:
        there = some((f"{group}[{key!r}]" for group, key in found), limit=8) or "none"
        message = f"{where}: the AnnData has {there} of varm and obsm; pass (data.var_names, data.varm[KEY])"
        raise VectorsError(message)
    ((group, key),) = found
    names = data.var_names if group == "varm" else data.obs_names
    return _from_pair(names, getattr(data, group)[key], where=where)


def _sha256(rows: Rows) -> str:
    digest = hashlib.sha256("\n".join(map(str, rows.names)).encode("utf-8", "surrogatepass"))
    digest.update(str((rows.vectors.dtype, rows.vectors.shape)).encode())
    digest.update(np.ascontiguousarray(rows.vectors).data)
    return digest.hexdigest()
