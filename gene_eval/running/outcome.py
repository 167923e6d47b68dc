"""What a run gives in Python: results with their failures, as frames, tables, comparisons and pictures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gene_eval.analysis import tables
from gene_eval.analysis.compare import compare as compare_results
from gene_eval.analysis.compare import find_model
from gene_eval.catalogue.suites import averaged
from gene_eval.core.errors import UnknownNameError
from gene_eval.errors import GeneBenchError
from gene_eval.results import store
from gene_eval.results.records import TaskResult
from gene_eval.results.replacing import refuse_other_vectors
from gene_eval.running import frames
from gene_eval.running.comparison import ModelComparison

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure

    from gene_eval.running.validity.bias import BiasResults
    from gene_eval.running.validity.leaks import Leaks

__all__ = ["Failure", "ModelComparison", "Plots", "Results", "compare", "load_results"]


@dataclass(frozen=True)
class Failure:
    """A task that could not be scored, and why, in one line; `model` is empty if the task fails for every model."""

    task: str
    model: str
    reason: str


@dataclass
class Results:
    """Scores of models on tasks: what `gene_eval.run` returns and `gene_eval.load_results` reads.

    Printed, it is the table of the command line; in a notebook, the same as HTML.

    Attributes:
        results: One for each model and task that could be scored, whether new or already there.
        failures: What could not be scored, and why.
        problems: A line for each file of a folder that was left out.
        fitted: How many results were computed by this run.
        up_to_date: How many were there already, for equal inputs.
        seconds: Seconds that the stages "embed", "solve" and "score" took, over all models and tasks.
        folder: Folder of the result files and predictions; None where results are in memory only.
    """

    results: list[TaskResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    problems: tuple[str, ...] = ()
    fitted: int = 0
    up_to_date: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    folder: Path | None = None
    _predictions: dict[tuple[Any, ...], pa.Table] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Number of results."""
        return len(self.results)

    def __iter__(self) -> Iterator[TaskResult]:
        """The results, in the order of the run."""
        return iter(self.results)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models, in the order of the run."""
        return tuple(dict.fromkeys(result.model.id for result in self.results))

    @property
    def tasks(self) -> tuple[str, ...]:
        """Ids of the tasks, in the order of the run."""
        return tuple(dict.fromkeys(result.task.id for result in self.results))

    @property
    def report(self) -> tables.Report:
        """The tables that text, pictures and page are made from.

        Raises:
            ReportError: There are no results.
        """
        return tables.build(self.results, problems=self.problems, predictions=self._table_of, suites=averaged())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to keep in mind about these results, one line for each point."""
        return self.report.warnings if self.results else self.problems

    def to_frame(self, level: frames.Level = "scores") -> pd.DataFrame:
        """Every score as a row.

        Args:
            level: "scores": one row for each metric, with its mean and population standard deviation over folds;
                "folds": one for each metric and fold; "labels": one for each label of a multi-label task and metric.

        Returns:
            Columns `model`, `task`, the axes `split`, `head`, `protocol`, `shots`, `seed`, then `engine`, `family`,
            `target`, `n_task`, `n_scored`, `metric`, `is_main` and the numbers; a number that is undefined is NaN.

        Raises:
            UnknownNameError: There is no such level.
        """
        return frames.scores(self.results, level)

    def table(self) -> pd.DataFrame:
        """Mean of the main metric: one row for each task, one column for each model, NaN where there is none.

        Where results differ in an axis (split, head, protocol, shots, seed, engine), it is part of the row's name.
        """
        import pandas as pd

        scores = self.to_frame()
        scores = scores[scores["is_main"]]
        axes = [name for name in (*frames.AXES, "engine") if scores[name].nunique(dropna=False) > 1]
        grid = scores.pivot_table("mean", ["task", *axes], "model", sort=False, dropna=False, observed=True)
        order = pd.unique(scores["model"])
        return grid.reindex(columns=order).rename_axis(columns=None)

    def compare(self, model_a: str, model_b: str, *, where: Mapping[str, Any] | None = None) -> ModelComparison:
        """Compare two models on every task that both were scored on in the same way.

        Args:
            model_a: Id of the first, or its last part.
            model_b: Id of the second.
            where: Axes of the settings to compare where there are several: `{"head": "mlp"}`.

        Raises:
            ReportError: A model is not there, the two are one, or they share no task that can be paired.
        """
        found = compare_results(self, model_a, model_b, where=where, predictions=self._table_of, suites=averaged())
        return ModelComparison(found)

    def _table_of(self, result: TaskResult) -> pa.Table | None:
        """What was predicted for a result, in memory or in the folder."""
        if (held := self._predictions.get(_key(result))) is not None or self.folder is None:
            return held
        return store.predictions_in(self.folder, result)

    def rank(self, level: Literal["groups", "tasks"] = "groups") -> pd.DataFrame:
        """Ranks of the models by mean score: one row for each group of tasks, or each task, and model.

        Returns:
            Columns `group` ("overall", a family, "regression"; or the task), `basis` (what the mean is over), `model`,
            `mean`, `rank`, `low` and `high` (95 % interval of the rank), `std_error` (of the mean), and the settings
            where there are several.

        Raises:
            UnknownNameError: There is no such level.
        """
        import pandas as pd

        if level not in ("groups", "tasks"):
            raise UnknownNameError(level, kind="level", known=("groups", "tasks"))

        report = self.report
        rows = [
            {
                **({"settings": str(table.settings)} if len(report.tables) > 1 else {}),
                "group": group.name,
                "basis": group.basis,
                "model": each.model,
                "mean": each.mean,
                "rank": each.rank,
                "low": each.low,
                "high": each.high,
                "std_error": each.std_error,
            }
            for table in report.tables
            for group in (table.rankings if level == "groups" else table.task_rankings)
            for each in group.models
        ]
        return pd.DataFrame(
            rows, columns=["group", "basis", "model", "mean", "rank", "low", "high", "std_error"] if not rows else None
        )

    def beside_controls(self) -> pd.DataFrame:
        """Every score, with the best control of its task.

        Returns:
            Columns `task`, `model`, `metric`, `mean`, `best_control`, `best_control_mean`, `detectable` (the true
            difference that the task shows with a chance of 80 %), `rescaled` ((mean - best control) / (1 - best
            control), for ROC-AUC), `is_near_control` (a control comes within the detectable difference, or is above),
            and the settings where there are several.
        """
        return frames.beside_controls(self.report)

    def explained(self) -> pd.DataFrame:
        """Gains over covariates and scores of permuted labels, for the results that were run with them.

        Returns:
            Columns `task`, `model`, `metric`, `mean`; `covariates`, `gain`, `gain_low`, `gain_high` (95 %);
            `permuted_mean`, `permuted_p`, `selectivity`; and the settings where there are several.
        """
        return frames.explained(self.report)

    def to_linear(self) -> pd.DataFrame:
        """Scores of other heads minus those of the linear head, with the paired test.

        Returns:
            Columns `task`, `model`, `head`, `metric`, `mean`, `to_linear` (the difference), `to_linear_low`,
            `to_linear_high` (95 %), `to_linear_p`, `to_linear_p_holm`, and the settings where there are several.
        """
        return frames.to_linear(self.report)

    def bias(
        self, publications: Mapping[str, float] | None = None, *, data_dir: str | Path | None = None
    ) -> BiasResults:
        """Scores by how much is published on the tested genes; see `gene_eval.analysis.bias` and docs/methods.md.

        Args:
            publications: Symbol to number of publications. Default: those of the table `gene_covariates`.
            data_dir: Folder with raw files, where that table is not built yet.

        Raises:
            GeneBenchError: No predictions were saved, or there are no counts.
        """
        from gene_eval.running.validity.bias import measure

        return measure(self.results, self._table_of, publications, data_dir=data_dir)

    def leaks(self, *, data_dir: str | Path | None = None) -> Leaks:
        """Labels that texts state, flagged scores, and tasks that repeat each other; see docs/methods.md.

        Args:
            data_dir: Folder with raw files, where the tasks are not built yet.

        Raises:
            GeneBenchError: A task is not one of gene-bench, or the gene table cannot be built.
        """
        from gene_eval.running.validity.leaks import find_leaks

        return find_leaks(results=self, data_dir=data_dir)

    def add(self, result: TaskResult, predictions: pa.Table | None = None) -> None:
        """Add one more result, with its predictions."""
        self.results.append(result)
        if predictions is not None:
            self._predictions[_key(result)] = predictions

    @property
    def plot(self) -> Plots:
        """Pictures: `results.plot.ranks()`, `results.plot.tasks()`, ..."""
        return Plots(self)

    def predictions(self, model: str, task: str) -> pd.DataFrame:
        """What was predicted for each held-out entity.

        Raises:
            GeneBenchError: There are no predictions of this model on this task.
        """
        name = find_model(model, self.models)
        named = [result for result in self.results if (result.model.id, result.task.id) == (name, task)]
        found = [table for result in named if (table := self._table_of(result)) is not None]
        if len(found) != 1:
            message = (
                f"{len(found) or 'no'} predictions of {name} on {task}; run it with predictions=True, or name one of"
                " several settings for gene_eval.load_predictions"
            )
            raise GeneBenchError(message)
        frame: pd.DataFrame = found[0].to_pandas()
        return frame

    def save(self, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write one file for each result (and its predictions, where there are some); see `load_results`.

        Args:
            folder: Where to write; results that it holds for the same model, task and settings are replaced.
            overwrite: Whether results of other vectors under the same name may be replaced as well.

        Returns:
            Paths of the result files.

        Raises:
            ResultError: The folder holds results of other vectors under the name of a model, or cannot be written to.
        """
        if not overwrite:
            for model in {result.model.id: result.model for result in self.results}.values():
                refuse_other_vectors(model, folder)
        return [store.save(result, folder, predictions=self._table_of(result)) for result in self.results]

    def __str__(self) -> str:
        """The table of the command line."""
        from gene_eval.reporting import text

        return text.to_text(self.report).rstrip("\n") if self.results else "no results" + _failed(self.failures)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same tables for a notebook."""
        from gene_eval.reporting import text

        if not self.results:
            return f"<p>{html.escape(str(self))}</p>"
        return text.to_html(self.report)


@dataclass(frozen=True)
class Plots:
    """Pictures of results as matplotlib figures, in the style of the saved ones."""

    _results: Results

    def families(self) -> Figure:
        """Mean of each model over the tasks of each family."""
        return self._draw("families")

    def figure2(self) -> Figure:
        """The same, by the families of the paper's Figure 2."""
        return self._draw("figure2")

    def tasks(self) -> Figure:
        """Main metric of every model on every task."""
        return self._draw("tasks")

    def ranks(self) -> Figure:
        """Rank of each model by mean, with its interval."""
        return self._draw("ranks")

    def similarity_of_models(self) -> Figure:
        """Models by the similarity of their scores over tasks."""
        return self._draw("similarity_models")

    def similarity_of_tasks(self) -> Figure:
        """Tasks by the similarity of the scores of models on them."""
        return self._draw("similarity_tasks")

    def folds(self, model_a: str | None = None, model_b: str | None = None) -> Figure:
        """Two models, fold by fold. Default: the two best models that are not controls."""
        if model_a is None or model_b is None:
            return self._draw("folds")
        known = self._results.models
        return self._draw("folds", pair=(find_model(model_a, known), find_model(model_b, known)))

    def _draw(self, name: str, *, pair: tuple[str, str] | None = None) -> Figure:
        from gene_eval.reporting.plots import save as plots

        report = self._results.report
        if len(report.tables) > 1:
            shown = "; ".join(str(table.settings) for table in report.tables)
            message = f"these results are of {len(report.tables)} settings ({shown}); keep those of one to draw them"
            raise GeneBenchError(message)
        return plots.figure(report.tables[0], name, pair=pair)


def compare(
    results: Iterable[TaskResult],
    model_a: str,
    model_b: str,
    *,
    where: Mapping[str, Any] | None = None,
) -> ModelComparison:
    """Compare two models on every task that both were scored on in the same way; see `Results.compare`.

    Raises:
        ReportError: A model has no results, both are the same, or they share no task that can be paired.
    """
    if isinstance(results, Results):
        return results.compare(model_a, model_b, where=where)
    return ModelComparison(compare_results(results, model_a, model_b, where=where))


def load_results(folder: str | Path) -> Results:
    """Read the result files of a folder; a file that cannot be used is a line in `problems`.

    Raises:
        ResultError: There is no such folder.
    """
    found = store.load_folder(folder)
    return Results(list(found.results), problems=found.problems, up_to_date=len(found.results), folder=Path(folder))


def _key(result: TaskResult) -> tuple[Any, ...]:
    return (result.model.id, result.task.id, result.settings)


def _failed(failures: Sequence[Failure]) -> str:
    return f"; {len(failures)} failed: {failures[0].reason}" if failures else ""
