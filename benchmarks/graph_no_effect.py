"""How often the tests of `gene-bench graph-study` see a difference where there is none: labels permuted within folds.

    python benchmarks/graph_no_effect.py VECTORS.parquet --graph string --data-dir DIR

Neither plain nor propagated vectors know a permuted label, so that a test of level 0.05 should speak up in one of
twenty draws at most. The genes, their edges, the folds and the numbers of either class are those of the task.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from builders import RawFiles, load
from gene_eval.core.graph.nodes import normalised
from gene_eval.core.probe import probe
from gene_eval.core.statistics.paired_tests import ALPHA, corrected_t_test
from gene_eval.running.encoding.graphs import GraphReader
from gene_eval.running.tasks import to_arrays
from model_adapters import as_matrix, embed, load_model

TASKS = ("genen_dosage_sensitivity", "genen_tf_range", "genen_solubility")
STEPS = 2
Array = npt.NDArray[np.float64]


def permuted(y: npt.NDArray[np.int64], folds: npt.NDArray[np.int64], n: int, seed: int) -> npt.NDArray[np.int64]:
    """(genes, n) labels, of each column the same as `y` but in another order within every fold."""
    rng = np.random.default_rng(seed)
    columns = np.repeat(y[:, None], n, axis=1)
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        columns[rows] = rng.permuted(columns[rows], axis=0)
    return columns


def p_values(
    plain: Array, mixed: Array, y: npt.NDArray[np.int64], folds: npt.NDArray[np.int64], *, n: int, seed: int = 0
) -> Array:
    """(n,) of the corrected paired t-test between two arms, one for each draw of labels."""
    labels = permuted(y, folds, n, seed)
    scores = []
    for X in (plain, mixed):
        found = probe(X, labels, target="multilabel", folds=folds).labels
        scores.append([found[str(column)]["roc_auc"].folds for column in range(n)])
    return np.array([corrected_t_test(*pair, test_train_ratio=0.25).p_value for pair in zip(*scores, strict=True)])


def main() -> None:
    """Print one line for each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("--graph", default="string")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("-n", type=int, default=200)
    arguments = parser.parse_args()
    raw = RawFiles(arguments.data_dir)
    symbols, vectors = as_matrix(embed(None, load_model(arguments.vectors)))
    reader = GraphReader(arguments.graph, raw)
    graph = reader.over(symbols, vectors.shape[1])
    P, mixed = normalised(graph.adjacency.sign()), graph.node_vectors(vectors)
    for _ in range(STEPS):
        mixed = P @ mixed
    row = {symbol: i for i, symbol in enumerate(symbols)}
    print("| task | genes | draws | p < 0.05 | 95 % interval |\n| --- | --- | --- | --- | --- |")
    for name in TASKS:
        task = to_arrays(load(name, raw))
        kept = np.array([i for i, symbol in enumerate(task.entities["symbol"]) if symbol in row])
        rows = np.array([row[task.entities["symbol"][i]] for i in kept])
        found = p_values(vectors[rows], mixed[rows], task.y[kept], task.folds[0][kept], n=arguments.n) < ALPHA
        low, high = stats.binomtest(int(found.sum()), len(found)).proportion_ci(method="wilson")
        print(f"| {name} | {len(rows):,} | {len(found)} | {found.mean():.3f} | {low:.3f} to {high:.3f} |", flush=True)


if __name__ == "__main__":
    main()
