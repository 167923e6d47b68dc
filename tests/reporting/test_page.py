import json
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gene_eval.reporting import text as reports
from gene_eval.reporting.page.render import render
from gene_eval.results.records import Settings, TaskResult
from gene_eval.results.reproduce import run_words

Make = Callable[..., list[TaskResult]]

MODELS = ["good/one", "poor", "random"]
TASKS = [f"task{number}_name" for number in range(8)]


def _data(html: str) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    return json.loads(text)


def test_every_number_and_where_it_comes_from(make_results: Make) -> None:
    results = make_results(MODELS, TASKS)
    report = reports.build(results, problems=["x.json is damaged"])
    data = _data(render(report))
    (table,) = data["tables"]
    assert data["problems"] == ["x.json is damaged"]
    assert table["settings"] == "protocol paper, engine fast, seed 0"
    assert len(table["results"]) == len(results)
    for result in results:
        model = next(number for number, each in enumerate(table["models"]) if each["id"] == result.model.id)
        task = next(number for number, each in enumerate(table["tasks"]) if each["name"] == result.task.id)
        (found,) = (each for each in table["results"] if (each["m"], each["t"]) == (model, task))
        for metric, score in zip(data["metrics"][result.task.target], found["s"], strict=True):
            expected = result.scores[metric]
            assert np.array(score) / data["unit"] == pytest.approx(
                [expected.mean, expected.std, *expected.folds], abs=6e-6
            )
        record, probe, environment, command, created = (table["shared"][number] for number in found["p"])
        assert record["embedding_sha256"] == result.model.embedding_sha256
        assert record["revision"] == result.model.revision
        assert probe == {"protocol": "paper", "engine": "fast", "seed": 0, "C": 1.0}
        assert environment == result.environment
        assert tuple(command) == (*run_words(result), ".json")
        assert created == result.created_at
        line = table["tasks"][task]
        assert (line["data_sha256"], line["folds_sha256"]) == (result.task.data_sha256, result.task.folds_sha256)
        assert line["inputs"] == result.task.inputs


def test_means_and_places_are_those_of_the_table(make_results: Make) -> None:
    report = reports.build(make_results(MODELS, TASKS))
    (table,) = report.tables
    (shown,) = _data(render(report))["tables"]
    assert [model["id"] for model in shown["models"]] == list(table.models)
    assert [model["control"] for model in shown["models"]] == [False, False, True]
    groups = {group["name"]: group for group in shown["groups"]}
    assert list(groups) == list(table.groups)
    for number, model in enumerate(table.models):
        mean = table.means[model, "overall"]
        assert groups["overall"]["means"][number] == [round(mean.mean * 1e5), round(mean.std * 1e5)]
        (place,) = (each for each in table.rankings[0].models if each.model == model)
        assert groups["overall"]["ranks"][number][:3] == [place.rank, place.low, place.high]


def test_the_command_that_makes_a_result_again(make_results: Make) -> None:
    hub, _, random = make_results(MODELS, TASKS[:1])
    assert run_words(hub) == (
        f"gene-bench run sentence-transformer:good/one@{'a' * 40}",
        "--protocol paper --engine fast --seed 0",
    )
    assert run_words(random)[0] == "gene-bench run random"
    pairs = replace(random, probe=replace(random.probe, params={"pairs": "concat"}))
    assert run_words(pairs)[1].endswith("--seed 0 --pairs concat")
    common = replace(random, probe=replace(random.probe, settings=Settings(entities="common-0a0b0c0d")))
    assert run_words(common) == (
        "gene-bench run random OTHER_MODELS",
        "--protocol paper --engine fast --seed 0 --common-genes",
    )
    of_file = replace(hub, model=replace(hub.model, id="my vectors.csv", revision=None, adapter="precomputed"))
    assert run_words(of_file)[0] == "gene-bench run MODEL"


def test_names_end_no_script_and_nothing_is_loaded(make_results: Make) -> None:
    html = render(reports.build(make_results(["</script><script>alert(1)</script>", "<!--<script>"], TASKS[:3])))
    assert "alert(1)</script>" not in html
    assert "<!--<script>" not in html
    assert html.count("<script") == html.count("</script>") == 2
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', html)
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed.keys() == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert allowed["default-src"] == allowed["base-uri"] == allowed["form-action"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", allowed["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", allowed["style-src"])
    # The SVG namespace is a name, not an address.
    assert set(re.findall(r"https?://[^\s'\"<]+", html)) == {"http://www.w3.org/2000/svg"}


def test_equal_results_give_equal_pages(make_results: Make) -> None:
    results = make_results(MODELS, TASKS)
    assert render(reports.build(results)) == render(reports.build(results[::-1]))


def test_undefined_folds_and_several_settings(make_results: Make) -> None:
    first, *rest = make_results(MODELS, TASKS[:1])
    undefined = replace(
        first, scores={"roc_auc": replace(first.scores["roc_auc"], folds=(None, *first.scores["roc_auc"].folds[1:]))}
    )
    other = replace(first, probe=replace(first.probe, settings=replace(first.settings, seed=1)))
    data = _data(render(reports.build([undefined, *rest, other])))
    assert [table["settings"][-1] for table in data["tables"]] == ["0", "1"]
    (found,) = (each for each in data["tables"][0]["results"] if each["p"] and each["s"][0][2] is None)
    assert found["s"][1] is None
    overall = data["tables"][1]["groups"][0]
    score = first.scores["roc_auc"].mean
    assert score is not None
    # The mean over one task has no deviation.
    assert (overall["name"], overall["means"]) == ("overall", [[round(score * 1e5), None]])
