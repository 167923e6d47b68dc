"""Exported folders, and what `gene-bench build` leaves for `load_dataset` and `evaluate.load` in any folder."""

import json
import os
import subprocess
import sys

import datasets
import pytest
from huggingface_hub import DatasetCard

from builders import RawFiles, load
from gene_eval.cli.parser import main
from gene_eval.errors import ExportError
from gene_eval.publishing.export import export, opened, redistributable

CONFIGS = ("genes", "reactome_pathways", "gene2vec_gene_pairs", "opentargets_gene_disease", "starter_is_tf")


@pytest.fixture
def exported(toy_dir, tmp_path):
    """Items that were exported, and the folder."""
    raw = RawFiles(toy_dir)
    items = [load(name, raw) for name in CONFIGS]
    return items, export(items, tmp_path / "hub")


def test_published_parts_are_splits_of_the_export(toy_dir, tmp_path):
    rows = [f"{'ACGT'[i % 4] * 9}{'A' * i},{i % 2},{'test' if i > 5 else 'train'}" for i in range(8)]
    path = toy_dir / "geneb" / "deep4mc_E.coli_4mC.csv"
    path.parent.mkdir()
    path.write_text("\n".join(["text,label,split", *rows]))
    item = load("geneb_deep4mc_e_coli_4mc", RawFiles(toy_dir))
    folder = export([item], tmp_path / "hub")
    loaded = datasets.load_dataset(str(folder), item.config.name, cache_dir=str(tmp_path / "cache"))
    assert {name: len(part) for name, part in loaded.items()} == {"train": 6, "test": 2}
    assert loaded["test"].to_list() == item.dataset.to_list()[6:]
    assert "split: test" in (folder / "eval.yaml").read_text()
    # Exporting again replaces it.
    assert export([item], tmp_path / "hub") == folder


def test_load_dataset_reads_it_back(exported, tmp_path):
    items, folder = exported
    assert folder == tmp_path / "hub" / "gene-bench"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == sorted(
        ["README.md", "eval.yaml", *(f"{name}/train-00000-of-00001.parquet" for name in CONFIGS)]
    )
    for item in items:
        read = datasets.load_dataset(str(folder), item.config.name, cache_dir=str(tmp_path / "cache"))
        assert list(read) == ["train"]
        assert read["train"].features == item.dataset.features
        assert read["train"].to_list() == item.dataset.to_list()
    label = datasets.load_dataset(str(folder), "reactome_pathways", cache_dir=str(tmp_path / "cache"))[
        "train"
    ].features["label"]
    assert label == datasets.List(datasets.ClassLabel(names=["Alpha (first)", "Beta"]))


def test_an_export_that_was_loaded_does_not_come_before_the_built_task(exported):
    items, folder = exported
    (built,) = [item for item in items if item.config.name == "reactome_pathways"]
    assert str(datasets.load_dataset(str(folder), "reactome_pathways")["train"].info.version) == "0.0.0"
    found = datasets.load_dataset("gene-bench", "reactome_pathways")["train"]
    assert str(found.info.version) == built.config.version
    assert found.to_list() == built.dataset.to_list()


def test_the_card_has_configs_terms_and_citations(exported):
    items, folder = exported
    card = DatasetCard.load(folder / "README.md")
    assert {config["config_name"]: config["data_files"] for config in card.data.configs} == {
        name: [{"split": "train", "path": f"{name}/train-*.parquet"}] for name in CONFIGS
    }
    assert {info["config_name"] for info in card.data.dataset_info} == set(CONFIGS)
    assert card.data.license == "other"
    # Every source of the rows, those of the gene table's texts among them.
    for title, terms in (
        ("Reactome", "CC0-1.0"),
        ("Gene2vec", "MIT"),
        ("HGNC", "CC0-1.0"),
        ("NCBI Gene", "public-domain"),
        ("Open Targets", "CC0-1.0"),
    ):
        (line,) = (line for line in card.text.splitlines() if line.startswith(f"- [{title}]("))
        assert f"[{terms}](http" in line
    assert "Milacic M et al." in card.text
    assert "| reactome_pathways | multilabel | gene | biological_process | 50 |" in card.text
    assert "- `genes` (50 rows)" in card.text
    assert items[1].audit.summary() in card.text
    assert items[1].audit.inputs["reactome/ReactomePathways.gmt"] in card.text
    assert 'load_dataset("gene-bench", "reactome_pathways", split="train")' in card.text
    assert "$" not in card.text


def test_one_licence_is_named(toy_dir, tmp_path):
    folder = export([load("reactome_pathways", RawFiles(toy_dir))], tmp_path)
    assert DatasetCard.load(folder / "README.md").data.license == "cc0-1.0"


def test_a_second_export_replaces_the_first(exported, tmp_path):
    items, folder = exported
    assert export(items[-1:], tmp_path / "hub") == folder
    assert [path.name for path in sorted(folder.iterdir())] == ["README.md", "eval.yaml", "starter_is_tf"]
    assert [path.name for path in (tmp_path / "hub").iterdir()] == ["gene-bench"]


def test_what_is_no_export_is_left_alone(tmp_path):
    clone = tmp_path / "gene-bench"
    (clone / ".git").mkdir(parents=True)
    (clone / ".git" / "config").write_text("[core]")
    (clone / "README.md").write_text("my clone")
    with pytest.raises(ExportError, match=r"gene-bench is not an earlier export .*config.* left alone"):
        export([load("starter_is_tf")], tmp_path)
    assert (clone / "README.md").read_text() == "my clone"
    assert [path.name for path in tmp_path.iterdir()] == ["gene-bench"]


def test_what_may_not_be_redistributed_stays_out(toy_dir, tmp_path, capsys):
    assert not redistributable(load("humantfs_is_tf", RawFiles(toy_dir)))
    argv = ["build", "humantfs_is_tf", "--data-dir", str(toy_dir), "--export", str(tmp_path / "hub")]
    assert main(argv) == 0
    captured = capsys.readouterr()
    assert "humantfs_is_tf" in captured.out
    assert "not exported: humantfs_is_tf, since its source does not state" in captured.err
    assert "nothing to export" in captured.err
    assert not (tmp_path / "hub").exists()
    assert main([*argv[:1], "starter_is_tf", *argv[1:]]) == 0
    assert "not exported: humantfs_is_tf" in capsys.readouterr().err
    assert [path.name for path in sorted((tmp_path / "hub" / "gene-bench").iterdir())] == [
        "README.md",
        "eval.yaml",
        "starter_is_tf",
    ]
    datasets.enable_progress_bars()


def test_an_empty_folder_after_build_offline(toy_dir, tmp_path):
    """What a user does in a process of its own: no folder of raw files, no Hub, only what `build` left."""
    assert main(["build", "reactome_pathways", "genes", "--data-dir", str(toy_dir)]) == 0
    datasets.enable_progress_bars()
    script = """
import json
import datasets, evaluate, numpy as np
from gene_eval.core.probe import probe

rows = datasets.load_dataset("gene-bench", "reactome_pathways")["train"]
X = np.random.default_rng(0).normal(size=(len(rows), 4))
y = [list(cell) for cell in rows["label"]]
metric = evaluate.load("gene_probe")
Y = np.array([[int(label in cell) for label in range(2)] for cell in y])
said = metric.compute(predictions=X, references=Y, folds=list(rows["fold"]))
direct = probe(X, Y, target="multilabel", folds=rows["fold"][:])
print(json.dumps({
    "columns": rows.column_names, "label": str(rows.features["label"]), "n": len(rows), "first": rows[0],
    "genes": len(datasets.load_dataset("gene-bench", "genes")["train"]),
    "said": said["roc_auc_macro"], "direct": direct.scores["roc_auc_macro"].mean,
}))
"""
    (tmp_path / "empty").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "GENE_BENCH_DATA_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path / "empty",
        env=environment | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["columns"] == ["symbol", "label", "fold", "fold_chromosome"]
    assert said["label"] == str(datasets.List(datasets.ClassLabel(names=["Alpha (first)", "Beta"])))
    assert (said["n"], said["genes"]) == (50, 50)
    assert (said["first"]["symbol"], said["first"]["label"]) == ("TOY1", [0, 1])
    assert said["said"] == pytest.approx(said["direct"], abs=1e-12)
    assert os.listdir(tmp_path / "empty") == []  # noqa: PTH208


def test_a_table_of_several_sources_is_published_without_the_columns_that_may_not(families_dir, tmp_path, capsys):
    item = load("gene_covariates", RawFiles(families_dir))
    assert {"publications", "transcript_length", "gc", "family"} <= set(item.dataset.column_names)
    (allowed,), closed = opened([item])
    assert closed == []
    assert set(item.dataset.column_names) - set(allowed.dataset.column_names) == {"transcript_length", "gc"}
    # The table at hand stays as it is.
    assert "Without" not in item.config.description
    folder = export([allowed], tmp_path / "hub")
    read = datasets.load_dataset(str(folder), "gene_covariates", cache_dir=str(tmp_path / "cache"))["train"]
    assert read.to_list() == item.dataset.remove_columns(["transcript_length", "gc"]).to_list()
    card = (folder / "README.md").read_text()
    assert "Without transcript_length, gc: the terms of Transcript length and GC content do not state" in card
    assert "gene_properties/" not in card
    options = ["--data-dir", str(families_dir), "--export", str(tmp_path / "again")]
    assert main(["build", "gene_covariates", *options]) == 0
    assert "exported without transcript_length, gc: gene_covariates" in capsys.readouterr().err


def test_without_the_closed_file_the_table_is_whole(families_dir):
    (families_dir / "gene_properties/gene_length_gc.tsv").unlink()
    item = load("gene_covariates", RawFiles(families_dir))
    (allowed,), closed = opened([item])
    assert (allowed.dataset.column_names, closed) == (item.dataset.column_names, [])
