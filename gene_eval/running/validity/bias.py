"""Scores by study depth, with the publication counts of the table `gene_covariates`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders import RawFiles, load
from gene_eval.analysis.bias import TaskBias, bias
from gene_eval.analysis.pairing import PredictionsOf
from gene_eval.errors import GeneBenchError
from gene_eval.results.records import TaskResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["BiasResults", "measure"]

TABLE, COLUMN = "gene_covariates", "publications"


@dataclass(frozen=True)
class BiasResults:
    """Scores of models on tasks by study depth; `left_out` has a line for each result that has none."""

    found: Sequence[TaskBias]
    left_out: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One for each model, task and part: `strata` "tertile" or "quintile", `stratum` from 1, the least studied."""
        return [
            {
                **_names(each),
                "strata": name,
                "stratum": part + 1,
                "n": int(scores.n[part]),
                "log10_publications": float(scores.centers[part]),
                "score": float(scores.scores[part]),
                "low": float(scores.low[part]),
                "high": float(scores.high[part]),
            }
            for each in self.found
            for name, scores in each.strata.items()
            for part in range(len(scores.n))
        ]

    def slopes(self) -> list[dict[str, Any]]:
        """One for each model and task: score for ten times the publications, with its interval."""
        return [
            {
                **_names(each),
                "n": each.n,
                "n_unknown": each.n_unknown,
                **dict(zip(("slope", "low", "high"), each.slope, strict=True)),
            }
            for each in self.found
        ]

    def to_frame(self, level: str = "strata") -> "pd.DataFrame":
        """`rows` ("strata") or `slopes` ("slopes") as a frame.

        Raises:
            GeneBenchError: There is no such level.
        """
        import pandas as pd

        if level not in ("strata", "slopes"):
            message = f"level is {level!r}, expected strata or slopes"
            raise GeneBenchError(message)
        return pd.DataFrame(self.rows() if level == "strata" else self.slopes())

    def plot(self) -> "Figure":
        """Score by quintile, a panel for each task and a line for each model."""
        from gene_eval.reporting.plots.bias import bias_plot

        return bias_plot(self.found)

    def __str__(self) -> str:
        """The frame of slopes."""
        return self.to_frame("slopes").to_string(index=False)


def measure(
    results: Sequence[TaskResult],
    predictions: PredictionsOf,
    publications: Mapping[str, float] | None = None,
    *,
    data_dir: str | Path | None = None,
) -> BiasResults:
    """Score results by study depth; see `gene_eval.running.outcome.Results.bias`."""
    counts = _counts(data_dir) if publications is None else publications
    found, lines = bias(results, counts, predictions)
    return BiasResults(found, tuple(lines))


def _counts(data_dir: str | Path | None) -> dict[str, float]:
    table = load(TABLE, RawFiles(None if data_dir is None else Path(data_dir).expanduser())).dataset
    if COLUMN not in table.column_names:
        message = (
            f"the table {TABLE} was built without {COLUMN}; put ncbi_gene/gene2pubmed.gz below the data directory and"
            f" build it again: gene-bench build {TABLE} --data-dir DIR"
        )
        raise GeneBenchError(message)
    pairs = zip(table["symbol"][:], table[COLUMN][:], strict=True)
    return {symbol: float(count) for symbol, count in pairs if count is not None}


def _names(each: TaskBias) -> dict[str, Any]:
    return {"model": each.model, "task": each.task.id, "settings": str(each.settings), "metric": each.metric}
