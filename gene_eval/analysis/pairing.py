"""Which two results may be compared fold by fold, and on which entities: the one rule of text, page, card and ranks.

Settings, labels and folds must be equal. Then one of these must hold, tried in this order: both scored the same
entities; both have saved predictions, from which fold scores on the entities that both have are made; at least 99 % of
the entities of either are those of the other, as far as the counts guarantee it. Everything else is left out, with the
reason.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.groups import ranking_metric
from gene_eval.core.errors import ProbeError
from gene_eval.core.probe import score_splits
from gene_eval.core.splits import Splits
from gene_eval.errors import ResultError
from gene_eval.results.minimum import is_enough, meets_minimum, rarer_class
from gene_eval.results.predictions import score_columns
from gene_eval.results.records import TaskRecord, TaskResult

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "MANY_MODELS",
    "MIN_OVERLAP",
    "MOST_IN_GROUP",
    "MOST_MODELS",
    "WITHOUT_PREDICTIONS",
    "Pair",
    "Pairing",
    "Pairs",
    "PredictionsOf",
    "overlap",
    "why_not_paired",
]

MIN_OVERLAP = 0.99
"""Share of the entities of either result that both must have where no predictions are saved."""
WITHOUT_PREDICTIONS = (
    "scored on different genes, and not both with predictions; run both again with --predictions, or together with"
    " --common-genes"
)
MOST_MODELS = 200
"""Most models on a task, or in a group of tasks, for which every pair is looked at by itself."""
MOST_IN_GROUP = 2_000
"""Most models in a group of tasks whose pairs are all tested together: 2 million pairs; 5,000 models have 12 million,
of which a report would keep 3 GB."""
MANY_MODELS = (
    f"scored on different genes, and more than {MOST_MODELS} models, so that pairs are not scored on what both have;"
    " run them together with --common-genes, or compare two: gene-bench compare DIR MODEL MODEL"
)
# Tables of predictions in memory at once: a task is compared for all pairs of models before the next one.
KEPT = 64

Kind = Literal["same", "shared", "nearly"]
Folds = tuple[float, ...]
PredictionsOf = Callable[[TaskResult], "pa.Table | None"]
"""Returns the saved predictions of a result, None if there are none; raises ResultError if they cannot be read."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two results of one task, by the metric that models are ranked by (`gene_eval.analysis.groups.ranking_metric`).

    Attributes:
        kind: "same" where both have the same entities; "shared" where scores are on those that both have; or "nearly".
        n: Entities that were compared; where they are nearly the same, those of the smaller result.
        first: (F,) scores of the first result by fold; nan where undefined.
        second: (F,) scores of the second.
        is_counted: Whether these are enough for statements over tasks, see `gene_eval.results.minimum`.
    """

    kind: Kind
    n: int
    first: Folds
    second: Folds
    is_counted: bool


class Pairs(dict[tuple[str, str, str], Pair | str]):
    """(model, model, task), the models in alphabetical order, to the pair, or to a text that says why there is none.

    Attributes:
        apart: Task of more than `MOST_MODELS` models to a number for each of them: those of different numbers were
            scored on different entities, and are not paired.
    """

    def __init__(self, apart: Mapping[str, Mapping[str, int]] | None = None) -> None:
        super().__init__()
        self.apart = {} if apart is None else apart


class Pairing:
    """Pairs results; what is read and computed for one pair is kept for the next.

    Args:
        predictions: Gives the saved predictions of a result.
    """

    def __init__(self, predictions: PredictionsOf | None = None) -> None:
        self._predictions = predictions or (lambda _: None)
        self._held_out: OrderedDict[object, _HeldOut] = OrderedDict()

    def of(self, first: TaskResult, second: TaskResult) -> Pair | str:
        """The pair, or a text that says why there is none."""
        if reason := why_not_paired(first, second):
            return reason
        if _scored(first) == _scored(second):
            return _as_scored(first, second, "same")
        try:
            one, other = self._read(first), self._read(second)
            if one is not None and other is not None:
                return _on_shared(first, second, one, other)
        except (ProbeError, ResultError) as error:
            return f"no score on the entities that both have: {error}"
        if overlap(first, second) >= MIN_OVERLAP:
            return _as_scored(first, second, "nearly")
        return WITHOUT_PREDICTIONS

    def unlike(self, results: Mapping[tuple[str, str], TaskResult]) -> Pairs:
        """Every pair of models on every task where the two were not simply scored on the same entities.

        Args:
            results: (model, task) to the result.
        """
        by_task: dict[str, list[tuple[str, TaskResult]]] = {}
        for (model, task), result in sorted(results.items(), key=lambda item: item[0]):
            by_task.setdefault(task, []).append((model, result))
        apart: dict[str, Mapping[str, int]] = {}
        found = Pairs(apart)
        # Task after task, so that only the predictions of one are in memory.
        for task, members in by_task.items():
            if len({_kind(result) for _, result in members}) == 1 and _has_metric(members[0][1]):
                continue
            if len(members) > MOST_MODELS:
                if len(set((numbers := _apart(members)).values())) > 1:
                    apart[task] = numbers
                continue
            for (one, first), (other, second) in combinations(members, 2):
                if _scored(first) != _scored(second) or why_not_paired(first, second):
                    found[one, other, task] = self.of(first, second)
        return found

    def _read(self, result: TaskResult) -> "_HeldOut | None":
        key = (result.model.id, result.task.id, result.settings)
        if key not in self._held_out:
            table = self._predictions(result)
            if table is None:
                return None
            metric = ranking_metric(result.task, result.settings)
            self._held_out[key] = _HeldOut(result.task, table, metric)
            if len(self._held_out) > KEPT:
                self._held_out.popitem(last=False)
        self._held_out.move_to_end(key)
        return self._held_out[key]


def overlap(first: TaskResult, second: TaskResult) -> float:
    """The least share of entities of the larger result that the other has too; 1 where both scored the same.

    A result file names no entity, so that this is what the counts guarantee.
    """
    if _scored(first) == _scored(second):
        return 1.0
    a, b = first.coverage.n_scored, second.coverage.n_scored
    shared = max(0, a + b - first.coverage.n_task)
    # Both are complete, yet they differ: the counts cannot be trusted.
    return 0.0 if shared == max(a, b) else shared / max(a, b)


def why_not_paired(first: TaskResult, second: TaskResult) -> str:
    """Why the scores of one task cannot be paired, whatever was scored; empty if they can."""
    one, other = first.task, second.task
    if one.version != other.version:
        return f"task versions differ, {one.version} and {other.version}; run both again with --overwrite"
    if one.data_sha256 != other.data_sha256:
        return "labels differ (data_sha256); run both on the same raw files with --overwrite"
    if (one.fold_scheme, one.folds_sha256) != (other.fold_scheme, other.folds_sha256):
        return "folds differ (folds_sha256); run both again with --overwrite"
    penalties = {first.probe.params.get("C"), second.probe.params.get("C")}
    # A control that looks labels up fits nothing, and has no C.
    if len(penalties - {None}) > 1 and first.settings.protocol == "paper":
        return "the penalty C differs"
    metric = ranking_metric(one, first.settings)
    if metric not in first.scores or metric not in second.scores:
        return f"no {metric} in a result"
    if len(first.scores[metric].folds) != len(second.scores[metric].folds):
        return "the counts of folds differ"
    return ""


class _HeldOut:
    """Predictions of one result as arrays."""

    def __init__(self, task: TaskRecord, table: "pa.Table", metric: str) -> None:
        import pyarrow.compute as pc

        columns = score_columns(task.target, task.label_names)
        entities = [name for name in table.column_names if name not in ("fold", "label", *columns)]
        self._target, self._names, self._metric = task.target, task.label_names, metric
        keys = [table[name].combine_chunks() for name in entities]
        self._keys = keys[0] if len(keys) == 1 else pc.binary_join_element_wise(*keys, "\t")
        self.folds: npt.NDArray[np.int64] = table["fold"].to_numpy().astype(np.int64)
        self._label = table["label"].combine_chunks()
        values = np.column_stack([table[name].to_numpy() for name in columns]).astype(np.float64)
        self._values = values[:, 0] if task.target in ("binary", "regression") else values
        self._found: dict[str, Folds] = {}

    @cached_property
    def y(self) -> npt.NDArray[Any]:
        """Labels as `score_splits` takes them."""
        if self._target == "multilabel":
            y = np.zeros((len(self.folds), len(self._names)), dtype=bool)
            y[np.repeat(np.arange(len(y)), self._label.value_lengths().to_numpy()), self._label.flatten()] = True
            return y
        label: npt.NDArray[Any] = self._label.to_numpy()
        return label == 1 if self._target == "binary" else label

    def rows_of(self, other: "_HeldOut") -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The rows of the entities that both have, here and in the other."""
        import pyarrow.compute as pc

        there = pc.index_in(self._keys, value_set=other._keys)
        rows = np.flatnonzero(there.is_valid().to_numpy(zero_copy_only=False))
        return rows, there.drop_null().to_numpy().astype(np.int64)

    def scores(self, rows: npt.NDArray[np.int64], among: str) -> Folds:
        """Scores by fold of the rows that are among the entities of this hash, which many results may have."""
        if among not in self._found:
            splits = Splits.from_folds(self.folds[rows])
            found, _ = score_splits(self.y[rows], self._values[rows], splits, target=self._target, names=self._names)
            self._found[among] = tuple(found[self._metric].folds)
        return self._found[among]


def _on_shared(first: TaskResult, second: TaskResult, one: _HeldOut, other: _HeldOut) -> Pair:
    rows, other_rows = one.rows_of(other)
    folds, n = one.folds[rows], len(rows)
    if n == 0:
        msg = "there are none"
        raise ResultError(msg)
    enough = is_enough(
        n, *(rarer_class(one.y[rows], Splits.from_folds(folds)) if first.task.target == "binary" else (None, None))
    )
    sha256, other_sha256 = first.coverage.scored_sha256, second.coverage.scored_sha256
    return Pair("shared", n, one.scores(rows, other_sha256), other.scores(other_rows, sha256), enough)


def _as_scored(first: TaskResult, second: TaskResult, kind: Kind) -> Pair:
    metric = ranking_metric(first.task, first.settings)
    return Pair(
        kind,
        min(first.coverage.n_scored, second.coverage.n_scored),
        tuple(first.scores[metric].folds),
        tuple(second.scores[metric].folds),
        meets_minimum(first) and meets_minimum(second),
    )


def _kind(result: TaskResult) -> tuple[object, ...]:
    """What two results have in common that can be paired, as they were scored."""
    task, score = result.task, result.scores.get(ranking_metric(result.task, result.settings))
    n_folds = None if score is None else len(score.folds)
    labels = (task.version, task.data_sha256, task.fold_scheme, task.folds_sha256)
    penalty = result.probe.params.get("C") if result.settings.protocol == "paper" else None
    return (*_scored(result), *labels, penalty, n_folds)


def _has_metric(result: TaskResult) -> bool:
    return ranking_metric(result.task, result.settings) in result.scores


def _apart(members: Sequence[tuple[str, TaskResult]]) -> dict[str, int]:
    """A number for each model, equal where they can be paired as they were scored.

    A result without the penalty C, of a control that fits nothing, goes with the most frequent of those that have one.
    """
    kinds = [_kind(result) for _, result in members]
    counts = Counter(kind for kind in kinds if kind[-2] is not None)
    usual: dict[tuple[object, ...], tuple[object, ...]] = {}
    for kind, _ in counts.most_common():
        usual.setdefault((*kind[:-2], kind[-1]), kind)
    numbers: dict[object, int] = {}
    found = {}
    for number, ((model, result), kind) in enumerate(zip(members, kinds, strict=True)):
        same: object = usual.get((*kind[:-2], kind[-1]), kind) if kind[-2] is None else kind
        # A result without a score to compare is in no pair.
        found[model] = numbers.setdefault(same if _has_metric(result) else number, len(numbers))
    return found


def _scored(result: TaskResult) -> tuple[int, str]:
    return result.coverage.n_scored, result.coverage.scored_sha256
