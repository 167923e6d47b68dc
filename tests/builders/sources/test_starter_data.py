"""The hand-written `starter` gene table: consistent in itself, and right where HGNC and HumanTFs can tell.

Each gene has the one class that describes it best:

- ``transcription_factor``: binds specific DNA sequences, nuclear receptors included; ``is_tf`` yes means this class
- ``kinase``: phosphorylates proteins or lipids to signal; metabolic kinases are enzymes, receptor kinases receptors
- ``receptor``: senses a ligand, an odour, light, an antigen or a sorting signal, with or without catalytic activity
- ``ion_channel``: lets ions pass down their gradient, gap junctions included
- ``transporter``: carries substances across membranes or, as soluble carriers do, through body fluids and cells
- ``signaling_ligand``: cytokines, growth factors, morphogens and peptide hormones
- ``structural``: cytoskeleton, matrix, junctions, myelin, chromatin, ribosome, coats and linings of organelles
- ``enzyme``: every other catalyst, and the subunits of catalytic complexes
- ``regulator``: not catalytic, or a GTPase switch: adaptors, chaperones, inhibitors, fusion proteins

``locations`` are the main places where the protein works, not all where it has been seen. ``vesicle`` covers endosomes,
secretory granules, melanosomes and synaptic vesicles; ``cytoskeleton`` covers spindle, centrosome and sarcomere.
``membrane_segments`` counts transmembrane helices of the canonical protein; lipid and GPI anchors do not count.
"""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

TSV = Path(__file__).parents[3] / "builders" / "sources" / "starter" / "starter_genes.tsv"
COLUMNS = [
    "symbol",
    "name",
    "summary",
    "chromosome",
    "protein_class",
    "locations",
    "is_tf",
    "membrane_segments",
]
CHROMOSOMES = {*(str(number) for number in range(1, 23)), "X", "Y", "MT"}
CLASSES = {
    "transcription_factor",
    "kinase",
    "receptor",
    "ion_channel",
    "transporter",
    "signaling_ligand",
    "structural",
    "enzyme",
    "regulator",
}
MEMBRANES = {"plasma_membrane", "endoplasmic_reticulum", "golgi", "mitochondrion", "lysosome", "vesicle"}
LOCATIONS = MEMBRANES | {"nucleus", "cytosol", "cytoskeleton", "extracellular"}


def read(path: Path, *, delimiter: str = "\t") -> list[dict[str, str]]:
    """Read a delimited text file with a header line."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter=delimiter))


@pytest.fixture(scope="module")
def genes() -> list[dict[str, str]]:
    """The rows of the shipped table."""
    return read(TSV)


def test_columns_and_size(genes):
    assert list(genes[0]) == COLUMNS
    assert 300 <= len(genes) <= 320


def test_file_is_plain_tab_separated_text():
    raw = TSV.read_bytes()
    assert raw.endswith(b"\n")
    assert b"\r" not in raw
    assert b'"' not in raw
    assert {line.count("\t") for line in raw.decode("utf-8").splitlines()} == {len(COLUMNS) - 1}


def test_symbols_are_unique_and_sorted(genes):
    symbols = [gene["symbol"] for gene in genes]
    assert symbols == sorted(set(symbols))


def test_no_cell_is_empty_or_padded(genes):
    bad = [(gene["symbol"], column) for gene in genes for column in COLUMNS if not gene[column].strip()]
    padded = [(gene["symbol"], column) for gene in genes for column in COLUMNS if gene[column] != gene[column].strip()]
    assert bad == []
    assert padded == []


def test_vocabularies_are_closed_and_used(genes):
    assert {gene["chromosome"] for gene in genes} == CHROMOSOMES
    assert {gene["protein_class"] for gene in genes} == CLASSES
    assert {place for gene in genes for place in gene["locations"].split(";")} == LOCATIONS
    assert {gene["is_tf"] for gene in genes} == {"yes", "no"}


def test_locations_are_sorted_without_repeats(genes):
    for gene in genes:
        places = gene["locations"].split(";")
        assert places == sorted(set(places)), gene["symbol"]


def test_is_tf_means_class_transcription_factor(genes):
    wrong = [g["symbol"] for g in genes if (g["is_tf"] == "yes") != (g["protein_class"] == "transcription_factor")]
    assert wrong == []


def test_every_label_has_enough_genes_for_five_folds(genes):
    classes = Counter(gene["protein_class"] for gene in genes)
    places = Counter(place for gene in genes for place in gene["locations"].split(";"))
    assert min(classes.values()) >= 15
    assert classes["transcription_factor"] >= 60
    assert min(places.values()) >= 10


def test_membrane_segments_are_small_integers_with_spread(genes):
    assert all(re.fullmatch(r"0|[1-9]\d?", gene["membrane_segments"]) for gene in genes)
    segments = Counter(int(gene["membrane_segments"]) for gene in genes)
    assert sum(segments.values()) - segments[0] >= 90
    assert len(segments) >= 10
    assert max(segments) == 24


def test_proteins_with_segments_sit_in_a_membrane(genes):
    floating = [
        gene["symbol"]
        for gene in genes
        if gene["membrane_segments"] != "0" and MEMBRANES.isdisjoint(gene["locations"].split(";"))
    ]
    assert floating == []


def test_secreted_only_proteins_have_no_segments(genes):
    secreted = [gene for gene in genes if gene["locations"] == "extracellular"]
    assert len(secreted) >= 20
    assert {gene["membrane_segments"] for gene in secreted} == {"0"}


def test_channels_and_mitochondrial_genes(genes):
    assert all(gene["membrane_segments"] != "0" for gene in genes if gene["protein_class"] == "ion_channel")
    encoded = [gene for gene in genes if gene["chromosome"] == "MT"]
    assert all(gene["symbol"].startswith("MT-") and gene["locations"] == "mitochondrion" for gene in encoded)


@pytest.mark.parametrize(
    ("symbol", "segments"),
    [("RHO", "7"), ("SLC2A1", "12"), ("SCN5A", "24"), ("EGFR", "1"), ("AQP1", "6"), ("MT-CO1", "12"), ("TP53", "0")],
)
def test_textbook_topologies(genes, symbol, segments):
    found = {gene["symbol"]: gene["membrane_segments"] for gene in genes}
    assert found[symbol] == segments


def test_summaries_are_distinct_sentences(genes):
    summaries = [gene["summary"] for gene in genes]
    assert len({summary.casefold() for summary in summaries}) == len(summaries)
    lengths = {gene["symbol"]: len(gene["summary"].split()) for gene in genes}
    assert {symbol: n for symbol, n in lengths.items() if not 8 <= n <= 25} == {}
    assert all(summary.endswith(".") for summary in summaries)


def test_summaries_do_not_spell_out_their_class(genes):
    words = {gene["symbol"]: gene["protein_class"].replace("_", " ") for gene in genes}
    spelled = [gene["symbol"] for gene in genes if words[gene["symbol"]] in gene["summary"].casefold()]
    assert len(spelled) <= len(genes) // 20, spelled


@pytest.mark.real_data
def test_symbols_names_and_chromosomes_are_those_of_hgnc(genes, raw_dir):
    hgnc = {row["symbol"]: row for row in read(raw_dir / "hgnc" / "hgnc_complete_set.txt")}
    wrong = []
    for gene in genes:
        row = hgnc.get(gene["symbol"])
        if row is None or row["status"] != "Approved":
            wrong.append((gene["symbol"], "not an approved symbol"))
            continue
        chromosome = re.match(r"\d+|X|Y|mitochondria", row["location"])
        place = chromosome.group().replace("mitochondria", "MT") if chromosome else row["location"]
        if (gene["name"], gene["chromosome"]) != (row["name"], place):
            wrong.append((gene["symbol"], row["name"], place))
    assert wrong == []


@pytest.mark.real_data
def test_transcription_factors_are_those_of_humantfs(genes, raw_dir):
    ensembl = {row["symbol"]: row["ensembl_gene_id"] for row in read(raw_dir / "hgnc" / "hgnc_complete_set.txt")}
    census = read(raw_dir / "humantfs" / "DatabaseExtract_v_1.01.csv", delimiter=",")
    factors = {row["Ensembl ID"] for row in census if row["Is TF?"] == "Yes"}
    wrong = [g["symbol"] for g in genes if (g["is_tf"] == "yes") != (ensembl[g["symbol"]] in factors)]
    assert wrong == []
