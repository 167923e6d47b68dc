"""Times GENEB's protocol beside scikit-learn: all rows of a large task, and the draws of the few-shot regimes.

python benchmarks/geneb_speed.py [--vectors model] [--rows 36000] [--dim 2560] [--test 4000] [--shuffled] [--scaled]

One fit of scikit-learn's `LogisticRegression(max_iter=1000)` is timed; GENEB's harness makes five, for seeds which
change nothing where all rows are fitted. scikit-learn gets float32 vectors as they are, and in float64; `--shuffled`
also fits the rows in another order, which shows how far its result depends on rounding. Kinds of vectors:

- white: independent coordinates of equal spread. No model has such vectors, and scikit-learn ends in ten steps.
- decaying: the k-th principal component has a spread of k^-0.5, no mean. scikit-learn ends in some 70 steps.
- model: as of a language model: components of k^-`--power`, coordinates of uneven spread (log-normal, 0.7), each with a
  mean `--mean` times its size on average, three of them twenty times that. scikit-learn takes hundreds of steps.
- words: how often each word of six bases, strands together, occurs in made sequences of 200 (2,080 numbers).
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, matthews_corrcoef
from sklearn.preprocessing import StandardScaler

from gene_eval.core.parts.fits import Parts, score_parts


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", choices=("white", "decaying", "model", "words"), default="model")
    parser.add_argument("--rows", type=int, default=36_000)
    parser.add_argument("--dim", type=int, default=2560)
    parser.add_argument("--test", type=int, default=4000)
    parser.add_argument("--power", type=float, default=1.0, help="of the decay of a model's components")
    parser.add_argument("--scale", type=float, default=0.3, help="spread of a model's coordinates")
    parser.add_argument("--mean", type=float, default=1.0, help="of a model's coordinates, in spreads")
    parser.add_argument("--shuffled", action="store_true", help="scikit-learn on shuffled rows too")
    parser.add_argument("--scaled", action="store_true", help="time the protocol scaled too")
    parser.add_argument("--few", action="store_true", help="time the few-shot regimes too")
    return parser.parse_args()


def made(given, *, seed=0):
    """(n, d) float32 vectors and labels that a linear model reads off them with errors."""
    n, d = given.rows + given.test, given.dim
    rng = np.random.default_rng(seed)
    if given.vectors == "words":
        return words(n, rng)
    power = {"white": 0.0, "decaying": 0.5, "model": given.power}[given.vectors]
    order = np.arange(1.0, d + 1)
    coordinates = rng.normal(size=(n, d)).astype(np.float32)
    of_labels = order**-0.5 if given.vectors != "white" else np.ones(d)
    logits = coordinates @ (rng.normal(size=d) * of_labels).astype(np.float32)
    y = (2 * logits / logits.std() + rng.logistic(size=n) > 0).astype(np.int64)
    spread = order**-power
    if given.vectors == "decaying":
        spread *= 3
    if given.vectors == "model":
        spread *= given.scale / np.sqrt((spread**2).mean())
    coordinates *= spread.astype(np.float32)
    if given.vectors == "white":
        return coordinates, y
    X = coordinates @ np.linalg.qr(rng.normal(size=(d, d)).astype(np.float32))[0]
    if given.vectors == "model":
        mean = rng.normal(size=d) * given.mean * given.scale
        mean[rng.choice(d, 3, replace=False)] *= 20
        X = X * np.exp(0.7 * rng.normal(size=d)).astype(np.float32) + mean.astype(np.float32)
    return X, y


def words(n, rng, *, k=6, length=200):
    """Counts in sequences of bases drawn evenly, but for a few words that a class has more often."""
    y = rng.integers(0, 2, n)
    bases = rng.integers(0, 4, (n, length))
    motifs = rng.integers(0, 4, (8, k))
    for row in np.flatnonzero(rng.random(n) < 0.3 + 0.4 * y):
        at = rng.integers(0, length - k)
        bases[row, at : at + k] = motifs[rng.integers(len(motifs))]
    code = sum(bases[:, i : length - k + 1 + i] * 4 ** (k - 1 - i) for i in range(k))
    every = np.arange(4**k)
    # The other strand of a word: complements of its bases, backwards.
    other = sum((3 - every // 4**i % 4) * 4 ** (k - 1 - i) for i in range(k))
    column = np.unique(np.minimum(every, other), return_inverse=True)[1]
    d = column.max() + 1
    places = (column[code] + d * np.arange(n)[:, None]).ravel()
    return np.bincount(places, minlength=n * d).reshape(n, d).astype(np.float32), y


def seconds(work):
    """Of the wall clock, and of processors, which those of others do not change; and what was made."""
    began, used = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - began, time.process_time() - used, found


def full(given):
    X, y = made(given)
    parts = Parts(np.repeat([0, 2], [given.rows, given.test]))
    train, test = parts.rows("train"), parts.rows("test")
    warnings.simplefilter("ignore", ConvergenceWarning)
    ours, used, found = seconds(lambda: score_parts(X, y, parts, target="binary"))
    print(f"{given.vectors}: all rows, {given.rows:,} x {X.shape[1]:,} float32, {given.test:,} test rows")
    called = found.values[test] > 0
    print(f"  gene-bench: {ours:.1f} s ({used:.1f} of CPU), {found.convergence}, MCC {found.scores['mcc'].mean:.4f}")
    orders = {"": train, ", shuffled": np.random.default_rng(1).permutation(given.rows)}
    for dtype in (np.float32, np.float64):
        for name, order in orders.items() if given.shuffled else [("", train)]:
            fitted, held_out = X[order].astype(dtype), X[test].astype(dtype)
            took, cpu, model = seconds(
                lambda rows=fitted, labels=y[order]: LogisticRegression(max_iter=1000).fit(rows, labels)
            )
            theirs = model.predict(held_out)
            print(
                f"  scikit-learn, {dtype.__name__}{name}: {took:.1f} s ({cpu:.1f} of CPU), {model.n_iter_[0]} steps,"
                f" MCC {matthews_corrcoef(y[test], theirs):.4f}, {(theirs != called).sum()} test rows called otherwise;"
                f" {took / ours:.1f} times as long ({cpu / used:.1f} of CPU)",
                flush=True,
            )
    if given.scaled:
        scaled(X, y, given)


def scaled(X, y, given):
    """The protocol scaled with a tenth of the training rows for validation, and the same by scikit-learn.

    It fits the values of C that were tried here and no others, in float32 as the vectors are, each to its default
    tolerance, the next from where the last one ended.
    """
    held = given.rows // 10
    parts = Parts(np.repeat([0, 1, 2], [given.rows - held, held, given.test]))
    took, used, found = seconds(lambda: score_parts(X, y, parts, target="binary", protocol="scaled"))
    mcc = found.scores["mcc"].mean
    print(f"  scaled: {took:.1f} s ({used:.1f} of CPU), C {found.params['C']:g}, MCC {mcc:.4f}", flush=True)
    train, validation, test = (parts.rows(name) for name in ("train", "validation", "test"))

    def by_scikit_learn():
        scaler = StandardScaler().fit(X[train])
        fitted, held_out, tested = (scaler.transform(X[rows]) for rows in (train, validation, test))
        model = LogisticRegression(max_iter=1000, warm_start=True)
        losses, called = {}, {}
        for C in map(float, found.params["C_losses"]):
            model.set_params(C=C).fit(fitted, y[train])
            losses[C] = log_loss(y[validation], model.predict_proba(held_out))
            called[C] = model.predict(tested)
        best = min(losses, key=losses.get)
        return best, called[best]

    theirs, cpu, (C, called) = seconds(by_scikit_learn)
    mcc = matthews_corrcoef(y[test], called)
    print(
        f"  scikit-learn, scaled: {theirs:.1f} s ({cpu:.1f} of CPU), C {C:g}, MCC {mcc:.4f};"
        f" {theirs / took:.1f} times as long ({cpu / used:.1f} of CPU)",
        flush=True,
    )


def few(given, n=36_000, d=768, m=1000):
    X, y = made(argparse.Namespace(**{**vars(given), "vectors": "decaying", "rows": n, "test": m, "dim": d}))
    parts = Parts(np.repeat([0, 2], [n, m]))
    for protocol in ("geneb", "scaled"):
        took, used, _ = seconds(
            lambda protocol=protocol: [
                score_parts(X, y, parts, target="binary", shots=k, protocol=protocol) for k in (10, 1)
            ]
        )
        print(
            f"few rows, {d} numbers, 2 sizes x 5 seeds, {m:,} test rows, {protocol}: {took:.2f} s ({used:.2f} of CPU)"
        )


def main() -> None:
    given = arguments()
    if given.few:
        few(given)
    full(given)


if __name__ == "__main__":
    main()
