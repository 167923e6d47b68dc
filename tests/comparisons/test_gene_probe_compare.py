"""The `evaluate` comparison: the probe's folds, the core's test, loadable by path and by name, and a true README."""

import doctest
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import evaluate
import numpy as np
import pytest
import yaml
from scipy import stats

from gene_eval.core import MAIN_METRIC, ProbeError, default_folds, probe
from gene_eval.metrics import register

FOLDER = Path(register.__file__).parents[1] / "comparisons" / "gene_probe_compare"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
LABELS = {
    "binary": lambda signal: (signal[:, 0] > 0.5).astype(int),
    "multiclass": lambda signal: signal.argmax(axis=1),
    "multilabel": lambda signal: (signal > 0.3).astype(int),
    "regression": lambda signal: signal[:, 0],
}


@pytest.fixture(scope="module")
def comparison():
    return evaluate.load(str(FOLDER))


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(5)
    first = rng.normal(size=(100, 4))
    return first, first[:, :3] + 0.7 * rng.normal(size=(100, 3)), first @ rng.normal(size=(4, 3))


@pytest.mark.parametrize("target", LABELS)
def test_two_probes_on_the_same_folds_and_the_corrected_t_test(comparison, vectors, target):
    first, second, signal = vectors
    y = LABELS[target](signal)
    folds = np.arange(100) % 4
    found = comparison.compute(predictions1=first, predictions2=second, references=y, folds=folds)
    a, b = (
        np.array(probe(X, y, target=target, folds=folds).scores[MAIN_METRIC[target]].folds) for X in (first, second)
    )
    d = a - b
    t = d.mean() / np.sqrt((1 / 4 + 1 / 3) * d.var(ddof=1))
    assert found["metric"] == MAIN_METRIC[target]
    assert (found["fold_scores1"], found["fold_scores2"]) == (a.tolist(), b.tolist())
    assert found["score1"] == pytest.approx(a.mean())
    assert found["difference"] == pytest.approx(d.mean())
    assert found["stat"] == pytest.approx(t)
    assert found["p_value"] == pytest.approx(2 * stats.t.sf(abs(t), 3))
    assert found["n_folds"] == 4


def test_default_folds_and_another_metric(comparison, vectors):
    first, second, signal = vectors
    y = LABELS["binary"](signal)
    found = comparison.compute(predictions1=first, predictions2=second, references=y, metric="f1", seed=3)
    expected = probe(second, y, target="binary", folds=default_folds(y, target="binary", seed=3), seed=3)
    assert found["score2"] == expected.scores["f1"].mean


def test_equal_embeddings_do_not_differ(comparison, vectors):
    first, _, signal = vectors
    found = comparison.compute(predictions1=first, predictions2=first, references=LABELS["binary"](signal))
    assert (found["difference"], found["ci_low"], found["ci_high"], found["p_value"]) == (0, 0, 0, 1)


def test_swapping_the_models_swaps_the_sign(comparison, vectors):
    first, second, signal = vectors
    y = LABELS["regression"](signal)
    one = comparison.compute(predictions1=first, predictions2=second, references=y)
    other = comparison.compute(predictions1=second, predictions2=first, references=y)
    assert other["difference"] == pytest.approx(-one["difference"])
    assert (other["ci_low"], other["p_value"]) == (pytest.approx(-one["ci_high"]), pytest.approx(one["p_value"]))


def test_rows_can_be_added_one_by_one_and_as_lists_of_classes(comparison, vectors):
    first, second, signal = vectors
    columns = LABELS["multilabel"](signal)
    ids = [np.flatnonzero(row).tolist() for row in columns]
    expected = comparison.compute(predictions1=first, predictions2=second, references=columns)
    for one, other, label in zip(first, second, ids, strict=True):
        comparison.add(predictions1=one, predictions2=other, reference=label)
    assert comparison.compute(num_labels=3) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictions2": [[1.0]]}, "predictions1 has 100 rows, predictions2 1 and references 100; give both"),
        ({"metric": "rocauc"}, "unknown metric of binary labels 'rocauc': did you mean 'roc_auc'"),
        ({"target": "binery"}, "unknown target 'binery': did you mean 'binary'"),
        ({"references": ["a", "b"] * 50}, "references must be numbers or lists of numbers"),
    ],
)
def test_mistakes_are_one_line_and_leave_it_usable(comparison, vectors, changes, message):
    given = {"predictions1": vectors[0], "predictions2": vectors[1], "references": np.arange(100) % 2}
    with pytest.raises(ProbeError, match=message) as caught:
        comparison.compute(**given | changes)
    assert "\n" not in str(caught.value)
    assert 0 < comparison.compute(**given)["p_value"] <= 1


def test_decimal_references_are_not_cut_off_after_whole_ones(vectors):
    comparison = evaluate.load(str(FOLDER))
    comparison.add(predictions1=vectors[0][0], predictions2=vectors[1][0], reference=2)
    with pytest.raises(ProbeError, match="references changed from .*int64.* to .*float64.* between batches"):
        comparison.add(predictions1=vectors[0][1], predictions2=vectors[1][1], reference=2.5)


@pytest.mark.parametrize("call", ["'gene_probe_compare'", "'gene_probe_compare', module_type='comparison'"])
def test_bare_name_in_an_empty_folder_offline(tmp_path, repo, vectors, comparison, call):
    first, second, signal = vectors
    y = LABELS["binary"](signal)
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "arrays.npz", first=first, second=second, y=y)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(repo)}
    script = (
        "from gene_eval.metrics.register import register_comparison; register_comparison();"
        f"import evaluate, json, numpy as np; a = np.load('../arrays.npz'); module = evaluate.load({call});"
        "found = module.compute(predictions1=a['first'], predictions2=a['second'], references=a['y']);"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path / "empty",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = comparison.compute(predictions1=first, predictions2=second, references=y)
    found = json.loads(done.stdout)
    assert found["p_value"] == pytest.approx(expected["p_value"], rel=1e-6)
    assert found["fold_scores2"] == pytest.approx(expected["fold_scores2"], abs=1e-9)


@pytest.mark.parametrize("text", ["inputs_description", "README.md"])
def test_examples_run(text, comparison, monkeypatch):
    real_load = evaluate.load
    monkeypatch.setattr(evaluate, "load", lambda name: real_load(str(FOLDER / f"{name}.py")))
    source = README if text == "README.md" else comparison.inputs_description
    examples = doctest.DocTestParser().get_doctest(source, {}, text, None, 0)
    assert len(examples.examples) >= 8
    report: list[str] = []
    assert doctest.DocTestRunner().run(examples, out=report.append).failed == 0, "".join(report)


def test_documents_name_the_arguments_and_the_outputs(comparison, vectors):
    arguments = [name for name in inspect.signature(comparison._compute).parameters if name != "self"]
    first, second, signal = vectors
    found = comparison.compute(predictions1=first, predictions2=second, references=LABELS["binary"](signal))
    inputs, outputs = (
        README.split(start)[1].split("\n## ")[0].split("\n### ")[0] for start in ("### Inputs", "### Output values")
    )
    assert re.findall(r"^- \*\*(\w+)\*\*", inputs, re.MULTILINE) == arguments
    assert re.findall(r"^- \*\*(\w+)\*\*", outputs, re.MULTILINE) == list(found)
    described, returned = comparison.inputs_description.split("Examples:")[0].split("Returns:")
    assert re.findall(r"^    (\w+)(?: \(.+?\))?: ", described, re.MULTILINE) == arguments
    assert re.findall(r"^    (\w+): ", returned, re.MULTILINE) == list(found)


def test_card_header_makes_a_space(comparison):
    header = yaml.safe_load(README.split("---")[1])
    assert header["title"] == comparison.name == "gene_probe_compare"
    assert (FOLDER / header["app_file"]).is_file()
    assert {"evaluate", "comparison"} <= set(header["tags"])
    assert "gene-bench" in (FOLDER / "requirements.txt").read_text(encoding="utf-8").split()
    assert comparison.citation.strip() in README
