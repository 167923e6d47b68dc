"""Where the files of a model are: a local folder, the Hub's local cache, or the Hub at a pinned commit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from model_adapters.base import file_sha256
from model_adapters.errors import ModelLoadError, UnknownModelError

CONFIG = "config.json"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
HUB_TIMEOUT = 10
UNUSED = ("pooler.", "contact_head.", "rotary_embeddings.inv_freq", "embeddings.position_ids")
"""Tensors that published files lack: heads that no layer depends on, and what follows from the configuration."""
_NAMELESS = re.compile(r"model|final|best|latest|checkpoint.*", re.IGNORECASE)
_SNAPSHOT = re.compile(r"models--(?P<id>.+)/snapshots/(?P<commit>[0-9a-f]{40})$")


@dataclass(frozen=True)
class ModelFiles:
    """A model that exists.

    Args:
        source: Local folder or Hub id, as `from_pretrained` takes it.
        commit: What to pass as its `revision`; None for a folder.
        model_id: Hub id where there is one, else the folder's name.
        revision: Commit, or sha256 of the folder's content.
    """

    source: str
    commit: str | None
    model_id: str
    revision: str


def find_model(
    name_or_path: str, *, revision: str | None, local_form: str, files: Sequence[str] = (CONFIG,)
) -> ModelFiles:
    """Find a transformers model without loading it; where the Hub cannot be reached, its local cache must have it.

    Args:
        name_or_path: local folder, or Hub id.
        revision: branch, tag or commit on the Hub; None is its main branch.
        local_form: how a local folder is given to the adapter, for messages.
        files: a folder with one of these holds a model.

    Raises:
        UnknownModelError: there is no such model, or it is not on this machine and the Hub cannot be reached.
    """
    folder = Path(name_or_path).expanduser()
    if folder.is_dir():
        return _in_folder(folder, files)
    commit = _hub_commit(name_or_path, revision, local_form=local_form)
    if commit is not None:
        return ModelFiles(name_or_path, commit, name_or_path, commit)
    return _in_folder(_cached_snapshot(name_or_path, revision, local_form=local_form, files=files), files)


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Silence transformers' progress bar and its report on unused tensors: `embed` has a bar of its own."""
    from transformers.utils import logging as transformers_logging

    logging: Any = transformers_logging
    bar, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def check_complete(missing: Iterable[str], name: str) -> None:
    """Raise ModelLoadError for tensors that a checkpoint lacks: transformers fills them with random numbers."""
    lost = sorted(key for key in missing if not key.startswith(UNUSED))
    if lost:
        message = f"{name}: the weights lack {len(lost)} tensors of the model ({lost[0]} ...); pass a complete folder"
        raise ModelLoadError(message)


def _in_folder(folder: Path, files: Sequence[str]) -> ModelFiles:
    if not any((folder / name).is_file() for name in files):
        message = f"{folder} holds no model, expected {' or '.join(files)} in it; pass the folder that has one"
        raise UnknownModelError(message)
    snapshot = _SNAPSHOT.search(folder.absolute().as_posix())
    if snapshot:
        return ModelFiles(str(folder), None, snapshot["id"].replace("--", "/"), snapshot["commit"])
    # Not resolved: a link is the way to give a folder another name.
    named = folder.absolute() if folder.name not in ("", "..") else folder.resolve()
    name = f"{named.parent.name}/{named.name}" if _NAMELESS.fullmatch(named.name) else named.name
    return ModelFiles(str(folder), None, name, _folder_sha256(folder))


def _folder_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
            digest.update(f"{inside.as_posix()}\0{file_sha256(path)}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _hub_commit(name: str, revision: str | None, *, local_form: str) -> str | None:
    """Ask the Hub which commit a model is at; None if the Hub cannot be reached."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    if not HUB_ID.fullmatch(name):
        message = f"{name!r} is neither a folder here nor a Hub id (org/name); {local_form}"
        raise UnknownModelError(message)
    # OSError, and the base error of the HTTP library, which differs between versions of huggingface_hub.
    unreachable = cast("tuple[type[Exception], ...]", HfHubHTTPError.__bases__)
    try:
        # Not by a download, which tries for half a minute where there is no network.
        return HfApi().model_info(name, revision=revision, timeout=HUB_TIMEOUT).sha
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        shown = f"{name}@{revision}" if revision else name
        kind = type(error).__name__
        message = f"the Hub has no model {shown!r} that you may read ({kind}); check the name, or {local_form}"
        raise UnknownModelError(message) from error
    except unreachable:
        return None


def _cached_snapshot(name: str, revision: str | None, *, local_form: str, files: Sequence[str]) -> Path:
    """Return the folder of a downloaded model; loaded as a folder, it needs no network."""
    from huggingface_hub import try_to_load_from_cache

    for file_name in files:
        path = try_to_load_from_cache(name, file_name, revision=revision)
        if isinstance(path, str):
            return Path(path).parent
    shown = f"{name}@{revision}" if revision else name
    message = (
        f"model {shown!r} is neither a folder here nor in the Hub's local cache, and the Hub cannot be reached; "
        f"{local_form}"
    )
    raise UnknownModelError(message)
