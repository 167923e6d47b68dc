import numpy as np
import pandas as pd
import pytest

import gene_eval
from builders import RawFiles, load
from gene_eval.core.probe import probe
from gene_eval.results import store as results
from gene_eval.running.encoding.vectors import ModelVectors
from model_adapters import load_model


def test_a_result_says_what_state_the_vectors_are_in(go, toy_dir, tmp_path):
    (result,) = go(["random:dim=8"], ["reactome_pathways"], data_dir=toy_dir, out=tmp_path / "out").results
    state = result.model.health
    assert (state["n"], state["dim"]) == (50, 8)
    assert (state["nan_rows"], state["zero_rows"], state["duplicate_rows"]) == (0, 0, 0)
    assert 7 < state["effective_rank"] < 8
    assert sum(group["genes"] for group in state["coverage"].values()) == 50
    saved = results.load(results.path_for(tmp_path / "out", "random:dim=8", "reactome_pathways"))
    assert saved.model.health == state


def test_a_file_of_vectors_is_compared_with_the_gene_table(go, toy_dir, tmp_path, toy_genes, write_vectors):
    write_vectors(tmp_path / "mine.csv", [symbol for symbol, _ in toy_genes[:40]])
    (result,) = go([str(tmp_path / "mine.csv")], ["reactome_pathways"], data_dir=toy_dir).results
    assert result.model.health["n"] == 40
    assert sum(group["with_vector"] for group in result.model.health["coverage"].values()) == 40
    audit = {"rows": 40, "genes": 40, "rows without a known gene": 0, "genes with several rows": 0}
    assert result.model.health["audit"] == audit


def test_of_several_devices_one_solves(go, monkeypatch):
    solved = []

    def recorded(*arguments, device, **options):
        solved.append(device)
        return probe(*arguments, device=device, **options)

    monkeypatch.setattr("gene_eval.running.fitting.probe", recorded)
    assert go(["random:dim=8"], ["starter_is_tf"], device="cpu,cpu").fitted == 1
    assert solved == ["cpu"]


@pytest.mark.parametrize("spec", ["bag-of-words", "tfidf", "bag-of-words+length"])
def test_diseases_are_encoded_with_the_words_of_genes(toy_dir, spec):
    vectors = ModelVectors(load_model(spec), RawFiles(toy_dir), name="mine", log=lambda line: None)
    assert vectors.of("diseases").embedding.matrix.shape[1] == vectors.of("genes").embedding.matrix.shape[1]
    assert np.isfinite(vectors.of("diseases").embedding.matrix).all()


def test_denormal_numbers_are_warned_of() -> None:
    genes = load("starter_genes", RawFiles()).dataset["symbol"][:]
    numbers = np.random.default_rng(0).normal(size=(len(genes), 4)).astype(np.float32)
    lines: list[str] = []
    for name, size in (("tiny", 1e-42), ("small", 1e-36)):
        frame = pd.DataFrame(numbers * np.float32(size), index=list(genes))
        gene_eval.run({name: frame}, "starter_is_tf", log=lines.append)
    assert [line.split()[1] for line in lines if "below what float32 holds" in line] == ["tiny:"]
