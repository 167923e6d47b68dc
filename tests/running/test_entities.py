"""What a task can be about: labels of another, pairs, genes with diseases; and identifiers that are no symbols."""

import numpy as np
import pandas as pd
import pytest

from builders import RawFiles, assign_folds, load
from builders.errors import UnknownTaskError
from gene_eval.core.probe import probe
from gene_eval.results import store as results
from gene_eval.results.reproduce import run_words
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.tasks import choose
from gene_eval.running.verify import verify
from model_adapters import load_model
from model_adapters.controls import RandomVectors

SMALL = "random:dim=8"


def test_choose():
    plain = choose([])
    # Names say its labels: it is shown, and in no rank.
    assert {"reactome_pathways", "hgnc_locus_group"} <= plain.keys()
    assert not any(name.startswith("starter") for name in plain)
    assert "tcrd_development_level" not in plain
    assert choose(["starter_is_tf", "starter_loc*"]) == {"starter_is_tf": [""], "starter_location": [""]}
    assert choose(["starter_location/*"]) == {"starter_location": ["*"]}
    assert choose(["starter_location", "starter_location/nucleus"]) == {"starter_location": ["", "nucleus"]}
    assert choose(["starter_*"], subtasks=True)["starter_location"] == ["", "*"]
    assert choose(["starter_*"], subtasks=True)["starter_is_tf"] == [""]
    assert choose(["starter_*/*"]) == {"starter_location": ["*"]}
    with pytest.raises(UnknownTaskError, match="did you mean 'starter_location'"):
        choose(["starter_locations/nucleus"])


def test_a_label_as_a_task(go, tmp_path, assert_scores, starter_vectors):
    patterns = ["starter_location/nucleus", "starter_location/n*", "starter_location/nowhere"]
    outcome = go([SMALL], patterns)
    (result,) = outcome.results
    assert (result.task.id, result.task.target) == ("starter_location/nucleus", "binary")
    assert result.task.label_names == ("not nucleus", "nucleus")
    assert results.path_for(tmp_path / "out", SMALL, "starter_location/nucleus").is_file()
    (failure,) = outcome.failures
    assert failure.task == "starter_location/nowhere"
    assert "has no label 'nowhere'" in failure.reason
    rows = load("starter_location").dataset
    number = rows.features["label"].feature.names.index("nucleus")
    y = np.array([int(number in cell) for cell in rows["label"]])
    vectors = starter_vectors(SMALL)
    X = np.stack([vectors[symbol] for symbol in rows["symbol"]])
    direct = probe(
        X, y, target="binary", folds=assign_folds(list(rows["symbol"]), np.array(result.task.label_names)[y])
    )
    assert_scores(result.scores, direct.scores)


def test_subtasks_besides_their_task(go):
    outcome = go([SMALL], ["starter_location"], subtasks=True)
    names = load("starter_location").dataset.features["label"].feature.names
    assert [r.task.id for r in outcome.results] == ["starter_location", *(f"starter_location/{name}" for name in names)]


# Pairs, diseases and identifiers, on toy sources


@pytest.mark.parametrize("pairs", ["average", "concat"])
def test_pairs(go, toy_dir, tmp_path, toy_genes, pairs, write_vectors, assert_scores):
    vectors = write_vectors(tmp_path / "mine.csv", [symbol for symbol, _ in toy_genes])
    spec = str(tmp_path / "mine.csv")
    (result,) = go([spec], ["gene2vec_gene_pairs"], data_dir=toy_dir, pairs=pairs).results
    rows = load("gene2vec_gene_pairs", RawFiles(toy_dir)).dataset
    left, right = (np.stack([vectors[symbol] for symbol in rows[column]]) for column in ("symbol_a", "symbol_b"))
    X = (left + right) / np.float32(2) if pairs == "average" else np.concatenate([left, right], axis=1)
    direct = probe(X, np.array(rows["label"]), target="binary", folds=np.array(rows["fold"]))
    # Labels of pairs come from annotation, which adds metrics.
    assert_scores({metric: result.scores[metric] for metric in direct.scores}, direct.scores)
    assert result.probe.params["pairs"] == pairs
    assert (result.model.dim, result.coverage.n_scored) == (6, len(rows))
    assert go([spec], ["gene2vec_gene_pairs"], data_dir=toy_dir, pairs=pairs).up_to_date == 1
    other = "concat" if pairs == "average" else "average"
    (failure,) = go([spec], ["gene2vec_gene_pairs"], data_dir=toy_dir, pairs=other).failures
    assert f"is with --pairs {pairs}, not {other}; take another folder (-o) or --overwrite" in failure.reason
    assert go([spec], ["gene2vec_gene_pairs"], data_dir=toy_dir, pairs=other, overwrite=True).fitted == 1


def test_a_pair_needs_both_vectors(go, toy_dir, tmp_path, toy_genes, write_vectors):
    write_vectors(tmp_path / "mine.csv", [symbol for symbol, _ in toy_genes[:40]])
    (result,) = go([str(tmp_path / "mine.csv")], ["gene2vec_gene_pairs"], data_dir=toy_dir).results
    # Each of the 12 steps of the toy pairs loses the last ten of its 50 - step pairs.
    assert result.coverage.n_missing == 12 * 10
    assert result.coverage.n_scored == sum(40 - step for step in range(1, 13))
    assert all("/" in pair for pair in result.coverage.missing_sample)


def test_genes_with_diseases(go, toy_dir, assert_scores):
    (result,) = go([SMALL], ["opentargets_gene_disease"], data_dir=toy_dir).results
    rows = load("opentargets_gene_disease", RawFiles(toy_dir)).dataset
    model = RandomVectors(dim=8)
    X = np.concatenate([model.encode(list(rows[column])) for column in ("symbol", "disease_id")], axis=1)
    direct = probe(X, np.array(rows["label"]), target="regression", folds=np.array(rows["fold"]))
    assert_scores(result.scores, direct.scores)
    assert result.coverage.n_scored == 150


def test_a_changed_disease_table_is_scored_again(go, toy_dir):
    go(["bag-of-words"], ["opentargets_gene_disease"], data_dir=toy_dir)
    assert go(["bag-of-words"], ["opentargets_gene_disease"], data_dir=toy_dir).up_to_date == 1
    path = toy_dir / "opentargets" / "diseases" / "part-0.parquet"
    table = pd.read_parquet(path)
    # In words of the gene table: others are not in the vocabulary.
    table.loc[0, "description"] = "Gene symbol and full name of a gene."
    table.to_parquet(path, index=False)
    assert go(["bag-of-words"], ["opentargets_gene_disease"], data_dir=toy_dir).fitted == 1


def test_diseases_by_another_model(go, toy_dir, tmp_path, toy_genes, write_vectors, assert_scores):
    vectors = write_vectors(tmp_path / "mine.csv", [symbol for symbol, _ in toy_genes])
    spec, task = str(tmp_path / "mine.csv"), ["opentargets_gene_disease"]
    (result,) = go([spec], task, data_dir=toy_dir, diseases="random:dim=3").results
    rows = load("opentargets_gene_disease", RawFiles(toy_dir)).dataset
    left = np.stack([vectors[symbol] for symbol in rows["symbol"]])
    X = np.concatenate([left, RandomVectors(dim=3).encode(list(rows["disease_id"]))], axis=1)
    direct = probe(X, np.array(rows["label"]), target="regression", folds=np.array(rows["fold"]))
    assert_scores(result.scores, direct.scores)
    assert (result.probe.params["diseases"], result.model.dim, result.coverage.n_missing) == ("random:dim=3", 6, 0)
    before, after = run_words(result)
    assert before == "gene-bench run MODEL"
    assert after.endswith("--diseases random:dim=3")
    assert go([spec], task, data_dir=toy_dir, diseases="random:dim=3").up_to_date == 1
    (verdict,) = verify([result], model=spec, data_dir=toy_dir, log=lambda line: None)
    assert verdict.reproduced
    (failure,) = go([spec], task, data_dir=toy_dir, diseases="random:seed=1,dim=3").failures
    assert "is with --diseases random:dim=3, not random:seed=1,dim=3; take another folder" in failure.reason


def test_a_model_for_diseases_does_not_matter_to_other_tasks(go, toy_dir):
    (result,) = go([SMALL], ["reactome_pathways"], data_dir=toy_dir, diseases="bag-of-words").results
    assert "diseases" not in result.probe.params
    assert go([SMALL], ["reactome_pathways"], data_dir=toy_dir).up_to_date == 1


def test_a_text_model_reads_name_and_summary_of_a_disease(toy_dir):
    vectors = ModelVectors(load_model("length"), RawFiles(toy_dir), name="mine", log=lambda line: None).of("diseases")
    text = "Disease name disease 1 with the summary About disease 1."
    assert vectors.embedding.matrix[vectors.row["EFO_1"]].tolist() == pytest.approx([np.log1p(len(text))])


@pytest.mark.parametrize("spec", ["FILE", "FILE+random", "length:input=chromosome", "random+length:input=chromosome"])
def test_a_model_of_genes_alone_says_what_to_do(go, toy_dir, tmp_path, toy_genes, write_vectors, spec):
    write_vectors(tmp_path / "mine.csv", [symbol for symbol, _ in toy_genes])
    model = spec.replace("FILE", str(tmp_path / "mine.csv"))
    (failure,) = go([model], ["opentargets_gene_disease"], data_dir=toy_dir).failures
    assert failure.reason == (
        f"{failure.model} has no vectors of diseases; name a text model for them, such as --diseases bag-of-words or"
        " --diseases mpnet"
    )
    assert go([model], ["opentargets_gene_disease"], data_dir=toy_dir, diseases="bag-of-words").fitted == 1


def test_identifiers_of_a_file_become_symbols(go, toy_dir, tmp_path, toy_genes, log, write_vectors):
    named = [ensembl for _, ensembl in toy_genes[:38]] + ["OLD39", "TOY40", "OLD40", "NOBODY"]
    write_vectors(tmp_path / "mine.csv", named)
    (result,) = go([str(tmp_path / "mine.csv")], ["reactome_pathways"], data_dir=toy_dir).results
    assert (result.coverage.n_scored, result.coverage.n_missing) == (40, 10)
    (line,) = [line for line in log if line.startswith("mine: 40 vectors of dimension 6")]
    assert "2 previous" in line
    assert "38 ensembl" in line
    assert "unknown: NOBODY" in line
    assert "1 genes with several rows" in line


@pytest.mark.parametrize("first", ["starter_genes", "diseases"])
def test_kinds_of_genes_of_a_file_do_not_depend_on_the_tasks_before(toy_dir, tmp_path, toy_genes, write_vectors, first):
    symbols = [symbol for symbol, _ in toy_genes]
    write_vectors(tmp_path / "mine.csv", symbols)
    lines = []
    mine = ModelVectors(load_model(str(tmp_path / "mine.csv")), RawFiles(toy_dir), name="mine", log=lines.append)
    assert list(mine.of(first).groups) == []
    (group,) = mine.of("genes").groups
    known = load("genes", RawFiles(toy_dir)).dataset["symbol"]
    assert [list(mine.of("genes").row)[i] for i in group] == [name for name in known if name in symbols]
    assert mine.of("genes").embedding is mine.of(first).embedding
    assert len(lines) == 1


def test_identifiers_become_symbols_by_the_built_gene_table(go, toy_dir, tmp_path, toy_genes, log, write_vectors):
    write_vectors(tmp_path / "mine.csv", [*(ensembl for _, ensembl in toy_genes[:38]), "OLD39", "NOBODY"])
    for name in ("genes", "reactome_pathways"):
        load(name, RawFiles(toy_dir))
    (result,) = go([str(tmp_path / "mine.csv")], ["reactome_pathways"]).results
    assert (result.coverage.n_scored, result.coverage.n_missing) == (39, 11)
    (line,) = [line for line in log if line.startswith("mine: 39 vectors")]
    assert "1 previous" in line
    assert "unknown: NOBODY" in line
    assert go([str(tmp_path / "mine.csv")], ["reactome_pathways"], data_dir=toy_dir).up_to_date == 1


def test_without_a_gene_table_identifiers_stay_as_they_are(go, tmp_path, log, write_vectors):
    write_vectors(tmp_path / "mine.csv", [*load("starter_genes").dataset["symbol"], "NOBODY"])
    (result,) = go([str(tmp_path / "mine.csv")], ["starter_is_tf"]).results
    assert (result.coverage.n_missing, result.model.options) == (0, {"resolved": False})
    assert "identifiers of the vectors" not in log.text


def test_the_built_data_needs_no_folder(go, toy_dir, tmp_path):
    go([SMALL], ["reactome_pathways"], data_dir=toy_dir, out=tmp_path / "one")
    outcome = go([SMALL], ["reactome_pathways"], out=tmp_path / "one")
    assert outcome.up_to_date == 1
