"""The page as a reader meets it: in headless Chromium, with nothing but the file."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.statistics.paired_tests import corrected_t_test, holm
from gene_eval.reporting import text as reports
from gene_eval.reporting.page.render import render
from gene_eval.results.records import TaskResult

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'gene-bench[test]'")

# Playwright brings no browser of its own here; Debian's is fine.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

EVIL = "<script>alert(1)</script>"
MODELS = ["hub/one", "two", EVIL, "four", "random", "shuffled:two"]
TASKS = [f"source{number % 8}_task_{number}" for number in range(16)]

Make = Callable[..., list[TaskResult]]


@pytest.fixture(scope="module")
def results(make_results: Make) -> list[TaskResult]:
    return make_results(MODELS, TASKS)


@pytest.fixture(scope="module")
def address(results: list[TaskResult], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render(reports.build(results, problems=[EVIL])), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            headless=True,
            args=ARGUMENTS,
            chromium_sandbox=False,
            viewport={"width": 1280, "height": 800},
        )
        context.set_default_timeout(10_000)
        yield context
        context.close()


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


def _first_cells(page: Any, caption: str) -> list[str]:
    return page.locator(f'[aria-label="{caption}"] tbody tr:not(.details) > th').all_inner_texts()


def _shows(page: Any, heading: str) -> None:
    """Wait for a view: it is drawn after its address has changed."""
    sync_api.expect(page.locator("h2")).to_have_text(heading)


def _go(page: Any, view: str, heading: str) -> None:
    page.evaluate("view => { location.hash = '#0/' + view; }", view)
    _shows(page, heading)


def _heads(page: Any, caption: str) -> Any:
    return page.locator(f'[aria-label="{caption}"] thead button')


def test_leaderboard_sorts(page: Any, results: list[TaskResult]) -> None:
    (table,) = reports.build(results).tables
    shown = [name + (" control" if name in table.controls else "") for name in table.models]
    assert _first_cells(page, "Leaderboard") == shown
    rank = _heads(page, "Leaderboard").nth(2)
    assert rank.locator("..").get_attribute("aria-sort") == "ascending"
    rank.click()
    assert _first_cells(page, "Leaderboard")[0] in shown[-2:]
    assert rank.locator("..").get_attribute("aria-sort") == "descending"
    _heads(page, "Leaderboard").get_by_text("protein").click()
    means = {model: table.means[model, "protein"].mean for model in table.models}
    by_mean = sorted(table.models, key=lambda model: -means[model])
    assert [name.removesuffix(" control") for name in _first_cells(page, "Leaderboard")] == by_mean
    cell = page.locator('[aria-label="Leaderboard"] tbody tr').first.locator("td").nth(6)
    assert cell.locator(".mean").inner_text() == f"{means[by_mean[0]]:.3f}"


def test_leaderboard_filters_but_for_controls(page: Any) -> None:
    page.get_by_label("Filter models").fill("HUB")
    assert _first_cells(page, "Leaderboard") == ["hub/one", "random control", "shuffled:two control"]
    assert page.get_by_role("status").inner_text() == "3 of 6 models"
    page.get_by_label("Filter models").fill("")
    assert len(_first_cells(page, "Leaderboard")) == 6


def test_tasks_filter_by_name_family_and_target(page: Any, results: list[TaskResult]) -> None:
    page.get_by_role("link", name="Tasks").click()
    _shows(page, "Tasks")
    tasks = {result.task.id: result.task for result in results}
    page.get_by_label("Family").select_option("genomic")
    genomic = {name for name, task in tasks.items() if task.family == "genomic"}
    assert set(_first_cells(page, "Tasks")) == genomic
    page.get_by_label("Target").select_option("binary")
    assert set(_first_cells(page, "Tasks")) == {name for name in genomic if tasks[name].target == "binary"}
    page.get_by_label("Family").select_option("")
    page.get_by_label("Target").select_option("")
    page.get_by_label("Filter tasks").fill("no such task")
    assert page.locator('[aria-label="Tasks"] tbody').inner_text().strip() == "Nothing matches."


def test_from_the_leaderboard_to_folds_and_provenance(page: Any, results: list[TaskResult]) -> None:
    (result,) = (one for one in results if (one.model.id, one.task.id) == ("hub/one", TASKS[0]))
    page.get_by_role("link", name="Tasks").click()
    page.get_by_role("link", name=TASKS[0], exact=True).click()
    _shows(page, TASKS[0])
    assert page.evaluate("document.activeElement.tagName") == "H2"
    row = page.locator("tbody tr:not(.details)").filter(has=page.get_by_role("link", name="hub/one"))
    folds = [f"{fold:.3f}" for fold in result.scores["roc_auc"].folds if fold is not None]
    assert row.locator(".folds").inner_text().split() == folds
    page.get_by_label("Metric").select_option("f1")
    f1 = [f"{fold:.3f}" for fold in result.scores["f1"].folds if fold is not None]
    assert row.locator(".folds").inner_text().split() == f1
    row.get_by_role("button", name="Provenance of hub/one").click()
    details = page.locator("tr.details:visible").inner_text()
    for fact in (
        result.model.embedding_sha256,
        result.task.data_sha256,
        result.task.folds_sha256,
        result.coverage.scored_sha256,
        f"gene-bench run sentence-transformer:hub/one@{'a' * 40} -t {TASKS[0]} --protocol paper --engine fast --seed 0",
        f"gene-bench verify DIR/hub__one/{TASKS[0]}.json",
        "python 3.11.7",
    ):
        assert fact in details
    row.get_by_role("link", name="hub/one").click()
    _shows(page, "hub/one")
    assert sorted(_first_cells(page, "Tasks of hub/one")) == sorted(TASKS)
    page.go_back()
    _shows(page, TASKS[0])


def test_labels_of_a_task_are_shown_as_text(page: Any) -> None:
    _go(page, f"task/{TASKS[2]}", TASKS[2])
    assert _first_cells(page, f"Labels of {TASKS[2]}") == ["nucleus", "<img src=x onerror=alert(2)>"]


def test_names_with_markup_stay_text(page: Any) -> None:
    model = "model/" + EVIL.replace("/", "%2F")
    for view, heading in ((model, EVIL), ("compare", "Compare"), ("provenance", "Provenance"), ("", "Leaderboard")):
        _go(page, view, heading)
        assert EVIL in page.locator("main").inner_text()
    assert page.locator("main script").count() == 0


def test_two_models_compared(page: Any, results: list[TaskResult]) -> None:
    page.get_by_role("link", name="Compare").click()
    _shows(page, "Compare")
    command = sync_api.expect(page.locator("main code").first)
    page.get_by_label("Model A").select_option("hub/one")
    command.to_have_text(re.compile("compare DIR hub/one "))
    page.get_by_label("Model B").select_option("random")
    command.to_have_text("gene-bench compare DIR hub/one random")
    scores = {(one.model.id, one.task.id): one.scores[MAIN_METRIC[one.task.target]].folds for one in results}
    tests = {
        task: corrected_t_test(scores["hub/one", task], scores["random", task], test_train_ratio=1 / 4)
        for task in TASKS
    }
    adjusted = dict(zip(TASKS, holm([tests[task].p_value for task in TASKS]), strict=True))
    rows = page.locator('[aria-label="hub/one and random, task by task"] tbody tr').all()
    assert len(rows) == len(TASKS)
    for row in rows[:6]:
        name, *_, difference, interval, p_value, better, _ = row.locator("th, td").all_inner_texts()
        test = tests[name]
        assert float(difference) == pytest.approx(test.difference, abs=6e-4)
        ends = interval.split(" to ")
        assert [float(end) for end in ends] == pytest.approx([test.low, test.high], abs=6e-4)
        assert p_value == ("<0.001" if adjusted[name] < 0.001 else f"{adjusted[name]:.3f}")
        assert better == ("A" if adjusted[name] < 0.05 else "")


def test_the_tests_are_those_of_the_package(page: Any) -> None:
    cases = [(t, df) for t in (0.0, 0.3, 2.0, 7.5) for df in (1, 2, 3, 4, 5, 9, 24)]
    found = page.evaluate("cases => cases.map(([t, df]) => tTestP(t, df))", cases)
    assert found == pytest.approx([2 * stats.t.sf(t, df) for t, df in cases], abs=1e-12)
    a, b = [0.7, 0.8, 0.9, 0.8, 0.8], [0.6, 0.7, 0.7, 0.7, 0.8]
    test = corrected_t_test(a, b, test_train_ratio=1 / 4)
    shown = page.evaluate("([a, b]) => correctedTest(a, b)", [a, b])
    assert [shown[key] for key in ("difference", "low", "high", "p")] == pytest.approx(
        [test.difference, test.low, test.high, test.p_value], abs=1e-6
    )
    assert page.evaluate("() => correctedTest([0.5, 0.6], [0.4, 0.5]).p") is None
    assert page.evaluate("() => correctedTest([0.5, null, 0.7], [0.5, 0.1, 0.7]).p") == 1
    assert page.evaluate("() => holm([0.01, 0.04, null, 0.03])") == pytest.approx([0.03, 0.06, None, 0.06])


def test_a_mean_over_one_task_shows_no_spread(page: Any) -> None:
    group = "{means: [[87654, %s]]}"
    text = "() => el('p', {}, meanStd(groupMean(" + group + ", {index: 0}))).textContent"
    assert page.evaluate(text % "null") == "0.877"
    assert page.evaluate(text % "1234") == "0.877 ± 0.012"


def test_every_difference_has_its_position(page: Any, results: list[TaskResult]) -> None:
    _go(page, "compare/hub%2Fone/random", "Compare")
    rows = page.locator('[aria-label="hub/one and random, task by task"] tbody tr').all()
    of_r2 = {one.task.id for one in results if one.task.target == "regression"}
    positions = [
        (float(row.locator("td").nth(2).inner_text()), float(row.locator("circle").get_attribute("cx") or "nan"))
        for row in rows
        if row.locator("th").inner_text() not in of_r2
    ]
    # Zero is at 60, and the largest difference at 56 / 1.2 from it.
    largest = max(abs(difference) for difference, _ in positions)
    expected = [60 + 56 / 1.2 * difference / max(largest, 0.05) for difference, _ in positions]
    assert [x for _, x in positions] == pytest.approx(expected, abs=0.2)


def test_keyboard_is_enough(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("coverage"):
            break
    page.keyboard.press("Enter")
    head = _heads(page, "Leaderboard").last.locator("..")
    assert head.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"


@pytest.mark.parametrize(
    ("view", "heading"),
    [
        ("leaderboard", "Leaderboard"),
        ("tasks", "Tasks"),
        (f"task/{TASKS[2]}", TASKS[2]),
        ("model/two", "two"),
        ("compare", "Compare"),
        ("provenance", "Provenance"),
    ],
)
def test_narrow_screens_scroll_tables_only(page: Any, view: str, heading: str) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    _go(page, view, heading)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.set_viewport_size({"width": 1280, "height": 800})


def test_addresses_that_lead_nowhere(page: Any) -> None:
    for target, heading in (
        ("#0/task/none", "No such task"),
        ("#9/nowhere", "Leaderboard"),
        ("#%E0%A4%A", "Leaderboard"),
        ("#0/constructor", "Leaderboard"),
    ):
        page.evaluate("target => { location.hash = target; }", target)
        _shows(page, heading)


def test_the_policy_stops_what_is_put_in(browser: Any, address: str) -> None:
    tab, messages = browser.new_page(), []
    tab.on("console", lambda message: messages.append(message.text))
    tab.goto(address)
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\" onerror=\"window.ran = 1\">')")
    tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    for _ in range(50):
        if len(messages) < 2:
            tab.wait_for_timeout(100)
    assert tab.evaluate("window.ran") is None
    assert len(messages) == 2
    assert all("Content Security Policy" in message for message in messages)
    tab.close()


def test_three_hundred_tasks_and_fifty_models(browser: Any, make_results: Make, tmp_path: Path) -> None:
    models = [f"owner/model-{number}" for number in range(49)] + ["random"]
    path = tmp_path / "large.html"
    path.write_text(render(reports.build(make_results(models, [f"task_{n}" for n in range(300)]))), encoding="utf-8")
    assert path.stat().st_size < 12e6
    tab = browser.new_page()
    tab.goto(path.as_uri())
    assert tab.locator("tbody tr").count() == 50
    _go(tab, "tasks", "Tasks")
    assert tab.locator("tbody tr").count() == 300
    # Sorting 300 rows may take a moment on a small machine, but not seconds.
    taken = tab.evaluate(
        "() => { const start = performance.now(); document.querySelector('thead button').click();"
        " return performance.now() - start; }"
    )
    assert taken < 1500
    tab.close()


def test_without_a_ranking_the_leaderboard_shows_tasks(browser: Any, make_results: Make, tmp_path: Path) -> None:
    trial = [replace(one, task=replace(one.task, ranked=False)) for one in make_results(["two", "random"], TASKS[:2])]
    path = tmp_path / "trial.html"
    path.write_text(render(reports.build(trial)), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    assert _heads(tab, "Leaderboard").all_inner_texts() == [
        "model",
        *(t.replace("_", " ") for t in TASKS[:2]),
        "coverage",
    ]
    (score,) = (one.scores["roc_auc"] for one in trial if (one.model.id, one.task.id) == ("two", TASKS[0]))
    first = tab.locator("tbody tr").filter(has=tab.get_by_role("link", name="two")).locator("td").first
    assert first.inner_text() == f"{score.mean:.3f} ± {score.std:.3f}"
    tab.close()
