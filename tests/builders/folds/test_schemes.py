"""The fold columns of tasks: which kind of task has which, what cannot be made, and what the audit says."""

import datasets
import numpy as np
import pytest

from builders import RawFiles, assign_folds, load, subtasks
from builders.folds import SCHEMES, TaskRows, assign, assign_groups, fold_columns
from builders.folds.schemes import GeneGroups
from tests.builders.rule_fixtures import N, ensembl, symbol, write_raw_files

INT8 = datasets.Value("int8")


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    write_raw_files(folder)
    places = ("1p1", "2p1", "3p1", "7q1", "11q2", "")
    path = folder / "hgnc/hgnc_complete_set.txt"
    head, *lines = path.read_text().splitlines()
    at = head.split("\t").index("location")
    cells = [line.split("\t") for line in lines]
    for i, row in enumerate(cells):
        row[at] = places[i % 6]
    path.write_text("\n".join([head, *("\t".join(row) for row in cells)]) + "\n")
    # Genes 1 to 8 have one domain set, 9 to 20 another; no other gene has a domain.
    pfam = [f"{ensembl(i)}\t{'PF1' if i < 9 else 'PF2'}" for i in range(1, 21)]
    (folder / "ensembl/pfam_domains.txt").write_text("\n".join(["Gene stable ID\tPfam ID", *pfam]) + "\n")
    return RawFiles(folder)


def test_columns_of_a_task_of_genes(raw, tmp_path):
    built = load("humantfs_is_tf", raw, cache_dir=tmp_path)
    dataset = built.dataset
    assert dataset.column_names == ["symbol", "label", "fold", "fold_family", "fold_chromosome", "family"]
    assert [dataset.features[name] for name in dataset.column_names[2:]] == [INT8, INT8, INT8, datasets.Value("string")]
    table = dataset.to_pandas()
    number = table["symbol"].str[4:].astype(int)
    family = [("GENE1" if n < 9 else "GENE10") if n < 21 else f"GENE{n}" for n in number]
    assert table["family"].tolist() == family
    assert table["fold_family"].tolist() == assign_groups(family, [[label] for label in table["label"]]).tolist()
    # Chromosomes 1, 2, 3, 7 and 11 are in folds 0, 3, 4, 1 and 2; a gene without one is in no part.
    assert table["fold_chromosome"].tolist() == [(0, 3, 4, 1, 2, -1)[(n - 1) % 6] for n in number]
    spread = [set(table["fold"][np.array(family) == name]) for name in family]
    assert built.audit.splits == {
        "unused_chromosome": sum((n - 1) % 6 == 5 for n in number),
        "families": len(set(family)),
        "largest_family": 12,
        "related_random": round(float(np.mean([len(folds) > 1 for folds in spread])), 4),
        "related_family": 0.0,
        "related_chromosome": pytest.approx(20 / 50, abs=0.1),
    }
    assert built.audit.no_splits == {}


def test_a_label_of_its_own_keeps_the_folds_of_its_task(raw, tmp_path):
    parent = load("reactome_pathways", raw, cache_dir=tmp_path)
    for item in subtasks(parent):
        assert item.dataset.column_names == parent.dataset.column_names
        for name in ("fold_family", "fold_chromosome", "family"):
            assert item.dataset[name][:] == parent.dataset[name][:]


def test_pairs_are_held_out_by_both_genes(raw, tmp_path):
    table = load("gene2vec_gene_pairs", raw, cache_dir=tmp_path).dataset.to_pandas()
    genes = sorted({*table["symbol_a"], *table["symbol_b"]})
    block = dict(zip(genes, assign_folds(genes), strict=True))
    expected = [[block[a], block[b]] for a, b in zip(table["symbol_a"], table["symbol_b"], strict=True)]
    assert [list(cell) for cell in table["fold_gene_disjoint"]] == expected
    # Two families hold a third of the genes: genes of one never stand on both sides of a split.
    of_family = dict(zip(genes, assign_groups([table_family(table, gene) for gene in genes]), strict=True))
    expected = [[of_family[a], of_family[b]] for a, b in zip(table["symbol_a"], table["symbol_b"], strict=True)]
    assert [list(cell) for cell in table["fold_family_disjoint"]] == expected


def table_family(table, gene):
    for side in "ab":
        found = table.loc[table[f"symbol_{side}"] == gene, f"family_{side}"]
        if len(found):
            return found.iloc[0]
    raise KeyError(gene)


def test_what_cannot_be_made_is_said(raw, tmp_path):
    audit = load("hpa_chromosome", raw, cache_dir=tmp_path).audit
    assert audit.no_splits == {"chromosome": "its labels are the chromosomes"}
    audit = load("opentargets_gene_disease", raw, cache_dir=tmp_path).audit
    assert audit.no_splits == {"disease_disjoint": "its entities are in 3 group(s), but 5 folds need at least 5"}


def test_without_pfam_a_users_families_or_none(tmp_path):
    write_raw_files(tmp_path / "raw")
    built = load("humantfs_is_tf", RawFiles(tmp_path / "raw"), cache_dir=tmp_path / "cache")
    assert "family" not in built.dataset.column_names
    assert built.audit.no_splits["family"].startswith("neither ensembl/pfam_domains.txt (BioMart")
    assert built.audit.no_splits["family"].endswith("nor a table families/*.tsv of your own is in the data directory")
    (tmp_path / "raw/families").mkdir()
    lines = [f"{symbol(i)}\tf{i % 7}" for i in range(1, N + 1)]
    (tmp_path / "raw/families/mine.tsv").write_text("\n".join(["symbol\tfamily", *lines]) + "\n")
    built = load("humantfs_is_tf", RawFiles(tmp_path / "raw"), cache_dir=tmp_path / "cache")
    assert built.built
    assert built.dataset["family"][:] == [f"f{int(name[4:]) % 7}" for name in built.dataset["symbol"]]
    assert "families/" in built.audit.inputs


def test_other_seeds_give_other_folds_of_the_same_kind():
    rows = TaskRows({"symbol": [f"G{i}" for i in range(50)]}, families={"symbol": [f"F{i // 2}" for i in range(50)]})
    for name in ("random", "family"):
        first, other = assign(name, rows), assign(name, rows, seed=1)
        assert first.tolist() == assign(name, rows, seed=0).tolist() != other.tolist()
        assert np.bincount(other).tolist() == [10] * 5
    assert SCHEMES["random"].recorded(4) == "5-fold-sha256-contiguous-seed0..3"


def test_diseases_are_held_out_whole():
    rows = TaskRows({"symbol": ["G"] * 40, "disease_id": [f"D{i % 8}" for i in range(40)]})
    columns = fold_columns(rows, "gene_disease", GeneGroups(absent={"family": "x", "chromosome": "y"}), without={})
    assert set(columns.folds) == {"fold", "fold_disease_disjoint"}
    assert columns.absent == {"family": "x", "chromosome": "y"}
    folds = columns.folds["fold_disease_disjoint"]
    assert all(len(set(folds[i::8])) == 1 for i in range(8))
    assert sorted(np.bincount(folds)) == [5, 5, 10, 10, 10]
