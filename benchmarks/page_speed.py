"""How soon the page of 300 tasks and 50 models is on the screen, with made-up scores, in headless Chromium.

    python benchmarks/page_speed.py [--tasks N] [--models N]

Prints, for each view, the median over fresh tabs of the browser's own entries: first and largest contentful paint.
"""

import argparse
import hashlib
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from gene_eval.analysis.groups import FAMILIES
from gene_eval.analysis.tables import build
from gene_eval.core.metrics import METRICS
from gene_eval.core.probe import Score
from gene_eval.reporting.page.render import render
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Settings, TaskRecord, TaskResult

TARGETS = ("binary", "multiclass", "multilabel", "regression")
LABELS = tuple(f"label {number}" for number in range(10))
VIEWS = ("leaderboard", "leaderboard?over=protein", "tasks", "compare")
TABS = 5
PAINT = """() => new Promise((resolve) => new PerformanceObserver((list) => resolve([
    performance.getEntriesByName('first-contentful-paint')[0].startTime, list.getEntries().at(-1).startTime,
])).observe({ type: 'largest-contentful-paint', buffered: true }))"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--models", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        path.write_text(render(build(results(arguments.tasks, arguments.models))), encoding="utf-8")
        print(f"{arguments.tasks} tasks, {arguments.models} models: {path.stat().st_size / 1e6:.1f} MB")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for view in VIEWS:
            seen = []
            for _ in range(TABS):
                tab = browser.new_page(viewport={"width": 1280, "height": 900})
                tab.goto(f"{path.as_uri()}#default/{view}")
                seen.append(tab.evaluate(PAINT))
                tab.close()
            first, largest = (statistics.median(times) for times in zip(*seen, strict=True))
            print(f"{view:<26} first paint {first:4.0f} ms, largest paint {largest:4.0f} ms")
        browser.close()


def results(n_tasks: int, n_models: int) -> Iterator[TaskResult]:
    """Made-up results of every model on every task."""
    rng = np.random.default_rng(0)
    models = [f"owner/model-{number}" for number in range(n_models - 1)] + ["random"]
    for number in range(n_tasks):
        target = TARGETS[number % len(TARGETS)]
        task = TaskRecord(
            id=f"source{number % 12}_task_{number}", version="1.0.0", target=target, entity="gene",
            family=FAMILIES[number % len(FAMILIES)], source=f"source{number % 12}", n=2000, data_sha256=digest(number),
            fold_scheme="made up", folds_sha256=digest(-number), label_names=LABELS if target == "multilabel" else (),
        )  # fmt: skip
        for model in models:
            yield TaskResult(
                task,
                ModelRecord(model, None, model.partition("/")[0], 512, digest(model)),
                ProbeRecord(Settings()),
                Coverage(2000, 2000, 0, (), digest(task.id)),
                {metric: score(rng) for metric in METRICS[target]},
                {label: {"roc_auc": score(rng)} for label in task.label_names},
                {"python": "3.11", "gene-bench": "0"},
            )


def score(rng: np.random.Generator) -> Score:
    folds = rng.uniform(0.5, 1, 5)
    return Score(float(folds.mean()), float(folds.std()), tuple(folds.tolist()))


def digest(value: object) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()


if __name__ == "__main__":
    main()
