import json
import math
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest

from gene_eval.errors import FileError, NewerSchemaError, ResultError
from gene_eval.results.paths import path_for, slug
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, Settings, TaskRecord, TaskResult
from gene_eval.results.schema import SCHEMA_VERSION
from gene_eval.results.store import load, load_folder, save


@pytest.fixture
def result() -> TaskResult:
    return TaskResult(
        task=TaskRecord(
            id="reactome_pathways",
            version="1.0.0",
            target="multilabel",
            entity="gene",
            family="biological_process",
            source="reactome",
            n=10,
            data_sha256="d" * 64,
            fold_scheme="kfold-5-seed-0",
            folds_sha256="f" * 64,
            label_names=("Cell Cycle", "DNA Repair"),
            inputs={"reactome/ReactomePathways.gmt.zip": "1" * 64},
            audit={"rows_read": 12, "labels_dropped": {"Digestion": 1}},
        ),
        model=ModelRecord("org/model", "abc123", "sentence-transformer", 384, "e" * 64, {"pooling": "mean"}),
        probe=ProbeRecord(Settings("paper", "sklearn", 0), {"C": 1.0}, {"max_iter_reached": 0}),
        coverage=Coverage(10, 8, 2, ("TP53", "BRCA1"), "a" * 64),
        scores={"roc_auc_macro": Score(0.75, 0.25, (0.5, 1.0, math.nan))},
        labels={"DNA Repair": {"roc_auc": Score(math.nan, math.nan, (math.nan, math.nan, math.nan))}},
        environment={"python": "3.11.7"},
        timing={"solve_s": 1.5},
        created_at="2025-01-02T03:04:05+00:00",
    )


def test_json_has_the_agreed_fields(result: TaskResult) -> None:
    content = json.loads(result.to_json())
    assert sorted(content) == [
        "coverage",
        "created_at",
        "environment",
        "labels",
        "model",
        "probe",
        "schema_version",
        "scores",
        "task",
        "timing",
    ]
    assert content["schema_version"] == SCHEMA_VERSION == 2
    assert content["probe"] == {
        "protocol": "paper",
        "engine": "sklearn",
        "seed": 0,
        "split": "random",
        "head": "linear",
        "shots": None,
        "entities": "all",
        "C": 1.0,
        "convergence": {"max_iter_reached": 0},
    }
    assert content["scores"] == {"roc_auc_macro": {"mean": 0.75, "std": 0.25, "folds": [0.5, 1.0, None]}}
    assert content["labels"]["DNA Repair"]["roc_auc"]["mean"] is None
    assert content["coverage"] == {
        "n_task": 10,
        "n_scored": 8,
        "n_missing": 2,
        "missing_sample": ["TP53", "BRCA1"],
        "scored_sha256": "a" * 64,
    }
    assert content["task"]["inputs"] == {"reactome/ReactomePathways.gmt.zip": "1" * 64}


def test_a_result_survives_the_file(result: TaskResult, tmp_path: Path) -> None:
    path = save(result, tmp_path)
    assert path == tmp_path / "org__model" / "reactome_pathways.json"
    assert load(path) == result


def test_same_result_same_bytes_whatever_the_order_of_keys(result: TaskResult) -> None:
    scores = {"accuracy": Score(1.0, 0.0, (1.0,)), "f1": Score(0.5, 0.0, (0.5,))}
    forward = replace(result, scores=scores).to_json()
    backward = replace(result, scores=dict(reversed(scores.items()))).to_json()
    assert forward == backward
    assert TaskResult.from_json(forward).to_json() == forward


def test_undefined_numbers_become_null_and_numpy_numbers_plain(result: TaskResult) -> None:
    score = Score(np.float64("nan"), float("inf"), tuple(np.array([0.25, np.nan], dtype=np.float32)))
    odd = replace(result, scores={"r2": score}, timing={"embed_s": math.nan, "solve_s": np.float32(0.5)})
    content = json.loads(replace(odd, probe=ProbeRecord(Settings("paper", "fast", np.int64(3)))).to_json())
    assert content["scores"]["r2"] == {"mean": None, "std": None, "folds": [0.25, None]}
    assert content["timing"] == {"embed_s": None, "solve_s": 0.5}
    assert content["probe"]["seed"] == 3


def test_what_is_not_json_is_refused(result: TaskResult) -> None:
    with pytest.raises(TypeError, match="a set cannot be written"):
        replace(result, model=replace(result.model, options={"stop_words": {"a"}})).to_json()
    with pytest.raises(ValueError, match="may not be named seed"):
        replace(result, probe=replace(result.probe, params={"seed": 1})).to_json()


def test_results_do_not_change(result: TaskResult) -> None:
    with pytest.raises(FrozenInstanceError):
        result.created_at = "now"  # type: ignore[misc]


def test_schema_1_stays_readable(repo: Path) -> None:
    result = load(repo / "tests" / "data" / "results" / "example-model" / "starter_is_tf.json")
    assert result.task.id == "starter_is_tf"
    assert not result.task.ranked
    assert result.model.revision is None
    assert result.probe.params == {"C": 1.0}
    assert result.scores["roc_auc"] == Score(0.875, 0.125, (1.0, 0.75, math.nan))
    assert result.coverage == Coverage(12, 11, 1, ("TBP",))


def test_every_file_of_schema_1_loads_with_the_axes_it_was_made_with(repo: Path) -> None:
    found = load_folder(repo / "tests" / "data" / "results" / "schema1")
    assert found.problems == ()
    tasks = ["starter_is_tf", "starter_location", "starter_membrane_segments", "starter_protein_class"]
    assert [(one.model.id, one.task.id) for one in found.results] == [
        *(("bag-of-words", task) for task in tasks),
        ("random:dim=8", "starter_is_tf"),
    ]
    assert {one.settings for one in found.results} == {Settings("paper", "fast", 0, "random", "linear", None)}
    location = found.results[1]
    assert location.scores["roc_auc_macro"].mean == pytest.approx(0.778, abs=5e-4)
    assert set(location.labels) <= set(location.task.label_names)
    assert location.probe.params["C"] == 1.0
    assert location.predictions is None
    # Written again, it is of the present schema, and says the same.
    assert TaskResult.from_json(location.to_json()) == location


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_files_of_every_schema_say_today_what_they_said(repo: Path, version: int) -> None:
    folder = repo / "tests" / "data" / "results" / f"schema{version}"
    written = {path: json.loads(path.read_text(encoding="utf-8")) for path in folder.rglob("*.json")}
    assert {content["schema_version"] for content in written.values()} == {version}
    assert {content["task"]["target"] for content in written.values()} >= {"binary", "multilabel", "regression"}
    for path, content in written.items():
        result = load(path)
        assert (result.task.id, result.model.id) == (content["task"]["id"], content["model"]["id"])
        assert {name: (one.mean, list(one.folds)) for name, one in result.scores.items()} == {
            name: (one["mean"], one["folds"]) for name, one in content["scores"].items()
        }
        means = {label: result.labels[label]["roc_auc"].mean for label in content["labels"]}
        assert means == {label: one["roc_auc"]["mean"] for label, one in content["labels"].items()}
        assert result.settings == Settings("paper", "fast", 0)
        assert TaskResult.from_json(result.to_json()) == result


def test_a_file_from_before_the_axis_entities_says_by_its_counts_what_was_scored(result: TaskResult) -> None:
    text = result.to_json().replace('    "entities": "all",\n', "")
    assert TaskResult.from_json(text) == result
    common = TaskResult.from_json(text.replace('"n_scored": 8', '"n_scored": 7'))
    assert common.settings.entities == "common"


def test_a_file_of_a_later_schema_asks_for_an_update(result: TaskResult, tmp_path: Path) -> None:
    path = save(result, tmp_path)
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 9'))
    with pytest.raises(NewerSchemaError) as caught:
        load(path)
    assert str(caught.value) == (
        f"cannot read result {path}: schema_version is 9, this gene-bench reads 1 to 2; update it: "
        "pip install --upgrade gene-bench"
    )
    (problem,) = load_folder(tmp_path).problems
    assert problem == str(caught.value)


def test_results_of_other_settings_stand_side_by_side(result: TaskResult, tmp_path: Path) -> None:
    default = replace(result, probe=replace(result.probe, settings=Settings()))
    axes = [{"protocol": "scaled"}, {"seed": 1}, {"split": "family"}, {"head": "mlp"}]
    axes += [{"shots": 5}, {"split": "family", "head": "mlp", "shots": 5}]
    others = [replace(result, probe=replace(result.probe, settings=Settings(**each))) for each in axes]
    paths = [save(one, tmp_path) for one in (default, *others)]
    assert [path.name for path in paths] == [
        "reactome_pathways.json",
        "reactome_pathways@protocol=scaled.json",
        "reactome_pathways@seed=1.json",
        "reactome_pathways@split=family.json",
        "reactome_pathways@head=mlp.json",
        "reactome_pathways@shots=5.json",
        "reactome_pathways@split=family,head=mlp,shots=5.json",
    ]
    found = load_folder(tmp_path)
    assert found.problems == ()
    assert sorted(one.settings for one in found.results) == [one.settings for one in found.results]
    assert {one.settings for one in found.results} == {one.settings for one in (default, *others)}


@pytest.mark.parametrize(
    ("model_id", "expected"),
    [
        ("bag-of-words", "bag-of-words"),
        ("org/model.v2", "org__model.v2"),
        ("org__model.v2", "org__model.v2-50145768"),
        ("../../etc", "__..__etc-74ccf3c5"),
        ("", "model-e3b0c442"),
        ("x" * 100, "x" * 80 + "-09ecb6eb"),
    ],
)
def test_slug(model_id: str, expected: str) -> None:
    assert slug(model_id) == expected


def test_label_tasks_lie_in_a_subfolder() -> None:
    assert path_for("out", "m", "reactome_pathways/dna_repair") == Path("out/m/reactome_pathways/dna_repair.json")


@pytest.mark.parametrize("task_id", ["", "../up", "a//b", "/root", "a b", ".hidden", "a/.."])
def test_task_ids_that_are_no_file_names_are_refused(task_id: str) -> None:
    with pytest.raises(ResultError, match="cannot be a file name"):
        path_for("out", "m", task_id)


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(
    result: TaskResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(result, tmp_path)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FileError, match=r"cannot write .*pathways\.json: No space left on device"):
        save(replace(result, created_at="later"), tmp_path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:100], "not valid JSON"),
        (lambda text: "[]", "holds a JSON list, expected an object"),
        (lambda text: text.replace("0.75", "NaN"), r"not valid JSON \(NaN\)"),
        (
            lambda text: text.replace('"schema_version": 2', '"schema_version": 0'),
            "schema_version is 0, expected 1",
        ),
        (lambda text: text.replace('"n_scored"', '"scored"'), "field coverage.n_scored is missing"),
        (lambda text: text.replace('"seed": 0', '"seed": true'), "probe.seed is true or false, expected an integer"),
        (lambda text: text.replace('"mean": 0.75', '"mean": "x"'), "roc_auc_macro.mean is a string, expected a number"),
        (lambda text: text.replace('"multilabel"', '"many"'), "task.target is 'many', expected one of binary"),
        (lambda text: "[" * 100_000, "not valid JSON"),
    ],
)
def test_a_damaged_file_is_one_line_with_its_name_and_a_way_out(
    result: TaskResult, tmp_path: Path, change: object, message: str
) -> None:
    path = save(result, tmp_path)
    path.write_text(change(path.read_text()))  # type: ignore[operator]
    with pytest.raises(ResultError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith("delete it, or run the task again with --overwrite")
    assert "\n" not in str(caught.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="No such file"):
        load(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ResultError, match="codec can't decode"):
        load(tmp_path / "binary.json")


def test_a_folder_gives_what_can_be_read_and_names_the_rest(result: TaskResult, tmp_path: Path) -> None:
    save(replace(result, model=replace(result.model, id="b")), tmp_path)
    save(result, tmp_path)
    save(replace(result, model=replace(result.model, id="a")), tmp_path)
    label = replace(result, task=replace(result.task, id="reactome_pathways/dna_repair", target="binary"))
    save(label, tmp_path)
    corrupt = tmp_path / "b" / "hgnc_hla_class.json"
    corrupt.write_text("{")
    copy = tmp_path / "z-copy" / "reactome_pathways.json"
    copy.parent.mkdir()
    copy.write_text(result.to_json())
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "a" / ".reactome_pathways.json.1.part").write_text("half")
    (tmp_path / "a" / "notes.txt").write_text("not a result")

    folder = load_folder(tmp_path)

    assert [(one.model.id, one.task.id) for one in folder.results] == [
        ("a", "reactome_pathways"),
        ("b", "reactome_pathways"),
        ("org/model", "reactome_pathways"),
        ("org/model", "reactome_pathways/dna_repair"),
    ]
    assert len(folder.problems) == 2
    assert folder.problems[0].startswith(f"cannot read result {corrupt}: not valid JSON")
    assert folder.problems[1].startswith(f"{copy} is left out: {tmp_path / 'org__model' / 'reactome_pathways.json'}")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="no results folder .*gene-bench run MODEL"):
        load_folder(tmp_path / "nowhere")
