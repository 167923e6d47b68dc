"""`run` on the starter tasks and on toy sources: what is scored, what is saved, what is skipped and what fails."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

import gene_eval
from builders import load
from gene_eval.core.engines import DEFAULT_ENGINE
from gene_eval.core.probe import probe
from gene_eval.errors import GeneBenchError
from gene_eval.results import store as results
from gene_eval.results.settings import common_entities
from gene_eval.running import fitting
from gene_eval.running.models import load_models
from gene_eval.running.runner import run
from model_adapters import GeneEncoder
from model_adapters.controls import RandomVectors
from model_adapters.text.bag_of_words import BagOfWords

STARTER = {
    "starter_is_tf": "binary",
    "starter_protein_class": "multiclass",
    "starter_location": "multilabel",
    "starter_membrane_segments": "regression",
}
SMALL = "random:dim=8"


@pytest.fixture(scope="module")
def starter_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("starter")
    return run(["bag-of-words", "random"], ["starter_*"], out=out, log=[].append), out


def labels_of(rows, target):
    if target != "multilabel":
        return np.array(rows["label"])
    n_labels = len(rows.features["label"].feature.names)
    return np.array([[int(label in cell) for label in range(n_labels)] for cell in rows["label"]])


def expected(task, vectors, *, keep=lambda symbol: True):
    """Scores by a direct call of the probe, from the published columns `symbol, label, fold`."""
    rows = load(task).dataset
    chosen = [i for i, symbol in enumerate(rows["symbol"]) if keep(symbol)]
    names = list(rows["symbol"])
    return probe(
        np.stack([vectors[names[i]] for i in chosen]),
        labels_of(rows, STARTER[task])[chosen],
        target=STARTER[task],
        folds=np.array(rows["fold"])[chosen],
    )


@pytest.fixture(scope="module")
def symbols():
    return list(load("starter_genes").dataset["symbol"])


def test_one_file_per_model_and_task(starter_run):
    outcome, out = starter_run
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    ends = (".json", ".predictions.parquet")
    assert found == {f"{model}/{task}{end}" for model in ("bag-of-words", "random") for task in STARTER for end in ends}
    assert (outcome.fitted, outcome.up_to_date, outcome.failures) == (8, 0, [])


@pytest.mark.parametrize("task", STARTER)
def test_scores_are_those_of_the_probe(starter_run, task, assert_scores, starter_vectors):
    # Not the least squares of 1,024 words again: it takes as long as everything else together.
    for model in ("random",) if task == "starter_membrane_segments" else ("bag-of-words", "random"):
        saved = results.load(results.path_for(starter_run[1], model, task))
        direct = expected(task, starter_vectors(model))
        assert_scores(saved.scores, direct.scores)
        names = load(task).dataset.features["label"].feature.names if direct.labels else []
        assert list(saved.labels) == sorted(names)
        for number, name in enumerate(names):
            assert_scores(saved.labels[name], direct.labels[str(number)])


def test_a_result_says_what_it_depends_on(starter_run):
    content = json.loads((starter_run[1] / "random" / "starter_is_tf.json").read_text())
    assert content.keys() == {
        *("schema_version", "task", "model", "probe", "coverage", "scores", "labels", "environment", "timing"),
        *("as_published", "predictions", "created_at"),
    }
    rows = load("starter_is_tf").dataset
    task = content["task"]
    assert (task["id"], task["version"], task["target"], task["entity"]) == ("starter_is_tf", "1.1.0", "binary", "gene")
    assert (task["family"], task["n"], task["ranked"]) == ("regulatory", len(rows), False)
    assert task["inputs"].keys() == {"starter/starter_genes.tsv"}
    assert task["fold_scheme"] == "5-fold-sha256-contiguous-seed0"
    assert all(len(task[name]) == 64 for name in ("data_sha256", "folds_sha256"))
    model = content["model"]
    assert (model["id"], model["revision"], model["adapter"], model["dim"]) == ("random", None, "random", 128)
    assert model["options"] == {"seed": 0, "dim": 128}
    assert len(model["embedding_sha256"]) == 64
    settings = content["probe"]
    assert (settings["protocol"], settings["engine"], settings["seed"]) == ("paper", DEFAULT_ENGINE, 0)
    assert settings["C"] == 1.0
    assert content["coverage"] | {"scored_sha256": ""} == {
        "n_task": len(rows), "n_scored": len(rows), "n_missing": 0, "missing_sample": [], "scored_sha256": "",
    }  # fmt: skip
    assert {"gene-bench", "python", "numpy", "scikit-learn", "torch"} <= content["environment"].keys()
    assert content["timing"].keys() == {"embed_s", "solve_s", "score_s"}


def test_a_second_run_embeds_and_fits_nothing(starter_run, log, monkeypatch):
    called = []
    for kind in (BagOfWords, RandomVectors):
        monkeypatch.setattr(kind, "encode", lambda self, batch: called.append("encode"))
    monkeypatch.setattr(fitting, "probe", lambda *args, **options: called.append("probe"))
    again = run(["bag-of-words", "random"], ["starter_*"], out=starter_run[1], log=log)
    assert called == []
    assert (again.fitted, again.up_to_date) == (0, 8)
    assert [(r.model.id, r.task.id, r.scores) for r in again.results] == [
        (r.model.id, r.task.id, r.scores) for r in starter_run[0].results
    ]
    assert sum("from the cache, nothing embedded" in line for line in log) == 2


def test_overwrite_runs_again(go):
    assert go([SMALL], ["starter_is_tf"]).fitted == 1
    assert go([SMALL], ["starter_is_tf"]).up_to_date == 1
    assert go([SMALL], ["starter_is_tf"], overwrite=True).fitted == 1


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1")])
def test_predictions_that_are_asked_for_and_damaged_are_made_again(go, tmp_path, damage):
    (result,) = go([SMALL], ["starter_is_tf"], predictions=True).results
    (path,) = tmp_path.rglob("*.predictions.parquet")
    before = path.read_bytes()
    damage(path)
    assert go([SMALL], ["starter_is_tf"]).up_to_date == 1
    again = go([SMALL], ["starter_is_tf"], predictions=True)
    assert (again.fitted, again.results[0].scores, path.read_bytes()) == (1, result.scores, before)


def test_another_seed_or_engine_is_another_result(go):
    assert go([SMALL], ["starter_membrane_segments"]).fitted == 1
    assert go([SMALL], ["starter_membrane_segments"], seed=1).fitted == 1
    assert go([SMALL], ["starter_membrane_segments"], seed=1, engine="sklearn").up_to_date == (
        DEFAULT_ENGINE == "sklearn"
    )


def test_fresh_runs_give_the_same_bytes(tmp_path, log):
    texts = []
    for name in ("a", "b"):
        run(["random:dim=16"], ["starter_*"], out=tmp_path / name, log=log)
        files = {path.name: json.loads(path.read_text()) for path in sorted((tmp_path / name).rglob("*.json"))}
        for content in files.values():
            del content["timing"], content["created_at"]
        texts.append(json.dumps(files))
    assert texts[0] == texts[1]
    assert len(json.loads(texts[0])) == 4


def test_removed_vectors_are_counted_and_the_other_genes_keep_their_folds(
    go, log, tmp_path, symbols, write_vectors, assert_scores
):
    kept = [symbol for i, symbol in enumerate(symbols) if i % 10 not in (1, 4, 7)]
    write_vectors(tmp_path / "full.csv", symbols)
    vectors = write_vectors(tmp_path / "part.csv", kept)
    outcome = go([str(tmp_path / "full.csv"), str(tmp_path / "part.csv")], ["starter_is_tf", "starter_location"])
    full, part = (next(r for r in outcome.results if r.model.id == name) for name in ("full", "part"))
    n_missing = len(symbols) - len(kept)
    assert (part.coverage.n_task, part.coverage.n_scored) == (len(symbols), len(kept))
    assert part.coverage.n_missing == n_missing
    assert set(part.coverage.missing_sample) == set(sorted(set(symbols) - set(kept))[:10])
    assert f"part: entities without a vector are left out: {n_missing} of {len(symbols)} on starter_is_tf" in log.text
    assert "full: entities without" not in log.text
    assert part.task.folds_sha256 == full.task.folds_sha256
    for result in (result for result in outcome.results if result.model.id == "part"):
        assert_scores(result.scores, expected(result.task.id, vectors, keep=vectors.__contains__).scores)


def test_missing_error_refuses(go, tmp_path, symbols, write_vectors):
    write_vectors(tmp_path / "part.csv", symbols[3:])
    outcome = go([str(tmp_path / "part.csv"), SMALL], ["starter_is_tf"], missing="error")
    assert [r.model.id for r in outcome.results] == [SMALL]
    assert [failure.reason for failure in outcome.failures] == [
        f"3 of {len(symbols)} entities of starter_is_tf have no vector ({', '.join(symbols[:3])});"
        " add them, or run with --missing drop"
    ]


def test_common_genes(go, tmp_path, symbols, write_vectors, assert_scores):
    first = write_vectors(tmp_path / "first.csv", symbols[:200])
    second = write_vectors(tmp_path / "second.csv", symbols[100:], seed=1)
    models = [str(tmp_path / "first.csv"), str(tmp_path / "second.csv")]
    outcome = go(models, ["starter_is_tf"], common_genes=True)
    common = set(symbols[100:200])
    assert [r.coverage.n_scored for r in outcome.results] == [100, 100]
    assert [r.coverage.n_missing for r in outcome.results] == [len(symbols) - 200, 100]
    assert len({r.coverage.scored_sha256 for r in outcome.results}) == 1
    for result, vectors in zip(outcome.results, (first, second), strict=True):
        assert_scores(result.scores, expected("starter_is_tf", vectors, keep=common.__contains__).scores)
    # Without the option more genes are scored: another result, which leaves the first where it is.
    assert go(models, ["starter_is_tf"]).fitted == 2
    entities = common_entities(["first", "second"])
    files = sorted(path.name for path in (tmp_path / "out" / "first").glob("*.json"))
    assert files == ["starter_is_tf.json", f"starter_is_tf@entities={entities}.json"]
    assert [r.settings.entities for r in outcome.results] == [entities, entities]
    assert outcome.results[0].probe.params["common_to"] == ["first", "second"]
    assert go(models, ["starter_is_tf"], common_genes=True).up_to_date == 2
    full, common_only = gene_eval.load_results(tmp_path / "out").report.tables
    assert (full.cells["first", "starter_is_tf"].n_scored, common_only.cells["first", "starter_is_tf"].n_scored) == (
        200,
        100,
    )
    assert f"entities {entities}: only those that all models of one run have (first, second)" in common_only.warnings


def test_nothing_in_common(go, tmp_path, symbols, write_vectors):
    write_vectors(tmp_path / "first.csv", symbols[:100])
    write_vectors(tmp_path / "second.csv", symbols[100:])
    outcome = go([str(tmp_path / "first.csv"), str(tmp_path / "second.csv")], ["starter_is_tf"], common_genes=True)
    assert {failure.reason for failure in outcome.failures} == {
        "no entity of starter_is_tf has a vector in all of the models; run without --common-genes"
    }


def test_no_overlap_with_the_task(go, tmp_path, symbols, write_vectors):
    write_vectors(tmp_path / "mouse.csv", ["Trp53", "Myc"])
    (failure,) = go([str(tmp_path / "mouse.csv")], ["starter_is_tf"]).failures
    assert failure.reason == (
        f"mouse has a vector for none of the {len(symbols)} entities of starter_is_tf (symbol in the task:"
        f" {', '.join(symbols[:3])}; in the vectors: Trp53, Myc); name genes by their HGNC symbol"
    )


def test_too_few_genes_for_the_folds(go, tmp_path, write_vectors):
    rows = load("starter_is_tf").dataset
    four = [next(s for s, fold in zip(rows["symbol"], rows["fold"], strict=True) if fold == i) for i in range(4)]
    write_vectors(tmp_path / "few.csv", four)
    (failure,) = go([str(tmp_path / "few.csv")], ["starter_is_tf"]).failures
    assert failure.reason.startswith(f"4 of {len(rows)} entities of starter_is_tf have a vector, in 4 of 5 folds;")


def test_a_failed_task_does_not_stop_the_rest(go, log, tmp_path, write_vectors):
    rows = load("starter_is_tf").dataset
    negatives = [symbol for symbol, label in zip(rows["symbol"], rows["label"], strict=True) if label == 0]
    write_vectors(tmp_path / "negatives.csv", negatives)
    outcome = go([str(tmp_path / "negatives.csv"), SMALL], ["starter_is_tf", "starter_membrane_segments"])
    assert [(r.model.id, r.task.id) for r in outcome.results] == [
        ("negatives", "starter_membrane_segments"),
        (SMALL, "starter_is_tf"),
        (SMALL, "starter_membrane_segments"),
    ]
    (failure,) = outcome.failures
    assert (failure.model, failure.task) == ("negatives", "starter_is_tf")
    assert (
        f"failed: negatives on starter_is_tf: constant labels: y has the same value in all {len(negatives)} rows"
        in (log.text)
    )


def test_vectors_with_nan_fail_once_read_and_the_next_model_runs(go, log, tmp_path, symbols, write_vectors):
    write_vectors(tmp_path / "holes.csv", symbols)
    table = pd.read_csv(tmp_path / "holes.csv", keep_default_na=False)
    table.loc[5, "d2"] = np.nan
    table.to_csv(tmp_path / "holes.csv", index=False)
    outcome = go([str(tmp_path / "holes.csv"), SMALL], ["starter_is_tf", "starter_membrane_segments"])
    assert [(r.model.id) for r in outcome.results] == [SMALL, SMALL]
    first, second = (line for line in log if line.startswith("failed"))
    assert "NaN" in first
    assert symbols[5] in first
    assert second == "failed: holes on starter_membrane_segments: for the same reason"


def test_a_source_that_is_not_there_fails_its_tasks_only(go, log, tmp_path):
    (tmp_path / "raw").mkdir()
    outcome = go([SMALL], ["hgnc_hla_class", "starter_is_tf"], data_dir=tmp_path / "raw")
    assert [r.task.id for r in outcome.results] == ["starter_is_tf"]
    (failure,) = outcome.failures
    assert (failure.task, failure.model) == ("hgnc_hla_class", "")
    assert "hgnc_complete_set.txt" in failure.reason  # which file
    assert str(tmp_path / "raw" / "hgnc") in failure.reason  # where it looked
    assert "get it from https://" in failure.reason
    assert f"failed: hgnc_hla_class: {failure.reason}" in log


def test_a_corrupt_result_fails_its_task_and_is_left_alone(go, tmp_path):
    go([SMALL], ["starter_*"])
    files = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")}
    path = next((tmp_path / "out").rglob("starter_is_tf.json"))
    path.write_text("{half")
    outcome = go([SMALL], ["starter_*"])
    assert outcome.up_to_date == 3
    (failure,) = outcome.failures
    assert failure.task == "starter_is_tf"
    assert str(path) in failure.reason
    assert "run the task again with --overwrite" in failure.reason
    assert path.read_text() == "{half"
    after = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")}
    assert after == files | {"starter_is_tf.json": b"{half"}
    assert go([SMALL], ["starter_is_tf"], overwrite=True).fitted == 1


def test_results_of_other_vectors_are_replaced_only_when_told(go, tmp_path, symbols, write_vectors):
    write_vectors(tmp_path / "a" / "mine.csv", symbols)
    write_vectors(tmp_path / "b" / "mine.csv", symbols, seed=1)
    (before,) = go([str(tmp_path / "a" / "mine.csv")], ["starter_membrane_segments"]).results
    spec = str(tmp_path / "b" / "mine.csv")
    # Another task would put two models into one column.
    for task in ("starter_membrane_segments", "starter_is_tf"):
        with pytest.raises(GeneBenchError, match=r"out holds results of other vectors under the name mine \(revision"):
            go([spec], [task])
    assert go([spec], ["starter_membrane_segments"], name="mine-b").fitted == 1
    assert results.load(results.path_for(tmp_path / "out", "mine", "starter_membrane_segments")) == before
    outcome = go([spec], ["starter_membrane_segments"], overwrite=True)
    assert outcome.fitted == 1
    assert outcome.results[0].model.embedding_sha256 != before.model.embedding_sha256
    assert outcome.results[0].scores != before.scores


def test_files_of_one_name_have_their_folders_in_their_names(go, tmp_path, symbols, write_vectors):
    specs = [tmp_path / folder / "mine.csv" for folder in ("a", "b", "c/a")]
    for seed, path in enumerate(specs):
        write_vectors(path, symbols, seed=seed)
    assert go([str(specs[0]), str(specs[1]), "random"], ["starter_is_tf"]).models == ("a/mine", "b/mine", "random")
    assert (tmp_path / "out" / "a__mine" / "starter_is_tf.json").exists()
    assert load_models([str(specs[0]), str(specs[2])])[1].name == "c/a/mine"
    assert [model.name for model in load_models([str(specs[0]), str(specs[0])])] == ["mine"]
    with pytest.raises(GeneBenchError, match=r"a/mine\.csv and .*b/mine\.csv are both named x, .* another name"):
        go(list(map(str, specs[:2])), ["starter_is_tf"], name=["x", "x"])
    with pytest.raises(GeneBenchError, match=r"1 names were given for 2 models; give one --name \(name=\) for each"):
        go(list(map(str, specs[:2])), ["starter_is_tf"], name="x")


def test_vectors_without_a_revision_are_told_apart_when_they_are_there(go, tmp_path):
    class Letters(GeneEncoder):
        model_id, input_column = "letters", "name"

        def encode(self, batch):
            return np.array([[len(name), ord(name[0])] for name in batch], dtype=np.float32)

    class OtherLetters(Letters):
        def encode(self, batch):
            return np.array([[len(name), ord(name[1])] for name in batch], dtype=np.float32)

    assert go(Letters(), ["starter_is_tf"]).fitted == 1
    (failure,) = go(OtherLetters(), ["starter_is_tf"]).failures
    assert failure.reason.endswith(
        "letters/starter_is_tf.json is of other vectors; give the model another name with --name (name= in Python),"
        " or replace them with --overwrite"
    )
    assert go(OtherLetters(), ["starter_is_tf"], overwrite=True).fitted == 1


def test_an_interrupted_run_keeps_what_is_done(go, tmp_path, monkeypatch):
    calls = []

    def stop_at_the_third(*args, **options):
        calls.append(options["target"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return probe(*args, **options)

    monkeypatch.setattr(fitting, "probe", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        go([SMALL], ["starter_*"])
    monkeypatch.undo()
    files = list((tmp_path / "out").rglob("*.json"))
    assert len(files) == 2
    assert all(results.load(path).scores for path in files)
    again = go([SMALL], ["starter_*"])
    assert (again.fitted, again.up_to_date) == (2, 2)


def test_warnings_of_the_probe_are_told_in_one_line(go, log, monkeypatch):
    def warns(*args, **options):
        warnings.warn("stopped early", stacklevel=2)
        return probe(*args, **options)

    monkeypatch.setattr(fitting, "probe", warns)
    go([SMALL], ["starter_membrane_segments"])
    assert f"warning: {SMALL} on starter_membrane_segments: stopped early" in log


def test_a_task_in_place_of_a_model_is_said():
    with pytest.raises(GeneBenchError, match=r"^'hgnc_locus_group' is a task, not a model; give each task after a -t"):
        load_models(["random", "hgnc_locus_group"])
