"""The page with two models or more, and copying what it shows, in headless Chromium."""

import csv
import io
import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from gene_eval.analysis.groups import ranking_metric
from gene_eval.analysis.pairing import Pair, Pairs
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.statistics.paired_tests import PairedTest, corrected_t_test, holm
from gene_eval.reporting import text as reports
from gene_eval.reporting.page.render import render
from gene_eval.results.records import TaskResult
from tests.reporting.in_browser import EVIL, MODELS, TASKS, expect, go, needs_chromium, shows

pytestmark = needs_chromium


def test_two_models_compared(page: Any, results: list[TaskResult]) -> None:
    page.get_by_role("link", name="Compare").click()
    shows(page, "Compare")
    command = expect(page.locator("main code"))
    page.get_by_label("Model A").select_option("hub/one")
    command.to_have_text(re.compile("compare DIR hub/one "))
    page.get_by_label("Model B").select_option("random")
    command.to_have_text("gene-bench compare DIR hub/one random")
    tests, adjusted = _tests(results, "hub/one", "random")
    rows = page.locator('[aria-label="hub/one and random, task by task"] tbody tr').all()
    assert len(rows) == len(TASKS)
    for row in rows[:6]:
        name, difference, _, _, interval, p_value, better, *_ = row.locator("th, td").all_inner_texts()
        test = tests[name]
        assert float(difference) == pytest.approx(test.difference, abs=6e-4)
        ends = interval.split(" to ")
        assert [float(end) for end in ends] == pytest.approx([test.low, test.high], abs=6e-4)
        assert p_value == ("<0.001" if adjusted[name] < 0.001 else f"{adjusted[name]:.3f}")
        assert better == ("A" if adjusted[name] < 0.05 else "")


def _tests(results: list[TaskResult], a: str, b: str) -> tuple[dict[str, PairedTest], dict[str, float]]:
    """The test of two models on each task, and its p-value among those of all pairs of models."""
    scores = {(one.model.id, one.task.id): one.scores[ranking_metric(one.task, one.settings)].folds for one in results}
    tests, adjusted = {}, {}
    pairs = list(itertools.combinations(MODELS, 2))
    for task in TASKS:
        found = [corrected_t_test(scores[x, task], scores[y, task], test_train_ratio=1 / 4) for x, y in pairs]
        tests[task] = corrected_t_test(scores[a, task], scores[b, task], test_train_ratio=1 / 4)
        place = next(number for number, pair in enumerate(pairs) if {a, b} == set(pair))
        adjusted[task] = float(holm([test.p_value for test in found])[place])
    return tests, adjusted


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


def test_every_difference_has_its_position(page: Any, results: list[TaskResult]) -> None:
    go(page, "compare/hub%2Fone/random", "Compare")
    rows = page.locator('[aria-label="hub/one and random, task by task"] tbody tr').all()
    of_r2 = {one.task.id for one in results if one.task.target == "regression"}
    positions = [
        (float(row.locator("td").first.inner_text()), float(row.locator("circle").get_attribute("cx") or "nan"))
        for row in rows
        if row.locator("th").inner_text() not in of_r2
    ]
    # Zero is at 60, and the largest difference at 56 / 1.2 from it.
    largest = max(abs(difference) for difference, _ in positions)
    expected = [60 + 56 / 1.2 * difference / max(largest, 0.05) for difference, _ in positions]
    assert [x for _, x in positions] == pytest.approx(expected, abs=0.2)


def test_a_table_is_copied_as_it_is_shown(browser: Any, page: Any, results: list[TaskResult]) -> None:
    browser.grant_permissions(["clipboard-read", "clipboard-write"])
    (table,) = reports.build(results).tables
    go(page, "task/" + TASKS[0], TASKS[0])
    page.get_by_role("button", name="Copy as CSV").click()
    expect(page.get_by_role("status")).to_have_text("6 rows copied")
    lines = list(csv.DictReader(io.StringIO(page.evaluate("navigator.clipboard.readText()"))))
    assert {line["model"] for line in lines} == set(MODELS)
    for line in lines:
        score = table.results[line["model"], TASKS[0]].scores["roc_auc"]
        assert float(line["mean"]) == pytest.approx(score.mean, abs=6e-6)
        assert float(line["std"]) == pytest.approx(score.std, abs=6e-6)
        assert (line["scored"], line["of"]) == ("200", "200")
    go(page, "leaderboard", "Leaderboard")
    page.get_by_label("Search models", exact=True).fill("script")
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.get_by_role("status")).to_have_text("3 rows copied")
    head, _, *rows = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert head.startswith("| model | mean ± standard error | rank (95 % interval) | mean ± spread over tasks |")
    place = next(each for each in table.rankings[0].models if each.model == EVIL)
    score = f"{place.mean:.3f} ± {place.std_error:.3f} | {place.rank} ({place.low}–{place.high})"
    assert f"| \\<script\\>alert(1)\\</script\\> | {score} |" in rows[0]
    assert "| random (control) |" in "\n".join(rows)
    assert page.evaluate("csvCell('=HYPERLINK(1)')") == "'=HYPERLINK(1)"
    assert page.evaluate("csvCell('a \"b\", c')") == '"a ""b"", c"'


def test_what_both_have_is_compared(browser: Any, results: list[TaskResult], tmp_path: Path) -> None:
    shared = Pair("shared", 150, (0.7, 0.8, 0.9, 0.8, 0.8), (0.6, 0.7, 0.7, 0.7, math.nan), is_counted=True)
    pairs = Pairs()
    pairs.update({("hub/one", "two", TASKS[0]): shared, ("hub/one", "two", TASKS[1]): "no predictions"})
    report = reports.build([one for one in results if one.task.id in TASKS[:3]])
    path = tmp_path / "shared.html"
    path.write_text(render(replace(report, tables=(replace(report.tables[0], pairs=pairs),))), encoding="utf-8")
    tab = browser.new_page()
    # The other way round than analysis names the two.
    tab.goto(f"{path.as_uri()}#default/compare/two/hub%2Fone?sort=task.up")
    test = corrected_t_test(shared.second[:4], shared.first[:4], test_train_ratio=1 / 4)
    cells = [
        row.locator("th, td").all_inner_texts()
        for row in tab.locator('[aria-label="two and hub/one, task by task"] tbody tr').all()
    ]
    found = {row[0]: row for row in cells}
    assert float(found[TASKS[0]][1]) == pytest.approx(test.difference, abs=6e-4)
    assert found[TASKS[0]][4].strip() == f"{test.low:+.3f} to {test.high:+.3f}"
    assert found[TASKS[0]][7].split("\n")[0] == "150 of 200 few genes"
    assert found[TASKS[1]][6:8] == ["not compared", "–"]
    assert "1 task not compared: no predictions." in tab.locator(".summary").inner_text()
    tab.close()


def test_several_models_side_by_side(page: Any, results: list[TaskResult]) -> None:
    go(page, "compare/hub%2Fone/two", "Compare")
    page.get_by_label("Add a model").select_option("random")
    table = page.locator('[aria-label="Scores side by side"] tbody tr')
    expect(table).to_have_count(len(TASKS))
    scores = {(one.model.id, one.task.id): one.scores[MAIN_METRIC[one.task.target]] for one in results}
    _, adjusted = _tests(results, "hub/one", "random")
    for row in table.all():
        task, a, b, c, *_ = row.locator("th, td").all_inner_texts()
        assert a == f"{scores['hub/one', task].mean:.3f} ± {scores['hub/one', task].std:.3f}"
        assert b.startswith(f"{scores['two', task].mean:.3f} ")
        assert c.endswith("A better" if adjusted[task] < 0.05 else "not clear")
    page.get_by_role("button", name="Remove two").click()
    expect(page.locator("main code")).to_have_text("gene-bench compare DIR hub/one random")
