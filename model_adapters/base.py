"""What a model is, and where it computes."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from model_adapters.errors import ModelLoadError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

Resolve = Callable[[list[str]], Sequence[str | None]]
"""Maps identifiers to current gene symbols, None for unknown ones; the caller hands it over.

It may have a method `explain(identifiers)` that returns (symbol, status) for each; a status says how the symbol was
found or why not ("previous", "case", "ambiguous", ...). Where there is such a method, it is called instead.
"""

DEVICES = ("cuda", "mps", "cpu")


@dataclass(frozen=True)
class AdapterInfo:
    """One line of `gene-bench models`: how MODEL is written, what the vectors are made of, how to get the weights."""

    usage: str
    family: str
    input: str
    dimension: str
    source: str
    weights: str = "none needed"


class Model(Protocol):
    """What `load_model` returns: enough to name a result; vectors come from `embed`."""

    @property
    def model_id(self) -> str:
        """Name that results are filed under."""

    @property
    def revision(self) -> str | None:
        """Version of weights, file or code; None where the adapter's version is enough."""

    @property
    def adapter(self) -> str:
        """Name of the adapter."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Every choice that the vectors depend on."""


class GeneEncoder(ABC):
    """Convenient base class of a model; any object with these attributes and `encode` will do.

    `embed` also calls, where the model has them and only if the vectors are not cached: `load(device)` once in each
    process, to make the weights ready on "cuda", "cuda:1", "mps" or "cpu", then `fit(values)` once, with the full
    input column. A batch has at most `batch_size` values; with `batch_length` also no more than that many characters
    (or list items), counted as the longest value times the number of values, since a batch is padded to its longest.

    >>> class NameLength(GeneEncoder):
    ...     model_id = "name-length"
    ...     input_column = "name"
    ...
    ...     def encode(self, batch):
    ...         return np.array([[len(name)] for name in batch], dtype=np.float32)
    """

    model_id: str
    revision: str | None = None
    input_column: str = "description"
    batch_size: int | None = None
    batch_length: int | None = None
    options: Mapping[str, Any] = {}

    @abstractmethod
    def encode(self, batch: list[Any]) -> NDArray[Any]:
        """Return an (n, d) array of finite numbers, one row for each of the n values of the input column."""


class UserModel:
    """An object of a user's class, and what a result records about it; everything else comes from the object.

    Args:
        model: The object, with `encode`.
        path: File that the class is in; None for an object of a running program.
        code_sha256: Hash of that file; the revision where the class names none.
        model_id: Id to use instead of the object's own.
    """

    adapter = "user"

    def __init__(
        self, model: Any, *, path: Path | None = None, code_sha256: str | None = None, model_id: str | None = None
    ) -> None:
        self._model = model
        self.code_file = path
        self.model_id: str = model_id if model_id is not None else getattr(model, "model_id", "")
        # An object has no file; `embed` hashes the source of its class, where there is one.
        self.version = code_sha256 or getattr(model, "version", None) or source_sha256(type(model))
        self.revision: str | None = getattr(model, "revision", None) or code_sha256
        self.options: dict[str, Any] = dict(getattr(model, "options", {}))

    def __reduce__(self) -> tuple[Any, ...]:
        """Be made anew from the file in another process, which cannot import the class by its module."""
        if self.code_file is None:
            return _unpickle_user_model, (self._model, self.model_id)
        from model_adapters.registry import load_user_model

        return load_user_model, (self.code_file, type(self._model).__qualname__)

    def __getattr__(self, name: str) -> Any:
        """Answer with the user's object, so that optional `load` and `fit` are there only if it has them."""
        if name == "_model":
            raise AttributeError(name)
        return getattr(self._model, name)


def _unpickle_user_model(model: Any, model_id: str) -> UserModel:
    return UserModel(model, model_id=model_id)


def source_sha256(kind: type) -> str | None:
    """Hash the code of a class, so that an edited `encode` is run again in a notebook too; None if it has no source."""
    try:
        return hashlib.sha256(inspect.getsource(kind).encode()).hexdigest()
    except (OSError, TypeError):
        return None


def wrong_attribute(model: object) -> str | None:
    """Say which attribute breaks the contract of a model, its value and what was expected; None if all are right.

    >>> class Mine:
    ...     model_id, input_column, batch_size = "mine", "description", 0
    >>> wrong_attribute(Mine())
    'batch_size is 0, expected a whole number, 1 or above, or None'
    """
    for name in ("model_id", "input_column"):
        value = getattr(model, name, None)
        if not isinstance(value, str) or not value.strip():
            return f"{name} is {value!r}, expected a non-empty string"
        if not value.isprintable():
            return f"{name} is {value!r}, expected printable characters only"
    revision = getattr(model, "revision", None)
    if not isinstance(revision, str | None):
        return f"revision is {revision!r}, expected a string or None"
    options = getattr(model, "options", {})
    if not isinstance(options, Mapping):
        return f"options is {options!r}, expected a dict"
    for name in ("batch_size", "batch_length"):
        value = getattr(model, name, None)
        if value is not None and (type(value) is not int or value < 1):
            return f"{name} is {value!r}, expected a whole number, 1 or above, or None"
    return None


def choose_device(device: str | None = None) -> str:
    """Return the device asked for, or the first of cuda, mps and cpu that this machine has.

    Raises:
        ModelLoadError: the device is unknown, or not on this machine.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device is None:
        return next(name for name in DEVICES if there[name])
    kind, _, index = device.partition(":")
    if kind not in there or (index and not index.isdigit()):
        message = f"unknown device {device!r}, expected {', '.join(DEVICES)}{did_you_mean(device, DEVICES)}"
        raise ModelLoadError(message)
    if not there[kind] or (kind == "cuda" and int(index or 0) >= torch.cuda.device_count()):
        message = f"device {device!r} is not on this machine; leave it out to use {choose_device()!r}"
        raise ModelLoadError(message)
    return device


def choose_devices(device: str | None = None) -> list[str]:
    """Return a device for each process that is to encode: those asked for, or every GPU, or the one device there is.

    Args:
        device: one device, several with commas between, or None.

    Raises:
        ModelLoadError: see `choose_device`.

    >>> choose_devices("cpu,cpu")
    ['cpu', 'cpu']
    """
    if device is not None:
        return [choose_device(one.strip()) for one in device.split(",")]
    first = choose_device()
    if first != "cuda":
        return [first]
    import torch

    return [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.device_count() > 1 else [first]


def file_sha256(path: Path) -> str:
    """Return `sha256:<hex>` of a file's bytes: the revision of a model that has no other."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
