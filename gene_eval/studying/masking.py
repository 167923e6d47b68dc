"""Scores against the share of genes whose vectors are hidden: set to zero, for all genes or for test genes only."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.graph.nodes import Graph, normalised
from gene_eval.core.heads.graph_names import NETWORKS, is_network
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.parts.logistic import n_cores
from gene_eval.core.probe import probe
from gene_eval.core.splits import Splits
from gene_eval.core.table import TableRows, VectorTable
from gene_eval.files import atomic_write
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.tasks import TaskArrays
from gene_eval.studying.arms import STEPS

__all__ = ["WHERE", "Cell", "Curve", "Masking", "hidden_rows"]

WHERE = ("all genes", "test genes")


@dataclass(frozen=True)
class Cell:
    """One fit: what is fitted, on which graph, which share is hidden of which genes, by which seed."""

    arm: str
    head: str
    graph: str
    share: float
    where: str
    seed: int


@dataclass(frozen=True)
class Curve:
    """Means over seeds for each share, half the widths of their 95 % intervals, and the area under the means.

    The area is divided by the range of shares, so that a score that does not fall is its own area.
    """

    arm: str
    where: str
    shares: tuple[float, ...]
    means: tuple[float, ...]
    half_widths: tuple[float, ...]

    @property
    def area(self) -> float:
        """By trapezoids; nan for one share."""
        width = self.shares[-1] - self.shares[0]
        return float(np.trapezoid(self.means, self.shares)) / width if width else float("nan")


def hidden_rows(names: Sequence[str], share: float, seed: int) -> npt.NDArray[np.int64]:
    """Rows of a share of the names, those that come first by a hash of seed and name; of one seed, shares are nested.

    >>> rows = hidden_rows(list("abcdefgh"), 0.5, 0)
    >>> set(hidden_rows(list("abcdefgh"), 0.25, 0)) < set(rows), len(rows)
    (True, 4)
    """
    order = sorted(range(len(names)), key=lambda i: hashlib.sha256(f"{seed} {names[i]}".encode()).digest())
    return np.array(order[: round(share * len(order))], dtype=np.int64)


class Masking:
    """Fits one task with hidden vectors; every cell is a file, so that a run that was stopped goes on where it was.

    Args:
        task: About genes.
        vectors: Of the model.
        folder: Of the cells.
        log: Takes a line for the user.
    """

    def __init__(self, task: TaskArrays, vectors: ModelVectors, folder: Path, *, log: Callable[[str], None]) -> None:
        self.task, self.vectors, self.folder, self.log = task, vectors, folder, log
        gathered = vectors.gather(task)
        self.rows, self.dim = gathered.rows, gathered.dim
        # A task about genes: not pairs, nor groups.
        assert isinstance(gathered.X, TableRows)
        self.index = gathered.X.index.astype(np.int64)
        self.embedding = vectors.of(task.gene_table).embedding
        self.splits = task.splits(self.rows)
        self._matrices: dict[str, Any] = {}
        self.inputs = f"{gathered.sha256} {task.record.data_sha256} {task.record.folds_sha256}"

    def curves(
        self, arms: Sequence[tuple[str, str, str]], shares: Sequence[float], seeds: int, where: Sequence[str]
    ) -> list[Curve]:
        """One curve for each arm, (name, head, graph), and place."""
        found = []
        for name, head, graph in arms:
            for place in where:
                table = np.array(
                    [
                        # Where nothing is hidden, seeds hide the same.
                        [
                            self.score(
                                Cell(name, head, graph, share, place if share else WHERE[0], seed if share else 0)
                            )
                            for share in shares
                        ]
                        for seed in range(seeds)
                    ]
                )
                spread = table.std(axis=0, ddof=1) if seeds > 1 else np.full(len(shares), np.nan)
                half = _quantile(seeds) * spread / np.sqrt(seeds)
                found.append(Curve(name, place, tuple(shares), tuple(table.mean(axis=0)), tuple(half)))
        return found

    def score(self, cell: Cell) -> float:
        """Mean main metric over folds, from the cell's file if it is of the same inputs."""
        graph, digest = self.vectors.graph(cell.graph, self.task.gene_table) if cell.graph else (None, "")
        version = NETWORKS if is_network(cell.head) else ""
        key = hashlib.sha256(f"{cell} {self.inputs} {digest} {version}".encode()).hexdigest()
        path = self.folder / f"{key[:24]}.json"
        if path.is_file():
            return float(json.loads(path.read_text(encoding="utf-8"))["mean"])
        folds = self._folds(cell, graph)
        mean = float(np.nanmean(folds))
        atomic_write(path, json.dumps({**vars(cell), "task": self.task.record.id, "mean": mean, "folds": folds}) + "\n")
        self.log(
            f"{self.task.record.id}: {cell.arm}, {cell.share:.0%} of {cell.where} hidden, seed {cell.seed}: {mean:.3f}"
        )
        return mean

    def _folds(self, cell: Cell, graph: Graph | None) -> list[float]:
        n = len(self.rows)
        if cell.where == WHERE[0]:
            hidden = hidden_rows(self.embedding.symbols, cell.share, cell.seed)
            return self._fit(cell, graph, hidden, self.splits)

        def of_split(split: int) -> list[float]:
            test = np.flatnonzero(self.splits.test_rows(split))
            names = [self.embedding.symbols[row] for row in self.index[test]]
            hidden = self.index[test][hidden_rows(names, cell.share, cell.seed)]
            only = Splits.from_rows([(self.splits.train_rows(split), test)], n=n)
            return self._fit(cell, graph, hidden, only)

        splits = range(len(self.splits))
        if not is_network(cell.head):
            return [score for split in splits for score in of_split(split)]
        # A network has one core to itself.
        with ThreadPoolExecutor(n_cores()) as pool:
            return [score for scores in pool.map(of_split, splits) for score in scores]

    def _fit(self, cell: Cell, graph: Graph | None, hidden: npt.NDArray[np.int64], splits: Splits) -> list[float]:
        vectors = np.array(self.embedding.matrix, dtype=np.float32)
        vectors[hidden] = 0
        options: dict[str, Any] = {}
        if graph is not None and cell.head == "linear":
            if cell.graph not in self._matrices:
                self._matrices = {cell.graph: normalised(graph.adjacency.sign()).astype(np.float32)}
            P = self._matrices[cell.graph]
            mixed = graph.node_vectors(vectors)
            for _ in range(STEPS):
                mixed = P @ mixed
            vectors = np.ascontiguousarray(mixed[: len(vectors)])
        elif graph is not None:
            options["graph"] = graph
        target = self.task.record.target
        X = VectorTable(vectors).rows(self.index)
        scored = probe(X, self.task.y[self.rows], target=target, splits=splits, head=cell.head, **options)
        return list(scored.scores[MAIN_METRIC[target]].folds)


def _quantile(n: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(0.975, n - 1)) if n > 1 else float("nan")
