"""Any DNA language model of the Hub that transformers loads: masked or causal, k-mers, byte pairs or single bases."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve
from model_adapters.errors import ModelLoadError, RefusedInput, UnknownModelError
from model_adapters.hub import ModelFiles, check_complete, find_model, quiet_loading
from model_adapters.options import DTYPE, Option, choice, id_with_options, split_options, whole_number, yes_or_no
from model_adapters.sequence.windows import DNA, TokenBatches, check_windows, letter_weights, sequences_of, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

POOLINGS = ("mean", "cls", "max")
TOKENS_PER_BATCH = 16384
WINDOWS_AT_ONCE = 1024
"""Windows in memory as tokens: a gene of two million bases would be two million Python integers."""
LOCAL_FORM = "pass a local folder: dna:/path/to/folder"
OPTIONS: dict[str, Option] = {
    "window": whole_number(minimum=1),
    "stride": whole_number(minimum=1),
    "pooling": choice(*POOLINGS),
    "layer": whole_number(),
    "dtype": DTYPE,
    "trust_remote_code": yes_or_no(),
}


@dataclass(frozen=True)
class Reading:
    """How a DNA model is read.

    Args:
        window: Bases read at once.
        stride: Bases between the starts of windows; None is `window`, so that they do not overlap.
        pooling: Of a window's tokens: "mean" and "max" leave special tokens out, "cls" takes the first, special one.
        layer: 0 is the embedding of the tokens, 1 the first layer; -1 is the model's output, -2 the layer before.
        dtype: What the model computes in.
        trust_remote_code: Whether to run code that comes with the model.
    """

    window: int = 1000
    stride: int | None = None
    pooling: str = "mean"
    layer: int = -1
    dtype: str = "float32"
    trust_remote_code: bool = False

    @property
    def step(self) -> int:
        """Stride in bases."""
        return self.window if self.stride is None else self.stride

    def recorded(self) -> dict[str, Any]:
        """Return every choice, none of them open."""
        return {**asdict(self), "stride": self.step}


@dataclass(frozen=True)
class _Window:
    """A piece of a sequence, and what it counts in the sequence's vector: its bases, each counted once."""

    sequence: int
    bases: str
    weight: float


class DnaModel(GeneEncoder):
    """Pooled tokens of each window, averaged over windows by the bases that they stand for; see `Reading`.

    With max pooling, the largest over the windows. Several sequences of one gene are averaged.

    Args:
        name_or_path: Hub id, or a folder.
        revision: Branch, tag or commit on the Hub.
        reading: How the model is read.

    Raises:
        UnknownModelError: There is no such model, or it is not on this machine and the Hub cannot be reached.
    """

    adapter: ClassVar[str] = "dna"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="dna:HUB_ID[@REVISION]|FOLDER"
        "[,window=N,stride=N,pooling=mean|cls|max,layer=N,dtype=TYPE,trust_remote_code=yes]",
        family="DNA",
        input="dna_sequence",
        dimension="the model's",
        source="Hugging Face Hub or a local folder: Nucleotide Transformer, DNABERT-2, HyenaDNA, ...",
        weights="downloaded from the Hub at first use; without network: hf download HUB_ID, then pass the folder",
    )
    input_column = "dna_sequence"
    batch_size = 64

    def __init__(self, name_or_path: str, *, revision: str | None = None, reading: Reading | None = None) -> None:
        self.reading = Reading() if reading is None else reading
        check_windows(window=self.reading.window, stride=self.reading.step, adapter=self.adapter)
        self._files = find_model(name_or_path, revision=revision, local_form=LOCAL_FORM)
        self.revision = self._files.revision
        self.options = self.reading.recorded()
        plain = Reading(window=self.reading.window).recorded() | {"window": Reading().window}
        self.model_id = id_with_options(self._files.model_id, self.options, plain)
        self._net: _Net | None = None
        self._batches = TokenBatches(TOKENS_PER_BATCH)

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `dna:org/name`, `dna:org/name@revision,window=5000,layer=4` or `dna:/path/to/folder`."""
        name, options = split_options(argument, OPTIONS, adapter=cls.adapter)
        if not name:
            message = f"dna needs a model: dna:<Hub id>, or {LOCAL_FORM}"
            raise UnknownModelError(message)
        revision = None
        if not Path(name).expanduser().exists():
            name, _, revision = name.partition("@")
        return cls(name, revision=revision or None, reading=Reading(**options))

    def __getstate__(self) -> dict[str, Any]:
        """Drop the weights: a process of `embed` loads them on its own device."""
        return {**vars(self), "_net": None}

    def load(self, device: str) -> None:
        """Load the weights on a device.

        Raises:
            ModelLoadError: weights are missing, or the model comes with code that may not be run.
        """
        self._net = _Net.load(self._files, self.reading, device=device)

    def encode(self, batch: list[Any]) -> NDArray[np.float64]:
        """Return one (n, d) row for each gene; a value is a sequence or a list of them.

        Raises:
            RefusedInput: a value is no DNA sequence, or a window has more tokens than the model takes.
            ModelLoadError: `load` was not called.
        """
        if self._net is None:
            message = f"{self.model_id} is not loaded; call load(device) first"
            raise ModelLoadError(message)
        genes: list[int] = []
        texts: list[str] = []
        for gene, value in enumerate(batch):
            found = sequences_of(value, gene, column=self.input_column, alphabet=DNA)
            genes += [gene] * len(found)
            texts += found
        vectors: NDArray[np.float64] | None = None
        for block in _blocks(self._windows(texts)):
            for window, part in zip(block, self._encode_windows(block, genes, self._net), strict=True):
                if vectors is None:
                    vectors = np.full((len(texts), len(part)), -np.inf if self.reading.pooling == "max" else 0.0)
                row = vectors[window.sequence]
                if self.reading.pooling == "max":
                    np.maximum(row, part, out=row)
                else:
                    row += window.weight * part
        assert vectors is not None
        counts = np.bincount(genes, minlength=len(batch))
        sums = np.zeros((len(batch), vectors.shape[1]))
        np.add.at(sums, genes, vectors)
        return sums / counts[:, None]

    def _windows(self, texts: list[str]) -> Iterator[_Window]:
        for number, text in enumerate(texts):
            windows = spans(len(text), size=self.reading.window, stride=self.reading.step)
            weights = letter_weights(len(text), windows)
            for start, end in windows:
                yield _Window(number, text[start:end], float(weights[start:end].sum()))

    def _encode_windows(self, windows: list[_Window], genes: list[int], net: _Net) -> list[NDArray[np.float32]]:
        """Return the pooled vector of each window."""
        tokens = net.tokenize([window.bases for window in windows])
        for window, ids in zip(windows, tokens, strict=True):
            if net.limit is not None and len(ids) > net.limit:
                message = f"{len(window.bases):,} bases of {self.input_column} are {len(ids):,} tokens, and the model "
                message += f"takes {net.limit:,}; give window={len(window.bases) * net.limit // len(ids)} or less"
                raise RefusedInput(genes[window.sequence], message)
            net.check_tokens(ids, window.bases)
        pooled: list[NDArray[np.float32] | None] = [None] * len(windows)

        def forward(chosen: list[int]) -> None:
            for i, vector in zip(chosen, net.pooled([tokens[i] for i in chosen]), strict=True):
                pooled[i] = vector

        self._batches.run([len(ids) for ids in tokens], forward, equal_lengths=not net.takes_mask)
        return [vector for vector in pooled if vector is not None]


class _Net:
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
        self.limit = _token_limit(model.config, tokenizer)

    @classmethod
    def load(cls, files: ModelFiles, reading: Reading, *, device: str) -> _Net:
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
            # DNABERT-2 and Nucleotide Transformer 2 say that they are BERT and ESM, and are so only in part.
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
            vectors = _pool(hidden, counted.to(self._device), self._reading.pooling)
        array: NDArray[np.float32] = vectors.cpu().numpy()
        return array

    def _hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        given: dict[str, Any] = {"attention_mask": mask.long()} if self.takes_mask else {}
        layer = self._reading.layer
        if layer == -1:
            output = self._model(input_ids=ids, **given)
            last: Tensor = output[0] if isinstance(output, tuple) else output.last_hidden_state
            return last
        layers = getattr(self._model(input_ids=ids, **given, output_hidden_states=True), "hidden_states", None)
        if layers is None:
            message = f"{self._name} does not give out its layers; leave layer out"
            raise ModelLoadError(message)
        if not -len(layers) <= layer < len(layers):
            message = f"{self._name} has layers 0 to {len(layers) - 1}, but layer is {layer}"
            raise ModelLoadError(message)
        chosen: Tensor = layers[layer]
        return chosen


def _load_weights(path: str, source: dict[str, Any], *, dtype: str) -> tuple[Any, list[str]]:
    """Return a model and the names of the tensors that its files lack."""
    import torch
    from transformers import AutoConfig, AutoModel

    options: dict[str, Any] = {**source, "dtype": getattr(torch, dtype), "output_loading_info": True}
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


def _pool(hidden: Tensor, counted: Tensor, pooling: str) -> Tensor:
    """Return (b, d) of (b, t, d) and the (b, t) tokens that count."""
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


def _blocks(windows: Iterator[_Window]) -> Iterator[list[_Window]]:
    block: list[_Window] = []
    for window in windows:
        block.append(window)
        if len(block) == WINDOWS_AT_ONCE:
            yield block
            block = []
    if block:
        yield block
