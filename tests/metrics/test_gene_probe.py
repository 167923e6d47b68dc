"""The `evaluate` metric: same numbers as the probe, by path and by name, and a README that says what the code does."""

import doctest
import errno
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import datasets
import evaluate
import numpy as np
import pytest
import yaml

from gene_eval.core import METRICS, ProbeError, default_folds, probe
from gene_eval.core.engines import OPTIONS
from gene_eval.errors import FileError
from gene_eval.metrics import register

FOLDER = Path(register.__file__).parent / "gene_probe"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
LABELS = {
    "binary": lambda signal: (signal[:, 0] > 0.5).astype(int),
    "multiclass": lambda signal: signal.argmax(axis=1),
    "multilabel": lambda signal: (signal > 0.3).astype(int),
    "regression": lambda signal: signal[:, 0],
}


@pytest.fixture(scope="module")
def metric():
    return evaluate.load(str(FOLDER))


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(5).normal(size=(100, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def signal(X):
    rng = np.random.default_rng(6)
    return X @ rng.normal(size=(4, 3)) + rng.normal(size=(100, 3))


def flat(scores):
    return {name: value for metric, s in scores.items() for name, value in [(metric, s.mean), (f"{metric}_std", s.std)]}


@pytest.mark.parametrize("target", LABELS)
def test_same_numbers_as_the_probe(metric, X, signal, target):
    y = LABELS[target](signal)
    folds = np.arange(100) % 4
    expected = probe(X, y, target=target, folds=folds, C=0.5)
    got = metric.compute(predictions=X, references=y, folds=folds, C=0.5)
    assert got == flat(expected.scores)
    assert list(got)[::2] == list(METRICS[target])


@pytest.mark.parametrize("target", LABELS)
def test_default_folds_follow_the_seed(metric, X, signal, target):
    y = LABELS[target](signal)
    folds = default_folds(y, target=target, seed=3)
    expected = flat(probe(X, y, target=target, folds=folds, seed=3).scores)
    assert metric.compute(predictions=X, references=y, seed=3) == expected
    assert metric.compute(predictions=X, references=y) != expected


def test_per_label_scores_by_name(metric, X, signal):
    y = LABELS["multilabel"](signal)
    names = ["nucleus", "membrane", "cytosol"]
    expected = probe(X, y, target="multilabel", folds=default_folds(y, target="multilabel"), label_names=names)
    got = metric.compute(predictions=X, references=y, label_names=names, per_label=True)
    assert got["labels"] == {name: flat(scores) for name, scores in expected.labels.items()}


def test_lists_of_class_ids_as_a_dataset_holds_them(metric, X, signal):
    y = LABELS["multilabel"](signal)
    names = ["nucleus", "membrane", "cytosol"]
    genes = datasets.Dataset.from_dict(
        {"embedding": X, "label": [np.flatnonzero(row) for row in y]},
        features=datasets.Features(
            embedding=datasets.List(datasets.Value("float32"), length=4),
            label=datasets.List(datasets.ClassLabel(names=names)),
        ),
    )
    expected = metric.compute(predictions=X, references=y)
    assert metric.compute(predictions=genes["embedding"], references=genes["label"], label_names=names) == expected
    assert metric.compute(predictions=genes["embedding"], references=genes["label"], num_labels=3) == expected
    with pytest.raises(ProbeError, match="the number of labels is unknown; give num_labels or label_names"):
        metric.compute(predictions=genes["embedding"], references=genes["label"])
    with pytest.raises(ProbeError, match=r"class id 2 in references is outside 0\.\.1 \(2 labels\)"):
        metric.compute(predictions=X, references=genes["label"], num_labels=2)


@pytest.mark.parametrize(
    ("references", "target"),
    [
        ([0, 1] * 10, "binary"),
        ([True, False] * 10, "binary"),
        (np.array([0, 1] * 10, dtype=np.uint8), "binary"),
        ([1, 2] * 10, "multiclass"),
        ([0, 1, 2, 3] * 5, "multiclass"),
        ([0.0, 1.0] * 10, "regression"),
        ([0, 1.5] * 10, "regression"),
        (np.arange(20, dtype=np.float32), "regression"),
        ([[0, 1], [1, 0]] * 10, "multilabel"),
        ([[0.0, 1.0], [1.0, 0.0]] * 10, "multilabel"),
    ],
)
def test_target_is_found_from_the_references(metric, X, references, target):
    scores = metric.compute(predictions=X[:20], references=references)
    assert list(scores)[::2] == list(METRICS[target])


def test_a_given_target_wins(metric, X, signal):
    counts = LABELS["multiclass"](signal)
    expected = metric.compute(predictions=X, references=counts.astype(float))
    assert metric.compute(predictions=X, references=counts, target="regression") == expected


def test_rows_can_be_added_one_by_one_or_in_batches(metric, X, signal):
    y = LABELS["regression"](signal)
    expected = metric.compute(predictions=X, references=y)
    for vector, label in zip(X, y, strict=True):
        metric.add(prediction=vector, reference=label)
    assert metric.compute() == expected
    metric.add_batch(predictions=X[:60], references=y[:60])
    metric.add_batch(predictions=X[60:], references=y[60:])
    assert metric.compute() == expected


def test_decimal_references_are_not_cut_off_after_whole_ones(X):
    metric = evaluate.load(str(FOLDER))
    metric.add(prediction=X[0], reference=2)
    with pytest.raises(ProbeError, match="references changed from .*int64.* to .*float64.* between batches"):
        metric.add(prediction=X[1], reference=2.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"references": [0, 1]}, "predictions has 100 rows and references 2; give one label per vector"),
        (
            {"references": ["a", "b"] * 50},
            "references must be numbers or lists of numbers, got 'a'; give classes",
        ),
        ({"references": [[0.5, 1.0]] * 100}, "references in lists must be 0/1 columns or class ids, got 0.5"),
        ({"references": [0, 1] * 50, "target": "binery"}, "unknown target 'binery': did you mean 'binary'"),
        ({"references": [0, 1] * 50, "tolerance": 1}, "unknown option 'tolerance'"),
        ({"references": [0] * 100}, "constant labels"),
    ],
)
def test_mistakes_are_one_line_and_leave_the_metric_usable(metric, X, changes, message):
    with pytest.raises(ProbeError, match=message) as caught:
        metric.compute(predictions=X, **changes)
    assert "\n" not in str(caught.value)
    assert metric.compute(predictions=X, references=np.arange(100) % 2)["accuracy"] > 0


@pytest.fixture
def modules_cache(tmp_path, monkeypatch):
    """A modules cache that nothing was ever put into."""
    monkeypatch.setattr(evaluate.config, "HF_MODULES_CACHE", tmp_path / "modules")
    monkeypatch.setattr(sys, "path", sys.path.copy())
    return tmp_path / "modules" / "evaluate_modules"


def test_registering_twice_is_registering_once(modules_cache):
    first = register.register_metric()
    folder = first.parent.relative_to(modules_cache).as_posix()
    assert re.fullmatch(r"metrics/evaluate-metric--gene_probe/[0-9a-f]{64}", folder)
    assert first.read_bytes() == (FOLDER / "gene_probe.py").read_bytes()
    files = sorted(modules_cache.rglob("*"))
    assert register.register_metric() == first
    assert sorted(modules_cache.rglob("*")) == files


def test_a_read_only_cache_serves_once_the_metric_is_there(modules_cache, monkeypatch):
    def refused(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "utime", refused)
    monkeypatch.setattr(Path, "touch", refused)
    with pytest.raises(
        FileError, match=rf"^{modules_cache.parent}: .* cannot be written \(Read-only .*; set HF_HOME or"
    ):
        register.register_metric()
    monkeypatch.undo()
    monkeypatch.setattr(evaluate.config, "HF_MODULES_CACHE", modules_cache.parent)
    installed = register.register_metric()
    monkeypatch.setattr(os, "utime", refused)
    monkeypatch.setattr(Path, "touch", refused)
    assert register.register_metric() == installed


def test_evaluate_takes_the_version_registered_last(modules_cache, tmp_path, monkeypatch):
    newest = evaluate.loading.CachedEvaluationModuleFactory(
        "evaluate-metric--gene_probe", dynamic_modules_path=str(modules_cache)
    )
    old = register.register_metric()
    changed = tmp_path / "gene_probe.py"
    changed.write_bytes(old.read_bytes() + b"\n# changed\n")
    monkeypatch.setattr(register, "METRIC", changed)
    new = register.register_metric()
    assert newest.get_module().hash == new.parent.name != old.parent.name
    monkeypatch.undo()
    monkeypatch.setattr(evaluate.config, "HF_MODULES_CACHE", modules_cache.parent)
    register.register_metric()
    assert newest.get_module().hash == old.parent.name


def test_bare_name_in_an_empty_folder_offline(tmp_path, repo, X, signal, metric):
    """The call from the README as a user makes it: a fresh process, nothing but the cache that register filled."""
    y = LABELS["binary"](signal)
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "arrays.npz", X=X, y=y)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(repo)}
    scripts = [
        "from gene_eval.metrics.register import register_metric; print(register_metric())",
        "import evaluate, json, numpy as np; a = np.load('../arrays.npz');"
        "print(json.dumps(evaluate.load('gene_probe').compute(predictions=a['X'], references=a['y'])))",
    ]
    installed, scores = (
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path / "empty",
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for script in scripts
    )
    assert installed.startswith(str(tmp_path / "hf" / "modules" / "evaluate_modules" / "metrics"))
    assert json.loads(scores) == pytest.approx(metric.compute(predictions=X, references=y), abs=1e-9)


@pytest.mark.parametrize("text", ["inputs_description", "README.md"])
def test_examples_run(text, metric, monkeypatch):
    # By path: in one process, Python imports the cache's packages from the first cache it saw.
    real_load = evaluate.load
    monkeypatch.setattr(evaluate, "load", lambda name: real_load(str(FOLDER / f"{name}.py")))
    source = README if text == "README.md" else metric.inputs_description
    examples = doctest.DocTestParser().get_doctest(source, {}, text, None, 0)
    assert len(examples.examples) >= 10
    report: list[str] = []
    assert doctest.DocTestRunner().run(examples, out=report.append).failed == 0, "".join(report)


def test_documented_arguments_are_the_arguments_of_compute(metric):
    arguments = [name for name in inspect.signature(metric._compute).parameters if name != "self"]
    inputs = README.split("### Inputs")[1].split("###")[0]
    assert re.findall(r"^- \*\*(\w+)\*\*", inputs, re.MULTILINE) == arguments
    described = metric.inputs_description.split("Returns:")[0]
    assert re.findall(r"^    (\w+)(?: \(.+?\))?: ", described, re.MULTILINE) == arguments
    assert all(f"`{option}`" in inputs and f"`{option}`" in described for option in OPTIONS)


def test_documented_metrics_are_the_metrics(metric):
    outputs = README.split("### Output values")[1].split("###")[0]
    for text, pattern in [
        (outputs, r"- \*\*{}\*\*:(.*?)(?=\n- |\n\n)"),
        (metric.inputs_description, r"  {}: (.*?)\.\n"),
    ]:
        for target, names in METRICS.items():
            (line,) = re.findall(pattern.format(target), text, re.DOTALL)
            listed = [word for word in re.findall(r"\w+", line) if word in {n for ns in METRICS.values() for n in ns}]
            assert tuple(listed) == names


def test_card_header_makes_a_space(metric):
    header = yaml.safe_load(README.split("---")[1])
    assert header["title"] == metric.name == "gene_probe"
    assert header["sdk"] == "gradio"
    assert (FOLDER / header["app_file"]).is_file()
    assert {"evaluate", "metric"} <= set(header["tags"])
    assert "gene-bench" in (FOLDER / "requirements.txt").read_text(encoding="utf-8").split()
    assert metric.citation.strip() in README
    assert "2412.04075" in metric.citation
