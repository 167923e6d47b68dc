"""`gene-bench leaks` and `mask=labels`: what texts state of the starter tasks, and what is left without it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import load_dataset

import gene_eval
from builders import RawFiles
from gene_eval.cli.parser import main
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.words import label_words
from gene_eval.errors import GeneBenchError
from gene_eval.running.outcome import Results
from gene_eval.running.tasks import collect_tasks
from gene_eval.running.validity.label_texts import words_of_tasks
from gene_eval.running.validity.leaks import LABEL_SOURCE, TEXT_STATES, find_leaks
from gene_eval.running.verify import verify

TASKS = ["starter_is_tf", "starter_location"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("leaks")
    models = ["bag-of-words", "bag-of-words:mask=labels", "random:dim=4"]
    gene_eval.run(models, TASKS, out=out, log=lambda line: None)
    return out


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return gene_eval.load_results(folder)


def test_shares_are_counted_as_by_hand(results: Results) -> None:
    found = find_leaks(results=results)
    row = next(row for row in found.labels if row["label"] == "mitochondrion")
    genes = {
        gene["symbol"]: gene["description"].lower()
        for gene in load_dataset("gene-bench", "starter_genes", split="train")
    }
    task = load_dataset("gene-bench", "starter_location", split="train")
    number = task.features["label"].feature.names.index("mitochondrion")
    stem = row["words"]
    assert stem == "mitochondr"
    said = {True: [], False: []}
    for entity in task:
        said[number in entity["label"]].append(f"{stem}" in genes[entity["symbol"]])
    assert row["positives"] == len(said[True])
    assert row["share_of_positives"] == pytest.approx(np.mean(said[True]))
    assert row["share_of_negatives"] == pytest.approx(np.mean(said[False]))
    assert row["flag"] == (TEXT_STATES if np.mean(said[True]) - np.mean(said[False]) >= 0.2 else "")


def test_masked_scores_stand_beside_the_others(results: Results) -> None:
    found = results.leaks()
    scores = results.table()
    assert {row["task"] for row in found.masked} == set(TASKS)
    for row in found.masked:
        assert row["model"] == "bag-of-words"
        assert row["score"] == pytest.approx(scores.loc[row["task"], "bag-of-words"])
        assert row["masked"] == pytest.approx(scores.loc[row["task"], "bag-of-words:mask=labels"])
        assert row["difference"] == pytest.approx(row["score"] - row["masked"])
    flagged = {row["task"] for row in found.tasks if row["flag"]}
    assert {(row["model"], row["task"]) for row in found.flags} == {("bag-of-words", task) for task in flagged}


def test_masked_vectors_have_no_word_of_the_labels(results: Results) -> None:
    record = next(result.model for result in results if "mask" in result.model.id)
    assert record.options["mask"] == "labels"
    assert len(str(record.options["masked_sha256"])) == 64
    alone = gene_eval.run("bag-of-words:mask=labels", "starter_is_tf", log=lambda line: None)
    # Other tasks have other words.
    assert alone.results[0].model.options["masked_sha256"] != record.options["masked_sha256"]
    assert alone.results[0].model.embedding_sha256 != record.embedding_sha256


def test_a_masked_result_is_run_again_without_the_other_tasks(results: Results) -> None:
    """Which words are not read went by both tasks of the run."""
    (one,) = [result for result in results if "mask" in result.model.id and result.task.id == "starter_is_tf"]
    assert one.model.options["masked_words"] == list(words_of_tasks(collect_tasks(TASKS, RawFiles())))
    (verdict,) = verify([one], log=lambda line: None)
    assert verdict.reproduced, verdict.details


def test_models_made_of_masked_ones_are_masked(results: Results) -> None:
    joined, shuffled = "bag-of-words:mask=labels+random:dim=4", "shuffled:bag-of-words:mask=labels"
    made = gene_eval.run([joined, shuffled], TASKS, log=lambda line: None)
    assert not made.failures
    plain = next(result.model for result in results if result.model.id == "bag-of-words:mask=labels")
    for result in made:
        assert result.model.options["masked_sha256"] == plain.options["masked_sha256"]
    # The numbers of the masked texts beside four more; and given to other genes, they score as chance does.
    assert {result.model.dim for result in made if result.model.id == joined} == {plain.dim + 4}
    assert all(
        result.scores[MAIN_METRIC[result.task.target]].mean < 0.7 for result in made if "shuffled" in result.model.id
    )
    both = Results([*made, *gene_eval.run("bag-of-words+random:dim=4", TASKS, log=lambda line: None)])
    found = both.leaks()
    assert {row["model"] for row in found.masked} == {"bag-of-words+random:dim=4"}
    assert {row["model"] for row in found.flags} == {"bag-of-words+random:dim=4"}


def test_other_words_under_one_name_are_not_mixed(folder: Path) -> None:
    with pytest.raises(GeneBenchError, match="holds results of other vectors under the name bag-of-words:mask=labels"):
        gene_eval.run("bag-of-words:mask=labels", "starter_is_tf", out=folder, log=lambda line: None)


def test_equal_tasks_count_half(results: Results) -> None:
    frame = load_dataset("gene-bench", "starter_is_tf", split="train").to_pandas()[["symbol", "label"]]
    found = find_leaks([{"one": frame, "same": frame}])
    assert found.overlap.tolist() == [[1, 1], [1, 1]]
    assert found.effective == 1
    assert [row["weight"] for row in found.tasks] == [0.5, 0.5]


def test_vectors_of_the_table_that_labels_are_made_of_are_flagged(results: Results) -> None:
    one = results.results[0]
    made = replace(
        one, task=replace(one.task, id="hpa_rna_tissue_specificity"), model=replace(one.model, adapter="expression")
    )
    found = find_leaks(["starter_is_tf"], results=Results([made]))
    assert [(row["task"], row["flag"]) for row in found.flags] == [("hpa_rna_tissue_specificity", LABEL_SOURCE)]


@pytest.mark.parametrize(
    ("adapter", "options", "head", "flagged"),
    [
        ("gene2vec", {}, "linear", [LABEL_SOURCE]),
        (
            "combined",
            {"parts": [{"adapter": "random", "options": {}}, {"adapter": "gene2vec", "options": {}}]},
            "linear",
            [LABEL_SOURCE],
        ),
        ("shuffled", {"parts": [{"adapter": "gene2vec", "options": {}}]}, "linear", []),
        ("spectral", {"graph": "string+go:iea=no"}, "linear", [LABEL_SOURCE]),
        ("spectral", {"graph": "string"}, "linear", []),
        ("random", {}, "gcn:graph=go,layers=2", [LABEL_SOURCE]),
    ],
)
def test_what_vectors_are_made_of_is_known_through_parts_graphs_and_heads(
    results: Results, adapter: str, options: dict[str, Any], head: str, flagged: list[str]
) -> None:
    one = results.results[0]
    made = replace(
        one,
        task=replace(one.task, id="go_slim_process"),
        model=replace(one.model, adapter=adapter, options=options),
        probe=replace(one.probe, settings=replace(one.settings, head=head)),
    )
    found = find_leaks(["starter_is_tf"], results=Results([made]))
    assert [row["flag"] for row in found.flags] == flagged


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaks", str(folder), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["label"] for row in found["labels"]} >= {"tf", "mitochondrion"}
    assert 1 < found["effective_tasks"] <= 2
    assert main(["leaks", "-t", "starter_is_tf"]) == 0
    assert "starter_is_tf" in capsys.readouterr().out
    assert main(["leaks", "-t", "starter_is_tf", "--input", "nothing"]) == 2
    assert "no column 'nothing'" in capsys.readouterr().err
    assert label_words("tf")[0] == "transcription factor"
