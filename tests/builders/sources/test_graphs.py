"""Graphs: edges between current symbols, counted; on the real files as many as pandas counts without this package."""

import gzip
import re

import pandas as pd
import pytest

from builders import BuilderError, RawFiles, load
from builders.graphs import parse_graph, read_graph

HGNC = [
    {"symbol": f"GENE{i}", "prev_symbol": f"OLD{i}", "entrez_id": str(i), "ensembl_gene_id": f"ENSG{i:011}",
     "uniprot_ids": f"P0000{i}"}
    for i in range(1, 7)
]  # fmt: skip
STRING = """entrez_a entrez_b coexpression coexpression_transferred experiments textmining combined_score
2 1 100 300 0 0 340
1 2 0 0 900 0 950
1 3 0 0 0 800 800
3 3 0 0 999 0 999
4 99 0 0 999 0 999
4 5 500 0 500 0 740
""".replace(" ", "\t")
OBO = """format-version: 1.2

[Term]
id: GO:1
name: cell
namespace: cellular_component
def: "The \\"whole\\" of it." [x]

[Term]
id: GO:2
name: nucleus
namespace: cellular_component
alt_id: GO:22
is_a: GO:1 ! cell

[Term]
id: GO:3
name: lumen
namespace: cellular_component
relationship: part_of GO:2 ! nucleus

[Term]
id: GO:4
name: gone
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


def gaf(accession, symbol, qualifier, term, evidence, taxon="taxon:9606", by="UniProt"):
    cells = ["UniProtKB", accession, symbol, qualifier, term, "x", evidence, "", "C", "", "", "protein", taxon, "1", by]
    return "\t".join([*cells, "", ""])


GAF = [
    "!gaf-version: 2.1",
    gaf("P00001", "", "", "GO:2", "IEA"),
    gaf("P00001", "", "", "GO:22", "IDA", by="HPA"),
    gaf("Q99999", "OLD2", "part_of", "GO:3", "IEA"),
    gaf("P00003", "", "NOT|part_of", "GO:3", "IDA"),
    gaf("P00004", "", "", "GO:4", "IDA"),
    gaf("P00005", "", "colocalizes_with", "GO:2", "IDA"),
    gaf("P00006", "", "", "GO:2", "IDA", taxon="taxon:10090"),
    gaf("Q88888", "NOBODY", "", "GO:2", "IDA"),
]


@pytest.fixture
def raw(write_hgnc, write_raw, data_dir, tmp_path):
    write_hgnc(HGNC)
    write_raw("string/string_v12_ntm_700_entrez.tsv.gz", STRING)
    write_raw("go/go.obo", OBO)
    write_raw("go/goa_human.gaf", "\n".join(GAF) + "\n")
    write_raw("huri/HuRI.tsv", "ENSG00000000001\tENSG00000000002\nENSG00000000002\tENSG00000000001\n")
    return RawFiles(data_dir, cache_dir=tmp_path / "cache")


def edges(raw, name, columns=("source", "target", "weight", "relation"), cache=None):
    built = load(name, raw, cache_dir=raw._cache_dir)
    return [tuple(row[c] for c in columns) for row in built.dataset], built.audit


def test_string_is_undirected_and_each_pair_stands_once(raw):
    rows, audit = edges(raw, "graph_string", ("source", "target", "weight", "relation", "coexpression", "experiments"))
    assert rows == [
        ("GENE1", "GENE2", 0.95, "interacts_with", 0.3, 0.9),
        ("GENE1", "GENE3", 0.8, "interacts_with", 0.0, 0.0),
        ("GENE4", "GENE5", 0.74, "interacts_with", 0.5, 0.5),
    ]
    assert (audit.rows_read, audit.rows_unmapped, audit.duplicates_collapsed, audit.n) == (6, 1, 1, 3)
    assert audit.notes == ["1 rows join a gene with itself and are left out"]


def test_string_by_proteins_needs_their_names(raw, write_raw, data_dir):
    (data_dir / "string" / "string_v12_ntm_700_entrez.tsv.gz").unlink()
    write_raw("string/9606.protein.links.v12.0.txt.gz", "protein1 protein2 combined_score\n9606.E1 9606.E2 200\n")
    with pytest.raises(BuilderError, match=r"9606\.protein\.info\.v12\.0\.txt\.gz, which names them, is absent"):
        edges(raw, "graph_string")
    write_raw(
        "string/9606.protein.info.v12.0.txt.gz", "#string_protein_id\tpreferred_name\n9606.E1\tOLD1\n9606.E2\tGENE2\n"
    )
    assert edges(RawFiles(data_dir, cache_dir=raw._cache_dir), "graph_string")[0] == [
        ("GENE1", "GENE2", 0.2, "interacts_with")
    ]


def test_go_annotations_and_relations(raw):
    columns = ("source", "target", "relation", "evidence", "assigned_by")
    rows, audit = edges(raw, "graph_go", columns)
    assert rows == [
        ("GENE1", "GO:2", "annotated_to", "IDA|IEA", "HPA|UniProt"),
        ("GENE2", "GO:3", "annotated_to", "IEA", "UniProt"),
        ("GENE5", "GO:2", "colocalizes_with", "IDA", "UniProt"),
        ("GO:2", "GO:1", "is_a", "", ""),
        ("GO:3", "GO:2", "part_of", "", ""),
    ]
    assert "1 obsolete terms are left out, 3 stay" in audit.notes
    assert "1 rows with the qualifier NOT are left out" in audit.notes
    assert "1 rows of other species are left out" in audit.notes
    assert any(note.startswith("1 annotations name 1 terms that are obsolete or unknown") for note in audit.notes)
    assert audit.rows_unmapped == 1
    assert edges(raw, "go_terms", ("term", "description"))[0][:2] == [
        ("GO:1", 'cell: The "whole" of it.'), ("GO:2", "nucleus"),
    ]  # fmt: skip
    both, _ = edges(raw, "graph_string_go")
    assert len(both) == 5 + 3


def test_ncbi_annotations_do_as_well(raw, write_raw, data_dir):
    (data_dir / "go" / "goa_human.gaf").unlink()
    write_raw(
        "go/gene2go.gz",
        "#tax_id\tGeneID\tGO_ID\tEvidence\tQualifier\tCategory\n"
        "9606\t1\tGO:2\tIDA\tpart_of\tComponent\n9606\t2\tGO:2\tIDA\tNOT part_of\tComponent\n",
    )
    rows, _ = edges(raw, "graph_go", ("source", "target", "evidence"))
    assert rows[0] == ("GENE1", "GO:2", "IDA")
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("go/go.obo", OBO.replace("name: cell", "name: cell\nis_a: GO:3 ! lumen"), "make a cycle through GO:1;"),
        ("go/go.obo", OBO.replace("part_of GO:2", "part_of GO:7"), "GO:3 refers to GO:7, which the file lacks"),
        ("go/go.obo", "no ontology\n", "no ontology in OBO form"),
        ("go/goa_human.gaf", gaf("P1", "", "", "GO:2", "IDA", taxon="taxon:10090"), "9606, it is of taxon:10090;"),
        ("go/goa_human.gaf", "a\tb\n", "line 1 is not an annotation"),
        ("go/goa_human.gaf", gaf("Q1", "NOBODY", "", "GO:2", "IDA"), "no annotation joins a known gene"),
    ],
)  # fmt: skip
def test_bad_files_of_the_ontology_are_one_line(raw, write_raw, name, content, message):
    write_raw(name, content)
    with pytest.raises(BuilderError, match=message) as caught:
        edges(raw, "graph_go")
    assert "\n" not in str(caught.value)


def test_edges_of_no_known_gene(raw, write_raw):
    write_raw("huri/HuRI.tsv", "X1\tX2\n")
    with pytest.raises(BuilderError, match="of 1 edges none joins two known genes"):
        edges(raw, "graph_huri")


@pytest.fixture
def cached(raw, monkeypatch):
    """`read_graph` over tables that are built in a cache of the test's own."""
    monkeypatch.setattr("builders.graphs.load", lambda name, raw: load(name, raw, cache_dir=raw._cache_dir))
    return raw


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ("string", [("GENE1", "GENE2", 0.95), ("GENE1", "GENE3", 0.8), ("GENE4", "GENE5", 0.74)]),
        ("string:score=800", [("GENE1", "GENE2", 0.95), ("GENE1", "GENE3", 0.8)]),
        # 1 - 0.959 * (0.5 / 0.959)^2, by hand; and one channel is its own score.
        ("string:textmining=no", [("GENE1", "GENE2", 0.927008), ("GENE4", "GENE5", 0.739312)]),
        ("string:channels=textmining", [("GENE1", "GENE3", 0.8)]),
        ("go:iea=no", [("GENE1", "GO:2", 1), ("GENE5", "GO:2", 1), ("GO:1", "GO:2", 1), ("GO:2", "GO:3", 1)]),
        ("go:relations=is_a", [("GENE1", "GO:2", 1), ("GENE2", "GO:3", 1), ("GENE5", "GO:2", 1), ("GO:1", "GO:2", 1)]),
        ("huri+string:score=900", [("GENE1", "GENE2", 1)]),
    ],
)
def test_options_choose_edges(cached, graph, expected):
    table = read_graph(graph, cached).table
    found = table[["source", "target", "weight"]].round(6).itertuples(index=False, name=None)
    assert list(found) == [(one, other, pytest.approx(weight, abs=2e-6)) for one, other, weight in expected]


def test_terms_of_a_file_are_left_out(cached, tmp_path):
    (tmp_path / "terms.txt").write_text("# those of the nucleus\nGO:2\tnucleus\n")
    table = read_graph(f"go:without={tmp_path / 'terms.txt'}", cached).table
    assert table[["source", "target"]].to_numpy().tolist() == [["GENE2", "GO:3"]]
    assert read_graph("go", cached).sha256 != read_graph("go:iea=no", cached).sha256


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ("strin", "unknown graph 'strin' in 'strin'.*did you mean 'string'"),
        ("string:threshold=3", "graph string has no option 'threshold=3'; expected score="),
        ("string:score=1001", "score is '1001', expected a whole number from 0 to 1000"),
        ("string:channels=fame", "channels is 'fame', expected some of neighborhood"),
        ("string:channels=fusion:textmining=no", "channels and textmining were both given"),
        ("go:iea=maybe", "iea is 'maybe', expected yes or no"),
        ("huri:rewired=x", "rewired is 'x', expected a whole number, 0 or above"),
    ],
)
def test_graphs_that_do_not_exist(graph, message):
    with pytest.raises(BuilderError, match=message):
        parse_graph(graph)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ("string:channels=fusion", "built from a file without the channel fusion; it has coexpression"),
        ("string:score=1000", "graph string:score=1000 has no edge left"),
        ("go:relations=regulates", "no relation 'regulates' between terms; it has is_a, part_of"),
        ("go:without=nowhere.txt", r"no file nowhere\.txt"),
    ],
)
def test_options_that_leave_nothing(cached, graph, message):
    with pytest.raises(BuilderError, match=message):
        read_graph(graph, cached)


@pytest.fixture(scope="module")
def real(raw_dir, tmp_path_factory):
    return RawFiles(raw_dir, cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.mark.real_data
def test_counts_of_the_real_files(real, raw_dir):
    hgnc = pd.read_csv(raw_dir / "hgnc" / "hgnc_complete_set.txt", sep="\t", dtype=str, low_memory=False)
    hgnc = hgnc[hgnc["status"] == "Approved"]

    def pairs(table, ids):
        symbols = dict(zip(hgnc[ids], hgnc["symbol"], strict=True))
        ends = pd.DataFrame({i: table.iloc[:, i].map(symbols) for i in (0, 1)}).dropna()
        ends = ends[ends[0] != ends[1]]
        low, high = ends.min(axis=1), ends.max(axis=1)
        return len(set(zip(low, high, strict=True)))

    string = pd.read_csv(raw_dir / "string" / "string_v12_ntm_700_entrez.tsv.gz", sep="\t", dtype=str)
    huri = pd.read_csv(raw_dir / "huri" / "HuRI.tsv", sep="\t", header=None, dtype=str)
    biogrid = pd.read_csv(raw_dir / "biogrid" / "biogrid_3.4.126_human_entrez.tsv.gz", sep="\t", dtype=str)
    assert len(biogrid) == 211_506
    expected = {
        "string": pairs(string, "entrez_id"),
        "huri": pairs(huri, "ensembl_gene_id"),
        "biogrid": pairs(biogrid, "entrez_id"),
    }
    assert {name: edges(real, f"graph_{name}", ())[1].n for name in expected} == expected
    assert expected["string"] == 174_831


@pytest.mark.real_data
def test_counts_of_the_real_ontology(real, raw_dir):
    with gzip.open(raw_dir / "go" / "go.obo.gz", "rt", encoding="utf-8") as file:
        stanzas = [part for part in file.read().split("\n\n") if part.lstrip().startswith("[Term]")]
    used = [part for part in stanzas if "\nis_obsolete: true" not in part]
    assert (len(stanzas), len(stanzas) - len(used)) == (47_347, 2_334)
    _, audit = edges(real, "go_terms", ())
    assert audit.n == len(used)
    columns, audit = edges(real, "graph_go", ("target", "relation"))
    kinds = pd.Series([relation for _, relation in columns]).value_counts()
    assert kinds["is_a"] == sum(len(re.findall(r"^is_a: GO", part, re.MULTILINE)) for part in used)
    assert kinds["part_of"] == sum(part.count("relationship: part_of GO:") for part in used)
    gaf = pd.read_csv(raw_dir / "go" / "goa_human.gaf.gz", sep="\t", comment="!", header=None, dtype=str, quoting=3)
    negated = gaf[3].fillna("").str.split("|").map(lambda names: "NOT" in names)
    assert negated.sum() == 1_187
    assert "1,187 rows with the qualifier NOT are left out" in audit.notes
    assert audit.rows_read == len(gaf)
