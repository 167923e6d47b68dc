"""A folder of made-up result files of the true schema: models, tasks and splits in any number, written from templates.

    python benchmarks/result_folder.py DIR [--models 100] [--tasks 100] [--splits 1]

Seven tasks of ten are binary, one each multi-class, multi-label (ten labels) and regression, from 40 sources and all
families; the first two models are controls. A score is what a model is good for, what a task allows, and noise by fold.
"""

import argparse
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gene_eval.analysis.groups import FAMILIES
from gene_eval.core.metrics import METRICS
from gene_eval.core.probe import Score
from gene_eval.results.paths import path_of, slug
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Settings, TaskRecord, TaskResult

TARGETS = ("binary",) * 7 + ("multiclass", "multilabel", "regression")
SPLITS = ("random", "family", "chromosome")
LABELS = tuple(f"label_{number}" for number in range(10))
N, FOLDS, SOURCES = 2000, 5, 40
# Stands in a template where a number is filled in; no result has it.
HOLE = 123456789.125
CONVERGENCE = {"converged": True, "logit_error": HOLE, "n_fits": 5, "n_float64": 0, "n_unconverged": 0, "passes": 78.0}
ENVIRONMENT = {"gene-bench": "0.1.0", "numpy": "2.4.6", "pandas": "3.1.1", "python": "3.11.7", "torch": "2.13.0"}
PARAMS: dict[str, Any] = {"C": 1.0, "device": "cpu", "dtype": "float32", "max_iter": 500, "tol": 1e-05}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="number of the first task to write, to go on")
    parser.add_argument("--splits", type=int, default=1, choices=(1, 2, 3))
    arguments = parser.parse_args()
    make_folder(
        arguments.folder,
        models=arguments.models,
        tasks=range(arguments.first, arguments.tasks),
        splits=arguments.splits,
    )


def make_folder(root: Path, *, models: int, tasks: Iterable[int], splits: int = 1) -> None:
    """Write the results of every model on tasks of these numbers; the same numbers give the same files."""
    rng = np.random.default_rng(0)
    records = [model(number) for number in range(models)]
    blocks = [block(record) for record in records]
    skill = np.where(np.arange(models) < 2, 0.52, rng.normal(0.72, 0.05, models))
    for record in records:
        (root / slug(record.id)).mkdir(parents=True, exist_ok=True)
    for number in tasks:
        rng = np.random.default_rng(number)
        level = rng.normal(0, 0.06)
        for split in SPLITS[:splits]:
            form = template(records[0], task(number), split)
            for record, text, own in zip(records, blocks, skill, strict=True):
                name = form.path.name
                folder = root / slug(record.id)
                (folder / name).write_text(form.fill(text, own + level, rng), encoding="utf-8")


def model(number: int) -> ModelRecord:
    """The first two are controls."""
    name = ("random", "shuffled:owner/model-2")[number] if number < 2 else f"owner/model-{number}"
    adapter = name.partition(":")[0] if number < 2 else "sentence-transformer"
    options = {"dim": 512, "input": "description", "pooling": "mean"}
    return ModelRecord(name, None if number < 2 else digest(name)[:40], adapter, 512, digest(name), options)


def task(number: int) -> TaskRecord:
    """A task of 2,000 genes."""
    target = TARGETS[number % len(TARGETS)]
    source = f"source{number % SOURCES}"
    counts = {"binary": (1000, 1000), "multiclass": (500,) * 4, "multilabel": (400,) * len(LABELS)}.get(target, ())
    names = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c", "d"), "multilabel": LABELS}.get(target, ())
    return TaskRecord(
        id=f"{source}_task_{number}", version="1.0.0", target=target, entity="gene",
        family=FAMILIES[number // len(TARGETS) % len(FAMILIES)], source=source, n=N, data_sha256=digest(number),
        fold_scheme="5-fold-sha256-contiguous-seed0", folds_sha256=digest(-number - 1), label_names=names,
        inputs={f"{source}/table.tsv": digest(source)}, n_tested=N, test_train_ratio=0.25, class_counts=counts,
        rarer_train=800 if target == "binary" else None, rarer_test=200 if target == "binary" else None,
    )  # fmt: skip


@dataclass(frozen=True)
class Template:
    """The file of a task, with holes for a model and for numbers."""

    path: Path
    text: str
    metrics: tuple[str, ...]
    n_labels: int

    def fill(self, block: str, level: float, rng: np.random.Generator) -> str:
        """The file of a model of this level."""
        means = np.full(len(self.metrics) + self.n_labels * len(METRICS["binary"]), level)
        folds = np.clip(means[:, None] + rng.normal(0, 0.02, (len(means), FOLDS)), 0, 1)
        numbers = np.concatenate([folds, folds.mean(axis=1)[:, None], folds.std(axis=1)[:, None]], axis=1)
        n_scores = len(self.metrics)
        # In the order of the file's keys: labels before the convergence of the probe, scores after it, then the time.
        listed = [*numbers[n_scores:].ravel().tolist(), 1e-4 * rng.random(), *numbers[:n_scores].ravel().tolist(), 1.0]
        before = 7 * self.n_labels * len(METRICS["binary"])
        return self.text % (*listed[:before], block, *listed[before:])


def template(record: ModelRecord, about: TaskRecord, split: str) -> Template:
    """Made of what `TaskResult.to_json` writes."""
    hole = Score(HOLE, HOLE, (HOLE,) * FOLDS)
    metrics = tuple(sorted(METRICS[about.target]))
    labels = LABELS if about.target == "multilabel" else ()
    result = TaskResult(
        about,
        record,
        ProbeRecord(Settings(split=split), PARAMS, CONVERGENCE),
        Coverage(N, N, 0, (), digest(about.id)),
        dict.fromkeys(metrics, hole),
        {label: dict.fromkeys(METRICS["binary"], hole) for label in labels},
        ENVIRONMENT,
        {"solve_s": HOLE},
        "2026-01-02T03:04:05+00:00",
    )
    text = result.to_json().replace("%", "%%").replace(str(HOLE), "%r")
    whole = re.sub(r'(?ms)^  "model": \{.*?^  \},\n', '  "model": %s,\n', text, count=1)
    return Template(path_of(result, "x"), whole, metrics, len(labels))


def block(record: ModelRecord) -> str:
    """The model as it stands in a file."""
    return json.dumps(asdict(record), sort_keys=True, indent=2).replace("\n", "\n  ")


def digest(value: object) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()


if __name__ == "__main__":
    main()
