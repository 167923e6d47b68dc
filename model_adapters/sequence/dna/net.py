"""A loaded DNA model: token ids in, pooled vectors out."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from model_adapters.errors import ModelLoadError
from model_adapters.hub import ModelFiles, check_complete, quiet_loading
from model_adapters.sequence.dna.reading import Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

LANGUAGE_MODELS = ("AutoModelForMaskedLM", "AutoModelForCausalLM")
"""What is loaded where a model's own code has no bare model (Nucleotide Transformer 2); it returns its layers too."""


class Net:
    """A loaded model with its tokenizer; pads on the right whatever the tokenizer does, as causal models need it."""

    def __init__(self, model: Any, tokenizer: Any, reading: Reading, *, name: str, device: str) -> None:
        self._model, self._tokenizer, self._reading = model, tokenizer, reading
        self._name, self._device = name, device
        ends = ("cls_token_id", "sep_token_id", "bos_token_id", "eos_token_id", "pad_token_id", "mask_token_id")
        # Not the unknown token: it may stand for N.
        self._special = {getattr(tokenizer, end, None) for end in ends} - {None}
        self._first = (getattr(tokenizer, "cls_token_id", None), getattr(tokenizer, "bos_token_id", None))
        self.takes_mask = "attention_mask" in inspect.signature(model.forward).parameters
        self._rows = int(model.config.vocab_size)
        # A language model returns logits; its layers have to be asked for.
        self._has_head = "For" in type(model).__name__
        self.limit = _token_limit(model.config, tokenizer)

    @classmethod
    def load(cls, files: ModelFiles, reading: Reading, *, device: str) -> Net:
        """Load the files on a device; see `DnaModel.load`."""
        from transformers import AutoTokenizer

        source: dict[str, Any] = {"revision": files.commit, "trust_remote_code": reading.trust_remote_code}
        own_code = f"{files.model_id} comes with code of its own; if you trust it, add trust_remote_code=yes"
        try:
            with quiet_loading():
                tokenizer = AutoTokenizer.from_pretrained(files.source, **source)
                model, missing = _load_weights(files.source, source, dtype=reading.dtype)
        except ValueError as error:
            if reading.trust_remote_code or "trust_remote_code" not in str(error):
                raise
            raise ModelLoadError(own_code) from error
        try:
            check_complete(missing, files.model_id)
        except ModelLoadError as error:
            # DNABERT-2 and Nucleotide Transformer 2 say that they are BERT and ESM, which is true only in part.
            if not reading.trust_remote_code and "AutoModel" in (getattr(model.config, "auto_map", None) or {}):
                raise ModelLoadError(own_code) from error
            raise
        return cls(model.to(device).eval(), tokenizer, reading, name=files.model_id, device=device)

    def tokenize(self, texts: list[str]) -> list[list[int]]:
        """Return the token ids of each text, special tokens included."""
        ids: list[list[int]] = self._tokenizer(
            texts, padding=False, truncation=False, return_attention_mask=False, verbose=False
        )["input_ids"]
        return ids

    def check_tokens(self, ids: list[int], bases: str) -> None:
        """Raise ModelLoadError if the tokenizer does not fit model, pooling or DNA: vectors would say nothing."""
        unknown = self._special | {getattr(self._tokenizer, "unk_token_id", None)}
        if not ids or (bases.strip("N") and unknown.issuperset(ids)):
            message = f"{self._name}: its tokenizer knows no part of {bases[:12]}...; pass a model of DNA"
            raise ModelLoadError(message)
        if max(ids) >= self._rows:
            message = f"{self._name}: its tokenizer gives the token {max(ids)}, but the weights have {self._rows}; "
            message += "pass the files of one model"
            raise ModelLoadError(message)
        if self._reading.pooling == "cls" and ids[0] not in self._first:
            message = f"{self._name}: its tokenizer puts no special token first, so pooling=cls has nothing to take; "
            message += "use pooling=mean"
            raise ModelLoadError(message)

    def pooled(self, batch: list[list[int]]) -> NDArray[np.float32]:
        """Return the (b, d) pooled vectors of token lists."""
        import torch

        width = max(map(len, batch))
        padding = getattr(self._tokenizer, "pad_token_id", None) or 0
        ids = torch.tensor([tokens + [padding] * (width - len(tokens)) for tokens in batch])
        lengths = torch.tensor([len(tokens) for tokens in batch])
        mask = torch.arange(width) < lengths[:, None]
        counted = mask & ~torch.isin(ids, torch.tensor(sorted(self._special), dtype=ids.dtype))
        # A window of nothing but unknown bases, which the tokenizer writes as special tokens: all of them count.
        counted = torch.where(counted.any(dim=1, keepdim=True), counted, mask)
        with torch.inference_mode():
            hidden = self._hidden(ids.to(self._device), mask.to(self._device)).float()
            vectors = pool(hidden, counted.to(self._device), self._reading.pooling)
        array: NDArray[np.float32] = vectors.cpu().numpy()
        return array

    def _hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        given: dict[str, Any] = {"attention_mask": mask.long()} if self.takes_mask else {}
        layer = self._reading.layer
        if isinstance(layer, str):
            message = (
                f"{self._name}: layer=select is chosen by the labels of a task about sequences, in gene-bench run; "
            )
            message += "here, give a number"
            raise ModelLoadError(message)
        if layer == -1 and not self._has_head:
            output = self._model(input_ids=ids, **given)
            last: Tensor = output[0] if isinstance(output, tuple) else output.last_hidden_state
            return last
        layers = getattr(self._model(input_ids=ids, **given, output_hidden_states=True), "hidden_states", None)
        if layers is None:
            message = f"{self._name} does not return its layers; leave layer out"
            raise ModelLoadError(message)
        if not -len(layers) <= layer < len(layers):
            message = f"{self._name} has layers 0 to {len(layers) - 1}, but layer is {layer}"
            raise ModelLoadError(message)
        chosen: Tensor = layers[layer]
        return chosen


def _load_weights(path: str, source: dict[str, Any], *, dtype: str) -> tuple[Any, list[str]]:
    """Return a model and the names of the tensors that its files lack."""
    import torch
    import transformers
    from transformers import AutoConfig, AutoModel

    options: dict[str, Any] = {**source, "dtype": getattr(torch, dtype), "output_loading_info": True}
    if source["trust_remote_code"]:
        offered = getattr(AutoConfig.from_pretrained(path, **source), "auto_map", None) or {}
        if "AutoModel" not in offered and (known := [name for name in LANGUAGE_MODELS if name in offered]):
            model, report = getattr(transformers, known[0]).from_pretrained(path, **options)
            return model, list(report["missing_keys"])
    try:
        loaded: Any = AutoModel.from_pretrained(path, **options)
    except ValueError as error:
        if "config_class" not in str(error):
            raise
        # DNABERT-2 brings a BertConfig and a BertModel that belongs to the BertConfig of transformers; that one does.
        config = AutoConfig.from_pretrained(path, **{**source, "trust_remote_code": False})
        loaded = AutoModel.from_pretrained(path, **options, config=config)
    model, report = loaded
    return model, list(report["missing_keys"])


def pool(hidden: Tensor, counted: Tensor, pooling: str) -> Tensor:
    """Return (b, d) of (b, t, d) and the (b, t) tokens that count."""
    if pooling == "last":
        import torch

        places = torch.arange(counted.shape[1], device=counted.device)
        last: Tensor = hidden[torch.arange(len(hidden), device=hidden.device), (places * counted).argmax(dim=1)]
        return last
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "max":
        return hidden.masked_fill(~counted.unsqueeze(-1), -float("inf")).amax(dim=1)
    weights = counted.to(hidden.dtype)
    sums = (weights.unsqueeze(1) @ hidden).squeeze(1)
    return sums / weights.sum(dim=1, keepdim=True)


def _token_limit(config: Any, tokenizer: Any) -> int | None:
    """Return how many tokens the model takes, special ones included; None if nothing says so."""
    # Tokenizers without a limit say 10^30.
    stated = [getattr(tokenizer, "model_max_length", None)]
    stated += [getattr(config, name, None) for name in ("max_position_embeddings", "n_positions", "max_seq_len")]
    known = [number for number in stated if isinstance(number, int) and 0 < number < 10**12]
    return min(known, default=None)
