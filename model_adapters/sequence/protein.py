"""ESM-2, the protein language model of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, GeneEncoder, Resolve, file_sha256
from model_adapters.errors import ModelLoadError, UnknownModelError, did_you_mean
from model_adapters.hub import HUB_ID, find_model
from model_adapters.options import DTYPE, choice, id_with_options, split_options, whole_number
from model_adapters.sequence.protein_backends import ProteinNet, find_checkpoint, load_fair_esm, load_transformers
from model_adapters.sequence.windows import PROTEIN, TokenBatches, check_windows, letter_weights, sequences_of, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = {
    "8M": "esm2_t6_8M_UR50D",
    "35M": "esm2_t12_35M_UR50D",
    "150M": "esm2_t30_150M_UR50D",
    "650M": "esm2_t33_650M_UR50D",
    "3B": "esm2_t36_3B_UR50D",
    "15B": "esm2_t48_15B_UR50D",
}
MAX_RESIDUES = 1022
"""What ESM-2 was trained on: 1,024 tokens with the two at the ends."""
DEFAULTS = {"backend": "transformers", "window": MAX_RESIDUES, "stride": MAX_RESIDUES // 2, "dtype": "float32"}
TOKENS_PER_BATCH = 16384
LOCAL_FORMS = {
    "transformers": "pass a local folder: esm2:/path/to/folder",
    "fair-esm": "pass a local checkpoint: esm2:/path/to/esm2_t33_650M_UR50D.pt,backend=fair-esm",
}


class Esm2(GeneEncoder):
    """Mean over the residues of ESM-2's last layer, special tokens left out.

    A protein over `window` residues is read in windows that overlap by `window - stride`; each residue counts once,
    see `model_adapters.sequence.windows`. Isoforms are averaged.

    Args:
        name_or_path: A size (`8M`), a published name, a Hub id, a folder, or a checkpoint of fair-esm.
        revision: Branch, tag or commit on the Hub.
        backend: "transformers" or "fair-esm"; the same weights give the same vectors.
        window: Residues read at once; None is the model's 1,022.
        stride: Residues between the starts of windows; None is half a window.
        dtype: What the model computes in.

    Raises:
        UnknownModelError: There is no such model, or it is not on this machine and cannot be fetched.
    """

    adapter: ClassVar[str] = "esm2"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="esm2:SIZE|HUB_ID[@REVISION]|FOLDER|FILE.pt[,backend=transformers|fair-esm,window=N,stride=N,dtype=TYPE]",
        family="protein",
        input="protein_sequence",
        dimension="8M 320, 35M 480, 150M 640, 650M 1280, 3B 2560, 15B 5120",
        source="facebook/esm2_* on the Hugging Face Hub, or fair-esm's checkpoints",
        weights="fetched on first use; without network, copy the folder or the .pt file here and pass its path",
    )
    input_column = "protein_sequence"
    batch_size = 256

    def __init__(  # noqa: PLR0913 - each is an option of the MODEL string
        self,
        name_or_path: str,
        *,
        revision: str | None = None,
        backend: str = "transformers",
        window: int | None = None,
        stride: int | None = None,
        dtype: str = "float32",
    ) -> None:
        self._window = MAX_RESIDUES if window is None else window
        self._stride = max(1, self._window // 2) if stride is None else stride
        check_windows(window=self._window, stride=self._stride, adapter=self.adapter, longest=MAX_RESIDUES)
        self.options = {"backend": backend, "window": self._window, "stride": self._stride, "dtype": dtype}
        name = SIZES.get(name_or_path.upper(), name_or_path)
        if backend == "fair-esm":
            self._checkpoint = _checkpoint(name)
            name, self.revision = self._checkpoint.stem, file_sha256(self._checkpoint)
        else:
            hub_id = f"facebook/{name}" if name in SIZES.values() else name
            _check_name(hub_id)
            self._files = find_model(hub_id, revision=revision, local_form=LOCAL_FORMS[backend])
            name, self.revision = self._files.model_id, self._files.revision
        self.model_id = id_with_options(name, self.options, {**DEFAULTS, "stride": max(1, self._window // 2)})
        self._net: ProteinNet | None = None
        self._batches = TokenBatches(TOKENS_PER_BATCH)

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `esm2:8M`, `esm2:650M,backend=fair-esm` or `esm2:/path/to/folder,window=512`."""
        known = {
            "backend": choice("transformers", "fair-esm"),
            "window": whole_number(minimum=1),
            "stride": whole_number(minimum=1),
            "dtype": DTYPE,
        }
        name, options = split_options(argument, known, adapter=cls.adapter)
        if not name:
            message = f"esm2 needs a model: esm2:SIZE ({', '.join(SIZES)}), or {LOCAL_FORMS['transformers']}"
            raise UnknownModelError(message)
        if not Path(name).expanduser().exists() and "@" in name:
            name, _, options["revision"] = name.partition("@")
        return cls(name, **options)

    def __getstate__(self) -> dict[str, Any]:
        """Drop the weights: a process of `embed` loads them on its own device."""
        return {**vars(self), "_net": None}

    def load(self, device: str) -> None:
        """Load the weights on a device.

        Raises:
            ModelLoadError: weights or vocabulary are missing, or of another model.
        """
        dtype = str(self.options["dtype"])
        if self.options["backend"] == "fair-esm":
            self._net = load_fair_esm(self._checkpoint, device=device, dtype=dtype)
        else:
            self._net = load_transformers(self._files, device=device, dtype=dtype)

    def encode(self, batch: list[Any]) -> NDArray[np.float64]:
        """Return one (n, d) row for each gene; a value is a sequence or a list of isoforms.

        Raises:
            RefusedInput: a value is not a protein sequence.
            ModelLoadError: `load` was not called.
        """
        if self._net is None:
            message = f"{self.model_id} is not loaded; call load(device) first"
            raise ModelLoadError(message)
        windows = []
        for gene, value in enumerate(batch):
            proteins = sequences_of(value, gene, column=self.input_column, alphabet=PROTEIN)
            for protein in proteins:
                positions = spans(len(protein), size=self._window, stride=self._stride)
                weights = letter_weights(len(protein), positions) / len(proteins)
                windows += [(gene, protein[start:end], weights[start:end]) for start, end in positions]
        return self._weighted_sums(windows, n=len(batch), net=self._net)

    def _weighted_sums(
        self, windows: list[tuple[int, str, NDArray[np.float64]]], *, n: int, net: ProteinNet
    ) -> NDArray[np.float64]:
        import torch

        code = np.zeros(128, dtype=np.int64)
        code[[ord(letter) for letter in PROTEIN.letters]] = [net.tokens[letter] for letter in PROTEIN.letters]
        parts: list[NDArray[np.float32] | None] = [None] * len(windows)

        def forward(chosen: list[int]) -> None:
            width = 2 + max(len(windows[i][1]) for i in chosen)
            ids = np.full((len(chosen), width), net.tokens["<pad>"], dtype=np.int64)
            weights = np.zeros((len(chosen), width), dtype=np.float32)
            ids[:, 0] = net.tokens["<cls>"]
            for row, i in enumerate(chosen):
                _, residues, residue_weights = windows[i]
                end = 1 + len(residues)
                ids[row, 1:end] = code[np.frombuffer(residues.encode(), dtype=np.uint8)]
                ids[row, end] = net.tokens["<eos>"]
                weights[row, 1:end] = residue_weights
            mask = (ids != net.tokens["<pad>"]).astype(np.int64)
            with torch.inference_mode():
                hidden = net.hidden(*(torch.from_numpy(array).to(net.device) for array in (ids, mask)))
                shares = torch.from_numpy(weights).to(net.device)
                sums = torch.bmm(shares.unsqueeze(1), hidden.float()).squeeze(1).cpu().numpy()
            for i, part in zip(chosen, sums, strict=True):
                parts[i] = part

        self._batches.run([2 + len(residues) for _, residues, _ in windows], forward)
        # In the order of the windows, not of the batches, so that rounding does not depend on them.
        vectors: NDArray[np.float64] | None = None
        for (gene, _, _), part in zip(windows, parts, strict=True):
            assert part is not None
            vectors = np.zeros((n, len(part))) if vectors is None else vectors
            vectors[gene] += part
        assert vectors is not None
        return vectors


def _checkpoint(name: str) -> Path:
    if Path(name).suffix != ".pt" and not Path(name).expanduser().exists():
        name = name.removeprefix("facebook/")
        if name not in SIZES.values():
            message = f"fair-esm has no model {name!r}{did_you_mean(name, [*SIZES, *SIZES.values()])}; expected one of "
            message += f"{', '.join(SIZES)}, or {LOCAL_FORMS['fair-esm']}"
            raise UnknownModelError(message)
    return find_checkpoint(name, local_form=LOCAL_FORMS["fair-esm"])


def _check_name(name: str) -> None:
    """Refuse names that cannot be a model of transformers, and say what to write instead."""
    if name.endswith(".pt"):
        message = f"{name} is a checkpoint of fair-esm; write esm2:{name},backend=fair-esm"
        raise UnknownModelError(message)
    if not Path(name).expanduser().exists() and HUB_ID.fullmatch(name) and "/" not in name:
        message = f"esm2 has no size {name!r}{did_you_mean(name, SIZES)}; expected {', '.join(SIZES)}, a Hub id "
        message += f"(org/name), or {LOCAL_FORMS['transformers']}"
        raise UnknownModelError(message)
