"""Families by Pfam domains and symbols, and a user's own."""

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from builders.errors import SourceFormatError
from builders.folds.families import pfam_families, read_domains, read_families, stem
from builders.readers.tables import read_table
from builders.symbols import SymbolResolver

DOMAINS = {
    "ZNF1": {"C2H2", "KRAB"}, "ZNF2": {"C2H2"}, "ZNF3A": {"KRAB"}, "KLF4": {"C2H2", "Z"}, "KLF5": {"Z"},
    "ADH1": {"ADH_N", "ADH_zinc"}, "CRYZ": {"ADH_N", "ADH_zinc"}, "C3": {"A2M"}, "C5": {"A2M", "NTR"}, "ALONE": {"X"},
}  # fmt: skip


def components(domains):
    """The same by a matrix of all pairs."""
    names = sorted(domains)
    related = np.zeros((len(names), len(names)), dtype=bool)
    for i, one in enumerate(names):
        for j, two in enumerate(names):
            shared = domains[one] & domains[two]
            same_stem = stem(one) != "" and stem(one) == stem(two)
            related[i, j] = domains[one] == domains[two] or (bool(shared) and same_stem)
    _, number = connected_components(related, directed=False)
    return {name: names[number.tolist().index(number[i])] for i, name in enumerate(names)}


def test_families_are_the_components_of_related_genes():
    domains = {symbol: frozenset(ids) for symbol, ids in DOMAINS.items()}
    found = pfam_families(domains)
    assert found == components(domains)
    # By hand: ZNF1 and ZNF2 share stem and domain; C3 and C5 share a domain, but their stem is one letter.
    assert found["ZNF2"] == found["ZNF1"] == "ZNF1"
    assert found["CRYZ"] == "ADH1"
    assert (found["ZNF3A"], found["C3"], found["C5"], found["ALONE"]) == ("ZNF3A", "C3", "C5", "ALONE")


def test_biomart_table(tmp_path):
    path = tmp_path / "pfam.txt"
    lines = [
        "Gene stable ID\tPfam ID\tPfam start\tPfam end",
        "E1\tPF1\t1\t9",
        "E1\tPF2\t20\t30",
        "E2\t\t\t",
        "E3\tPF1\t1\t2",
    ]
    path.write_text("\n".join(lines) + "\n")
    assert read_domains(path, {"E1": "A", "E2": "B"}) == {"A": frozenset({"PF1", "PF2"})}


@pytest.fixture
def resolver(write_hgnc):
    return SymbolResolver.from_hgnc(write_hgnc([{"symbol": f"GENE{i}", "prev_symbol": f"OLD{i}"} for i in range(4)]))


def test_own_families(tmp_path, resolver):
    (tmp_path / "one.tsv").write_text("symbol\tfamily\nGENE0\ta\nOLD1\ta\nNOBODY\ta\n")
    (tmp_path / "two.tsv").write_text("family\tsymbol\nb\tGENE2\na\tGENE1\n")
    assert read_families(tmp_path, resolver) == {"GENE0": "a", "GENE1": "a", "GENE2": "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("symbol\tfamily\nGENE0\ta\nGENE0\tb\n", "GENE0 is in a and in b"),
        ("symbol\tgroup\nGENE0\ta\n", "family"),
        (None, r"holds no \*.tsv; expected a table of gene families with columns symbol and family"),
    ],
)
def test_own_families_that_are_wrong(tmp_path, resolver, text, message):
    folder = tmp_path / "families"
    folder.mkdir()
    if text is not None:
        (folder / "mine.tsv").write_text(text)
    with pytest.raises(SourceFormatError, match=message):
        read_families(folder, resolver)


@pytest.mark.real_data
def test_number_of_families_of_protein_coding_genes(raw_dir):
    folder = raw_dir
    columns = ("symbol", "status", "locus_group", "ensembl_gene_id")
    hgnc = read_table(folder / "hgnc/hgnc_complete_set.txt", columns)
    coding = hgnc[(hgnc["status"] == "Approved") & (hgnc["locus_group"] == "protein-coding gene")]
    symbols = dict(zip(coding["ensembl_gene_id"], coding["symbol"], strict=True))
    families = pfam_families(read_domains(folder / "ensembl/pfam_domains_v99.txt", symbols))
    assert len({families.get(symbol, symbol) for symbol in coding["symbol"]}) == 7127
