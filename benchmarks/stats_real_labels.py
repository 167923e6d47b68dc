"""How often every test and interval that is printed is wrong, where models know the same: on real labels and genes.

    python benchmarks/stats_real_labels.py --data-dir DIR

Models are the same text vectors with noise of their own, so that none is better; tasks keep their genes, their labels
and what they share. Over sources, each model knows each source more or less by chance: independently, as the test
supposes, and with the correlation that the labels of the sources have. A rate of 0.05 over n simulations is known to
within 2 sqrt(0.05 * 0.95 / n).
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gene_eval.analysis.controls import gain_test
from gene_eval.analysis.groups import SOURCE_CORRELATION
from gene_eval.core.controls.gain import gain
from gene_eval.core.metrics import ranking_scores
from gene_eval.core.splits import Splits
from gene_eval.core.statistics.over_tasks import cluster_p_values
from gene_eval.core.statistics.paired_tests import (
    ALPHA,
    corrected_t_test,
    corrected_variance,
    fixed_tasks_p_values,
    holm,
    standard_error_factors,
)
from gene_eval.core.statistics.strata import score_strata

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TASKS = (
    *("hpa_subcellular_location", "hpa_protein_class", "reactome_pathways", "humantfs_is_tf", "uniprot_domain"),
    *("uniprot_ligand", "uniprot_ptm", "genecorpus_dosage_sensitive_tf", "genecorpus_n1_targets"),
)
DIM, N_FOLDS, MOST_GENES, MOST_LABELS, RATIO = 24, 5, 1500, 6, 1 / 4
NOISE, TASTE, FEWEST_SHARED, N_GAIN = 1.0, 0.4, 50, 400


@dataclass(frozen=True)
class Task:
    """Rows of the vectors, labels (n, L) and source of a task."""

    source: str
    rows: IntArray
    y: npt.NDArray[np.bool_]


@dataclass
class Counts:
    """How often something happened, by name, and what the rate should be."""

    hits: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, happened: float) -> None:
        self.hits.setdefault(name, []).append(float(happened))


def real_tasks(data_dir: Path) -> tuple[Array, list[Task]]:
    """(genes, DIM) text vectors of standard deviation 1, and the tasks."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    from builders import RawFiles, load
    from gene_eval.running.tasks import to_arrays

    raw = RawFiles(data_dir)
    genes = load("genes", raw).dataset
    words = TfidfVectorizer(max_features=5000, sublinear_tf=True).fit_transform(genes["description"][:])
    X = TruncatedSVD(DIM, random_state=0).fit_transform(words)
    row = {symbol: number for number, symbol in enumerate(genes["symbol"][:])}
    tasks = []
    for name in TASKS:
        task = to_arrays(load(name, raw))
        y = task.y.reshape(len(task.y), -1).astype(bool)
        kept = np.argsort(-np.minimum(y.mean(axis=0), 0.5), kind="stable")[:MOST_LABELS]
        # Five sources of genes are few: HPA collects protein classes from elsewhere, and they stand for a sixth.
        source = name if name == "hpa_protein_class" else task.record.source
        tasks.append(Task(source, np.array([row[symbol] for symbol in task.entities["symbol"]]), y[:, kept]))
    return (X - X.mean(axis=0)) / X.std(axis=0), tasks


def between_sources(tasks: Sequence[Task], n_genes: int) -> Array:
    """(S, S) correlation of what a model is better by on two sources, as far as their labels are alike.

    A model that knows directions more or less by chance is better on two labels with a correlation of phi^2, phi being
    that of the labels on shared genes; of sources it is the mean of these over labels, scaled to 1 on the diagonal.
    """
    values = np.full((n_genes, sum(task.y.shape[1] for task in tasks)), np.nan)
    of_column: list[str] = []
    for task in tasks:
        values[task.rows, len(of_column) : len(of_column) + task.y.shape[1]] = task.y
        of_column += [task.source] * task.y.shape[1]
    known = ~np.isnan(values)
    n = np.maximum(known.T.astype(float) @ known, 1)
    filled = np.where(known, values, 0.0)
    shares = filled.T @ known / n
    variance = shares * (1 - shares)
    spread = np.sqrt(variance * variance.T)
    phi = np.divide(filled.T @ filled / n - shares * shares.T, spread, out=np.zeros_like(spread), where=spread > 0)
    phi[n < FEWEST_SHARED] = 0
    names = list(dict.fromkeys(of_column))
    member = np.array([[source == name for source in of_column] for name in names], dtype=float)
    member /= member.sum(axis=1, keepdims=True)
    alike = member @ phi**2 @ member.T
    scaled: Array = alike / np.sqrt(np.outer(np.diag(alike), np.diag(alike)))
    return scaled


def fold_scores(
    X: Array, tasks: Sequence[Task], rng: np.random.Generator, *, n_models: int, log_noise: Array, repeats: int = 1
) -> Array:
    """(M, T, F) scores; `log_noise` (M, S) of each model on each source."""
    names = list(dict.fromkeys(task.source for task in tasks))
    unit = [rng.normal(size=X.shape) for _ in range(n_models)]
    scores = np.empty((n_models, len(tasks), N_FOLDS * repeats))
    for t, task in enumerate(tasks):
        chosen = rng.permutation(len(task.rows))[:MOST_GENES]
        rows, y = task.rows[chosen], task.y[chosen]
        for repeat in range(repeats):
            folds = rng.permutation(len(rows)) % N_FOLDS
            for m in range(n_models):
                noise = NOISE * np.exp(log_noise[m, names.index(task.source)])
                vectors = X[rows] + noise * unit[m][rows]
                for fold in range(N_FOLDS):
                    scores[m, t, repeat * N_FOLDS + fold] = _score(vectors, y, folds != fold)
    return scores


def _score(X: Array, y: npt.NDArray[np.bool_], train: npt.NDArray[np.bool_]) -> float:
    center = y[train].mean(axis=0)
    gram = X[train].T @ X[train] + np.eye(X.shape[1])
    weights = np.linalg.solve(gram, X[train].T @ (y[train] - center))
    return float(np.nanmean(ranking_scores(y[~train], X[~train] @ weights)[0]))


def chance(X: Array, tasks: Sequence[Task], n: int, counts: Counts, *, n_models: int, repeats: int = 1) -> None:
    """Models that know the same on every task: tests about these genes."""
    first, second = np.triu_indices(n_models, k=1)
    errors: list[list[list[float]]] = [[] for _ in tasks]
    label = f"{n_models} models" if repeats == 1 else f"{repeats} repeats"
    for number in range(n):
        rng = np.random.default_rng([number, n_models, repeats])
        sources = len({task.source for task in tasks})
        zeros = np.zeros((n_models, sources))
        scores = fold_scores(X, tasks, rng, n_models=n_models, log_noise=zeros, repeats=repeats)
        differences = scores[first] - scores[second]
        for t in range(len(tasks)):
            test = corrected_t_test(scores[0, t], scores[1, t], test_train_ratio=RATIO)
            counts.add(f"task: corrected t-test, {label} | type 1", test.p_value < ALPHA)
            counts.add(f"task: 95 % interval of the difference, {label} | coverage", test.low <= 0 <= test.high)
            raw = fixed_tasks_p_values(differences[:, [t]], test_train_ratio=RATIO)
            counts.add(f"task: all rank intervals, {label} | coverage", not holm(raw).min() < ALPHA)
            variances = [corrected_variance(row, test_train_ratio=RATIO) for row in differences[:, t]]
            errors[t].append([float(np.sqrt(np.mean(variances)))])
        raw = fixed_tasks_p_values(differences, test_train_ratio=RATIO)
        counts.add(f"fewer than six sources: these tasks, {label} | type 1", raw[0] < ALPHA)
        counts.add(f"fewer than six sources: all rank intervals, {label} | coverage", not holm(raw).min() < ALPHA)
        # The mean of one task errs as ever, but its folds do not show it.
        equal = differences.copy()
        equal[:, 0] = equal[:, 0].mean(axis=1, keepdims=True)
        raw = fixed_tasks_p_values(equal[:, :3], test_train_ratio=RATIO)
        counts.add(f"three tasks, one with equal folds: these tasks, {label} | type 1", raw[0] < ALPHA)
    low, high = standard_error_factors(N_FOLDS * repeats - 1)
    for of_task in errors:
        found = np.array(of_task)[:, 0]
        truth = np.sqrt(np.mean(found**2))
        for held in (found * low <= truth) & (truth <= found * high):
            counts.add(f"task: interval of the detectable difference, {label} | coverage", held)


def over_sources(
    X: Array, tasks: Sequence[Task], n: int, counts: Counts, *, n_models: int, is_alike: bool = False
) -> None:
    """Models that know each source more or less by chance, independently or as alike as the labels of sources are."""
    first, second = np.triu_indices(n_models, k=1)
    clusters = [task.source for task in tasks]
    alike = between_sources(tasks, len(X)) if is_alike else np.eye(len(set(clusters)))
    root = np.linalg.cholesky(alike + 1e-9 * np.eye(len(alike)))
    label = f"{n_models} models" + (", sources as alike as their labels" if is_alike else "")
    for number in range(n):
        rng = np.random.default_rng([number, n_models])
        log_noise = TASTE * rng.normal(size=(n_models, len(root))) @ root.T
        means = fold_scores(X, tasks, rng, n_models=n_models, log_noise=log_noise).mean(axis=2)
        differences = means[first] - means[second]
        raw = cluster_p_values(differences, clusters=clusters, correlation=SOURCE_CORRELATION)
        plain = cluster_p_values(differences, clusters=clusters)
        # Pairs without a model in common.
        for one in np.flatnonzero((first % 2 == 0) & (second == first + 1)):
            counts.add(f"six sources: t-test over sources, {label} | type 1", raw[one] < ALPHA)
            counts.add(f"not printed: the same of independent sources, {label} | type 1", plain[one] < ALPHA)
        counts.add(f"six sources: all rank intervals, {label} | coverage", not holm(raw).min() < ALPHA)


def study_depth(n: int, counts: Counts, *, n_genes: int, prevalence: float) -> None:
    """Scores of fifths whose true AUC is known: normal scores, apart by more in each fifth."""
    from scipy import stats

    gaps = np.linspace(0.2, 1.4, 5)
    truth = stats.norm.cdf(gaps / np.sqrt(2))
    named = f"{n_genes} genes, {prevalence:.0%} positive".replace("%", " %")
    for number in range(n):
        rng = np.random.default_rng([number, n_genes])
        depth = np.sort(rng.normal(size=n_genes))
        fifth = np.arange(n_genes) * 5 // n_genes
        y = rng.random((n_genes, 1)) < prevalence
        values = rng.normal(size=(n_genes, 1)) + y * gaps[fifth][:, np.newaxis]
        folds = rng.permutation(n_genes) % N_FOLDS
        found = score_strata(y, values, folds, depth, n_strata=5)
        for part in range(5):
            counts.add(
                f"study depth: score of a fifth, {named} | coverage", found.low[part] <= truth[part] <= found.high[part]
            )
        away = found.centers - found.centers.mean()
        slope = float(truth @ away / (away @ away))
        counts.add(f"study depth: slope, {named} | coverage", found.slope_low <= slope <= found.slope_high)


def gains(n: int, counts: Counts) -> None:
    """Vectors on top of covariates, noise and such that know something; the true gain is the mean of all."""
    for named, knows in (("vectors of noise", 0.0), ("vectors that know", 1.0)):
        found = []
        for number in range(n):
            rng = np.random.default_rng([number, 7])
            covariates, X = rng.normal(size=(N_GAIN, 3)), rng.normal(size=(N_GAIN, DIM))
            y = covariates[:, 0] + knows * X[:, 0] + rng.normal(size=N_GAIN) > 0.5
            splits = Splits.from_folds(rng.permutation(N_GAIN) % N_FOLDS)
            made = gain(X, covariates, y.astype(int), target="binary", splits=splits)
            found.append(gain_test({"covariates": made.covariates, "both": made.both}, RATIO))
        truth = np.mean([test.difference for test in found])
        for test in found:
            counts.add(f"gain: 95 % interval, {named} | coverage", test.low <= truth <= test.high)
            if not knows:
                counts.add(
                    f"gain: above 0 and p below 0.05, {named} | type 1", test.difference > 0 and test.p_value < ALPHA
                )


def lines(counts: Counts) -> Iterator[str]:
    """The table as Markdown."""
    yield "| what is printed | of | rate | should be |"
    yield "| --- | --- | --- | --- |"
    for name, hits in counts.hits.items():
        what, kind = name.split(" | ")
        should = "at most 0.05" if kind == "type 1" else "at least 0.95"
        yield f"| {what} | {kind} | {np.mean(hits):.3f} ({len(hits)}) | {should} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data-dir", type=Path, required=True, help="raw files, as for gene-bench build")
    parser.add_argument("--simulations", type=int, default=600, help="of each kind (default: 600)")
    parser.add_argument("--only", choices=("chance", "sources", "depth", "gain"), help="one part of the table")
    arguments = parser.parse_args()
    n, counts = arguments.simulations, Counts()
    if arguments.only in (None, "chance", "sources"):
        X, tasks = real_tasks(arguments.data_dir)
        between = between_sources(tasks, len(X))
        found = between[np.triu_indices(len(between), k=1)].mean()
        print(f"Mean correlation of two sources: {found:.3f} ({SOURCE_CORRELATION:g} is supposed)\n")
    if arguments.only in (None, "chance"):
        chance(X, tasks, n, counts, n_models=2)
        chance(X, tasks, n // 2, counts, n_models=6)
        chance(X, tasks, n // 3, counts, n_models=2, repeats=4)
    if arguments.only in (None, "sources"):
        for is_alike in (False, True):
            over_sources(X, tasks, n, counts, n_models=2, is_alike=is_alike)
            over_sources(X, tasks, n // 2, counts, n_models=6, is_alike=is_alike)
    if arguments.only in (None, "depth"):
        study_depth(n, counts, n_genes=500, prevalence=0.3)
        study_depth(n, counts, n_genes=2000, prevalence=0.1)
    if arguments.only in (None, "gain"):
        gains(n, counts)
    print("\n".join(lines(counts)))


if __name__ == "__main__":
    main()
