"""Quarters by publications: pairs of one fold by hand, and the AUC of scikit-learn where there is one fold."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gene_eval.cli.parser import main
from gene_eval.running.runner import run
from gene_eval.studying.strata import auc_within_folds, strata_of


def test_pairs_of_one_fold_only():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 80), rng.integers(0, 9, 80).astype(float)
    assert auc_within_folds(labels, scores, np.zeros(80, dtype=int)) == pytest.approx(roc_auc_score(labels, scores))
    folds = np.arange(80) % 2
    pairs = [
        (scores[i] > scores[j]) + (scores[i] == scores[j]) / 2
        for i in range(80) for j in range(80) if labels[i] > labels[j] and folds[i] == folds[j]
    ]  # fmt: skip
    assert auc_within_folds(labels, scores, folds) == pytest.approx(np.mean(pairs))


def test_quarters_of_a_run(graph_dir, tmp_path):
    (result,) = run("random:dim=6", "humantfs_is_tf", data_dir=graph_dir, out=tmp_path / "out", log=[].append)
    publications = {f"TOY{i}": float(i) for i in range(1, 49)}
    found = strata_of({"plain": result}, publications, tmp_path / "out")
    assert [(each.name, each.n) for each in found] == [
        ("1 to 12", 12),
        ("13 to 24", 12),
        ("25 to 36", 12),
        ("37 to 48", 12),
    ]
    # Two of three genes are factors.
    assert [each.n_positive for each in found] == [8, 8, 8, 8]
    assert not any(each.is_large for each in found)
    for each in found:
        score, low, high = each.scores["plain"]
        assert 0 <= low <= score <= high <= 1


def test_the_command_needs_publications(graph_dir, tmp_path, capsys):
    command = [
        "graph-study",
        "random:dim=6",
        "--graph",
        "huri",
        "-t",
        "humantfs_is_tf",
        "--split",
        "random",
        "--strata",
    ]
    # Where the source has a folder, the table is that of these files, not of others that were built before.
    (graph_dir / "gene_properties").mkdir()
    command += ["-o", str(tmp_path / "s"), "--data-dir", str(graph_dir), "--arms", "propagated"]
    assert main(command) == 2
    assert "--strata" in capsys.readouterr().err
    path = graph_dir / "ncbi_gene" / "gene2pubmed_human_counts.tsv"
    path.write_text("GeneID\tn_pubmed\n" + "".join(f"{i}\t{i}\n" for i in range(1, 51)))
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "| linear, propagated on huri | " in text
    assert "Fewer than 50 genes of a class, so no statement: 1 to 1" in text
