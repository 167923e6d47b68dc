"""The options of a run, besides its models and tasks: the same for Python and the command line."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from builders.folds import SCHEMES
from builders.raw_files import RawFiles
from gene_eval.core.controls.permutation import N_PERMUTATIONS
from gene_eval.core.engines import DEFAULT_ENGINE, ENGINES, PROTOCOLS
from gene_eval.core.errors import UnknownNameError
from gene_eval.core.heads.choices import Head
from gene_eval.core.parts.fits import GENEB
from gene_eval.errors import GeneBenchError
from gene_eval.results.settings import Settings
from gene_eval.running.fitting import Fit, fits
from gene_eval.running.tasks import TaskArrays
from gene_eval.text import say

__all__ = ["CONTROLS", "MISSING", "PAIR_MODES", "SPLITS", "RunOptions"]

SPLITS = tuple(SCHEMES)
"""Split schemes that a task may be scored on: `random` is its column `fold`, `published` the parts of its source."""
CONTROLS = ("permuted",)
MISSING = ("drop", "error")
PAIR_MODES = ("average", "concat")


COVARIATES = "nuisance:all"
"""Covariates of a gain where no others are named."""


@dataclass(frozen=True)
class RunOptions:
    """The options of a run, besides its models and tasks.

    Args:
        out: Folder of the result files; None keeps results in memory only.
        data_dir: Folder with raw files; see `builders.RawFiles`.
        raw: Raw files of earlier runs, so that what they have read is not read again; None starts afresh.
        device: Where models and the probe compute, or several with commas between; None takes the best there is.
        memory: Bytes that the probe may use besides the vectors; None takes a share of what is free.
        batch_size: Genes that a model encodes at a time; None takes the model's own.
        seed: Seed of the probe; folds belong to the task and do not depend on it.
        split: Scheme that says which entities are held out together, or several: "random" (the task's own folds),
            "family", "chromosome", "gene_disjoint", "family_disjoint", "disease_disjoint"; see docs/methods.md. None
            is "published" for tasks that have parts, "random" for the others.
        repeats: Number of cross-validations, each on other folds, whose scores make one result.
        head: What is fitted to the vectors: "linear", "ridge", "mlp", "knn", "centroid", "gcn", "gat" or "vote" with
            the options of `gene_eval.core.heads.graph`, `module:Class` of an estimator in scikit-learn's form, or such
            an object; see `gene_eval.core.probe.probe`. Or a list of them.
        shots: Examples of each class to fit on, or several such numbers; None fits on all training entities. See
            `gene_eval.core.few_labels.few_shot`, and for tasks with parts `gene_eval.core.parts.fits`.
        controls: Whether to score the controls that explain a score without the model too: `shuffled:MODEL` of each
            model, `lookup:family`, `lookup:pair`, `nuisance:publications`, `nuisance:all`; each on the tasks that it
            can be scored on.
        gain: Covariates whose cross-fitted scores are an offset of the fit on the vectors, to see what these add: True
            ("nuisance:all") or another "nuisance:NAME". See `gene_eval.core.controls.gain`.
        control: "permuted" scores the same fits on permuted labels too, see `gene_eval.core.controls.permutation`.
        permutations: How many permutations.
        curve: Whether to fit on parts of the training entities too, for a learning curve.
        protocol: "paper" or "scaled", see `gene_eval.core.probe.probe`; "geneb" or "scaled" of tasks with parts, see
            `gene_eval.core.parts.fits`. None is "geneb" for tasks that have parts, "paper" for the others.
        engine: See `gene_eval.core.probe.probe`.
        missing: "drop" leaves out entities without a vector, "error" fails the task.
        common_genes: Whether to score only the entities that all models of the run have; such results are kept apart
            (axis `entities`).
        dedupe: Whether to score tasks with parts without test sequences that occur in the training part; such results
            are kept apart (axis `entities`), and hold the scores with them too.
        name: Name of the model in the results, or one for each model; None takes the models' own.
        pairs: How the vectors of a gene pair become one: "average" or "concat".
        diseases: Model that encodes diseases; None takes the model that encodes the genes.
        terms: Model that encodes terms of the Gene Ontology in graphs; None takes the model that encodes the genes, or
            zeros where it cannot.
        masked_words: Beginnings of words that are masked for models with `mask=labels`; None takes those that state a
            label of the run's tasks.
        predictions: Whether to keep what was predicted for each held-out entity, beside the result where there is
            `out`; None does so for what is scored now, but takes older results as they are.
        subtasks: Whether each label of a multi-label task is scored as a binary task as well.
        overwrite: Whether to run again what `out` already holds.
        client: A `distributed.Client`: its workers do the work, see docs/cluster.md. None works in this process.
        gather: Whether results are sent back from the workers, which do not see the folder `out`; without `out` they
            always are.
        progress: Whether to show progress bars; None shows them in a terminal or a notebook.
        log: Takes lines for the user. Default: stderr.

    Raises:
        GeneBenchError: An option has a value that it cannot have.
    """

    out: Path | None = None
    data_dir: Path | None = None
    raw: RawFiles | None = None
    device: str | None = None
    memory: float | None = None
    batch_size: int | None = None
    seed: int = 0
    split: str | Sequence[str] | None = None
    repeats: int = 1
    head: Head | Sequence[Head] = "linear"
    shots: int | Sequence[int] | None = None
    controls: bool = False
    gain: str | bool | None = None
    control: str | None = None
    permutations: int = N_PERMUTATIONS
    curve: bool = False
    protocol: str | None = None
    engine: str = DEFAULT_ENGINE
    missing: str = "drop"
    common_genes: bool = False
    dedupe: bool = False
    name: str | Sequence[str] | None = None
    pairs: str = "average"
    diseases: Any = None
    terms: Any = None
    masked_words: Sequence[str] | None = None
    predictions: bool | None = None
    subtasks: bool = False
    overwrite: bool = False
    client: Any = None
    gather: bool = False
    progress: bool | None = None
    log: Callable[[str], None] = say

    def __post_init__(self) -> None:
        """Refuse names that do not exist before any work is done."""
        for name in self.splits or ():
            if name not in SPLITS:
                raise UnknownNameError(name, kind="split", known=SPLITS)
        if type(self.repeats) is not int or self.repeats < 1:
            message = f"repeats is {self.repeats!r}, expected a whole number, 1 or above"
            raise GeneBenchError(message)
        if type(self.permutations) is not int or self.permutations < 1:
            message = f"permutations is {self.permutations!r}, expected a whole number, 1 or above"
            raise GeneBenchError(message)
        for option, known in (
            ("protocol", (None, *PROTOCOLS, GENEB)),
            ("engine", tuple(ENGINES)),
            ("missing", MISSING),
            ("pairs", PAIR_MODES),
        ):
            given = getattr(self, option)
            if given not in known:
                raise UnknownNameError(given, kind=option, known=[name for name in known if name is not None])
        # Imports what it names, so that a head that cannot be made stops the run before any work is done.
        is_few_shot = any(fit.shots for fit in self.fits)
        if self.curve and is_few_shot:
            message = "a curve is fitted on parts of the training entities, not on shots; leave one of them out"
            raise GeneBenchError(message)
        if self.control not in (None, *CONTROLS):
            raise UnknownNameError(str(self.control), kind="control", known=CONTROLS)
        if self.control and is_few_shot:
            message = "labels are permuted among all training entities, not among shots; leave one of them out"
            raise GeneBenchError(message)
        if self.covariates and not (self.protocol in (None, "paper") and any(map(_is_plain, self.fits))):
            message = "a gain is of the head linear under protocol paper, without shots; leave the other or gain out"
            raise GeneBenchError(message)
        if self.dedupe and self.common_genes:
            message = "dedupe and common_genes each say which entities are scored; leave one of them out"
            raise GeneBenchError(message)
        if self.client is not None and not callable(getattr(self.client, "submit", None)):
            message = f"client is {self.client!r}, expected a distributed.Client; see docs/cluster.md"
            raise GeneBenchError(message)
        if self.gather and self.client is None:
            message = "gather sends results back from workers; give a client, or leave gather out"
            raise GeneBenchError(message)
        for option in ("out", "data_dir"):
            given = getattr(self, option)
            if given is not None:
                object.__setattr__(self, option, Path(given).expanduser())

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "RunOptions":
        """Make options from keyword arguments.

        Raises:
            GeneBenchError: There is no such option; the nearest name is suggested.
        """
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise UnknownNameError(name, kind="option", known=known)
        return cls(**options)

    @property
    def covariates(self) -> str | None:
        """Covariates of the gain; None where none is asked for."""
        return _covariates_of(self.gain)

    @property
    def splits(self) -> tuple[str, ...] | None:
        """Each split scheme once, in the order given; None if each task takes its own."""
        if self.split is None:
            return None
        return tuple(dict.fromkeys([self.split] if isinstance(self.split, str) else self.split))

    def settings(self, task: TaskArrays) -> Settings:
        """The axes of a score that a run fixes, or the task's own; head and shots are of `fits`."""
        return Settings(
            protocol=self.protocol or task.record.default_protocol,
            engine=self.engine,
            seed=self.seed,
            split=task.split,
        )

    @cached_property
    def fits(self) -> tuple[Fit, ...]:
        """Every head with every number of shots, the heads loaded once."""
        return fits(self.head, self.shots)

    @property
    def hides_bars(self) -> bool | None:
        """What tqdm's `disable` takes: None hides a bar only where stderr is no terminal, and not in a notebook."""
        return None if self.progress is None else not self.progress

    @property
    def shows_progress(self) -> bool:
        """Whether the bars of `datasets` are shown, which know no third state."""
        return sys.stderr.isatty() if self.progress is None else self.progress


def _is_plain(fit: Fit) -> bool:
    return fit.is_linear and fit.shots is None


def _covariates_of(given: object) -> str | None:
    """The MODEL string of the covariates that `gain` names; None where no gain is asked for.

    Raises:
        GeneBenchError: It names no covariates.
    """
    if given is None or given is False:
        return None
    name = COVARIATES if given is True else given
    if not isinstance(name, str) or not name.startswith("nuisance:"):
        message = f"gain is {name!r}, expected covariates such as {COVARIATES!r} or 'nuisance:publications'"
        raise GeneBenchError(message)
    return name
