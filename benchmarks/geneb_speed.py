"""Times GENEB's protocol beside scikit-learn: all rows of a large task, and the draws of the few-shot regimes.

python benchmarks/geneb_speed.py [--rows 36000] [--dim 2560] [--test 4000] [--scaled]

GENEB's harness fits `LogisticRegression(max_iter=1000, random_state=seed)` for five seeds also where all rows are
fitted, where they change nothing; one such fit is timed, and five are counted. Vectors are float32, of a decaying
spectrum, as a language model's are; scikit-learn fits them as they are and in float64, in which its steps do not depend
on the order of sums. Beside the times stand the Matthews coefficients.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import matthews_corrcoef

from gene_eval.core.few_labels.geneb import GENEB_SEEDS
from gene_eval.core.parts.fits import Parts, score_parts


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=36_000)
    parser.add_argument("--dim", type=int, default=2560)
    parser.add_argument("--test", type=int, default=4000)
    parser.add_argument("--scale", type=float, default=3.0, help="of the vectors; the larger, the more steps")
    parser.add_argument("--scaled", action="store_true", help="time the protocol scaled too")
    return parser.parse_args()


def made(n, d, *, scale, seed=0):
    """(n, d) float32 vectors and labels that a linear model reads off them with errors."""
    rng = np.random.default_rng(seed)
    spectrum = (np.arange(1, d + 1) ** -0.5).astype(np.float32)
    basis = np.linalg.qr(rng.normal(size=(d, d)).astype(np.float32))[0]
    coordinates = rng.normal(size=(n, d)).astype(np.float32) * spectrum
    logits = coordinates @ rng.normal(size=d).astype(np.float32)
    y = (2 * logits / logits.std() + rng.logistic(size=n) > 0).astype(np.int64)
    return (coordinates @ basis * np.float32(scale)).astype(np.float32), y


def seconds(work):
    """Of the wall clock, and of processors, which those of others do not change; and what was made."""
    began, used = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - began, time.process_time() - used, found


def full(given):
    X, y = made(given.rows + given.test, given.dim, scale=given.scale)
    parts = Parts(np.repeat([0, 2], [given.rows, given.test]))
    train, test = parts.rows("train"), parts.rows("test")
    warnings.simplefilter("ignore", ConvergenceWarning)
    ours, used, found = seconds(lambda: score_parts(X, y, parts, target="binary"))
    print(f"all rows, {given.rows:,} x {given.dim:,} float32, {given.test:,} test rows")
    mcc, steps = found.scores["mcc"].mean, found.convergence["n_iter"]
    print(f"  gene-bench: {ours:.1f} s ({used:.1f} of CPU), {steps} steps, MCC {mcc:.4f}", flush=True)
    n = len(GENEB_SEEDS)
    for dtype in (np.float32, np.float64):
        fitted, held_out = X[: given.rows].astype(dtype), X[given.rows :].astype(dtype)
        took, cpu, model = seconds(lambda rows=fitted: LogisticRegression(max_iter=1000).fit(rows, y[train]))
        mcc = matthews_corrcoef(y[test], model.predict(held_out))
        print(
            f"  scikit-learn, {dtype.__name__}: one fit {took:.1f} s ({cpu:.1f} of CPU), {model.n_iter_[0]} steps,"
            f" MCC {mcc:.4f}; {took / ours:.1f} times as long ({cpu / used:.1f}), and the harness, which fits it {n}"
            f" times, {n * took / ours:.1f} ({n * cpu / used:.1f})",
            flush=True,
        )
    if given.scaled:
        took, used, found = seconds(lambda: score_parts(X, y, parts, target="binary", protocol="scaled"))
        print(
            f"  scaled: {took:.1f} s ({used:.1f} of CPU), C {found.params['C']:g}, MCC {found.scores['mcc'].mean:.4f}"
        )


def few(n=36_000, d=768, m=1000):
    X, y = made(n + m, d, scale=3.0)
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
    few()
    full(given)


if __name__ == "__main__":
    main()
