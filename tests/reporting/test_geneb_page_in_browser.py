"""GENEB's page in headless Chromium: its buttons choose the view without a script, on wide and narrow windows."""

import csv
from collections.abc import Iterator
from typing import Any

import pytest

from gene_eval.cli.parser import main
from gene_eval.publishing.geneb.importing import category_sizes
from tests.reporting.in_browser import EVIL, expect, launched, needs_chromium

pytestmark = needs_chromium

LONG = "nucleotide-transformer-v2-50m-3mer-multi-species"
MODELS = {EVIL: 0.3, LONG: 0.5, "GROVER": 0.4}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("geneb")
    with (folder / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "task", "regime", "metric", "value"])
        for model, level in MODELS.items():
            for regime, sign in (("full", 1), ("10shot", -1), ("1shot", 1)):
                writer.writerows(
                    [model, f"category:{name}", regime, "MCC", 0.4 + sign * (level - 0.4) + i / 1000]
                    for i, name in enumerate(category_sizes())
                )
    assert main(["import-geneb", str(folder / "out"), str(folder / "scores.csv")]) == 0
    path = folder / "page.html"
    assert main(["report", str(folder / "out"), "--format", "geneb", "-o", str(path)]) == 0
    with launched(folder / "profile") as context:
        shown = context.new_page()
        shown.goto(path.as_uri())
        yield shown


def choose(page: Any, *labels: str) -> Any:
    for label in labels:
        page.get_by_text(label, exact=True).locator("visible=true").first.click()
    return page.locator(".view").locator("visible=true")


def test_buttons_choose_one_view(page: Any) -> None:
    view = choose(page, "full", "all categories")
    expect(view).to_have_count(1)
    expect(view.locator("h3")).to_have_text("all categories, full")
    names = [f"{model} †" for model in sorted(MODELS, key=lambda model: -MODELS[model])]
    assert view.locator("tbody th").all_inner_texts() == names
    view = choose(page, "10-shot", "tf binding")
    expect(view.locator("h3")).to_have_text("tf binding, 10-shot")
    # There the order is the other way round; of a published mean there is no interval.
    assert view.locator("tbody th").all_inner_texts() == names[::-1]
    assert view.locator("thead th").all_inner_texts() == ["model", "rank", "mean"]
    best = 0.4 - (min(MODELS.values()) - 0.4) + list(category_sizes()).index("tf_binding") / 1000
    assert view.locator("td.best").all_inner_texts() == [f"{best:.3f}"]


@pytest.mark.parametrize("width", [1280, 380])
def test_a_score_stands_beside_the_name(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    view = choose(page, "full", "all categories")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    name, score = view.locator("tbody th").first.bounding_box(), view.locator("tbody td").first.bounding_box()
    assert name["width"] >= 100
    assert name["height"] < 120
    assert score["x"] + score["width"] <= width
