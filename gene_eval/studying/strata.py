"""Whether a graph helps genes that few have studied: scores within quarters of genes by their publications."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gene_eval.results.paths import path_of, predictions_path
from gene_eval.results.predictions import has_predictions, read_predictions
from gene_eval.results.records import TaskResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FEWEST", "Stratum", "auc_within_folds", "strata_of"]

QUARTERS = 4
FEWEST = 50
"""Of either class: below it, nothing is claimed."""
DRAWS = 500
SEED = 0


@dataclass(frozen=True)
class Stratum:
    """One quarter of the genes of a task.

    Args:
        name: Publications of its genes, from fewest to most.
        n: Genes.
        n_positive: Of them, with label 1.
        scores: Arm -> AUC, and the ends of its 95 % bootstrap interval over genes.
    """

    name: str
    n: int
    n_positive: int
    scores: dict[str, tuple[float, float, float]]

    @property
    def is_large(self) -> bool:
        """Whether there are enough of either class for a statement."""
        return min(self.n_positive, self.n - self.n_positive) >= FEWEST


def strata_of(results: Mapping[str, TaskResult], publications: Mapping[str, float], out: Path) -> list[Stratum]:
    """Scores of the arms of one study within quarters of its genes.

    Args:
        results: Arm -> its result, of a binary task about genes; arms without predictions are left out.
        publications: Gene -> how many there are; genes that are not in it are in no quarter.
        out: Results folder.

    Returns:
        Nothing where no arm has predictions or where all genes have equally many publications.
    """
    tables = {}
    for name, result in results.items():
        path = predictions_path(path_of(result, out))
        if has_predictions(path, result):
            tables[name] = read_predictions(path, result).set_index("symbol")
    if not tables:
        return []
    shared = sorted(set.intersection(*(set(table.index) for table in tables.values())) & publications.keys())
    counts = np.array([publications[gene] for gene in shared])
    edges = np.unique(np.quantile(counts, np.linspace(0, 1, QUARTERS + 1))) if shared else np.empty(0)
    found = []
    for number, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        inside = (counts >= low if number == 0 else counts > low) & (counts <= high)
        genes = [gene for gene, there in zip(shared, inside, strict=True) if there]
        rows = next(iter(tables.values())).loc[genes]
        scores = {name: _interval(table.loc[genes]) for name, table in tables.items()}
        # Quantiles may lie between two counts.
        name = f"{counts[inside].min():.0f} to {counts[inside].max():.0f}"
        found.append(Stratum(name, len(genes), int(rows["label"].sum()), scores))
    return found


def auc_within_folds(
    labels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], folds: npt.NDArray[np.int64]
) -> float:
    """Share of pairs of a positive and a negative of one fold in which the positive scores higher, ties half.

    Scores of different fits have no common scale, so genes of different folds are not compared.

    >>> auc_within_folds(np.array([1, 0, 1, 0]), np.array([2.0, 1, 0, 0]), np.array([0, 0, 1, 1]))
    0.75
    """
    won = total = 0.0
    for fold in np.unique(folds):
        of_fold, positive = folds == fold, labels.astype(bool)
        ahead = scores[of_fold & positive][:, None] - scores[of_fold & ~positive]
        won += float((ahead > 0).sum() + (ahead == 0).sum() / 2)
        total += ahead.size
    return won / total if total else float("nan")


def _interval(table: "pd.DataFrame") -> tuple[float, float, float]:
    labels, scores, folds = (table[name].to_numpy() for name in ("label", "score", "fold"))
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(DRAWS):
        rows = rng.integers(0, len(labels), len(labels))
        found.append(auc_within_folds(labels[rows], scores[rows], folds[rows]))
    low, high = np.nanquantile(found, [0.025, 0.975]) if not np.isnan(found).all() else (np.nan, np.nan)
    return auc_within_folds(labels, scores, folds), float(low), float(high)
