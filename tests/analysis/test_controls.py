"""Models beside controls, against a computation by hand, and the same numbers in every form of a report."""

import csv
import io
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from gene_eval.analysis.tables import build
from gene_eval.reporting.page.render import render
from gene_eval.reporting.text import to_csv, to_json, to_markdown, to_text
from gene_eval.results.records import TaskResult
from gene_eval.running.outcome import Results
from tests.analysis.made_results import made

MODEL, LOOKUP, RANDOM = [0.80, 0.84, 0.79, 0.86, 0.81], [0.78, 0.80, 0.79, 0.81, 0.77], [0.52, 0.49, 0.5, 0.51, 0.48]
POOR = [0.76, 0.79, 0.80, 0.80, 0.75]


def of_control(adapter: str, task: str, folds: list[float], *, target: str = "binary") -> TaskResult:
    result = made(adapter, task, folds, target=target)
    # A lookup fits nothing, so that its result has no penalty.
    probe = replace(result.probe, params={}) if adapter.startswith("lookup") else result.probe
    return replace(result, model=replace(result.model, adapter=adapter.partition(":")[0]), probe=probe)


@pytest.fixture
def results() -> list[TaskResult]:
    return [
        made("good", "humantfs_is_tf", MODEL),
        made("poor", "humantfs_is_tf", POOR),
        of_control("lookup:family", "humantfs_is_tf", LOOKUP),
        of_control("random", "humantfs_is_tf", RANDOM),
        made("good", "hgnc_other", MODEL),
        made("good", "hpa_numbers", MODEL, target="regression"),
        of_control("random", "hpa_numbers", RANDOM, target="regression"),
    ]


def detectable_by_hand(*models: list[float]) -> float:
    errors = []
    for i, one in enumerate(models):
        for other in models[:i]:
            errors.append((1 / 5 + 1 / 4) * np.var(np.subtract(one, other), ddof=1))
    pooled = math.sqrt(np.mean(errors))
    # What shifts the t statistic so that the two-sided test rejects with a chance of 80 %, by bisection.
    critical, low, high = stats.t.ppf(0.975, 4), 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        power = 1 - stats.nct.cdf(critical, 4, middle) + stats.nct.cdf(-critical, 4, middle)
        low, high = (middle, high) if power < 0.8 else (low, middle)
    return low * pooled


def test_the_best_control_what_is_left_and_who_is_near(results: list[TaskResult]) -> None:
    (table,) = build(results).tables
    assert table.against_controls.keys() == {"humantfs_is_tf", "hpa_numbers"}
    found = table.against_controls["humantfs_is_tf"]
    assert (found.control, found.score) == ("lookup:family", pytest.approx(np.mean(LOOKUP)))
    assert found.detectable == pytest.approx(detectable_by_hand(MODEL, POOR, LOOKUP, RANDOM), rel=1e-6)
    assert found.rescaled == {
        name: pytest.approx((np.mean(folds) - np.mean(LOOKUP)) / (1 - np.mean(LOOKUP)))
        for name, folds in (("good", MODEL), ("poor", POOR))
    }
    # .03 above the lookup and less than what can be detected; .32 above random.
    assert np.mean(MODEL) - np.mean(LOOKUP) < found.detectable < np.mean(POOR) - np.mean(RANDOM)
    assert found.near == {"good": ("lookup:family",), "poor": ("lookup:family",)}
    assert table.against_controls["hpa_numbers"].rescaled == {}
    assert any(line.startswith("good ") and "lookup:family" in line for line in table.warnings)


def test_a_model_that_is_clearly_above_is_not_flagged(results: list[TaskResult]) -> None:
    (table,) = build([one for one in results if one.model.id in ("good", "random")]).tables
    assert table.against_controls["humantfs_is_tf"].near == {"good": ()}
    assert "§" not in to_text(build([one for one in results if one.model.id in ("good", "random")])).split("Beside")[0]


def test_only_entities_that_both_have_are_compared(results: list[TaskResult]) -> None:
    control = replace(results[2], coverage=replace(results[2].coverage, n_scored=50, scored_sha256="b" * 64))
    (table,) = build([results[0], control, results[3]]).tables
    # Without predictions the lookup cannot be paired with the model: it is shown, and no word of who is near.
    assert table.against_controls["humantfs_is_tf"].control == "lookup:family"
    assert table.against_controls["humantfs_is_tf"].near == {"good": ()}


def test_every_form_has_the_same_numbers(results: list[TaskResult]) -> None:
    report = build(results)
    (table,) = report.tables
    against = table.against_controls["humantfs_is_tf"]
    share, detectable = against.rescaled["good"], against.detectable
    markdown = to_markdown(report)
    assert (
        f"| humantfs_is_tf | roc_auc | lookup:family | 0.790 | {detectable:.3f} | 0.820 ({share:.3f}) § |" in markdown
    )
    assert "| humantfs_is_tf § |" in markdown
    assert f"0.820 ({share:.3f}) §" in to_text(report)
    (row,) = [
        row
        for row in csv.DictReader(io.StringIO(to_csv(report)))
        if (row["task"], row["model"]) == ("humantfs_is_tf", "good")
    ]
    assert (float(row["rescaled"]), float(row["detectable"])) == (share, detectable)
    assert (row["best_control"], row["is_near_control"]) == ("lookup:family", "True")
    rows = json.loads(to_json(report))["tables"][0]["rows"]
    (row,) = [row for row in rows if (row["task"], row["model"]) == ("humantfs_is_tf", "good")]
    assert (row["rescaled"], row["detectable"], row["best_control_mean"]) == (share, detectable, against.score)
    frame = Results(results).beside_controls().set_index(["task", "model"])
    assert frame.loc[("humantfs_is_tf", "good"), "rescaled"] == share
    assert frame.loc[("humantfs_is_tf", "good"), "detectable"] == detectable
    assert bool(frame.loc[("humantfs_is_tf", "good"), "is_near_control"]) is True
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', render(report), re.DOTALL)
    (shown,) = json.loads(text)["tables"]
    number = {model["id"]: i for i, model in enumerate(shown["models"])}
    (task,) = [each for each in shown["tasks"] if each["name"] == "humantfs_is_tf"]
    assert task["control"] == [number["lookup:family"], round(against.score * 1e5), round(detectable * 1e5)]
    index = shown["tasks"].index(task)
    (cell,) = [each for each in shown["results"] if (each["m"], each["t"]) == (number["good"], index)]
    assert (cell["r"], cell["k"]) == (round(share * 1e5), ["lookup:family"])
