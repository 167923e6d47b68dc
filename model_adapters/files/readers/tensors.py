"""Reads files of tensors: torch and safetensors. Nothing in a file is run."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from model_adapters.errors import VectorsError, one_line
from model_adapters.files.layout import Ask, Rows, rows_of_array
from model_adapters.files.readers.archives import check_size
from model_adapters.files.readers.arrays import list_beside
from model_adapters.files.readers.delimited import gene_list
from model_adapters.files.readers.mappings import rows_of_mapping

if TYPE_CHECKING:
    from pathlib import Path

_GLOBAL = re.compile(r"GLOBAL (\S+)")


def read_torch(path: Path, ask: Ask) -> Rows:
    """Read a `.pt` file with `weights_only`: gene -> tensor, or a tensor and a list of genes.

    Raises:
        VectorsError: it is damaged, carries more than tensors and plain values, or holds no vectors of genes.
    """
    import torch

    try:
        with warnings.catch_warnings():
            # For a pickle that is not a torch file, torch says so before it fails.
            warnings.simplefilter("ignore", UserWarning)
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        named = _GLOBAL.search(str(error))
        what = f"{named[1]}, which could run code" if named else f"something else ({one_line(error)})"
        message = (
            f"{ask.where} holds more than tensors: {what}; nothing was run, save them anew: "
            "torch.save({gene: vector, ...}, 'vectors.pt')"
        )
        raise VectorsError(message) from error
    except (RuntimeError, OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        message = f"{ask.where} is not a readable torch file ({one_line(error).partition('. ')[0]}); fetch it again"
        raise VectorsError(message) from error
    return _rows(loaded, path, ask)


def read_safetensors(path: Path, ask: Ask) -> Rows:
    """Read a safetensors file: a tensor for each gene, or one tensor with a list of genes beside the file.

    Raises:
        VectorsError: it is damaged, or holds no vectors of genes.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return _rows(_Arrays(file.keys(), file.get_tensor), path, ask)
    except (SafetensorError, OSError) as error:
        message = f"{ask.where} is not a readable safetensors file ({one_line(error)}); fetch it again"
        raise VectorsError(message) from error


def _rows(loaded: Any, path: Path, ask: Ask) -> Rows:
    plain = _plain(loaded)
    tensors = plain if isinstance(plain, Mapping) else {"tensor": plain}
    matrices = {name: array for name, array in tensors.items() if getattr(array, "ndim", 0) == 2 and len(array) > 1}
    beside = ask.genes or list_beside(path)
    chosen = ask.key if ask.key in matrices else next(iter(matrices), None)
    # Where names are beside it, they are not in it.
    if beside is not None and chosen is not None and (len(matrices) == 1 or ask.key in matrices):
        return rows_of_array(gene_list(beside, len(matrices[chosen]), where=path.name), matrices[chosen], ask)
    if not isinstance(plain, Mapping):
        message = f"{ask.where} holds a {type(loaded).__name__} without names; name its list of genes with genes=FILE"
        raise VectorsError(message)
    if len(tensors) == 1 and matrices:
        message = f"{ask.where} holds one tensor without names; put genes.tsv beside it, or name it with genes=FILE"
        raise VectorsError(message)
    return rows_of_mapping(plain, ask)


def _plain(value: Any) -> Any:
    """Return tensors as NumPy arrays, which have no bfloat16."""
    import torch

    if isinstance(value, torch.Tensor):
        dense = value.detach()
        # An expanded tensor is stored as one number.
        check_size(4 * dense.numel(), dense.untyped_storage().nbytes(), where="a tensor")
        return (dense.float() if dense.is_floating_point() else dense).numpy()
    if isinstance(value, Mapping):
        return _Arrays(value, value.__getitem__)
    return value


class _Arrays(Mapping[Any, Any]):
    """Tensors by name, each an array for as long as somebody holds it, since only pages in use take memory."""

    def __init__(self, names: Collection[Any], get: Callable[[Any], Any]) -> None:
        self._names, self._get = names, get

    def __getitem__(self, name: Any) -> Any:
        return _plain(self._get(name))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[Any]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
