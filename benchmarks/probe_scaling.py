"""How the cost of `engine="fast"` grows with labels, genes, dimensions and models, one of them doubled at a time.

    python benchmarks/probe_scaling.py -o docs/performance

The genes are made: 64 factors carry the labels, each label a linear model of them plus noise with 3 to 20 % positives;
a model's vectors are the factors and noise of its own under a decaying spectrum, mixed, moved off the origin and scaled
to one length. Several models are a loop over the same labels. A point is the least of two calls of `probe`, scores
included. GFLOP/s count the products of the folds' solves and the rotation over the seconds of the solve, and nothing
else: a lower bound. The exponent is the slope over the last three points in log-log, and is called within its bound up
to 0.1 above the bound's own slope there: single timings are not known better.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from gene_eval.core import default_folds, probe

SEED = 0
FACTORS = 64
LENGTH = 8
REPEATS = 2
TOLERANCE = 0.1
AXES: dict[str, tuple[int, ...]] = {
    "labels": (5, 10, 20, 40, 80),
    "genes": (2_500, 5_000, 10_000, 20_000),
    "dims": (128, 256, 512, 1_024, 2_048),
    "models": (1, 2, 4, 8),
}
LARGE = {"dims": (4_096,)}

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Size:
    """What stays as it is while one of them is doubled."""

    labels: int
    genes: int
    dims: int
    models: int

    def bound(self, axis: str) -> float:
        """What the cost may be proportional to along an axis."""
        return self.dims**2 * self.genes + self.dims**3 if axis == "dims" else getattr(self, axis)


BASE = Size(labels=20, genes=10_000, dims=512, models=1)


def make_labels(size: Size) -> tuple[Array, Array]:
    """(n, 64) factors of the genes and (n, L) labels that depend on them."""
    rng = np.random.default_rng(SEED)
    factors = rng.normal(size=(size.genes, FACTORS))
    scores = factors @ (rng.normal(size=(FACTORS, size.labels)) / np.sqrt(1 + np.arange(FACTORS))[:, None])
    scores += scores.std(axis=0) * rng.normal(size=scores.shape)
    shares = np.exp(rng.uniform(np.log(0.03), np.log(0.2), size.labels))
    return factors, scores > [np.quantile(score, 1 - share) for score, share in zip(scores.T, shares, strict=True)]


def make_vectors(factors: Array, dims: int, model: int) -> Array:
    """(n, dims) float32 vectors of length 8 that know the factors, more or less."""
    rng = np.random.default_rng([SEED, 1 + model])
    known = rng.normal(size=(len(factors), dims))
    known[:, :FACTORS] += factors
    vectors = (known / np.sqrt(1 + np.arange(dims))) @ rng.normal(size=(dims, dims))
    vectors += vectors.std() * rng.normal(size=dims)
    return (vectors * (LENGTH / np.linalg.norm(vectors, axis=1, keepdims=True))).astype(np.float32)


@cache
def measure(size: Size) -> dict[str, float]:
    """Seconds, GFLOP and fits that did not converge, summed over the models of that size, and their mean passes."""
    factors, y = make_labels(size)
    folds = default_folds(y, target="multilabel")
    parts = []
    for model in range(size.models):
        X = make_vectors(factors, size.dims, model)
        runs = [probe(X, y, target="multilabel", folds=folds, engine="fast") for _ in range(REPEATS)]
        best = min(runs, key=lambda run: sum(run.seconds.values()))
        end = best.convergence
        columns = end["n_fits"] * end["passes"] * (1 - 1 / len(np.unique(folds)))
        work = 2e-9 * X.size * (columns + 2 * size.dims)
        parts.append([sum(best.seconds.values()), best.seconds["solve"], work, end["passes"], end["n_unconverged"]])
    seconds, solve, work, passes, unconverged = np.sum(parts, axis=0).tolist()
    passes /= size.models
    return {"seconds": seconds, "solve": solve, "passes": passes, "gflops": work / solve, "unconverged": unconverged}


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of y against x in log-log over the last three points."""
    return float(np.polyfit(np.log(x[-3:]), np.log(y[-3:]), 1)[0])


def draw(tables: dict[str, pd.DataFrame], out: Path) -> None:
    """One log-log panel per axis; the bound's slope is dashed, through the first of the last three points."""
    figure = Figure(figsize=(8.8, 2.6), dpi=110, layout="constrained")
    for axes, (axis, rows) in zip(figure.subplots(1, len(tables)), tables.items(), strict=True):
        x, y, bound = (rows[name].tolist() for name in (axis, "seconds", "bound"))
        axes.loglog(x, [y[-3] * each / bound[-3] for each in bound], "--", color="#555555", lw=1, label="bound")
        axes.loglog(x, y, "o-", color="#0072b2", ms=4, label="measured")
        axes.set_xticks(x, [f"{value:,}" for value in x], fontsize=7, rotation=35)
        axes.set_xticks([], minor=True)
        axes.tick_params(axis="y", which="both", labelsize=7)
        axes.set_title(f"{axis}: {exponent(x, y):.2f} (bound {exponent(x, bound):.2f})", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("seconds", fontsize=8)
    figure.axes[0].legend(fontsize=7, frameon=False)
    figure.savefig(out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every axis; print, write and draw what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for scaling.csv and scaling.png")
    parser.add_argument("--large", action="store_true", help="4,096 dimensions as well")
    options = parser.parse_args(arguments)
    tables = {}
    for axis, values in AXES.items():
        sizes = [replace(BASE, **{axis: value}) for value in values + (LARGE.get(axis, ()) if options.large else ())]
        rows = [{"axis": axis, **asdict(size), **measure(size), "bound": size.bound(axis)} for size in sizes]
        tables[axis] = table = pd.DataFrame(rows)
        shown = [axis, "seconds", "solve", "passes", "gflops", "unconverged"]
        print(table[shown].to_string(index=False, float_format="%.4g"))
        slope, most = (exponent(table[axis].tolist(), table[name].tolist()) for name in ("seconds", "bound"))
        print(f"exponent {slope:.2f}, {'within' if slope <= most + TOLERANCE else 'ABOVE'} the bound's {most:.2f}\n")
    options.out.mkdir(parents=True, exist_ok=True)
    pd.concat(tables.values()).to_csv(options.out / "scaling.csv", index=False, float_format="%.5g")
    draw(tables, options.out / "scaling.png")


if __name__ == "__main__":
    main()
