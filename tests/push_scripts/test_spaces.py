"""`gene-bench push metric` and `gene-bench push leaderboard`."""

import shutil

import pytest
import yaml

from gene_eval.results.store import load_folder

DOWNLOAD = """
import json
from huggingface_hub import snapshot_download
print(json.dumps(snapshot_download("genes/board", repo_type="space", local_dir={folder!r})))
"""


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


def test_the_comparison_is_a_space_that_evaluate_loads(hub, gene_bench, python, tmp_path):
    gene_bench("push", "metric", "genes/gene_probe_compare", "--yes")
    assert hub.repo("space", "genes/gene_probe_compare").sdk == "gradio"
    code = """
import json, evaluate
from huggingface_hub import snapshot_download
comparison = evaluate.load("genes/gene_probe_compare", module_type="comparison")
folder = snapshot_download("genes/gene_probe_compare", repo_type="space", local_dir={folder!r})
downloaded = evaluate.load(folder, module_type="comparison")
signal = [[float(i % 2 + i / 30)] for i in range(20)]
noise = [[float(i * 7 % 20)] for i in range(20)]
given = dict(predictions1=signal, predictions2=noise, references=[i % 2 for i in range(20)])
print(json.dumps([each.compute(**given) for each in (comparison, downloaded)]))
"""
    first, second = python(code.format(folder=str(tmp_path / "gene_probe_compare")))
    assert first == second
    assert first["n_folds"] == 5


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


@pytest.fixture
def board(hub, gene_bench, folder, python, tmp_path):
    """The Space as a reader downloads it, after results were pushed as a leaderboard."""
    status, _, _ = gene_bench("push", "leaderboard", "genes/board", "--from", folder, "--yes")
    assert status == 0
    python(DOWNLOAD.format(folder=str(tmp_path / "space")))
    files = {path.name: path.read_bytes() for path in (tmp_path / "space").iterdir() if path.is_file()}
    assert files == hub.repo("space", "genes/board").files()
    return tmp_path / "space" / "index.html"


def test_a_browser_opens_the_page_that_was_pushed(board, folder):
    browser_library = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    scores = {
        (each.model.id, each.task.id): each.scores["roc_auc"]
        for each in load_folder(folder).results
        if each.task.target == "binary"
    }
    with browser_library.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page, faults = browser.new_page(), []
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url) if "index.html" not in request.url else None)
        page.goto(board.as_uri())
        models = page.locator('[aria-label="Leaderboard"] tbody th a')
        assert models.all_inner_texts() == ["bag-of-words", "random:dim=8"]
        page.get_by_role("button", name="model").click()
        page.get_by_role("button", name="model").click()
        assert models.all_inner_texts() == ["random:dim=8", "bag-of-words"]
        page.get_by_label("Search models", exact=True).fill("no such model")
        assert models.all_inner_texts() == ["random:dim=8"], "controls stay in sight"
        page.get_by_role("link", name="Tasks").click()
        page.get_by_role("link", name="starter_is_tf", exact=True).click()
        page.get_by_role("heading", name="starter_is_tf").wait_for()
        row = page.locator("tr", has=page.get_by_role("link", name="bag-of-words", exact=True)).first
        shown = row.locator(".below").last.inner_text().split()
        assert shown == [f"{fold:.3f}" for fold in scores["bag-of-words", "starter_is_tf"].folds]
        browser.close()
    assert faults == []
