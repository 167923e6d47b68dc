"""The page as a reader meets it: in headless Chromium, with nothing but the file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gene_eval.catalogue.suites import averaged
from gene_eval.reporting import text as reports
from gene_eval.reporting.page.render import render
from gene_eval.results.records import TaskResult
from tests.reporting.in_browser import EVIL, MODELS, TASKS, Make, expect, first_cells, go, heads, needs_chromium, shows

pytestmark = needs_chromium


def test_leaderboard_sorts(page: Any, results: list[TaskResult]) -> None:
    (table,) = reports.build(results).tables
    assert first_cells(page, "Leaderboard") == list(table.models)
    rank = heads(page, "Leaderboard").nth(2)
    assert rank.locator("..").get_attribute("aria-sort") == "ascending"
    rank.click()
    assert first_cells(page, "Leaderboard")[0] in table.models[-2:]
    assert rank.locator("..").get_attribute("aria-sort") == "descending"
    heads(page, "Leaderboard").get_by_text("protein").click()
    means = {model: table.means[model, "protein"].mean for model in table.models}
    by_mean = sorted(table.models, key=lambda model: -means[model])
    assert first_cells(page, "Leaderboard") == by_mean
    cell = page.locator('[aria-label="Leaderboard"] tbody tr').first.locator("td").nth(8)
    assert cell.locator(".mean").inner_text() == f"{means[by_mean[0]]:.3f}"


def test_the_score_that_orders_the_rows_is_second_with_its_error(page: Any, results: list[TaskResult]) -> None:
    (table,) = reports.build(results).tables
    shown = page.locator('[aria-label="Leaderboard"] tbody tr > :nth-child(2)').all_inner_texts()
    places = {each.model: each for each in table.rankings[0].models}
    assert shown == [f"{places[model].mean:.3f} ± {places[model].std_error:.3f}" for model in table.models]


def test_which_is_best_how_sure_and_on_how_many_genes(page: Any, results: list[TaskResult]) -> None:
    (table,) = reports.build(results).tables
    group = next(group for group in table.rankings if group.name == "localization")
    page.get_by_label("Tasks", exact=True).select_option("localization")
    best, *others = group.models
    text = page.locator(".answer").inner_text()
    assert f"Localization: {best.model} is first of {len(group.models)} models, mean ROC-AUC {best.mean:.3f}" in text
    alike = [each.model for each in others if (best.model, each.model) not in group.distinguished]
    assert alike
    assert f"Its rank may be anything from {best.low} to {best.high} (95\u00a0%)" in text
    assert f"not distinguished from {', '.join(m for m in table.models if m in alike)}." in text
    assert "These tasks only" in text or "about these tasks only" in text
    assert alike[0] == others[0].model
    ahead = sum(table.cells[best.model, task].mean > table.cells[alike[0], task].mean for task in group.tasks)
    assert f" It is ahead of {alike[0]}, the second, on {ahead} of {len(group.tasks)} tasks." in text
    assert text.endswith("Scored on 200 genes a task.")
    assert [head.split("\n")[0] for head in heads(page, "Leaderboard").all_inner_texts()][-3:] == [
        task.replace("_", " ") for task in group.tasks
    ]


def test_leaderboard_filters_but_for_controls(page: Any) -> None:
    page.get_by_label("Search models", exact=True).fill("HUB")
    assert sorted(first_cells(page, "Leaderboard")) == ["hub/one", "random", "shuffled:two"]
    assert page.get_by_role("status").inner_text() == "3 of 6 models"
    page.get_by_label("Search models", exact=True).fill("")
    assert len(first_cells(page, "Leaderboard")) == 6


def test_tasks_filter_by_name_family_and_target(page: Any, results: list[TaskResult]) -> None:
    page.get_by_role("link", name="Tasks").click()
    shows(page, "Tasks")
    tasks = {result.task.id: result.task for result in results}
    page.get_by_label("Family").select_option("genomic")
    genomic = {name for name, task in tasks.items() if task.family == "genomic"}
    assert set(first_cells(page, "Tasks")) == genomic
    page.get_by_label("Target").select_option("binary")
    assert set(first_cells(page, "Tasks")) == {name for name in genomic if tasks[name].target == "binary"}
    page.get_by_label("Family").select_option("")
    page.get_by_label("Target").select_option("")
    page.get_by_label("Search tasks").fill("no such task")
    assert page.locator('[aria-label="Tasks"] tbody').inner_text().strip() == "Nothing matches."


def test_from_the_leaderboard_to_folds_and_provenance(page: Any, results: list[TaskResult]) -> None:
    (result,) = (one for one in results if (one.model.id, one.task.id) == ("hub/one", TASKS[0]))
    page.get_by_role("link", name="Tasks").click()
    page.get_by_role("link", name=TASKS[0], exact=True).click()
    shows(page, TASKS[0])
    assert page.evaluate("document.activeElement.tagName") == "H2"
    row = page.locator("tbody tr:not(.details)").filter(has=page.get_by_role("link", name="hub/one"))
    folds = [f"{fold:.3f}" for fold in result.scores["roc_auc"].folds if fold is not None]
    assert row.locator(".below").inner_text().split() == folds
    page.get_by_label("Metric").select_option("f1")
    f1 = [f"{fold:.3f}" for fold in result.scores["f1"].folds if fold is not None]
    assert row.locator(".below").inner_text().split() == f1
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
    shows(page, "hub/one")
    assert sorted(first_cells(page, "Tasks of hub/one")) == sorted(TASKS)
    page.go_back()
    shows(page, TASKS[0])


def test_labels_of_a_task_are_shown_as_text(page: Any) -> None:
    go(page, f"task/{TASKS[2]}", TASKS[2])
    assert first_cells(page, f"Labels of {TASKS[2]}") == ["nucleus", "<img src=x onerror=alert(2)>"]


def test_names_with_markup_stay_text(page: Any) -> None:
    model = "model/" + EVIL.replace("/", "%2F")
    for view, heading in ((model, EVIL), ("compare", "Compare"), ("provenance", "Provenance"), ("", "Leaderboard")):
        go(page, view, heading)
        assert EVIL in page.locator("main").inner_text()
    assert page.locator("main script").count() == 0


def test_a_mean_over_one_task_shows_no_spread(page: Any) -> None:
    group = "{means: [[87654, %s]]}"
    text = "() => el('p', {}, meanStd(groupMean(" + group + ", {index: 0}))).textContent"
    assert page.evaluate(text % "null") == "0.877"
    assert page.evaluate(text % "1234") == "0.877 ± 0.012"


def test_keyboard_is_enough(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("genes scored"):
            break
    described = page.evaluate("document.activeElement.getAttribute('aria-describedby')")
    meaning = page.locator(f"#{described}").text_content()
    assert meaning.startswith("Share of the entities")
    assert page.locator("#tip").inner_text() == meaning
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()
    page.keyboard.press("Enter")
    head = heads(page, "Leaderboard").get_by_text("genes scored").locator("..")
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
        ("search?q=task", "Search"),
        (f"label/{TASKS[2]}/nucleus", "nucleus"),
    ],
)
def test_narrow_screens_scroll_tables_only(page: Any, view: str, heading: str) -> None:
    page.set_viewport_size({"width": 380, "height": 700})
    go(page, view, heading)
    assert page.evaluate("document.documentElement.scrollWidth") == 380
    page.set_viewport_size({"width": 1280, "height": 800})


def test_addresses_that_lead_nowhere(page: Any) -> None:
    for target, heading in (
        ("#default/task/none", "No such task"),
        ("#9/nowhere", "Leaderboard"),
        ("#%E0%A4%A", "Leaderboard"),
        ("#default/constructor", "Leaderboard"),
    ):
        page.evaluate("target => { location.hash = target; }", target)
        shows(page, heading)


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


def test_many_tasks_and_models_are_there_at_once(browser: Any, make_results: Make, tmp_path: Path) -> None:
    # benchmarks/page_speed.py measures 300 tasks and 50 models.
    models = [f"owner/model-{number}" for number in range(19)] + ["random"]
    path = tmp_path / "large.html"
    path.write_text(render(reports.build(make_results(models, [f"task_{n}" for n in range(80)]))), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    assert tab.locator("tbody tr").count() == 20
    paint = "performance.getEntriesByName('first-contentful-paint').map((entry) => entry.startTime)"
    for _ in range(50):  # not wait_for_function, which evaluates text, and that the page forbids
        if not tab.evaluate(f"{paint}.length"):
            tab.wait_for_timeout(100)
    assert tab.evaluate(f"{paint}[0]") < 1000
    go(tab, "compare/" + "/".join(f"owner%2Fmodel-{number}" for number in range(19)), "Compare")
    assert tab.locator('[aria-label="Scores side by side"] tbody tr').count() == 80
    tab.close()


def test_without_a_ranking_the_leaderboard_shows_tasks(browser: Any, make_results: Make, tmp_path: Path) -> None:
    trial = [replace(one, task=replace(one.task, ranked=False)) for one in make_results(["two", "random"], TASKS[:2])]
    path = tmp_path / "trial.html"
    path.write_text(render(reports.build(trial)), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    assert heads(tab, "Leaderboard").all_inner_texts() == [
        "model",
        *(t.replace("_", " ") for t in TASKS[:2]),
        "genes scored",
    ]
    (score,) = (one.scores["roc_auc"] for one in trial if (one.model.id, one.task.id) == ("two", TASKS[0]))
    first = tab.locator("tbody tr").filter(has=tab.get_by_role("link", name="two")).locator("td").first
    assert first.inner_text() == f"{score.mean:.3f} ± {score.std:.3f}"
    tab.close()


def test_an_address_holds_all_that_is_chosen(page: Any, address: str) -> None:
    go(page, "tasks", "Tasks")
    page.get_by_label("Search tasks").fill("task 1")
    page.get_by_label("Target").select_option("binary")
    heads(page, "Tasks").get_by_text("best score").click()
    left = first_cells(page, "Tasks")
    kept = page.evaluate("location.href")
    assert kept == f"{address}#default/tasks?q=task%201&target=binary&sort=best-score.down"
    page.goto("about:blank")
    page.goto(kept)
    assert first_cells(page, "Tasks") == left
    assert page.get_by_label("Target").input_value() == "binary"
    go(page, f"task/{TASKS[2]}?metric=average_precision_macro&labels.q=nuc", TASKS[2])
    assert page.get_by_label("Metric").input_value() == "average_precision_macro"
    assert first_cells(page, f"Labels of {TASKS[2]}") == ["nucleus"]


def test_search_finds_models_tasks_and_labels(page: Any) -> None:
    search = page.get_by_label("Search models, tasks and labels")
    search.fill("hub")
    shows(page, "Search")
    assert page.evaluate("document.activeElement.id") == "search"
    search.fill("nucl")
    expect(page.get_by_role("status")).to_have_text("0 models, 0 tasks, 3 labels with “nucl”")
    page.get_by_role("link", name="nucleus").first.click()
    shows(page, "nucleus")
    assert first_cells(page, f"Scores on {TASKS[2]}/nucleus")[0] in MODELS
    search.fill("TASK 15")
    shows(page, "Search")
    assert page.locator("main li").all_inner_texts() == [TASKS[15]]


def test_signs_and_settings_are_explained(browser: Any, results: list[TaskResult], tmp_path: Path) -> None:
    some = [one for one in results if one.task.id in TASKS[:3]]
    few = [
        replace(one, coverage=replace(one.coverage, n_scored=20, n_missing=180, scored_sha256="x"))
        if (one.model.id, one.task.id) == ("two", TASKS[0])
        else one
        for one in some
    ]
    family = [
        replace(one, probe=replace(one.probe, settings=replace(one.settings, split="family"))) for one in some[:4]
    ]
    path = tmp_path / "few.html"
    path.write_text(render(reports.build([*few, *family])), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    mean = tab.locator("tbody tr").filter(has=tab.get_by_role("link", name="two", exact=True)).locator("td").first
    assert mean.inner_text().split() == ["–", "2", "of", "3", "tasks,", "1", "too", "small"]
    assert [each.split()[0] for each in tab.locator(".legend li").all_inner_texts()] == ["control", "few"]
    go(tab, f"task/{TASKS[0]}", TASKS[0])
    row = tab.locator("tbody tr").filter(has=tab.get_by_role("link", name="two", exact=True))
    assert "20 of 200 too small" in row.locator("td").all_inner_texts()
    assert tab.locator("#settings label").count() == 1
    tab.get_by_label("split").select_option("family")
    expect(tab.locator("tbody tr:not(.details)")).to_have_count(4)
    assert tab.evaluate("location.hash") == f"#split=family/task/{TASKS[0]}".replace("split=", "split%3D")
    tab.close()


def test_tasks_beyond_the_paper_are_a_section_of_their_own(browser: Any, make_results: Make, tmp_path: Path) -> None:
    beyond = ["bagel_core_essential", "diseases_area"]
    report = reports.build(make_results(["one", "two", "random"], [*TASKS[:4], *beyond]), suites=averaged())
    path = tmp_path / "beyond.html"
    path.write_text(render(report), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    own = "Beyond the paper: @extended"
    assert heads(tab, own).all_inner_texts()[-2:] == [name.replace("_", " ") for name in beyond]
    assert sorted(first_cells(tab, own)) == ["one", "random", "two"]
    assert "extended" not in " ".join(heads(tab, "Leaderboard").all_inner_texts())
    tab.get_by_label("Tasks", exact=True).select_option("@extended")
    assert tab.locator(f'[aria-label="{own}"]').count() == 0
    tab.close()
