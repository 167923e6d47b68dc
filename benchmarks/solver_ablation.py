"""What each part of the fast engine is worth: times with one part switched off, relative to the engine as it is.

    python benchmarks/solver_ablation.py --data-dir DIR [--cases bag-of-words/pathways random-1024/chromosomes ...]

One thread. Every turn solves each case once as it is and once with each part off, so that a machine whose speed changes
with what else it does changes all alike; ratios are of the same turn, and their median is printed. There are at least
five turns where a solve takes less than five seconds. Vectors come from a `VectorTable` whose rotation an earlier call
has made. Seconds are the processor's, not the clock's.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.probe_engines import MODELS, read_genes, read_pathways, read_vectors
from gene_eval.core import Splits, VectorTable, default_folds
from gene_eval.core.engines import HeldOut, Params, get_engine
from gene_eval.core.solver import lbfgs, rows, stages

CASES = (
    "minilm/pathways",
    "minilm/chromosomes",
    "bag-of-words/pathways",
    "random-1024/pathways",
    "random-1024/chromosomes",
)
SHORT = 5.0
"""Seconds of a solve below which it is repeated."""
FEW, MANY = 3, 5

Array = npt.NDArray[Any]
LOW_PRECISION = "bfloat16 products"


def switches() -> dict[str, Callable[[], AbstractContextManager[Any]]]:
    """What to call a part, and what switches it off."""
    whole = {"cpu": 1 << 30, "cuda": 1 << 30}
    return {
        "as it is": nullcontext,
        LOW_PRECISION: nullcontext,
        "pairs of the common fit": lambda: mock.patch.object(stages, "minimise", _without_pairs),
        "common fit on all rows": lambda: mock.patch.object(stages, "MAX_ALL_ROWS", 0),
        "scaling of the step": lambda: mock.patch.object(lbfgs.Window, "lengths", _ones),
        "row blocks the size of the cache": lambda: mock.patch.multiple(rows, TILE=whole, TILE_ROWS=whole),
        "one tile for small tasks": lambda: mock.patch.object(rows, "ONE_TILE", 0),
        "10 curvature pairs instead of 40": lambda: mock.patch.object(stages, "MEMORY", 10),
        "unweighted bound": lambda: mock.patch.object(lbfgs, "UNWEIGHTED", 0.0),
    }


def _without_pairs(*arguments: Any, keep_pairs: bool = False, **options: Any) -> lbfgs.Solution:
    return lbfgs.minimise(*arguments, **options)


def _ones(window: lbfgs.Window, longest: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(longest).double()


def read_case(name: str, data: Path, cache: Path) -> tuple[Array, Array, str]:
    """Vectors, labels and target of a case."""
    model, task = name.split("/")
    genes = read_genes(data)
    if task == "pathways":
        chosen, y = read_pathways(data, genes["symbol"])
        target = "multilabel"
    else:
        chosen = np.flatnonzero(genes["chromosome"].isin([*map(str, range(1, 23)), "X", "Y"]))
        y, target = np.unique(genes["chromosome"][chosen], return_inverse=True)[1], "multiclass"
    return read_vectors(model, genes["description"], cache)[chosen], y, target


def measure(X: Array, y: Array, target: str, parts: Sequence[str]) -> dict[str, tuple[float, float, HeldOut]]:
    """Median ratio to the engine as it is, median seconds and the last outcome for each part."""
    engine, known = get_engine("fast"), switches()
    vectors = VectorTable(X).rows(np.arange(len(X)))
    splits = Splits.from_folds(default_folds(y, target=target))

    def solve(part: str) -> tuple[float, HeldOut]:
        with ExitStack() as stack:
            stack.enter_context(known[part]())
            began = time.process_time()
            out = engine(vectors, y, target=target, splits=splits, params=Params(low_precision=part != LOW_PRECISION))
            return time.process_time() - began, out

    first = solve("as it is")[0]
    turns = [{part: solve(part) for part in parts} for _ in range(MANY if first < SHORT else FEW)]
    found = {}
    for part in parts:
        ratios = [turn[part][0] / turn["as it is"][0] for turn in turns]
        seconds = [turn[part][0] for turn in turns]
        found[part] = statistics.median(ratios), statistics.median(seconds), turns[-1][part][1]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of raw files")
    parser.add_argument("--cases", nargs="+", default=list(CASES), help=f"MODEL/TASK; models: {', '.join(MODELS)}")
    parser.add_argument("--parts", nargs="+", default=list(switches()), help="what to switch off")
    parser.add_argument("--cache", type=Path, default=Path("benchmark-cache"), help="where vectors are kept")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    parts = list(dict.fromkeys(["as it is", *options.parts]))
    tables = {case: measure(*read_case(case, options.data_dir, options.cache), parts) for case in options.cases}
    print(f"| switched off | {' | '.join(tables)} |\n| {' | '.join(['---'] * (1 + len(tables)))} |")
    for part in parts:
        cells = []
        for table in tables.values():
            ratio, seconds, out = table[part]
            shown = f"{seconds:.2f} s" if part == "as it is" else f"{ratio:.2f}"
            cells.append(shown + ("" if out.convergence["converged"] else " (not converged)"))
        print(f"| {part} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
