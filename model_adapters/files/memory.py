"""Vectors and models that a Python program has in memory, as models."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from model_adapters.base import AdapterInfo, Model, Resolve, UserModel, wrong_attribute
from model_adapters.embedding.table import EmbeddingTable
from model_adapters.errors import ModelLoadError, UnknownModelError, VectorsError, one_line, some
from model_adapters.files.identifiers import may_name_genes
from model_adapters.files.layout import Ask, Rows, rows_of_array, rows_of_sheet
from model_adapters.files.sheets import ArrowSheet
from model_adapters.files.table_model import TableModel

DEFAULT_NAME = "vectors"
ACCEPTED = (
    "a MODEL string, a path, a pandas or polars DataFrame, a dict of identifier to vector, an AnnData, a "
    "datasets.Dataset, (identifiers, array), an EmbeddingTable, or an object with encode"
)


class MemoryVectors(TableModel):
    """Vectors in memory as a model; its revision is the sha256 of identifiers and vectors."""

    adapter: ClassVar[str] = "memory"
    version: ClassVar[str] = "2"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="from_object(OBJECT, name=NAME)",
        family="precomputed",
        input="identifiers and vectors in memory",
        dimension="the object's",
        source="your program",
    )

    def __init__(self, obj: Any, *, name: str = DEFAULT_NAME, resolve: Resolve | None = None) -> None:
        """Read the object.

        Raises:
            VectorsError: it is not a table of vectors.
            UnknownModelError: it is not an object that has vectors.
        """
        super().__init__(name, where=name, resolve=resolve, options={})
        self._rows = _rows(obj, self._ask())
        self.revision = f"sha256:{_sha256(self._rows)}"

    def _read(self) -> Rows:
        return replace(self._rows, reading=deepcopy(self._rows.reading))


def from_object(obj: Any, *, name: str | None = None, resolve: Resolve | None = None) -> Model:
    """Make a model of what a program has: vectors in any usual form, an object with `encode`, or a MODEL string.

    Args:
        obj: pandas or polars DataFrame, dict of identifier to vector, AnnData, `datasets.Dataset`, (identifiers, (n, d)
            array), `EmbeddingTable`, an object with `encode` (see `GeneEncoder`), a MODEL string or path, or a model.
        name: the model's id; default is its own, or "vectors".
        resolve: maps identifiers to gene symbols; without it they are taken as they are.

    Raises:
        UnknownModelError: the object is none of these.
        VectorsError: a frame or dict is not a table of vectors.
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
    return MemoryVectors(obj, name=name or DEFAULT_NAME, resolve=resolve)


def renamed(model: Any, name: str | None) -> Model:
    """Return the model, under another id if one is given."""
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


def _rows(obj: Any, ask: Ask) -> Rows:
    if isinstance(obj, EmbeddingTable):
        return rows_of_array({"symbols": obj.symbols}, obj.matrix, ask)
    if isinstance(obj, Mapping):
        from model_adapters.files.readers.mappings import rows_of_mapping

        return rows_of_mapping(obj, ask)
    if isinstance(obj, tuple) and len(obj) == 2:
        names, vectors = obj
        array = vectors if isinstance(vectors, np.ma.MaskedArray) else np.asarray(vectors)
        return rows_of_array({"identifiers": list(names)}, array, ask)
    if hasattr(obj, "obs_names") and hasattr(obj, "varm"):
        return _from_anndata(obj, ask)
    if hasattr(obj, "column_names") and hasattr(obj, "with_format"):
        return rows_of_sheet(ArrowSheet(obj.with_format("arrow")[:]), ask)
    if hasattr(obj, "columns") and hasattr(obj, "iloc"):
        return _from_pandas(obj, ask)
    if hasattr(obj, "columns") and callable(getattr(obj, "to_arrow", None)):
        return rows_of_sheet(ArrowSheet(obj.to_arrow()), ask)
    message = f"{ask.where}: a {type(obj).__name__} is not a model, expected {ACCEPTED}"
    raise UnknownModelError(message)


def _from_pandas(frame: Any, ask: Ask) -> Rows:
    """Read a frame as its file would be read: the index is a column unless it counts rows."""
    import pyarrow as pa

    counts = str(type(frame.index).__name__) == "RangeIndex"
    if not counts:
        frame = frame.reset_index(names=_free_names(frame))
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    try:
        return rows_of_sheet(ArrowSheet(pa.Table.from_pandas(frame, preserve_index=False)), ask)
    except (pa.ArrowException, ValueError) as error:
        if isinstance(error, VectorsError):
            hint = "; set the genes as index: frame.set_index(COLUMN)" if counts else ""
            message = f"{error}{hint}"
            raise VectorsError(message) from error
        reason = one_line(error)
        message = f"{ask.where}: a column of the frame cannot be read ({reason}); keep identifiers and numbers"
        raise VectorsError(message) from error


def _free_names(frame: Any) -> list[str]:
    """Return a name for each level of the index that no column has."""
    taken = {str(column) for column in frame.columns}
    names = [str(name) if name is not None else "index" for name in frame.index.names]
    return [name if name not in taken else f"{name} (index)" for name in names]


def _from_anndata(data: Any, ask: Ask) -> Rows:
    found = [(group, key) for group in ("varm", "obsm") for key in getattr(data, group, {})]
    if len(found) != 1:
        there = some((f"{group}[{key!r}]" for group, key in found), limit=8) or "none"
        message = f"{ask.where}: the AnnData has {there} of varm and obsm; pass (data.var_names, data.varm[KEY])"
        raise VectorsError(message)
    ((group, key),) = found
    names, frame = (data.var_names, data.var) if group == "varm" else (data.obs_names, data.obs)
    columns = {column: list(frame[column]) for column in frame.columns if may_name_genes(str(column))}
    return rows_of_array({f"{group[:3]}_names": list(names), **columns}, np.asarray(getattr(data, group)[key]), ask)


def _sha256(rows: Rows) -> str:
    digest = hashlib.sha256("\n".join(map(str, rows.names)).encode("utf-8", "surrogatepass"))
    digest.update(str((rows.vectors.dtype, rows.vectors.shape)).encode())
    digest.update(np.ascontiguousarray(rows.vectors).data)
    return digest.hexdigest()
