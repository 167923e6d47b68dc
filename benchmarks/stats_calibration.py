"""How often the paired tests cry wolf, and what they find: simulated pairs of models on shared folds.

    python benchmarks/stats_calibration.py

prints the tables of docs/statistics.md. Per task, the real probe scores two synthetic embeddings of the same signal;
over tasks, a closed-form classifier (ridge) stands in for it, since 24 tasks are scored for every pair.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from gene_eval.analysis.groups import SOURCE_CORRELATION
from gene_eval.core import default_folds, probe
from gene_eval.core.metrics import ranking_scores
from gene_eval.core.statistics.over_tasks import cluster_means, cluster_p_values, cluster_t_test
from gene_eval.core.statistics.paired_tests import (
    ALPHA,
    corrected_t_test,
    fixed_tasks_test,
    holm,
    minimal_detectable_difference,
    standard_error_factors,
)

Array = npt.NDArray[np.float64]

N_GENES, DIM, N_FOLDS = 400, 8, 5
# How much more noise the second embedding carries; 0 is the null.
GAPS = (0.0, 1.0, 2.0, 4.0)
ADVANTAGES = (0.0, 0.3, 0.6, 0.9)
LAYOUTS = {
    "24 tasks, 8 sources of 3": (3,) * 8,
    "24 tasks, 8 sources, one with 14": (14, 3, 2, 1, 1, 1, 1, 1),
    "24 tasks, 6 sources of 4": (4,) * 6,
    "24 tasks, 1 source": (24,),
    "24 tasks, 2 sources": (18, 6),
}


@dataclass(frozen=True)
class Rates:
    """Share of the simulated pairs in which a test rejects at the 0.05 level, and what was there to be found."""

    n_pairs: int
    difference: float
    detectable: float
    corrected: float
    uncorrected: float


def one_task(rng: np.random.Generator, gap: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Fold-wise ROC-AUC of two embeddings of the same signal, the second with noise of 1 + gap instead of 1."""
    signal = rng.normal(size=(N_GENES, DIM))
    y = (signal.sum(axis=1) + DIM**0.5 * rng.normal(size=N_GENES) > 0).astype(int)
    folds = default_folds(y, target="binary", seed=int(rng.integers(2**31)))
    scores = [
        probe(signal + noise * rng.normal(size=signal.shape), y, target="binary", folds=folds, engine="sklearn")
        for noise in (1.0, 1.0 + gap)
    ]
    return scores[0].scores["roc_auc"].folds, scores[1].scores["roc_auc"].folds


def per_task(n_pairs: int, gap: float, seed: int = 0) -> Rates:
    """Rejection rates of the t-test over folds, with and without the correction for shared training rows."""
    rng = np.random.default_rng(seed)
    pairs = [one_task(rng, gap) for _ in range(n_pairs)]
    corrected = [corrected_t_test(a, b, test_train_ratio=1 / (N_FOLDS - 1)) for a, b in pairs]
    uncorrected = [corrected_t_test(a, b, test_train_ratio=0) for a, b in pairs]
    return Rates(
        n_pairs=n_pairs,
        difference=float(np.mean([test.difference for test in corrected])),
        detectable=float(np.median([minimal_detectable_difference(test.std_error, test.df) for test in corrected])),
        corrected=float(np.mean([test.p_value < ALPHA for test in corrected])),
        uncorrected=float(np.mean([test.p_value < ALPHA for test in uncorrected])),
    )


def detectable_lines(n_pairs: int, seed: int) -> Iterator[str]:
    """How far from the truth the detectable difference of one pair is, and how often its interval holds the truth.

    The truth is that of the root mean square of the standard errors of all pairs.
    """
    yield "| noise of the second model | true | estimates (2.5 to 97.5 %) | interval holds it |"
    yield "| --- | --- | --- | --- |"
    for gap in (0.0, 2.0):
        rng = np.random.default_rng(seed)
        pairs = [one_task(rng, gap) for _ in range(n_pairs)]
        tests = [corrected_t_test(a, b, test_train_ratio=1 / (N_FOLDS - 1)) for a, b in pairs]
        found = np.array([minimal_detectable_difference(test.std_error, test.df) for test in tests])
        truth = float(np.sqrt(np.mean(found**2)))
        low, high = standard_error_factors(N_FOLDS - 1)
        held = np.mean((found * low <= truth) & (truth <= found * high))
        spread = np.quantile(found, [0.025, 0.975])
        yield f"| {1 + gap:g} | {truth:.3f} | {spread[0]:.3f} to {spread[1]:.3f} | {held:.3f} |"


def many_tasks(rng: np.random.Generator, sizes: Sequence[int], advantage: float, taste: float) -> Array:
    """(F, T) differences of ROC-AUC between two models, over folds and tasks from `len(sizes)` sources.

    Each source asks for a direction of its own, and each model knows each direction with a precision drawn at random
    (the more, the larger `taste`), so tasks of one source favour the same model; any two sources agree by
    `SOURCE_CORRELATION`. Without `advantage` neither is favoured on average; without `taste` the models differ by
    chance alone.
    """
    n_sources = len(sizes)
    signal = rng.normal(size=(N_GENES, n_sources))
    source = np.repeat(np.arange(n_sources), sizes)
    y = signal[:, source] + rng.normal(size=(N_GENES, len(source))) > 0
    folds = rng.permutation(N_GENES) % N_FOLDS
    log_noise = taste * alike(rng, (2, n_sources)) + np.array([[0.0], [advantage]])
    first, second = (_aucs(signal + np.exp(each) * rng.normal(size=signal.shape), y, folds) for each in log_noise)
    return first - second


def alike(rng: np.random.Generator, shape: tuple[int, int], df: float = np.inf) -> Array:
    """(M, G) numbers, those of a row correlated by `SOURCE_CORRELATION`: normal, or t with `df` degrees of freedom."""
    own, common = rng.normal(size=shape), rng.normal(size=(shape[0], 1))
    found: Array = np.sqrt(1 - SOURCE_CORRELATION) * own + np.sqrt(SOURCE_CORRELATION) * common
    return found if np.isinf(df) else np.asarray(stats.t.ppf(stats.norm.cdf(found), df))


def _aucs(X: Array, y: npt.NDArray[np.bool_], folds: npt.NDArray[np.int64]) -> Array:
    scores = []
    for fold in range(N_FOLDS):
        train, test = folds != fold, folds == fold
        center = y[train].mean(axis=0)
        weights = np.linalg.solve(X[train].T @ X[train] + np.eye(X.shape[1]), X[train].T @ (y[train] - center))
        scores.append(ranking_scores(y[test], X[test] @ weights)[0])
    return np.array(scores)


def over_tasks(
    n_pairs: int, sizes: Sequence[int], *, advantage: float = 0.0, taste: float = 0.4, seed: int = 0
) -> dict[str, float]:
    """Rejection rate of each test over tasks, and the mean difference."""
    rng = np.random.default_rng(seed)
    source = np.repeat(np.arange(len(sizes)), sizes).tolist()
    found: dict[str, list[bool]] = {}
    differences = []
    zeros = np.zeros(N_FOLDS)
    for _ in range(n_pairs):
        by_fold = many_tasks(rng, sizes, advantage, taste)
        values = by_fold.mean(axis=0)
        units = cluster_means([values], source)[0]
        differences.append(units.mean())
        tests = [corrected_t_test(column, zeros, test_train_ratio=1 / (N_FOLDS - 1)) for column in by_fold.T]
        for name, p_value in {
            "t-test": cluster_t_test(values, clusters=source, correlation=SOURCE_CORRELATION).p_value,
            "t-test, r = 0": cluster_t_test(values, clusters=source).p_value,
            "these tasks": fixed_tasks_test(tests).p_value,
            "t-test of tasks": cluster_t_test(values).p_value,
            "signed rank of tasks": stats.wilcoxon(values).pvalue,
        }.items():
            found.setdefault(name, []).append(p_value < ALPHA)
    return {"difference": float(np.mean(differences)), **{name: float(np.mean(hits)) for name, hits in found.items()}}


def table(n_pairs: int, tests: Sequence[str], layouts: Sequence[str], taste: float) -> Iterator[str]:
    """Rejection rates of some tests over tasks: a null pair, then three true differences."""
    yield f"| tasks | true difference in ROC-AUC | {' | '.join(tests)} |"
    yield "| --- |" + " --- |" * (len(tests) + 1)
    for layout in layouts:
        for advantage in ADVANTAGES:
            rates = over_tasks(n_pairs, LAYOUTS[layout], advantage=advantage, taste=taste)
            truth = f"{rates['difference']:.3f}" if advantage else "0 (null)"
            yield f"| {layout} | {truth} | " + " | ".join(f"{rates[name]:.3f}" for name in tests) + " |"


def lines(n_pairs: int) -> Iterator[str]:
    """The tables as Markdown."""
    yield "| true difference in ROC-AUC | detectable (median) | corrected t-test | uncorrected t-test |"
    yield "| --- | --- | --- | --- |"
    for gap in GAPS:
        rates = per_task(n_pairs, gap)
        truth = f"{rates.difference:.3f}" if gap else "0 (null)"
        yield f"| {truth} | {rates.detectable:.3f} | {rates.corrected:.3f} | {rates.uncorrected:.3f} |"
    tasks_taken_as_independent = ("t-test of tasks", "signed rank of tasks")
    yield ""
    yield from table(n_pairs, ("t-test", "t-test, r = 0", *tasks_taken_as_independent), tuple(LAYOUTS)[:3], taste=0.4)
    yield ""
    yield from table(n_pairs, ("these tasks", *tasks_taken_as_independent), tuple(LAYOUTS)[3:], taste=0.0)


def rank_coverage(n_simulated: int, *, n_models: int, n_sources: int, df: float = np.inf) -> float:
    """How often the rank intervals of models that know the same all hold every rank, with three tasks a source.

    Each source suits each model more or less, by chance (t with `df` degrees of freedom; normal by default); any two
    sources agree by `SOURCE_CORRELATION`.
    """
    covered = 0
    for number in range(n_simulated):
        rng = np.random.default_rng(number)
        suited = alike(rng, (n_models, n_sources), df)
        scores = 0.7 + 0.02 * np.repeat(suited, 3, axis=1) + 0.01 * rng.normal(size=(n_models, 3 * n_sources))
        first, second = np.triu_indices(n_models, k=1)
        clusters = [task // 3 for task in range(3 * n_sources)]
        p_values = cluster_p_values(scores[first] - scores[second], clusters=clusters, correlation=SOURCE_CORRELATION)
        # An interval is narrower only where some pair differs.
        covered += not holm(p_values).min() < ALPHA
    return covered / n_simulated


def rank_lines(n_simulated: int) -> Iterator[str]:
    yield "| models | sources | normal differences | t with 4 degrees of freedom |"
    yield "| --- | --- | --- | --- |"
    for n_models, n_sources in ((10, 6), (10, 8), (10, 12), (4, 8)):
        shares = [rank_coverage(n_simulated, n_models=n_models, n_sources=n_sources, df=df) for df in (np.inf, 4)]
        yield f"| {n_models} | {n_sources} | {shares[0]:.3f} | {shares[1]:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=1000, help="simulated pairs of each kind (default: 1000)")
    parser.add_argument(
        "--ranks", action="store_true", help="coverage of rank intervals instead, in --pairs simulations"
    )
    parser.add_argument("--detectable", action="store_true", help="how well the detectable difference is known instead")
    parser.add_argument("--seed", type=int, default=1, help="of the pairs of --detectable (default: 1)")
    arguments = parser.parse_args()
    if arguments.detectable:
        made = detectable_lines(arguments.pairs, arguments.seed)
    else:
        made = rank_lines(arguments.pairs) if arguments.ranks else lines(arguments.pairs)
    for line in made:
        print(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
