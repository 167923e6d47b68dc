"""What is fitted to the vectors of a task, on all training entities or on a few, and what a result records about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.annotation import annotation_scores
from gene_eval.core.engines import DEFAULT_ENGINE, PROTOCOLS
from gene_eval.core.errors import UnknownNameError
from gene_eval.core.few_labels.draws import hash_rows
from gene_eval.core.few_labels.few_shot import HEADS as FEW_SHOT_HEADS
from gene_eval.core.few_labels.few_shot import few_shot
from gene_eval.core.few_labels.learning_curves import Curve, learning_curve
from gene_eval.core.heads.choices import Head, head_name, head_sha256, is_linear, load_head
from gene_eval.core.heads.graph_names import is_graph_head
from gene_eval.core.lookup import Groups, look_up
from gene_eval.core.parts.fits import PROTOCOLS as PART_PROTOCOLS
from gene_eval.core.parts.fits import Parts, score_parts, tables_of, with_scores
from gene_eval.core.parts.score import intervals
from gene_eval.core.probe import ProbeResult, probe
from gene_eval.core.published import published_scores
from gene_eval.core.splits import Splits
from gene_eval.errors import GeneBenchError
from gene_eval.results.records import TaskRecord, TaskResult, defined
from gene_eval.results.settings import Settings

__all__ = ["Fit", "fits", "with_blocks", "with_tables"]


@dataclass(frozen=True)
class Fit:
    """One thing to fit: a head, as it was given and as the probe takes it, and a number of examples of each class."""

    given: Head
    head: Head
    shots: int | None = None

    def settings(self, settings: Settings) -> Settings:
        """The axes of a run with those of this fit."""
        return replace(settings, head=head_name(self.given), shots=self.shots)

    @property
    def graph(self) -> str:
        """Name of the graph that the head needs; "" of others."""
        return str(getattr(self.head, "graph", "")) if is_graph_head(self.head) else ""

    @property
    def params(self) -> dict[str, str]:
        """What a result says about the head's code."""
        code = head_sha256(self.head)
        return {"head_sha256": code} if code else {}

    @property
    def is_linear(self) -> bool:
        """Whether it is the linear head."""
        return is_linear(self.head)

    def values(
        self, X: Any, y: npt.NDArray[Any], *, target: str, splits: Splits, settings: Settings, **options: Any
    ) -> npt.NDArray[np.float64]:
        """Held-out values of other labels of the same rows, as `gene_eval.core.probe.ProbeResult.values`."""
        if isinstance(X, Groups):
            return self._look_up(X, y, splits=splits, target=target, names=None).values
        chosen = {"protocol": settings.protocol, "head": self.head, "engine": settings.engine, **options}
        return probe(X, y, target=target, splits=splits, seed=settings.seed, **chosen).values

    def score(  # noqa: PLR0913 - the rows, and what the probe takes
        self,
        X: Any,
        y: npt.NDArray[Any],
        *,
        splits: Splits,
        task: TaskRecord,
        settings: Settings,
        keys: Sequence[str],
        parts: Parts | None = None,
        with_curve: bool = False,
        **options: Any,
    ) -> tuple[ProbeResult, dict[str, object]]:
        """Fit and score; the second value is the block `curve` of a result, empty unless it was asked for.

        Args:
            X: As `gene_eval.core.probe.probe` takes them.
            y: Labels.
            splits: Splits of the rows.
            task: Task that the labels belong to.
            settings: Protocol, engine and seed.
            keys: Keys of the rows, which decide what is drawn.
            parts: Parts of the rows, for a task that has them.
            with_curve: Whether to fit on parts of the training rows too.
            **options: `device`, `memory` and `graph` of the probe.
        """
        names = task.label_names if task.target == "multilabel" else None
        if isinstance(X, Groups):
            scored = self._look_up(X, y, splits=splits, target=task.target, names=names)
            return _with_annotation(scored, y, splits=splits, task=task), {}
        if parts is not None:
            return self._on_parts(X, y, parts, task=task, settings=settings, with_curve=with_curve, **options), {}
        common: dict[str, Any] = {"target": task.target, "splits": splits, "seed": settings.seed}
        if self.shots is not None:
            _check_few(settings)
            hashes = hash_rows(keys)
            return few_shot(X, y, k=self.shots, head=self.head, label_names=names, hashes=hashes, **common), {}
        _check_protocol(settings)
        common |= {"protocol": settings.protocol, "head": self.head, "engine": settings.engine, **options}
        scored = probe(X, y, label_names=names, **common)
        scored = _with_annotation(scored, y, splits=splits, task=task)
        return scored, _curve(learning_curve(X, y, hashes=hash_rows(keys), full=scored, **common)) if with_curve else {}

    def _on_parts(  # noqa: PLR0913 - the arguments of `score`
        self,
        X: Any,
        y: npt.NDArray[Any],
        parts: Parts,
        *,
        task: TaskRecord,
        settings: Settings,
        with_curve: bool,
        **options: Any,
    ) -> ProbeResult:
        if with_curve:
            message = "a task with published parts has no curve; give --shots, or leave curve out"
            raise GeneBenchError(message)
        common: dict[str, Any] = {"protocol": settings.protocol, "engine": settings.engine, "seed": settings.seed}
        if is_linear(self.head) and settings.protocol in PART_PROTOCOLS:
            limit = options.get("memory")
            return score_parts(X, y, parts, target=task.target, shots=self.shots, memory=limit, **common)
        if self.shots is not None or settings.protocol not in PROTOCOLS:
            message = (
                f"head {head_name(self.given)} with protocol {settings.protocol} is not fitted on"
                f" {'few rows of' if self.shots else ''} published parts; take head linear, or protocol scaled"
            )
            raise GeneBenchError(" ".join(message.split()))
        scored = probe(X, y, target=task.target, splits=parts.splits(), head=self.head, **common, **options)
        return with_scores(scored, y, parts, target=task.target)

    def _look_up(
        self, groups: Groups, y: npt.NDArray[Any], *, splits: Splits, target: str, names: Sequence[str] | None
    ) -> ProbeResult:
        if self.shots is not None or not is_linear(self.head):
            message = "a lookup uses labels of other genes and fits nothing; leave head and shots out"
            raise GeneBenchError(message)
        return look_up(groups, y, target=target, splits=splits, label_names=names)


def fits(heads: Any, shots: Any) -> tuple[Fit, ...]:
    """Every head with every number of examples, each once.

    Args:
        heads: A head, or several.
        shots: Examples of each class, or several such numbers; None for all training entities.

    Raises:
        GeneBenchError: A head does not exist or cannot be imported, or cannot be fitted on few labels.
    """
    given = list(heads) if isinstance(heads, list | tuple) else [heads]
    numbers = list(shots) if isinstance(shots, list | tuple | range) else [shots]
    if not given or not numbers:
        message = "head and shots were given as empty lists; expected one or several values, or leave them out"
        raise GeneBenchError(message)
    distinct = list({head_name(head) if isinstance(head, str) else id(head): head for head in given}.values())
    loaded = [(head, load_head(head)) for head in distinct]
    for number in numbers:
        if number is not None:
            _check_shots(number, distinct)
    return tuple(Fit(head, made, number) for head, made in loaded for number in dict.fromkeys(numbers))


def _check_shots(number: Any, heads: Sequence[Head]) -> None:
    if type(number) is not int or number < 1:
        message = f"shots is {number!r}, expected a whole number of examples of each class, 1 or above"
        raise GeneBenchError(message)
    for head in heads:
        if head not in FEW_SHOT_HEADS:
            raise UnknownNameError(head_name(head), kind="head for shots", known=FEW_SHOT_HEADS)


def _check_few(settings: Settings) -> None:
    """For tasks in folds: few labels are fitted in only one way."""
    if settings.protocol != "paper" or settings.engine != DEFAULT_ENGINE:
        message = "shots are fitted in one way (standardised, C = 0.1); leave protocol and engine out"
        raise GeneBenchError(message)


def _check_protocol(settings: Settings) -> None:
    if settings.protocol not in PROTOCOLS:
        message = (
            f"protocol {settings.protocol} is for tasks with published parts (about sequences); this task is in folds,"
            f" expected {' or '.join(PROTOCOLS)}"
        )
        raise GeneBenchError(message)


def with_blocks(result: TaskResult, y: npt.NDArray[Any], scored: ProbeResult, splits: Splits) -> TaskResult:
    """The result with the scores of each draw of examples, or with scores as published.

    Args:
        result: Result with scores.
        y: Labels of the rows.
        scored: What the probe returned for them.
        splits: The splits it was scored on; of several repeats, the first.
    """
    target, settings = result.task.target, result.settings
    if settings.shots is not None:
        return replace(result, draws=scored.draws)
    if settings.protocol == "paper" and settings.head == "linear":
        result = replace(result, as_published=published_scores(y, scored.values, splits, target=target))
    return result


def with_tables(result: TaskResult, y: npt.NDArray[Any], scored: ProbeResult, *, seed: int) -> TaskResult:
    """The result of a task with parts, with its confusion tables and, where all rows were fitted, with intervals."""
    tables = tables_of(scored, y)
    kept = tuple(tuple(tuple(row) for row in table) for table in tables.tolist())
    bounds = intervals(tables, seed=seed) if result.settings.shots is None else {}
    return replace(result, confusion=kept, intervals=bounds)


def _with_annotation(scored: ProbeResult, y: npt.NDArray[Any], *, splits: Splits, task: TaskRecord) -> ProbeResult:
    """The scores with the metrics of annotated labels, if the labels are annotated."""
    if not task.from_annotation or task.target not in ("binary", "multilabel"):
        return scored
    extra, of_labels = annotation_scores(y, scored.values, splits, names=task.label_names)
    labels = {name: {**scores, **of_labels[name]} for name, scores in scored.labels.items()}
    return replace(scored, scores={**scored.scores, **extra}, labels=labels)


def _curve(curve: Curve) -> dict[str, object]:
    return {
        "metric": curve.metric,
        "share": list(curve.shares),
        "n_train": list(curve.n_train),
        "mean": [defined(score.mean) for score in curve.scores],
        "std": [defined(score.std) for score in curve.scores],
        "area": None if np.isnan(curve.area) else curve.area,
    }
