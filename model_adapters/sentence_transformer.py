"""Any sentence-transformers model, from a local folder or the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve, file_sha256
from model_adapters.errors import ModelLoadError, UnknownModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_FILES = ("modules.json", "config.json")
"""A folder or repository with one of these holds a model; the first is written by sentence-transformers."""
NAMELESS_FOLDERS = re.compile(r"model|final|best|latest|checkpoint.*", re.IGNORECASE)
HUB_SNAPSHOT = re.compile(r"models--(?P<id>.+)/snapshots/(?P<commit>[0-9a-f]{40})$")
HUB_TIMEOUT = 10
LOCAL_FORM = "pass a local folder: sentence-transformer:/path/to/folder"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


class SentenceTransformerEncoder(GeneEncoder):
    """Sentence embeddings of the descriptions, pooled and normalised as the model's own files say.

    A model from the Hub is loaded at the commit that `revision` records; a local folder records the sha256 of its
    content. Code that a model brings along is not run.
    """

    adapter: ClassVar[str] = "sentence-transformer"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="sentence-transformer:HUB_ID[@REVISION] or sentence-transformer:FOLDER",
        family="text",
        input="description",
        dimension="the model's",
        source="Hugging Face Hub or a local folder",
    )
    batch_size = 256

    def __init__(self, name_or_path: str, *, revision: str | None = None) -> None:
        """Find the model, without loading it.

        Raises:
            UnknownModelError: there is no such model, or it is not on this machine and the Hub cannot be reached.
        """
        folder = Path(name_or_path).expanduser()
        self._commit: str | None = None
        if not folder.is_dir():
            self._commit = _hub_commit(name_or_path, revision)
            if self._commit is None:
                folder = _cached_snapshot(name_or_path, revision)
        if self._commit is None:
            self._path = str(folder)
            self.model_id, self.revision = _describe_folder(folder)
        else:
            self._path = self.model_id = name_or_path
            self.revision = self._commit
        self._model: Any = None

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `org/name`, `org/name@revision` or a folder."""
        if not argument:
            message = "sentence-transformer needs a model: sentence-transformer:<Hub id or local folder>"
            raise UnknownModelError(message)
        if Path(argument).expanduser().is_dir():
            return cls(argument)
        name, _, revision = argument.partition("@")
        return cls(name, revision=revision or None)

    def load(self, device: str) -> None:
        """Load the weights on a device; whatever the library raises goes through."""
        from sentence_transformers import SentenceTransformer

        with _no_loading_bar():
            self._model = SentenceTransformer(self._path, revision=self._commit, device=device, trust_remote_code=False)

    def encode(self, batch: list[str]) -> NDArray[np.float32]:
        """Return one (n, d) row for each text.

        Raises:
            ModelLoadError: `load` was not called.
        """
        if self._model is None:
            message = f"{self.model_id} is not loaded; call load(device) first"
            raise ModelLoadError(message)
        vectors: NDArray[np.float32] = self._model.encode(batch, convert_to_numpy=True, show_progress_bar=False)
        return vectors


def is_model_folder(folder: Path) -> bool:
    """Return whether a folder holds a model that this adapter reads."""
    return any((folder / name).is_file() for name in MODEL_FILES)


def _describe_folder(folder: Path) -> tuple[str, str]:
    """Return (id, revision) of a local model: its Hub id and commit in the Hub's cache, else folder name and sha256."""
    if not is_model_folder(folder):
        message = f"{folder} holds no model, expected {' or '.join(MODEL_FILES)} in it; pass the folder that has one"
        raise UnknownModelError(message)
    snapshot = HUB_SNAPSHOT.search(folder.absolute().as_posix())
    if snapshot:
        return snapshot["id"].replace("--", "/"), snapshot["commit"]
    # Not resolved: a link is the way to give a folder another name.
    named = folder.absolute() if folder.name not in ("", "..") else folder.resolve()
    name = f"{named.parent.name}/{named.name}" if NAMELESS_FOLDERS.fullmatch(named.name) else named.name
    return name, _folder_sha256(folder)


def _folder_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
            digest.update(f"{inside.as_posix()}\0{file_sha256(path)}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _hub_commit(name: str, revision: str | None) -> str | None:
    """Ask the Hub which commit a model is at; None if the Hub cannot be reached."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    if not HUB_ID.fullmatch(name):
        message = f"{name!r} is neither a folder here nor a Hub id (org/name); {LOCAL_FORM}"
        raise UnknownModelError(message)
    # OSError, and the base error of the HTTP library, which differs between versions of huggingface_hub.
    unreachable = cast("tuple[type[Exception], ...]", HfHubHTTPError.__bases__)
    try:
        # Not by a download: that tries for half a minute where there is no network.
        return HfApi().model_info(name, revision=revision, timeout=HUB_TIMEOUT).sha
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        shown = f"{name}@{revision}" if revision else name
        kind = type(error).__name__
        message = f"the Hub has no model {shown!r} that you may read ({kind}); check the name, or {LOCAL_FORM}"
        raise UnknownModelError(message) from error
    except unreachable:
        return None


def _cached_snapshot(name: str, revision: str | None) -> Path:
    """Return the folder of a downloaded model; loaded as a folder, it needs no network."""
    from huggingface_hub import try_to_load_from_cache

    for file_name in MODEL_FILES:
        path = try_to_load_from_cache(name, file_name, revision=revision)
        if isinstance(path, str):
            return Path(path).parent
    shown = f"{name}@{revision}" if revision else name
    message = (
        f"model {shown!r} is neither a folder here nor in the Hub's local cache, and the Hub cannot be reached; "
        f"{LOCAL_FORM}"
    )
    raise UnknownModelError(message)


@contextmanager
def _no_loading_bar() -> Iterator[None]:
    """Silence the bar that transformers shows for the weights: `embed` has its own."""
    from transformers.utils import logging as transformers_logging

    logging: Any = transformers_logging
    if not logging.is_progress_bar_enabled():
        yield
        return
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.enable_progress_bar()
