"""Computes results of k-mer shares on GENEB's tasks again with scikit-learn alone, and says how far ours are from them.

python benchmarks/geneb_by_scikit_learn.py RESULTS --data-dir DIR [--tasks 'geneb_gue_mouse_*'] [--k 4] [--scaled]

Words are counted by `CountVectorizer`, fits are `LogisticRegression`, scores `matthews_corrcoef`; nothing of our
core or adapters is used, only the result files that are compared with. With --scaled, C is chosen by the
log loss on the part for validation, or over five stratified folds.
"""

import argparse
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, matthews_corrcoef
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gene_eval
from builders import RawFiles, load
from builders.dataset import parts_of

SEEDS = (13, 17, 42, 123, 997)
GRID = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
FEW_C = 0.1


def shares(sequences, k):
    """(n, words) shares of the words of k bases that occur, in float32."""
    words = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False, vocabulary=vocabulary(k))
    counts = words.transform(sequences).toarray().astype(np.float64)
    return (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).astype(np.float32)


def vocabulary(k):
    words = [""]
    for _ in range(k):
        words = [word + base for word in words for base in "ACGT"]
    return words


def drawn(y, shots, seed):
    generator = np.random.RandomState(seed)
    places = [np.where(y == name)[0] for name in sorted(set(y.tolist()))]
    return np.concatenate([generator.choice(rows, min(shots, len(rows)), replace=False) for rows in places])


def pipeline(C):
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, tol=1e-6, max_iter=10_000))


def geneb(parts, shots):
    (X, y), (X_test, truth) = parts["train"], parts["test"]
    rows = [np.arange(len(y))] if shots is None else [drawn(y, shots, seed) for seed in SEEDS]
    fits = [LogisticRegression(max_iter=1000).fit(X[each], y[each]) for each in rows]
    return float(np.mean([matthews_corrcoef(truth, fit.predict(X_test)) for fit in fits]))


def scaled(parts, shots):
    (X, y), (X_test, truth) = (tuple(part.astype(np.float64) for part in parts[name]) for name in ("train", "test"))
    if shots is not None:
        scaler = StandardScaler().fit(X)
        found = []
        for seed in SEEDS:
            rows = drawn(y, shots, seed)
            fit = LogisticRegression(C=FEW_C, tol=1e-8, max_iter=10_000).fit(scaler.transform(X[rows]), y[rows])
            found.append(matthews_corrcoef(truth, fit.predict(scaler.transform(X_test))))
        return float(np.mean(found))
    if "validation" in parts:
        X_held, held = parts["validation"]
        losses = [log_loss(held, pipeline(C).fit(X, y).predict_proba(X_held)) for C in GRID]
    else:
        folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
        losses = [
            sum(log_loss(y[b], pipeline(C).fit(X[a], y[a]).predict_proba(X[b]), normalize=False) for a, b in folds)
            for C in GRID
        ]
    return float(matthews_corrcoef(truth, pipeline(GRID[int(np.argmin(losses))]).fit(X, y).predict(X_test)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--k", type=int, default=4)
    parser.add_argument("--scaled", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    raw, protocol = RawFiles(given.data_dir), "scaled" if given.scaled else "geneb"
    found = {
        (r.task.id, r.settings.shots): r
        for r in gene_eval.load_results(given.results)
        if r.settings.protocol == protocol and r.model.options.get("k") == given.k
    }
    largest = 0.0
    for name in dict.fromkeys(task for task, _ in found if given.tasks is None or task in given.tasks):
        rows = parts_of(load(name, raw).dataset)
        parts = {part: (shares(rows[part]["sequence"][:], given.k), np.array(rows[part]["label"][:])) for part in rows}
        for shots in (None, 10, 1):
            if (name, shots) in found:
                ours = found[name, shots].scores["mcc"].mean
                theirs = (scaled if given.scaled else geneb)(parts, shots)
                largest = max(largest, abs(ours - theirs))
                print(f"{name} {protocol} shots {shots}: {ours:.4f} here, {theirs:.4f} by scikit-learn", flush=True)
    print(f"largest difference {largest:.1e}")


if __name__ == "__main__":
    main()
