"""What each part of the fast engine is worth: times with one part switched off, relative to the engine as it is.

    python benchmarks/solver_ablation.py --data-dir DIR [--cases bag-of-words/pathways random-1024/chromosomes ...]

One thread. Every turn solves each case once as it is and once with each part off, so that a machine whose speed changes
with what else it does changes all alike; ratios are of the same turn, and their median is printed. There are at least
five turns where a solve takes less than five seconds. Vectors come from a `VectorTable` whose rotation an earlier call
has made. Seconds are the processor's, not the clock's. With `--results FILE` several calls can measure: the table is of
all turns that the file holds. A dash stands for a part that a case does not use.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import torch

# Run as a script, only its own folder is on the path.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.probe_engines import MODELS, read_genes, read_pathways, read_vectors
from gene_eval.core import Splits, VectorTable, default_folds
from gene_eval.core.engines import Params, get_engine
from gene_eval.core.solver import lbfgs, low_precision, rows, stages

SMALL = "random-384/500-genes"
CASES = (
    "minilm/pathways",
    "minilm/chromosomes",
    "bag-of-words/pathways",
    "random-1024/pathways",
    "random-1024/chromosomes",
    SMALL,
)
SHORT = 5.0
"""Seconds of a solve below which it is repeated."""
FEW, MANY = 3, 5

Array = npt.NDArray[Any]
Cell = tuple[float, float, bool]
Found = dict[str, dict[str, list[Cell]]]
"""Of each case and part, all turns."""
AS_IT_IS = "nothing, seconds"
LOW_PRECISION = "bfloat16 products"
LONGER, ONE_TILE = "longer steps between classes", "one tile for small tasks"


def switches() -> dict[str, Callable[[], AbstractContextManager[Any]]]:
    """What to call a part, and what switches it off."""
    whole, lengths = {"cpu": 1 << 30, "cuda": 1 << 30}, lbfgs.Window.lengths
    parts: dict[str, tuple[Any, dict[str, Any]]] = {
        "common fit on all rows": (stages, {"MAX_ALL_ROWS": 0}),
        "pairs of the common fit": (stages, {"minimise": _without_pairs}),
        "40 curvature pairs instead of 80": (lbfgs, {"MEMORY": 40}),
        "scaling of the step": (lbfgs.Window, {"lengths": lambda window: torch.ones_like(window.longest)}),
        LONGER: (lbfgs.Window, {"lengths": lambda window: lengths(window).clamp(max=1)}),
        "fits leave in tenths, not one by one": (lbfgs, {"MIN_LEAVING_SHARE": 0.0}),
        "tiles the size of the cache": (rows, {"TILE": whole, "TILE_ROWS": whole}),
        ONE_TILE: (rows, {"ONE_TILE": 0}),
        "unweighted bound": (lbfgs, {"UNWEIGHTED": 0.0}),
    }
    patches = {
        name: lambda where=where, values=values: mock.patch.multiple(where, **values)
        for name, (where, values) in parts.items()
    }
    return {AS_IT_IS: nullcontext, LOW_PRECISION: nullcontext, **patches}


def _without_pairs(*arguments: Any, keep_pairs: bool = False, **options: Any) -> lbfgs.Solution:
    return lbfgs.minimise(*arguments, **options)


def read_case(name: str, data: Path, cache: Path) -> tuple[Array, Array, str]:
    """Vectors, labels and target of a case."""
    if name == SMALL:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(500, 384)).astype(np.float32)
        return X, (X @ rng.normal(size=(384, 4)) + 20 * rng.normal(size=(500, 4))).argmax(axis=1), "multiclass"
    model, task = name.split("/")
    genes = read_genes(data)
    if task == "pathways":
        chosen, y = read_pathways(data, genes["symbol"])
        target = "multilabel"
    else:
        chosen = np.flatnonzero(genes["chromosome"].isin([*map(str, range(1, 23)), "X", "Y"]))
        y, target = np.unique(genes["chromosome"][chosen], return_inverse=True)[1], "multiclass"
    return read_vectors(model, genes["description"], cache)[chosen], y, target


def turns(X: Array, y: Array, target: str, parts: Sequence[str]) -> Iterator[tuple[str, Cell]]:
    """Part by part, turn by turn: seconds, their ratio to those of the engine as it is, and whether all converged."""
    engine, known = get_engine("fast"), switches()
    unused = set() if target == "multiclass" else {LONGER}
    if X.size > rows.ONE_TILE:
        unused.add(ONE_TILE)
    if X.shape[1] < low_precision.WIDE:
        unused.add(LOW_PRECISION)
    vectors = VectorTable(X).rows(np.arange(len(X)))
    splits = Splits.from_folds(default_folds(y, target=target))

    def solve(part: str) -> tuple[float, bool]:
        with known[part]():
            began = time.process_time()
            out = engine(vectors, y, target=target, splits=splits, params=Params(low_precision=part != LOW_PRECISION))
            return time.process_time() - began, bool(out.convergence["converged"])

    solve(AS_IT_IS)
    done, whole = 0, 0.0
    while done < (MANY if whole < SHORT else FEW):
        whole, converged = solve(AS_IT_IS)
        yield AS_IT_IS, (whole, 1.0, converged)
        for part in parts:
            if part in unused:
                yield part, (math.nan, math.nan, True)
            elif part != AS_IT_IS:
                seconds, converged = solve(part)
                yield part, (seconds, seconds / whole, converged)
        done += 1


def table(found: Found) -> str:
    """Medians of what was measured, in Markdown: a column for each case, a row for each part."""
    cases = [*CASES, *(case for case in found if case not in CASES)]
    lines = [f"| switched off | {' | '.join(cases)} |", f"| {' | '.join(['---'] * (1 + len(cases)))} |"]
    for part in switches():
        cells = []
        for case in cases:
            measured = found.get(case, {}).get(part)
            if measured is None:
                cells.append("not measured")
                continue
            seconds, ratios, converged = zip(*measured, strict=True)
            shown = statistics.median(seconds if part == AS_IT_IS else ratios)
            cells.append("–" if math.isnan(shown) else f"{shown:.2f}" + ("" if all(converged) else " (not converged)"))
        lines.append(f"| {part} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of raw files")
    parser.add_argument("--cases", nargs="*", default=list(CASES), help=f"MODEL/TASK; models: {', '.join(MODELS)}")
    parser.add_argument("--parts", nargs="+", default=list(switches()), help="what to switch off")
    parser.add_argument("--cache", type=Path, default=Path("benchmark-cache"), help="where vectors are kept")
    parser.add_argument("--results", type=Path, help="JSON file of what other calls have measured, and this one")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    known = options.results is not None and options.results.exists()
    found: Found = json.loads(options.results.read_text()) if known else {}
    for case in options.cases:
        for part, cell in turns(*read_case(case, options.data_dir, options.cache), options.parts):
            found.setdefault(case, {}).setdefault(part, []).append(cell)
            if options.results is not None:
                options.results.write_text(json.dumps(found))
    print(table(found))


if __name__ == "__main__":
    main()
