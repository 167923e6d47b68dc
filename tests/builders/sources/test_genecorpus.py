import pickle
import shutil
from pathlib import Path

import pytest

from builders import RawFiles, load, select
from builders.errors import SourceFileError, SourceFormatError
from builders.readers.tables import read_table
from builders.sources.genecorpus import GenecorpusBuilder

FOLDER = "genecorpus/bivalent_promoters"
# Between two lists one gene is in both, and EGFR is in one of them twice.
BIVALENT = ["TP53", "GATA4", "KCNQ1", "INS", "EGFR", "EGFR", "H4C1"]
LYS4 = ["BRCA1", "H4C1", "H4C2", "CDKN2A", "MARCHF1", "CFTR"]
NONE = ["ALB", "TNF", "XIST", "HBB", "CFTR", "TP53"]


@pytest.fixture
def data_dir(repo, tmp_path):
    """Hand-made pickles in the layout of the Hub."""
    folder = Path(shutil.copytree(repo / "tests/data/genecorpus", tmp_path / "raw"))
    table = read_table(folder / "hgnc/hgnc_complete_set.txt", ("symbol", "ensembl_gene_id"))
    ids = dict(zip(table["symbol"], table["ensembl_gene_id"], strict=True))
    (folder / FOLDER).mkdir(parents=True)
    lists = {
        "bivalent_vs_no_methyl": {"bivalent": BIVALENT, "no_methylation": NONE},
        "bivalent_vs_lys4_only": {"bivalent": BIVALENT, "lys4_only": LYS4},
    }
    for name, genes in lists.items():
        content = {label: [*(ids[symbol] for symbol in symbols), "ENSG99999999999"] for label, symbols in genes.items()}
        (folder / FOLDER / f"{name}.pickle").write_bytes(pickle.dumps(content))
    return folder


@pytest.fixture
def build(data_dir, tmp_path):
    return lambda name: load(f"genecorpus_{name}", RawFiles(data_dir), cache_dir=tmp_path / "cache")


@pytest.mark.parametrize(
    ("name", "names", "positive", "negative", "repeats"),
    [
        ("bivalent_vs_non_methylated", ["no_methylation", "bivalent"], BIVALENT, NONE, 1),
        ("bivalent_vs_lys4_only", ["lys4_only", "bivalent"], BIVALENT, LYS4, 1),
        # Its lists are in two pickles.
        ("lys4_only_vs_non_methylated", ["no_methylation", "lys4_only"], LYS4, NONE, 0),
    ],
)
def test_promoters(build, name, names, positive, negative, repeats):
    built = build(name)
    both = set(positive) & set(negative)
    expected = dict.fromkeys(positive, 1) | dict.fromkeys(negative, 0)
    assert {row["symbol"]: row["label"] for row in built.dataset} == {
        symbol: label for symbol, label in expected.items() if symbol not in both
    }
    assert built.dataset.features["label"].names == names
    audit = built.audit
    assert (audit.duplicates_collapsed, audit.conflicts_dropped, audit.rows_unmapped) == (repeats, 1, 2)
    assert sorted(built.dataset["fold"]) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_the_positive_class_is_the_one_named_first():
    configs = GenecorpusBuilder.builder_configs
    assert {name.removeprefix("genecorpus_"): config.labels[1] for name, config in configs.items()} == {
        "dosage_sensitive_tf": "Dosage-sensitive TFs",
        "bivalent_vs_non_methylated": "bivalent",
        "lys4_only_vs_non_methylated": "lys4_only",
        "bivalent_vs_lys4_only": "bivalent",
        "long_vs_short_range_tf": "long_range",
        "n1_network": "n1_central",
        "n1_targets": "n1_activated",
    }


def test_n1_names_of_the_paper_are_swapped():
    configs = GenecorpusBuilder.builder_configs
    assert configs["genecorpus_n1_network"].paper_name == "N1 targets"
    assert configs["genecorpus_n1_targets"].paper_name == "N1 network"
    assert select(["genecorpus_*"]) == list(configs)


def test_missing_list_says_what_is_there(build, data_dir):
    path = data_dir / FOLDER / "bivalent_vs_lys4_only.pickle"
    path.write_bytes(pickle.dumps({"bivalent": ["ENSG00000141510"], "lys4": ["ENSG00000012048"]}))
    with pytest.raises(SourceFormatError, match=r"lys4_only\.pickle: no list 'lys4_only'; it has 'bivalent', 'lys4'"):
        build("bivalent_vs_lys4_only")
    assert len(build("bivalent_vs_non_methylated").dataset) == 10


@pytest.mark.parametrize("content", [["ENSG00000141510"], {"bivalent": "ENSG00000141510"}, {"bivalent": [1, 2]}])
def test_other_content_is_one_line(build, data_dir, content):
    (data_dir / FOLDER / "bivalent_vs_lys4_only.pickle").write_bytes(pickle.dumps(content))
    with pytest.raises(SourceFormatError, match=r"lys4_only\.pickle: not a dict of lists of gene ids"):
        build("bivalent_vs_lys4_only")


def test_pickle_that_runs_code(build, data_dir):
    (data_dir / FOLDER / "bivalent_vs_lys4_only.pickle").write_bytes(
        b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."
    )
    with pytest.raises(SourceFileError, match=r"a reference to os\.system"):
        build("bivalent_vs_lys4_only")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "n", "n_positive"),
    [
        ("dosage_sensitive_tf", 487, 122),
        ("bivalent_vs_non_methylated", 132, 94),
        ("lys4_only_vs_non_methylated", 109, 73),
        ("bivalent_vs_lys4_only", 171, 95),
        ("long_vs_short_range_tf", 174, 46),
        ("n1_network", 290, 98),
        ("n1_targets", 1126, 563),
    ],
)
def test_real_lists(raw_dir, tmp_path, name, n, n_positive):
    built = load(f"genecorpus_{name}", RawFiles(raw_dir), cache_dir=tmp_path)
    assert (len(built.dataset), sum(built.dataset["label"])) == (n, n_positive)
    listed = built.audit.rows_read - built.audit.rows_unmapped - built.audit.duplicates_collapsed
    assert n == listed - 2 * built.audit.conflicts_dropped
