import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gene_eval.analysis.tables import build
from gene_eval.core.metrics import METRICS
from gene_eval.reporting.page.render import render
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, Settings, TaskRecord, TaskResult

FAMILIES = ("genomic", "regulatory", "localization", "biological_process", "protein")
TARGETS = ("binary", "multiclass", "multilabel", "regression", "binary", "binary")
LABELS = ("nucleus", "<img src=x onerror=alert(2)>")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _model(model: str) -> ModelRecord:
    if "/" in model:
        return ModelRecord(model, "a" * 40, "sentence-transformer", 64, _sha256(model))
    return ModelRecord(model, None, model.partition(":")[0], 64, _sha256(model))


def _result(model: str, number: int, task: str, rng: np.random.Generator) -> TaskResult:
    target = TARGETS[number % len(TARGETS)]
    is_control = model.startswith(("random", "shuffled"))
    level = 0.5 if is_control else 0.6 + 0.03 * (int(_sha256(model)[:2], 16) % 10)

    def score() -> Score:
        folds = np.clip(level + rng.normal(0, 0.02, 5), 0, 1)
        return Score(float(folds.mean()), float(folds.std()), tuple(folds.tolist()))

    return TaskResult(
        TaskRecord(
            id=task,
            version="1.0.0",
            target=target,
            entity="gene",
            family=FAMILIES[number % len(FAMILIES)],
            source=f"source{number % 8}",
            n=200,
            data_sha256=_sha256(task),
            fold_scheme="sha256-5",
            folds_sha256=_sha256(f"{task} folds"),
            figure2_family=FAMILIES[0 if number % len(FAMILIES) == 2 else number % len(FAMILIES)],
            label_names=LABELS if target == "multilabel" else (),
            inputs={f"source{number % 8}/table.tsv": _sha256(f"source{number % 8}")},
        ),
        _model(model),
        ProbeRecord(Settings("paper", "fast", 0), {"C": 1.0}),
        Coverage(200, 200, 0, (), _sha256(f"{task} genes")),
        {metric: score() for metric in METRICS[target]},
        {label: {"roc_auc": score()} for label in LABELS} if target == "multilabel" else {},
        {"python": "3.11.7", "gene-bench": "0.1.0"},
        {},
        "2026-01-02T03:04:05+00:00",
    )


@pytest.fixture(scope="session")
def make_results() -> Callable[..., list[TaskResult]]:
    """Made-up results of every model on every task; the same names give the same numbers."""

    def make(models: list[str], tasks: list[str]) -> list[TaskResult]:
        rng = np.random.default_rng(0)
        return [_result(model, number, task, rng) for number, task in enumerate(tasks) for model in models]

    return make


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all tests of the page."""
    # Late: most tests of reports need no browser, and not everybody has one.
    from tests.reporting.in_browser import launched

    with launched(tmp_path_factory.mktemp("profile")) as context:
        yield context


@pytest.fixture(scope="session")
def results(make_results: Callable[..., list[TaskResult]]) -> list[TaskResult]:
    """Those of the page that `page` shows."""
    from tests.reporting.in_browser import MODELS, TASKS

    return make_results(MODELS, TASKS)


@pytest.fixture(scope="session")
def address(results: list[TaskResult], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where that page is."""
    from tests.reporting.in_browser import EVIL

    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render(build(results, problems=[EVIL])), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A tab on the leaderboard; fails if anything is logged, thrown or asked for beyond the file itself."""
    tab, faults = browser.new_page(), []
    tab.on("console", lambda message: faults.append(message.text))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("dialog", lambda dialog: faults.append(dialog.message) or dialog.dismiss())
    tab.on("request", lambda request: faults.append(request.url) if request.url.split("#")[0] != address else None)
    tab.goto(address)
    yield tab
    tab.close()
    assert faults == []
