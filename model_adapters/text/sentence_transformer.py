"""Any sentence-transformers model, from a local folder or the Hugging Face Hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve
from model_adapters.errors import ModelLoadError, UnknownModelError
from model_adapters.hub import find_model, quiet_loading
from model_adapters.options import DTYPE, INPUT, MASK, MASKED, id_with_options, split_options, yes_or_no

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_FILES = ("modules.json", "config.json")
"""A folder or repository with one of these holds a model; the first is written by sentence-transformers."""
LOCAL_FORM = "pass a local folder: sentence-transformer:/path/to/folder"
DEFAULTS = {"input": "description", "dtype": "float32", "trust_remote_code": False}
OPTIONS = {"input": INPUT, "dtype": DTYPE, "trust_remote_code": yes_or_no(), "mask": MASK}


class SentenceTransformerEncoder(GeneEncoder):
    """Sentence embeddings of the descriptions, pooled and normalised as the model's own files say.

    A model from the Hub is loaded at the commit that `revision` records; a local folder records the sha256 of its
    content. Code that a model brings along is not run unless `trust_remote_code` says so.
    """

    adapter: ClassVar[str] = "sentence-transformer"
    version: ClassVar[str] = "2"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="sentence-transformer:HUB_ID[@REVISION] or sentence-transformer:FOLDER"
        "[,input=COLUMN,dtype=bfloat16,trust_remote_code=yes]",
        family="text",
        input="description, or input=COLUMN",
        dimension="the model's",
        source="Hugging Face Hub or a local folder",
        weights="downloaded from the Hub at first use; without network: hf download HUB_ID, then pass the folder",
    )
    batch_size = 32

    def __init__(
        self,
        name_or_path: str,
        *,
        revision: str | None = None,
        input: str = "description",
        mask: str = "none",
        dtype: str = "float32",
        trust_remote_code: bool = False,
    ) -> None:
        """Find the model, without loading it.

        Raises:
            UnknownModelError: there is no such model, or it is not on this machine and the Hub cannot be reached.
        """
        self._files = find_model(name_or_path, revision=revision, local_form=LOCAL_FORM, files=MODEL_FILES)
        self.revision = self._files.revision
        self.masked_input = input if mask == "labels" else None
        self.input_column = MASKED.format(input) if self.masked_input else input
        self.options = {"input": input, "dtype": dtype, "trust_remote_code": trust_remote_code}
        self.options |= {"mask": mask} if self.masked_input else {}
        self.model_id = id_with_options(self._files.model_id, self.options, DEFAULTS)
        self._model: Any = None
        self._device: str | None = None

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `org/name`, `org/name@revision` or a folder, with options after commas."""
        rest, options = split_options(argument, OPTIONS, adapter=cls.adapter)
        if not rest:
            message = "sentence-transformer needs a model: sentence-transformer:<Hub id or local folder>"
            raise UnknownModelError(message)
        if Path(rest).expanduser().is_dir():
            return cls(rest, **options)
        name, _, revision = rest.partition("@")
        return cls(name, revision=revision or None, **options)

    def __getstate__(self) -> dict[str, Any]:
        """Drop the weights: a process of `embed` loads them on its own device."""
        return {**vars(self), "_model": None, "_device": None}

    def load(self, device: str) -> None:
        """Load the weights on a device, unless they are there; errors of the library pass unchanged."""
        if device == self._device:
            return
        import torch
        from sentence_transformers import SentenceTransformer

        with quiet_loading():
            self._model = SentenceTransformer(
                self._files.source,
                revision=self._files.commit,
                device=device,
                trust_remote_code=bool(self.options["trust_remote_code"]),
                model_kwargs={"dtype": getattr(torch, str(self.options["dtype"]))},
            )
        self._device = device

    def encode(self, batch: list[str]) -> NDArray[np.float32]:
        """Return one (n, d) row for each text, computed in one pass.

        Raises:
            ModelLoadError: `load` was not called.
        """
        if self._model is None:
            message = f"{self.model_id} is not loaded; call load(device) first"
            raise ModelLoadError(message)
        vectors: NDArray[np.float32] = self._model.encode(
            batch, batch_size=len(batch), convert_to_numpy=True, show_progress_bar=False
        )
        return vectors


@dataclass(frozen=True)
class Preset:
    """A short name of a model: `model` is what it stands for after `sentence-transformer:`."""

    name: str
    model: str
    info: AdapterInfo

    def argument(self, options: str) -> str:
        """Return the adapter's argument, with the options that follow the short name.

        Raises:
            UnknownModelError: what follows is not an option.

        >>> PRESETS["mpnet"].argument("input=summary").partition("@")[0]
        'sentence-transformers/all-mpnet-base-v2'
        """
        rest, _ = split_options(options, OPTIONS, adapter=self.name)
        if rest:
            message = f"{self.name} takes no argument, but {rest!r} was given; write {self.info.usage}"
            raise UnknownModelError(message)
        return f"{self.model},{options}" if options else self.model


def _preset(name: str, hub_id: str, commit: str, *, dimension: int, size: str) -> Preset:
    info = AdapterInfo(
        usage=f"{name}[:input=COLUMN,dtype=bfloat16]",
        family="text",
        input="description, or input=COLUMN",
        dimension=str(dimension),
        source=f"{hub_id} at {commit[:7]}",
        weights=f"downloaded from the Hub at first use ({size}); without network: hf download {hub_id} "
        f"--revision {commit}, then {LOCAL_FORM}",
    )
    return Preset(name, f"{hub_id}@{commit}", info)


PRESETS = {
    preset.name: preset
    for preset in (
        _preset(
            "mpnet",
            "sentence-transformers/all-mpnet-base-v2",
            "e8c3b32edf5434bc2275fc9bab85f82640a19130",
            dimension=768,
            size="0.4 GB",
        ),
        _preset(
            "mteb-s",
            "mixedbread-ai/mxbai-embed-large-v1",
            "990580e27d329c7408b3741ecff85876e128e203",
            dimension=1024,
            size="0.7 GB",
        ),
        _preset(
            "mteb-l",
            "Salesforce/SFR-Embedding-Mistral",
            "938c560d1c236aa563b2dbdf084f28ab28bccb11",
            dimension=4096,
            size="14 GB, 28 GB of memory unless dtype=bfloat16",
        ),
    )
}
"""The paper's text models, by their names in it."""


def is_model_folder(folder: Path) -> bool:
    """Return whether a folder holds a model that this adapter reads."""
    return any((folder / name).is_file() for name in MODEL_FILES)
