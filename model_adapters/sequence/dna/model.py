"""Any DNA language model on the Hub that transformers loads: masked or causal; k-mers, byte pairs or single bases."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve
from model_adapters.errors import ModelLoadError, RefusedInput, UnknownModelError
from model_adapters.hub import find_model
from model_adapters.options import id_with_options, split_options
from model_adapters.sequence.dna.net import Net
from model_adapters.sequence.dna.presets import find_preset
from model_adapters.sequence.dna.reading import OPTIONS, SELECT, Reading
from model_adapters.sequence.windows import (
    DNA,
    TokenBatches,
    check_windows,
    letter_weights,
    reverse_complement,
    sequences_of_batch,
    spans,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKENS_PER_BATCH = 16384
WINDOWS_AT_ONCE = 1024
"""Windows in memory as tokens: a gene of two million bases would be two million Python integers."""
LOCAL_FORM = "pass a local folder: dna:/path/to/folder"


@dataclass(frozen=True)
class _Window:
    """A piece of a sequence, and its weight in the sequence's vector: its bases, each counted once."""

    sequence: int
    bases: str
    weight: float


class DnaModel(GeneEncoder):
    """Pooled tokens of each window, averaged over windows by the bases that they stand for; see `Reading`.

    With max pooling, it is the largest over the windows. Several sequences of one gene are averaged.

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
        usage="dna:NAME|HUB_ID[@REVISION]|FOLDER"
        "[,window=N|off,stride=N,pooling=mean|cls|max|last,layer=N|select,strands=both,dtype=TYPE,trust_remote_code=yes]",
        family="DNA",
        input="dna_sequence",
        dimension="the model's",
        source="Hugging Face Hub or a local folder: nt-v2-50m-ms, dnabert-2, hyenadna-medium-160k, ...",
        weights="downloaded from the Hub at first use; without network: hf download HUB_ID, then pass the folder",
    )
    input_column = "dna_sequence"
    batch_size = 64

    def __init__(self, name_or_path: str, *, revision: str | None = None, reading: Reading | None = None) -> None:
        self.reading = Reading() if reading is None else reading
        if self.reading.window is None and self.reading.stride is not None:
            message = f"dna: stride is {self.reading.stride}, but window is off; leave one of them out"
            raise UnknownModelError(message)
        if self.reading.window is not None and self.reading.step is not None:
            check_windows(window=self.reading.window, stride=self.reading.step, adapter=self.adapter)
        self._files = find_model(name_or_path, revision=revision, local_form=LOCAL_FORM)
        self.revision = self._files.revision
        self.options = self.reading.recorded()
        plain = Reading(window=self.reading.window).recorded() | {"window": Reading().window, "strands": "given"}
        self.model_id = id_with_options(self._files.model_id, self.options, plain)
        self._net: Net | None = None
        self._batches = TokenBatches(TOKENS_PER_BATCH)

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `dna:dnabert-2`, `dna:org/name@revision,window=5000,layer=4` or `dna:/path/to/folder`."""
        name, options = split_options(argument, OPTIONS, adapter=cls.adapter)
        if not name:
            message = f"dna needs a model: dna:<name or Hub id>, or {LOCAL_FORM}"
            raise UnknownModelError(message)
        revision = None
        if not Path(name).expanduser().exists():
            name, _, revision = name.partition("@")
        reading = Reading()
        if "/" not in name and not Path(name).expanduser().exists() and (preset := find_preset(name)):
            name, revision, reading = preset.hub_id, revision or preset.revision, preset.reading
        return cls(name, revision=revision or None, reading=replace(reading, **options))

    @property
    def selects_layer(self) -> bool:
        """Whether the layer is to be chosen by labels."""
        return self.reading.layer == SELECT

    def layers(self) -> list[int]:
        """Numbers of the layers to choose from; the last is the model's output.

        Raises:
            ModelLoadError: The configuration does not say how many there are.
        """
        from transformers import AutoConfig

        trusts = self.reading.trust_remote_code
        config = AutoConfig.from_pretrained(self._files.source, revision=self._files.commit, trust_remote_code=trusts)
        for name in ("num_hidden_layers", "n_layer", "n_layers"):
            if isinstance(number := getattr(config, name, None), int):
                # The last is asked for as -1: some models normalise their output, and not its hidden state.
                return [*range(1, number), -1]
        message = f"{self.model_id}: its configuration does not say how many layers it has; give layer=N"
        raise ModelLoadError(message)

    def with_layer(self, layer: int) -> Self:
        """Return the model, read at a layer."""
        made = copy.copy(self)
        made.reading = replace(self.reading, layer=layer)
        made.options = made.reading.recorded()
        made.model_id, made._net = f"{self._files.model_id}:layer={layer}", None
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Drop the weights: a process of `embed` loads them on its own device."""
        return {**vars(self), "_net": None}

    def load(self, device: str) -> None:
        """Load the weights on a device.

        Raises:
            ModelLoadError: weights are missing, or the model comes with code that may not be run.
        """
        self._net = Net.load(self._files, self.reading, device=device)

    def encode(self, batch: list[Any]) -> NDArray[np.float64]:
        """Return one (n, d) row for each gene; a value is a sequence or a list of them.

        Raises:
            RefusedInput: a value is not a DNA sequence, or a window has more tokens than the model takes.
            ModelLoadError: `load` was not called.
        """
        if self._net is None:
            message = f"{self.model_id} is not loaded; call load(device) first"
            raise ModelLoadError(message)
        genes, texts = sequences_of_batch(batch, column=self.input_column, alphabet=DNA)
        if self.reading.strands == "both":
            genes, texts = [*genes, *genes], [*texts, *map(reverse_complement, texts)]
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
            size = self.reading.window or len(text)
            windows = spans(len(text), size=size, stride=self.reading.step or size)
            weights = letter_weights(len(text), windows)
            for start, end in windows:
                # A sequence shorter than one token is read whole.
                rest = (end - start) % self.reading.multiple if end - start > self.reading.multiple else 0
                yield _Window(number, text[start : end - rest], float(weights[start:end].sum()))

    def _encode_windows(self, windows: list[_Window], genes: list[int], net: Net) -> list[NDArray[np.float32]]:
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


def _blocks(windows: Iterator[_Window]) -> Iterator[list[_Window]]:
    block: list[_Window] = []
    for window in windows:
        block.append(window)
        if len(block) == WINDOWS_AT_ONCE:
            yield block
            block = []
    if block:
        yield block
