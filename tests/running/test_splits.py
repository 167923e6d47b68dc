"""Runs on other split schemes, on repeats, and the controls that look labels up or read covariates."""

import shutil
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from builders import RawFiles, assign_folds, load
from builders.folds import assign_groups
from gene_eval.core.probe import probe
from gene_eval.core.splits import Splits
from gene_eval.errors import GeneBenchError
from gene_eval.results.reproduce import run_words
from gene_eval.running.verify import verify
from model_adapters import load_model

SMALL = "random:dim=8"


def vectors_of(symbols):
    return load_model(SMALL).encode(list(symbols))


def test_several_splits_of_one_run(go, families_dir, tmp_path):
    outcome = go(
        SMALL, "humantfs_is_tf", split=["random", "family", "chromosome", "gene_disjoint"], data_dir=families_dir
    )
    table = load("humantfs_is_tf", RawFiles(families_dir)).dataset.to_pandas()
    X = vectors_of(table["symbol"])
    assert [result.settings.split for result in outcome] == ["random", "family", "chromosome"]
    for result, column in zip(outcome, ("fold", "fold_family", "fold_chromosome"), strict=True):
        direct = probe(X, table["label"], target="binary", splits=Splits.from_blocks(table[column].to_numpy()))
        assert result.scores["roc_auc"].folds == pytest.approx(direct.scores["roc_auc"].folds, abs=1e-9)
        assert result.task.n_tested == 50
        assert (tmp_path / "out" / "random-dim-8-f8f08a3e").is_dir()
    assert len({result.task.folds_sha256 for result in outcome}) == 3
    assert [result.task.fold_scheme for result in outcome][1:] == ["5-fold-family-balanced-seed0", "5-fold-chromosome"]
    (failure,) = outcome.failures
    assert failure.task == "humantfs_is_tf"
    assert failure.reason == "genes cannot be split by gene_disjoint; they can by random, family, chromosome, published"
    again = go(SMALL, "humantfs_is_tf", split=["random", "family", "chromosome"], data_dir=families_dir)
    assert (again.fitted, again.up_to_date) == (0, 3)


def test_pairs_whose_genes_are_unseen(go, families_dir):
    outcome = go(SMALL, "gene2vec_gene_pairs", split=["gene_disjoint"], data_dir=families_dir)
    (result,) = outcome
    table = load("gene2vec_gene_pairs", RawFiles(families_dir)).dataset.to_pandas()
    genes = sorted({*table["symbol_a"], *table["symbol_b"]})
    block = dict(zip(genes, assign_folds(genes), strict=True))
    blocks = table[["symbol_a", "symbol_b"]].map(block.get).to_numpy()
    X = (vectors_of(table["symbol_a"]) + vectors_of(table["symbol_b"])) / 2
    tested = [(np.flatnonzero((blocks != k).all(axis=1)), np.flatnonzero((blocks == k).all(axis=1))) for k in range(5)]
    direct = probe(X, table["label"], target="binary", splits=Splits.from_rows(tested, n=len(X)))
    assert result.scores["roc_auc"].folds == pytest.approx(direct.scores["roc_auc"].folds, abs=1e-6, nan_ok=True)
    assert result.task.n_tested == sum(len(test) for _, test in tested)
    assert result.task.test_train_ratio == pytest.approx(np.mean([len(te) / len(tr) for tr, te in tested]), abs=1e-6)


def test_repeats_are_one_result(go):
    (result,) = go(SMALL, "starter_is_tf", repeats=3)
    table = load("starter_is_tf").dataset.to_pandas()
    X, names = vectors_of(table["symbol"]), table["label"].map({0: "not_tf", 1: "tf"}).tolist()
    expected = []
    for seed in range(3):
        folds = assign_folds(table["symbol"].tolist(), names, seed=seed)
        expected += probe(X, table["label"], target="binary", folds=folds).scores["roc_auc"].folds
    score = result.scores["roc_auc"]
    assert score.folds == pytest.approx(expected, abs=1e-9)
    assert (score.mean, score.std) == pytest.approx((np.mean(expected), np.std(expected)))
    assert (result.task.repeats, result.task.fold_scheme) == (3, "5-fold-sha256-contiguous-seed0..2")
    assert result.test_train_ratio == pytest.approx(1 / 4, abs=1e-4)
    assert "--repeats 3" in run_words(result)[1]
    (verdict,) = verify([result], log=lambda line: None)
    assert verdict.reproduced, str(verdict)
    # One cross-validation is another result of the same name, and is made again.
    assert go(SMALL, "starter_is_tf").fitted == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "famly"}, "did you mean 'family'"),
        ({"repeats": 0}, "repeats is 0, expected a whole number, 1 or above"),
    ],
)
def test_what_does_not_exist_is_refused(go, options, message):
    with pytest.raises(GeneBenchError, match=message):
        go(SMALL, "starter_is_tf", **options)


def test_a_task_without_families_costs_its_cell_only(go):
    outcome = go(SMALL, "starter_is_tf", split=["family", "random"])
    assert [result.settings.split for result in outcome] == ["random"]
    assert outcome.failures[0].reason.startswith("no split family: ")


def test_lookup_by_family(go, families_dir):
    outcome = go(
        "lookup:family", ["humantfs_is_tf", "reactome_pathways"], split=["random", "family"], data_dir=families_dir
    )
    table = load("humantfs_is_tf", RawFiles(families_dir)).dataset.to_pandas()
    of_task = [result for result in outcome if result.task.id == "humantfs_is_tf"]
    for result, column in zip(of_task, ("fold", "fold_family"), strict=True):
        folds = []
        for fold in range(5):
            train, test = table[table[column] != fold], table[table[column] == fold]
            prior = train["label"].mean()
            sums = train.groupby("family")["label"].agg(["sum", "count"])
            means = (sums["sum"] + prior) / (sums["count"] + 1)
            scores = [means.get(family, prior) for family in test["family"]]
            folds.append(roc_auc_score(test["label"], scores) if test["label"].nunique() > 1 else np.nan)
        assert result.scores["roc_auc"].folds == pytest.approx(folds, nan_ok=True)
        assert (result.model.adapter, result.model.dim, result.settings.split) == ("lookup", 0, column[5:] or "random")
    assert len(outcome.results) == 4
    (verdict,) = verify(of_task[:1], data_dir=families_dir, log=lambda line: None)
    assert verdict.reproduced, str(verdict)


def test_lookup_by_the_pairs_of_each_gene(go, families_dir):
    outcome = go("lookup:pair", ["gene2vec_gene_pairs", "humantfs_is_tf"], data_dir=families_dir)
    (result,) = outcome
    table = load("gene2vec_gene_pairs", RawFiles(families_dir)).dataset.to_pandas()
    folds = []
    for fold in range(5):
        train, test = table[table["fold"] != fold], table[table["fold"] == fold]
        prior = train["label"].mean()
        seen = {gene: [prior] for gene in {*table["symbol_a"], *table["symbol_b"]}}
        for a, b, label in train[["symbol_a", "symbol_b", "label"]].itertuples(index=False):
            seen[a].append(label)
            seen[b].append(label)
        scores = [np.mean(seen[a]) + np.mean(seen[b]) for a, b in zip(test["symbol_a"], test["symbol_b"], strict=True)]
        folds.append(roc_auc_score(test["label"], np.round(scores, 9)))
    assert result.scores["roc_auc"].folds == pytest.approx(folds, abs=0.01)
    assert "lookup:pair is for pairs of genes" in outcome.failures[0].reason


def test_covariates_as_a_model(go, families_dir):
    models = ["nuisance:publications", "nuisance:gc+random:dim=4", "nuisance:length"]
    outcome = go(models, "humantfs_is_tf", data_dir=families_dir)
    first, both = outcome
    table = load("humantfs_is_tf", RawFiles(families_dir)).dataset.to_pandas()
    count = [i * i if (i := int(symbol[3:])) < 41 else 0 for symbol in table["symbol"]]
    X = StandardScaler().fit_transform(np.log1p(np.array(count, dtype=float))[:, None])
    direct = probe(X, table["label"], target="binary", folds=table["fold"])
    assert first.scores["roc_auc"].folds == pytest.approx(direct.scores["roc_auc"].folds, abs=1e-6)
    assert (first.model.adapter, first.model.dim) == ("nuisance", 1)
    # GC and its square; a gene without GC has no vector.
    assert (both.model.dim, both.coverage.n_scored) == (2 + 4, 30)
    assert outcome.failures[0].reason == (
        "nuisance:length reads column 'gene_length' of the table gene_covariates, which was built without it;"
        " gene-bench build gene_covariates says which file it lacks"
    )


def test_a_table_of_ones_own(go, families_dir, monkeypatch):
    rows = {"symbol": [f"TOY{i}" for i in range(1, 41)], "label": [i % 2 for i in range(40)]}
    task = {"mine": pd.DataFrame(rows)}
    (result,) = go(SMALL, task, split="family", data_dir=families_dir)
    folds = assign_groups([f"F{i // 3}" for i in range(40)], [[label] for label in rows["label"]])
    direct = probe(vectors_of(rows["symbol"]), rows["label"], target="binary", folds=folds)
    assert result.task.n_tested == 40
    assert result.scores["roc_auc"].mean == pytest.approx(direct.scores["roc_auc"].mean, abs=1e-6)
    # Without the files, by the tables that were built of them.
    monkeypatch.delenv("GENE_BENCH_DATA_DIR", raising=False)
    shutil.rmtree(Path(datasets.config.HF_DATASETS_CACHE) / "gene-bench" / "gene_covariates", ignore_errors=True)
    failed = go(SMALL, task, split="family")
    assert failed.failures[0].reason.startswith("no split family: no gene_covariates with it was built")
    load("gene_covariates", RawFiles(families_dir))
    again = go(SMALL, task, split="family")
    assert again.results[0].task.folds_sha256 == result.task.folds_sha256
