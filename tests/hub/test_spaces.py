"""`gene-bench push metric` and `gene-bench push leaderboard`."""

import shutil

import pytest
import yaml


def test_the_metric_is_a_space_that_evaluate_loads(hub, gene_bench, python):
    status, out, _ = gene_bench("push", "metric", "genes/gene_probe", "--yes")
    repo = hub.repo("space", "genes/gene_probe")
    assert (status, repo.sdk) == (0, "gradio")
    assert set(repo.files()) == {".gitattributes", "README.md", "app.py", "gene_probe.py", "requirements.txt"}
    assert "sdk: gradio" in repo.files()["README.md"].decode()
    code = """
import json, evaluate
metric = evaluate.load("genes/gene_probe")
scores = metric.compute(predictions=[[float(i)] for i in range(20)], references=[i % 2 for i in range(10)] * 2)
print(json.dumps(sorted(scores)[:2]))
"""
    assert python(code) == ["accuracy", "accuracy_std"]


def test_another_name_for_the_metric_is_remarked_on(hub, gene_bench):
    _, out, _ = gene_bench("push", "metric", "genes/probe")
    assert "note: evaluate.load finds gene_probe only in a Space named genes/gene_probe" in out


def test_the_leaderboard_is_a_static_space(hub, gene_bench, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><title>ranks</title>")
    status, _, _ = gene_bench("push", "leaderboard", "genes/board", "--page", page, "--yes")
    repo = hub.repo("space", "genes/board")
    assert (status, repo.sdk) == (0, "static")
    assert repo.files()["index.html"] == page.read_bytes()
    head = yaml.safe_load(repo.files()["README.md"].decode().split("---\n")[1])
    assert (head["sdk"], head["app_file"]) == ("static", "index.html")
    assert gene_bench("push", "leaderboard", "genes/board", "--page", page, "--yes")[2].endswith("already\n")
    _, _, err = gene_bench("push", "leaderboard", "genes/board", "--page", tmp_path / "none.html")
    assert "none.html; make it with: gene-bench report DIR --format html -o FILE" in err


def test_a_browser_opens_the_page_that_was_pushed(hub, gene_bench, tmp_path):
    browser_library = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    page_file = tmp_path / "page.html"
    page_file.write_text("<!doctype html><p id=x></p><script>x.textContent = [3, 1, 2].sort()</script>")
    gene_bench("push", "leaderboard", "genes/board", "--page", page_file, "--yes")
    with browser_library.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{hub.url}/static/genes/board/index.html")
        assert (page.text_content("#x"), errors) == ("1,2,3", [])
        browser.close()
