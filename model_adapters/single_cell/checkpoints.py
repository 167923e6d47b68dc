"""Reads one tensor of a checkpoint, and the dictionary that says which row is which gene; nothing in a file is run."""

from __future__ import annotations

import json
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model_adapters.errors import ModelLoadError, did_you_mean, one_line, some
from model_adapters.files.readers.pickles import CarriesCode, load_plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The largest in use has 3 MB.
MAX_DICTIONARY_BYTES = 64 * 1024**2
FETCH = "fetch the file from where it was published"
_GLOBAL = re.compile(r"GLOBAL (\S+)")

# What torch and pickle raise for a damaged file.
_DAMAGED = (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error)


def read_tensor(path: Path, name: str) -> NDArray[np.float32]:
    """Read the (n, d) tensor of a checkpoint that is called `name`, whatever module it is part of (`bert.<name>`).

    Of a safetensors file, only that tensor is read; of a torch file, only that one is loaded into memory (files of
    torch before 1.6 in full). Torch files are read with `weights_only`: what is not a tensor is not built.

    Raises:
        ModelLoadError: the file is damaged or carries code, or has no such tensor of two dimensions.
    """
    return _from_safetensors(path, name) if path.suffix == ".safetensors" else _from_torch(path, name)


def _from_safetensors(path: Path, name: str) -> NDArray[np.float32]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return _as_matrix(file.get_tensor(_find(list(file.keys()), name, where=path.name)), name, where=path.name)
    except (SafetensorError, OSError) as error:
        message = f"{path} is not a readable safetensors file ({one_line(error)}); fetch it again"
        raise ModelLoadError(message) from error


def _from_torch(path: Path, name: str) -> NDArray[np.float32]:
    import torch

    try:
        with warnings.catch_warnings():
            # For a pickle that is not a torch file, torch says so before it fails.
            warnings.simplefilter("ignore", UserWarning)
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        named = _GLOBAL.search(str(error))
        what = f"{named[1]}, which could run code" if named else f"something else ({one_line(error)})"
        message = f"{path} holds more than weights: {what}; nothing was run, {FETCH}"
        raise ModelLoadError(message) from error
    except (RuntimeError, *_DAMAGED) as error:
        message = f"{path} is not a readable torch file ({one_line(error).partition('. ')[0]}); fetch it again"
        raise ModelLoadError(message) from error
    # A training checkpoint has the weights one level down, under a name such as model_state_dict.
    levels = [loaded, *(loaded.values() if isinstance(loaded, Mapping) else ())]
    tensors = {
        str(key): value
        for level in levels
        if isinstance(level, Mapping)
        for key, value in level.items()
        if isinstance(value, torch.Tensor)
    }
    return _as_matrix(tensors[_find(tensors, name, where=path.name)], name, where=path.name)


def _find(names: Iterable[str], wanted: str, *, where: str) -> str:
    every = list(names)
    if wanted in every:
        return wanted
    found = [name for name in every if name.endswith(f".{wanted}")]
    if len(found) == 1:
        return found[0]
    there = f"it has {some(found or every) or 'no tensor'}{did_you_mean(wanted, every)}"
    message = f"{where} has {len(found) or 'no'} tensor {wanted!r}, {there}; is it a checkpoint of this model?"
    raise ModelLoadError(message)


def _as_matrix(tensor: Any, name: str, *, where: str) -> NDArray[np.float32]:
    if tensor.ndim != 2 or not tensor.numel() or not tensor.is_floating_point():
        message = f"{where}: {name} holds {tensor.dtype} of shape {tuple(tensor.shape)}, expected floats of (genes, d)"
        raise ModelLoadError(message)
    # NumPy has no bfloat16.
    matrix: NDArray[np.float32] = tensor.float().numpy()
    return matrix


def read_dictionary(path: Path) -> dict[str, Any]:
    """Read a JSON file or a pickle that holds one dict with text keys and plain values.

    Raises:
        ModelLoadError: it is damaged, over 64 MB, not such a file, or a pickle that names anything to import.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_DICTIONARY_BYTES + 1)
        if len(content) > MAX_DICTIONARY_BYTES:
            message = f"more than {MAX_DICTIONARY_BYTES:,} bytes"
            raise ValueError(message)
        read = json.loads(content) if path.suffix == ".json" else load_plain(content)
    except CarriesCode as error:
        message = f"{path} names {error}, which could run code; nothing was run, {FETCH}"
        raise ModelLoadError(message) from error
    except (RecursionError, *_DAMAGED) as error:
        kind = "JSON" if path.suffix == ".json" else "pickle"
        message = f"{path} is not a readable {kind} file ({one_line(error)}); fetch it again"
        raise ModelLoadError(message) from error
    if not isinstance(read, dict) or not read or any(not isinstance(key, str) for key in read):
        message = f"{path} holds a {type(read).__name__}, expected a dictionary with a name for each gene"
        raise ModelLoadError(message)
    return read
