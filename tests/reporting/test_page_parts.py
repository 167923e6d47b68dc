"""The page of many results: lists at once, and the rest from files beside it, as a reader meets it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gene_eval.analysis import pairing, rankings
from gene_eval.analysis.tables import Report, build
from gene_eval.cli.parser import main
from gene_eval.reporting.page import render as page
from gene_eval.results.records import TaskResult
from gene_eval.results.store import save
from tests.reporting.in_browser import MODELS, TASKS, Make, expect, first_cells, go, needs_chromium, shows

pytestmark = needs_chromium
Write = Callable[[Report], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a page in parts, and give it."""

    def written(report: Report) -> Path:
        (tmp_path / "my page_parts").mkdir(exist_ok=True)
        for name, content in page.render_parts(report, "my page_parts"):
            path = tmp_path / "my page_parts" / name if name else tmp_path / "my page.html"
            path.write_text(content, encoding="utf-8")
        return tmp_path / "my page.html"

    return written


@pytest.fixture
def opened(browser: Any) -> Any:
    """Open a page from the disk; fails if anything is thrown, or refused by its policy."""
    tab, faults = browser.new_page(), []
    tab.on("console", lambda message: faults.append(message.text) if "Failed to load" not in message.text else None)
    tab.on("pageerror", lambda error: faults.append(str(error)))

    def visit(path: Path) -> Any:
        tab.goto(path.as_uri())
        return tab

    yield visit
    tab.close()
    assert faults == []


def _whole(report: Report, tmp_path: Path) -> Path:
    path = tmp_path / "whole.html"
    path.write_text(page.render(report), encoding="utf-8")
    return path


def _seen(tab: Any) -> dict[str, str]:
    """Text of every view that both kinds of page have."""
    views = {
        "leaderboard": "Leaderboard",
        "leaderboard?over=protein": "Leaderboard",
        "tasks": "Tasks",
        f"task/{TASKS[2]}": TASKS[2],
        f"label/{TASKS[2]}/nucleus": "nucleus",
        "model/hub%2Fone": "hub/one",
        "compare/hub%2Fone/two": "Compare",
        "compare/four/two/random": "Compare",
        "provenance": "Provenance",
    }
    found = {}
    for view, heading in views.items():
        tab.evaluate("view => { location.hash = '#default/' + view; }", view)
        expect(tab.locator("h2")).to_contain_text(heading)
        tab.evaluate("document.querySelectorAll('button.more').forEach((each) => each.click())")
        found[view] = re.sub(r"\n+", "\n", tab.locator("main").inner_text())
    return found


def test_every_view_says_what_the_whole_page_says(
    results: list[TaskResult], write: Write, opened: Any, tmp_path: Path
) -> None:
    report = build(results)
    whole = _seen(opened(_whole(report, tmp_path)))
    parts = _seen(opened(write(report)))
    assert whole.keys() == parts.keys()
    for view, text in whole.items():
        # The whole page computes p-values of tasks itself, from scores of five digits.
        assert [_rounded(word) for word in parts[view].split()] == [_rounded(word) for word in text.split()], view


def _rounded(word: str) -> object:
    return pytest.approx(float(word), abs=0.0011) if re.fullmatch(r"[01]\.\d{3}", word) else word


def test_a_part_is_read_when_a_reader_comes_to_it(results: list[TaskResult], write: Write, opened: Any) -> None:
    asked: list[str] = []
    path = write(build(results))
    tab = opened(path)
    tab.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    assert '"results":[]' in path.read_text()
    go(tab, "tasks", "Tasks")
    assert asked == []
    go(tab, f"task/{TASKS[0]}", TASKS[0])
    go(tab, "tasks", "Tasks")
    go(tab, f"task/{TASKS[0]}", TASKS[0])
    (name,) = asked
    assert re.fullmatch(r"0-t\d+\.js", name)


def test_parts_that_are_not_there_or_of_another_report_are_named(
    results: list[TaskResult], write: Write, opened: Any, tmp_path: Path
) -> None:
    path = write(build(results[:-6]))
    page_before = path.read_text()
    write(build(results))
    path.write_text(page_before)
    tab = opened(path)
    go(tab, f"task/{TASKS[0]}", "Loading")
    expect(tab.get_by_role("status")).to_contain_text("is of another report than this page: write both again")
    for part in (tmp_path / "my page_parts").iterdir():
        part.unlink()
    go(tab, f"task/{TASKS[1]}", "Loading")
    expect(tab.get_by_role("status")).to_contain_text("cannot be read: it has to lie beside this page")


def test_of_many_models_differences_are_bounded(
    make_results: Make, write: Write, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pairing, rankings):
        monkeypatch.setattr(module, "MOST_MODELS", 5)
    report = build(make_results(MODELS, TASKS[:8]))
    assert all(each.low is None for ranking in report.tables[0].task_rankings for each in ranking.models)
    tab = opened(write(report))
    go(tab, "compare/hub%2Fone/random", "Compare")
    row = tab.locator('[aria-label="hub/one and random, task by task"] tbody tr').first
    alone, n = tab.evaluate(
        """() => {
          const [table] = TABLES;
          const [a, b] = ['hub/one', 'random'].map((id) => table.models.find((model) => model.id === id));
          const name = document.querySelector('[aria-label="hub/one and random, task by task"] tbody th a').textContent;
          const { x, y } = pairOf(table, a, b, table.tasks.find((task) => task.name === name));
          return [correctedTest(x.folds, y.folds).p, table.models.length];
        }"""
    )
    expected = min(1.0, alone * n * (n - 1) / 2)
    assert row.locator("td").nth(4).inner_text() == ("<0.001" if expected < 0.001 else f"{expected:.3f}")
    assert "multiplied by the number of pairs" in tab.locator("main").inner_text()


def test_the_command_writes_parts_above_a_number_of_results(
    results: list[TaskResult], opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for result in results:
        save(result, tmp_path / "results")
    monkeypatch.setattr(page, "MOST_IN_ONE", len(results) - 1)
    assert main(["report", str(tmp_path / "results"), "--format", "html"]) == 2
    assert f"the page of {len(results)} results is in parts" in capsys.readouterr().err
    output = tmp_path / "out.html"
    assert main(["report", str(tmp_path / "results"), "--format", "html", "-o", str(output)]) == 0
    assert len(list((tmp_path / "out_parts").glob("*.js"))) == len(MODELS) + len(TASKS)
    tab = opened(output)
    shows(tab, "Leaderboard")
    (table,) = build(results).tables
    assert first_cells(tab, "Leaderboard") == list(table.models)
