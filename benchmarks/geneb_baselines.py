"""Scores models on GENEB's tasks that a data directory can build, by its protocol and the scaled one: a Markdown table.

python benchmarks/geneb_baselines.py --data-dir DIR [--models kmer:k=4 gc random] [--tasks 'geneb_gue_*'] [--overlaps]
"""

import argparse
import sys
import time

import numpy as np

from builders import BuilderError, RawFiles, load, select
from builders.dataset import parts_of
from builders.sequences.repeats import overlaps
from gene_eval.core.few_labels.geneb import hard_scores, score_geneb
from gene_eval.core.probe import probe
from gene_eval.core.splits import Splits
from model_adapters import load_model

MODELS = ("kmer:k=4", "gc", "random")
HEAD = "| task | model | `geneb`, full | 10 shots | 1 shot | `scaled`, full |"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--tasks", nargs="+", default=["geneb_*"])
    parser.add_argument("--overlaps", action="store_true", help="print which tasks share sequences instead")
    return parser.parse_args()


def vectors(model, rows):
    """(n, d) vectors of rows; `random` goes by the identifier of a sequence."""
    column = "sequence_id" if model.input_column == "symbol" else "sequence"
    values = rows[column][:]
    return np.concatenate([model.encode(values[start : start + 1024]) for start in range(0, len(values), 1024)])


def scaled_mcc(train, test, target):
    """Matthews coefficient of the scaled protocol, C chosen inside train."""
    X, y = np.concatenate([train[0], test[0]]), np.concatenate([train[1], test[1]])
    n = len(train[1])
    splits = Splits.from_rows([(np.arange(n), np.arange(n, len(y)))], n=len(y))
    values = probe(X, y, target=target, splits=splits, protocol="scaled").values[n:]
    called = values.argmax(axis=1) if values.ndim == 2 else (values > 0).astype(int)
    table = np.zeros((1, y.max() + 1, y.max() + 1))
    np.add.at(table[0], (test[1], called), 1)
    return float(hard_scores(table)["mcc"][0])


def rows_of(task, spec):
    parts = parts_of(task.dataset)
    model = load_model(spec)
    if callable(getattr(model, "load", None)):
        model.load("cpu")
    train, test = ((vectors(model, parts[part]), np.array(parts[part]["label"][:])) for part in ("train", "test"))
    found = score_geneb(train, test)
    full, ten, one = (regime.scores["mcc"] for regime in found)
    low, high = found[0].intervals["mcc"]
    scaled = scaled_mcc(train, test, task.config.target)
    few = " | ".join(f"{score.mean:.3f} ± {score.std:.3f}" for score in (ten, one))
    return (
        f"| {task.config.name} | {model.model_id} | {full.mean:.4f} ({low:.3f} to {high:.3f}) | {few} | {scaled:.3f} |"
    )


def main() -> None:
    given = arguments()
    raw = RawFiles(given.data_dir)
    tasks = []
    for name in select(given.tasks):
        try:
            tasks.append(load(name, raw))
        except BuilderError as error:
            print(f"left out: {error}", file=sys.stderr)
    if given.overlaps:
        ids = {task.config.name: {n: p["sequence_id"][:] for n, p in parts_of(task.dataset).items()} for task in tasks}
        print(f"| task | also in | sequences shared | of | test sequences in the other's train |\n|{' --- |' * 5}")
        for each in overlaps(ids):
            print(f"| {each.one} | {each.other} | {each.shared:,} | {each.n_one:,} | {each.test_in_train:,} |")
        return
    print(f"{HEAD}\n|{' --- |' * 6}")
    for task in tasks:
        for spec in given.models:
            began = time.perf_counter()
            print(rows_of(task, spec), flush=True)
            print(f"{task.config.name} {spec}: {time.perf_counter() - began:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
