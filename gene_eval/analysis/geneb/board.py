"""Scores of models on the same tasks, by category and regime: what GENEB's rankings are made of.

Results are compared only on tasks that all models of a board have. There may be several boards: of the tasks that were
scored here, with every model that has them all (where there is none, of the tasks that all models have); of the same
without imported scores, if these lack a regime; and of all of GENEB's categories, with the models that have each of
them whole, as results of all its tasks or as a published mean.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gene_eval.core.parts.score import resampled
from gene_eval.results.records import PARTED, TaskResult
from gene_eval.results.settings import Settings

__all__ = ["FULL", "REGIMES", "Board", "Regime", "boards"]

Array = npt.NDArray[np.float64]
Shots = int | None

REGIMES: Mapping[Shots, str] = {None: "full", 10: "10-shot", 1: "1-shot"}
FULL: Shots = None
METRIC = "mcc"
RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Regime:
    """One regime of a board.

    Attributes:
        shots: Examples of each class, None for all.
        means: (M, C) mean Matthews coefficient of each model in each category.
        weighted: (M, C) the same where tasks that repeat each other count as one; equal to `means` without tasks.
        tasks: Category -> (M, T) scores of its tasks; empty where only means were published.
        draws: (R, M, C) means on tasks drawn with replacement within categories, and test rows within tasks, the same
            tasks for all models; empty without tasks.
    """

    shots: Shots
    means: Array
    weighted: Array
    tasks: Mapping[str, Array]
    draws: Array

    @property
    def macro(self) -> Array:
        """(M,) mean of the categories."""
        means: Array = self.means.mean(axis=1)
        return means


@dataclass(frozen=True, eq=False)
class Board:
    """Models on the same tasks.

    Attributes:
        title: What the tasks are.
        settings: Protocol and entities of all results, in the full regime.
        models: M names, best macro mean of the full regime first.
        imported: Those of them whose scores were not computed here.
        parameters: Model -> its number of parameters, where known.
        categories: C names.
        sizes: (C,) tasks of each.
        task_names: Category -> its T tasks; empty where only means were published.
        regimes: Examples of each class -> scores.
        lacking: Model -> how many of the board's tasks it has not, of models that are left out.
    """

    title: str
    settings: Settings
    models: tuple[str, ...]
    imported: frozenset[str]
    parameters: Mapping[str, int]
    categories: tuple[str, ...]
    sizes: npt.NDArray[np.int64]
    task_names: Mapping[str, tuple[str, ...]]
    regimes: Mapping[Shots, Regime]
    lacking: Mapping[str, int] = field(default_factory=dict)

    def micro(self, shots: Shots) -> Array:
        """(M,) mean of the tasks: of the categories, each as often as it has tasks."""
        micro: Array = self.regimes[shots].means @ self.sizes / self.sizes.sum()
        return micro

    @cached_property
    def has_tasks(self) -> bool:
        """Whether scores of tasks are known, not only means of categories."""
        return bool(self.task_names)


def boards(
    results: Iterable[TaskResult],
    *,
    sizes: Mapping[str, int],
    same: Mapping[str, str],
    parameters: Mapping[str, int],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Board]:
    """The boards of each protocol, those of tasks scored here first.

    Args:
        results: Of any tasks; those without parts, and of other heads than the linear one, are left out.
        sizes: Category -> its number of tasks in GENEB.
        same: Task -> name of what it shares with others.
        parameters: Model -> parameters, besides those that a result says.
        resamples: For intervals.
        seed: Of the resampling.
    """
    groups: dict[Settings, list[TaskResult]] = {}
    for result in results:
        s = result.settings
        if result.task.entity in PARTED and s.head == "linear" and s.shots in REGIMES and METRIC in result.scores:
            key = Settings(protocol=s.protocol, split=s.split, entities=s.entities, seed=s.seed)
            groups.setdefault(key, []).append(result)
    made = []
    for settings in sorted(groups):
        maker = _Maker(settings, groups[settings], sizes, same, parameters, resamples, seed)
        made += [board for board in (*maker.of_tasks(), maker.of_categories()) if board is not None]
    return made


class _Maker:
    """Boards of the results of one protocol."""

    def __init__(  # noqa: PLR0913 - see `boards`
        self,
        settings: Settings,
        results: Sequence[TaskResult],
        sizes: Mapping[str, int],
        same: Mapping[str, str],
        parameters: Mapping[str, int],
        resamples: int,
        seed: int,
    ) -> None:
        self.settings, self.sizes, self.same, self.resamples, self.seed = settings, sizes, same, resamples, seed
        self.of_category = {r.task.id: r.task.family for r in results if r.task.entity == "sequence"}
        self.scores = {(r.model.id, r.task.id, r.settings.shots): r for r in results if r.task.entity == "sequence"}
        self.means = {
            (r.model.id, r.task.family, r.settings.shots): r.scores[METRIC].mean
            for r in results
            if r.task.entity == "category"
        }
        self.models = sorted({r.model.id for r in results})
        self.imported = frozenset(r.model.id for r in results if r.imported)
        said = {r.model.id: r.model.options.get("params") for r in results}
        self.parameters = {**parameters, **{m: n for m, n in said.items() if isinstance(n, int) and n > 0}}

    def of_tasks(self) -> list[Board]:
        """Every model that has all tasks that a model was scored on here; where none has, tasks that all models have.

        Imported scores may lack regimes: then the models that were scored here have a board of their own too.
        """
        full = [(model, task) for model, task, shots in self.scores if shots is FULL]
        own = {task for model, task, _ in self.scores if model not in self.imported}
        found = self._of_tasks(own, "that were scored here", self.models)
        if found is None:
            each = [{task for m, task in full if m == model} for model in self.models]
            found = self._of_tasks(set.intersection(*each), "that all models have", self.models)
        if found is None or not found.imported:
            return [] if found is None else [found]
        here = [model for model in self.models if model not in self.imported]
        alone = self._of_tasks(own, "that were scored here, without imported scores", here)
        return [found] if alone is None or len(alone.regimes) == len(found.regimes) else [found, alone]

    def _of_tasks(self, names: Set[str], which: str, candidates: Sequence[str]) -> Board | None:
        has = {model: sum((model, task, FULL) in self.scores for task in names) for model in candidates}
        models = [model for model in candidates if has[model] == len(names)]
        if not names or not models:
            return None
        tasks: dict[str, list[str]] = {}
        for task in sorted(names, key=lambda task: (self._place(self.of_category[task]), task)):
            tasks.setdefault(self.of_category[task], []).append(task)
        lacking = {model: len(names) - n for model, n in has.items() if n < len(names)}
        of_category = {name: tuple(each) for name, each in tasks.items()}
        return self._board(f"{len(names)} tasks {which}", models, of_category, lacking)

    def of_categories(self) -> Board | None:
        """Every model that has all categories whole."""
        models = [m for m in self.models if all(self._has_category(m, name, FULL) for name in self.sizes)]
        if len(models) < 2 or not any((m, name, FULL) in self.means for m in models for name in self.sizes):
            # Without published means, all tasks of all models are on the other board.
            return None
        lacking = {
            m: sum(not self._has_category(m, name, FULL) for name in self.sizes) for m in self.models if m not in models
        }
        return self._board(f"all {len(self.sizes)} categories", models, {}, lacking)

    def _has_category(self, model: str, name: str, shots: Shots) -> bool:
        n = sum(self.of_category[task] == name for m, task, s in self.scores if (m, s) == (model, shots))
        return (model, name, shots) in self.means or n == self.sizes[name]

    def _place(self, category: str) -> int:
        return list(self.sizes).index(category) if category in self.sizes else len(self.sizes)

    def _board(
        self, title: str, models: Sequence[str], tasks: Mapping[str, tuple[str, ...]], lacking: Mapping[str, int]
    ) -> Board:
        categories = tuple(tasks) or tuple(self.sizes)
        regimes = {}
        for shots in REGIMES:
            made = self._regime(models, shots, tasks, categories)
            if made is not None:
                regimes[shots] = made
        order = np.argsort(-regimes[FULL].macro, kind="stable")
        return Board(
            title=title,
            settings=self.settings,
            models=tuple(models[i] for i in order),
            imported=self.imported & set(models),
            parameters={model: self.parameters[model] for model in models if model in self.parameters},
            categories=categories,
            sizes=np.array([len(tasks[name]) if tasks else self.sizes[name] for name in categories]),
            task_names=tasks,
            regimes={shots: _in_order(regime, order) for shots, regime in regimes.items()},
            lacking=lacking,
        )

    def _regime(
        self, models: Sequence[str], shots: Shots, tasks: Mapping[str, tuple[str, ...]], categories: Sequence[str]
    ) -> Regime | None:
        """Scores of all models in a regime; None where one of them was not scored in it."""
        if not tasks:
            if not all(self._has_category(model, name, shots) for model in models for name in categories):
                return None
            means = np.array([[self._mean(model, name, shots) for name in categories] for model in models])
            return Regime(shots, means, means, {}, np.empty((0, *means.shape)))
        if not all((model, task, shots) in self.scores for model in models for each in tasks.values() for task in each):
            return None
        scores = {
            name: np.array([[self.scores[m, task, shots].scores[METRIC].mean for task in each] for m in models])
            for name, each in tasks.items()
        }
        means = np.stack([table.mean(axis=1) for table in scores.values()], axis=1)
        weighted = np.stack([table @ self._weights(tasks[name]) for name, table in scores.items()], axis=1)
        return Regime(shots, means, weighted, scores, self._draws(models, shots, tasks))

    def _mean(self, model: str, name: str, shots: Shots) -> float:
        if (model, name, shots) in self.means:
            return self.means[model, name, shots]
        found = [
            r.scores[METRIC].mean
            for (m, t, s), r in self.scores.items()
            if (m, s) == (model, shots) and self.of_category[t] == name
        ]
        return float(np.mean(found))

    def _weights(self, tasks: Sequence[str]) -> Array:
        """(T,) equal for each set of tasks that repeat each other, and within it."""
        groups = [self.same.get(task, task) for task in tasks]
        weights: Array = np.array([1 / groups.count(each) for each in groups])
        weights /= weights.sum()
        return weights

    def _draws(self, models: Sequence[str], shots: Shots, tasks: Mapping[str, tuple[str, ...]]) -> Array:
        """(R, M, C) see `Regime`; a task of an imported score has no table, and no rows to draw."""
        rng = np.random.default_rng(self.seed)
        draws = np.empty((self.resamples, len(models), len(tasks)))
        for c, each in enumerate(tasks.values()):
            chosen = rng.integers(0, len(each), size=(self.resamples, len(each)))
            for m, model in enumerate(models):
                of_rows = np.stack([self._resampled(model, task, shots) for task in each], axis=1)
                draws[:, m, c] = np.take_along_axis(of_rows, chosen, axis=1).mean(axis=1)
        return draws

    def _resampled(self, model: str, task: str, shots: Shots) -> Array:
        result = self.scores[model, task, shots]
        if not result.confusion:
            return np.full(self.resamples, result.scores[METRIC].mean)
        tables = np.array(result.confusion, dtype=np.int64)
        # Another seed for each: the same one would move the scores of two models together by chance alone.
        seed = (self.seed, self.models.index(model), sorted(self.of_category).index(task))
        return resampled(tables, resamples=self.resamples, seed=seed)[METRIC]


def _in_order(regime: Regime, order: npt.NDArray[np.int64]) -> Regime:
    return Regime(
        regime.shots,
        regime.means[order],
        regime.weighted[order],
        {name: table[order] for name, table in regime.tasks.items()},
        regime.draws[:, order],
    )
