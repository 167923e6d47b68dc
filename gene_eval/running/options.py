"""What a run may be told, besides which models and tasks: one set of options for Python and the command line."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gene_eval.core.engines import DEFAULT_ENGINE, ENGINES, PROTOCOLS
from gene_eval.core.errors import UnknownNameError
from gene_eval.errors import GeneBenchError
from gene_eval.results.settings import Settings
from gene_eval.text import say

__all__ = ["HEADS", "MISSING", "PAIR_MODES", "SPLITS", "RunOptions"]

SPLITS = ("random",)
"""Split schemes that a task may be scored on: `random` is its column `fold`."""
HEADS = ("linear",)
"""What may be fitted to vectors."""
MISSING = ("drop", "error")
PAIR_MODES = ("average", "concat")


@dataclass(frozen=True)
class RunOptions:
    """What a run may be told, besides which models and tasks.

    Args:
        out: Folder of the result files; None keeps results in memory only.
        data_dir: Folder with raw files; see `builders.RawFiles`.
        device: Where models and the probe compute, or several with commas between; None takes the best there is.
        memory: Bytes the probe may take above the vectors, all in all; None takes a share of what is free.
        batch_size: Genes that a model encodes at a time; None takes the model's own.
        seed: Of the probe; folds belong to the task and do not depend on it.
        split: Scheme that says which entities are held out together: "random", the task's own folds.
        head: What is fitted to the vectors: "linear".
        shots: Examples of each class to fit on; None fits on all training entities.
        protocol: See `gene_eval.core.probe.probe`.
        engine: See `gene_eval.core.probe.probe`.
        missing: "drop" leaves out entities without a vector, "error" fails the task.
        common_genes: Whether to score only the entities that all models of the run have.
        pairs: How the vectors of a gene pair become one: "average" or "concat".
        diseases: Model that encodes diseases; None takes the model that encodes the genes.
        predictions: Whether to save what was predicted for each held-out entity beside the result.
        subtasks: Whether each label of a multi-label task is scored as a binary task as well.
        overwrite: Whether to run again what `out` already holds.
        progress: Whether to show progress bars; None shows them in a terminal or a notebook.
        log: Takes lines for the user. Default: stderr.

    Raises:
        GeneBenchError: A value is not among those that an option takes.
    """

    out: Path | None = None
    data_dir: Path | None = None
    device: str | None = None
    memory: float | None = None
    batch_size: int | None = None
    seed: int = 0
    split: str = "random"
    head: str = "linear"
    shots: int | None = None
    protocol: str = "paper"
    engine: str = DEFAULT_ENGINE
    missing: str = "drop"
    common_genes: bool = False
    pairs: str = "average"
    diseases: Any = None
    predictions: bool = False
    subtasks: bool = False
    overwrite: bool = False
    progress: bool | None = None
    log: Callable[[str], None] = say

    def __post_init__(self) -> None:
        """Refuse names that do not exist before any work is done."""
        for option, known in (
            ("split", SPLITS),
            ("head", HEADS),
            ("protocol", PROTOCOLS),
            ("engine", tuple(ENGINES)),
            ("missing", MISSING),
            ("pairs", PAIR_MODES),
        ):
            given = getattr(self, option)
            if given not in known:
                raise UnknownNameError(given, kind=option, known=known)
        if self.shots is not None:
            message = f"shots is {self.shots!r}, but no task of this version is few-shot; leave it out"
            raise GeneBenchError(message)
        for option in ("out", "data_dir"):
            given = getattr(self, option)
            if given is not None:
                object.__setattr__(self, option, Path(given).expanduser())

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "RunOptions":
        """Make options of keyword arguments.

        Raises:
            GeneBenchError: There is no such option; the nearest name is suggested.
        """
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise UnknownNameError(name, kind="option", known=known)
        return cls(**options)

    @property
    def settings(self) -> Settings:
        """The axes of a score that a run fixes for all of its models and tasks."""
        return Settings(
            protocol=self.protocol,
            engine=self.engine,
            seed=self.seed,
            split=self.split,
            head=self.head,
            shots=self.shots,
        )

    @property
    def hides_bars(self) -> bool | None:
        """What tqdm's `disable` takes: None hides a bar only where stderr is no terminal, and not in a notebook."""
        return None if self.progress is None else not self.progress

    @property
    def shows_progress(self) -> bool:
        """Whether the bars of `datasets` are shown, which know no third state."""
        return sys.stderr.isatty() if self.progress is None else self.progress
