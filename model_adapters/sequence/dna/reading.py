"""How a DNA model is read, as options of a MODEL string."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from model_adapters.options import DTYPE, Option, choice, whole_number, yes_or_no

POOLINGS = ("mean", "cls", "max", "last")
STRANDS = ("given", "both")
OFF = "off"
SELECT = "select"


def _bases_or_off() -> Option:
    number = whole_number(minimum=1)
    return Option(f"N|{OFF}", lambda value: None if value == OFF else number.read(value))


def _number_or_select() -> Option:
    number = whole_number()
    return Option(f"N|{SELECT}", lambda value: SELECT if value == SELECT else number.read(value))


OPTIONS: dict[str, Option] = {
    "window": _bases_or_off(),
    "stride": whole_number(minimum=1),
    "pooling": choice(*POOLINGS),
    "layer": _number_or_select(),
    "strands": choice(*STRANDS),
    "dtype": DTYPE,
    "trust_remote_code": yes_or_no(),
}


@dataclass(frozen=True)
class Reading:
    """How a DNA model is read.

    Args:
        window: Bases read at once; None reads every sequence at once, whatever its length.
        stride: Bases between the starts of windows; None is `window`, so that they do not overlap.
        pooling: Of a window's tokens: "mean" and "max" leave special tokens out, "cls" takes the first, special one,
            "last" the last that is not special.
        layer: 0 is the embedding of the tokens, 1 the first layer; -1 is the model's output, -2 the layer before.
            "select" leaves the choice to whoever has labels.
        dtype: What the model computes in.
        trust_remote_code: Whether to run code that comes with the model.
        strands: "given", or "both": the mean over a sequence and its reverse complement.
        multiple: Letters of a token, for a model that reads whole tokens only: bases left over at the end of a window
            are dropped.
    """

    window: int | None = 1000
    stride: int | None = None
    pooling: str = "mean"
    layer: int | str = -1
    dtype: str = "float32"
    trust_remote_code: bool = False
    strands: str = "given"
    multiple: int = 1

    @property
    def step(self) -> int | None:
        """Stride in bases; None where there are no windows."""
        return self.window if self.stride is None else self.stride

    def recorded(self) -> dict[str, Any]:
        """Return every choice, defaults too; newer options only where they matter, so that old vectors stay valid."""
        choices = {**asdict(self), "stride": self.step, "window": OFF if self.window is None else self.window}
        later = {"strands": "given", "multiple": 1}
        return {name: value for name, value in choices.items() if name not in later or value != later[name]}
