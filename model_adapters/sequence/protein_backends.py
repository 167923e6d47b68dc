"""The two programs that run ESM-2: transformers, and the authors' own fair-esm."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_adapters.errors import ModelLoadError, UnknownModelError, one_line
from model_adapters.hub import ModelFiles, check_complete, quiet_loading
from model_adapters.sequence.windows import PROTEIN

if TYPE_CHECKING:
    from torch import Tensor

FAIR_ESM_URL = "https://dl.fbaipublicfiles.com/fair-esm/models"


@dataclass(frozen=True)
class ProteinNet:
    """ESM-2, loaded.

    Args:
        hidden: (b, t) token ids and (b, t) 0/1 mask -> (b, t, d) last layer, final layer norm applied.
        tokens: Token -> id.
        device: Where ids and mask must be.
    """

    hidden: Callable[[Tensor, Tensor], Tensor]
    tokens: Mapping[str, int]
    device: str


def load_transformers(files: ModelFiles, *, device: str, dtype: str) -> ProteinNet:
    """Load weights and vocabulary of an `EsmModel`.

    Raises:
        ModelLoadError: the folder is of another kind of model, or weights or vocabulary are missing or do not fit.
    """
    import torch
    from transformers import AutoConfig, EsmModel, EsmTokenizer

    source: dict[str, Any] = {"revision": files.commit}
    with quiet_loading():
        config = AutoConfig.from_pretrained(files.source, **source, trust_remote_code=False)
        if config.model_type != "esm":
            message = f"{files.model_id} is of type {config.model_type!r}, expected 'esm'; pass a folder of ESM-2"
            raise ModelLoadError(message)
        try:
            tokens = EsmTokenizer.from_pretrained(files.source, **source).get_vocab()
        # A folder without the file is a TypeError.
        except (OSError, TypeError) as error:
            message = f"{files.model_id}: no vocab.txt can be read ({one_line(error)}); pass a folder that has it"
            raise ModelLoadError(message) from error
        loaded: Any = EsmModel.from_pretrained(
            files.source, **source, dtype=getattr(torch, dtype), add_pooling_layer=False, output_loading_info=True
        )
    model, report = loaded
    check_complete(report["missing_keys"], files.model_id)
    _check_tokens(tokens, rows=model.config.vocab_size, name=files.model_id)
    model = model.to(device).eval()

    def hidden(ids: Tensor, mask: Tensor) -> Tensor:
        last: Tensor = model(input_ids=ids, attention_mask=mask).last_hidden_state
        return last

    return ProteinNet(hidden, tokens, device)


def load_fair_esm(checkpoint: Path, *, device: str, dtype: str) -> ProteinNet:
    """Load a checkpoint of fair-esm, without the weights of its contact head, which come in a file of their own.

    Raises:
        ModelLoadError: the package is not installed, or the file is not a checkpoint of ESM-2.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from esm import pretrained
            from esm.data import Alphabet  # noqa: F401 - only fair-esm has it
    except ImportError as error:
        message = (
            f"backend=fair-esm needs the package fair-esm ({one_line(error)}); pip install fair-esm where no other "
            "package is called esm, or leave the backend out"
        )
        raise ModelLoadError(message) from error
    name = checkpoint.name
    try:
        # fair-esm's own loader reads with the defaults of torch, which refuse the Namespace that the files hold since
        # torch 2.6, and ran any code in them before.
        with torch.serialization.safe_globals([argparse.Namespace]):
            data = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:
        message = f"{name} cannot be read as tensors without running code ({one_line(error)}); pass the original file"
        raise ModelLoadError(message) from error
    if not isinstance(data, dict) or "model" not in data or "model" not in (data.get("cfg") or {}):
        message = f"{name} is not a checkpoint of ESM-2, which has 'cfg' and 'model'; pass a file esm2_t*_UR50D.pt"
        raise ModelLoadError(message)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Regression weights not found")
            model, alphabet = pretrained.load_model_and_alphabet_core("esm2", data)
    except (RuntimeError, AttributeError, KeyError, TypeError) as error:
        message = f"{name}: the tensors are not those of ESM-2 ({one_line(error)[:300]})"
        raise ModelLoadError(message) from error
    model = model.to(device=device, dtype=getattr(torch, dtype)).eval()
    last = model.num_layers

    def hidden(ids: Tensor, mask: Tensor) -> Tensor:
        # It sees the padding by the ids.
        found: Tensor = model(ids, repr_layers=[last])["representations"][last]
        return found

    return ProteinNet(hidden, alphabet.to_dict(), device)


def find_checkpoint(name_or_path: str, *, local_form: str) -> Path:
    """Return a local checkpoint, or that of a published model in torch's cache, fetched if it is not there.

    Raises:
        UnknownModelError: there is no such file, and it cannot be fetched.
    """
    path = Path(name_or_path).expanduser()
    if path.suffix == ".pt" or path.is_dir():
        if path.is_file():
            return path
        message = f"{name_or_path} is not a file, expected a checkpoint of fair-esm (.pt); {local_form}"
        raise UnknownModelError(message)
    import torch

    cached = Path(torch.hub.get_dir()) / "checkpoints" / f"{name_or_path}.pt"
    if not cached.is_file():
        url = f"{FAIR_ESM_URL}/{name_or_path}.pt"
        cached.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(cached), progress=sys.stderr.isatty())
        except OSError as error:
            message = f"{name_or_path}.pt is not in {cached.parent}, and {url} cannot be read ({one_line(error)}); "
            message += f"fetch it elsewhere and {local_form}"
            raise UnknownModelError(message) from error
    return cached


def _check_tokens(tokens: Mapping[str, int], *, rows: int, name: str) -> None:
    wanted = ["<cls>", "<eos>", "<pad>", *PROTEIN.letters]
    if absent := [token for token in wanted if token not in tokens]:
        message = f"{name}: its vocabulary has no token {absent[0]!r}; pass a folder with the vocab.txt of ESM-2"
        raise ModelLoadError(message)
    if max(tokens.values()) >= rows:
        message = f"{name}: its vocabulary has {max(tokens.values()) + 1} tokens, but the weights {rows}; "
        message += "pass the files of one model"
        raise ModelLoadError(message)
