import gzip
import shutil
from pathlib import Path

import pytest

from builders import RawFiles, SymbolResolver, load, select
from builders.catalog import Built
from builders.errors import SourceFileError, SourceFormatError
from builders.readers.tables import read_table
from builders.sources.genes.proteins import read_fasta, sequence_per_gene
from builders.sources.uniprot import UniProtBuilder

ENTRIES, KEYWORDS = "uniprot/uniprotkb_human_reviewed.tsv", "uniprot/keywords_all.tsv"


@pytest.fixture
def data_dir(repo, tmp_path):
    """A copy of the hand-written raw files, to change."""
    return Path(shutil.copytree(repo / "tests/data/uniprot", tmp_path / "raw"))


@pytest.fixture
def build(data_dir, tmp_path):
    return lambda name: load(name, RawFiles(data_dir), cache_dir=tmp_path / "cache")


def labels(built: Built) -> dict[str, list[str]]:
    names = built.dataset.features["label"].feature.names
    return {row["symbol"]: [names[i] for i in row["label"]] for row in built.dataset}


def notes(built: Built) -> list[str]:
    """Notes without the one that the hand-written file is small."""
    return [note for note in built.audit.notes if "far fewer" not in note]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def sequences(built: Built) -> dict[str, str]:
    table = built.dataset
    return {symbol: text for symbol, text in zip(table["symbol"], table["protein_sequence"], strict=True) if text}


def test_ptm(build):
    built = build("uniprot_ptm")
    assert labels(built) == {
        "ALB": ["Phosphoprotein"],
        "BRCA1": ["Acetylation", "Phosphoprotein", "Ubl conjugation"],
        "CDKN2A": ["Acetylation", "Phosphoprotein", "Ubl conjugation"],  # one keyword is of the second protein only
        "CFTR": ["Glycoprotein", "Phosphoprotein", "Ubl conjugation"],
        "EGFR": ["Glycoprotein", "Phosphoprotein", "Ubl conjugation"],
        "GATA4": ["Acetylation", "Phosphoprotein"],
        "H4C1": ["Acetylation", "Phosphoprotein", "Ubl conjugation"],  # "H4C1; H4C2" in one cell
        "H4C2": ["Acetylation", "Phosphoprotein", "Ubl conjugation"],
        "HBB": ["Acetylation", "Glycoprotein", "Phosphoprotein"],  # an entry without a gene name
        "INS": [],  # its only label is rare
        "KCNQ1": ["Glycoprotein", "Phosphoprotein"],
        "TNF": ["Glycoprotein"],
        "TP53": ["Acetylation", "Phosphoprotein", "Ubl conjugation"],
    }
    assert built.audit.labels_dropped == {"Disulfide bond": 4}
    assert built.audit.duplicates_collapsed == 1
    assert notes(built) == []


def test_old_name_and_unknown_accession(build):
    built = build("uniprot_domain")
    assert labels(built)["MARCHF1"] == ["Transmembrane"]
    assert built.audit.samples["changed"] == ["MARCH1 -> MARCHF1"]
    assert built.audit.samples["unmapped"] == ["A0A000ZZZ0"]
    assert built.audit.rows_unmapped == 1


def test_only_genes_with_a_keyword_of_the_category(build):
    assert labels(build("uniprot_ligand")) == {
        "ALB": ["Metal-binding", "Zinc"],
        "BRCA1": ["Metal-binding", "Zinc"],
        "GATA4": ["Metal-binding", "Zinc"],
        "HBB": ["Metal-binding"],
        "MARCHF1": ["Metal-binding", "Zinc"],
        "TP53": ["Metal-binding", "Zinc"],
    }


def test_keywords_are_joined_by_id(build, data_dir):
    edit(data_dir / KEYWORDS, "KW-0325\tGlycoprotein", "KW-0325\tGlycosylated protein")
    assert labels(build("uniprot_ptm"))["TNF"] == ["Glycosylated protein"]


def test_sequences_are_not_needed_and_spaces_do_not_matter(build, data_dir):
    path = data_dir / ENTRIES
    lines = [line.rsplit("\t", 1)[0] for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(lines).replace(";KW", "; KW") + "\n", encoding="utf-8")
    assert labels(build("uniprot_ptm"))["TNF"] == ["Glycoprotein"]


def test_category_of_a_keyword_on_two_branches(build, data_dir):
    edit(data_dir / KEYWORDS, "Transmembrane\tDomain", "Transmembrane\tCellular component")
    edit(data_dir / KEYWORDS, "Zinc-finger\tDomain", "Zinc-finger\tLigand")
    domain, ligand = build("uniprot_domain"), build("uniprot_ligand")
    assert labels(domain)["TNF"] == ["Transmembrane"]
    assert notes(domain) == ["by UniProt's category, not the keyword list's: Transmembrane, Zinc-finger"]
    assert ligand.dataset.features["label"].feature.names == ["Metal-binding", "Zinc"]
    assert notes(ligand) == ["by UniProt's category, not the keyword list's: Zinc-finger"]


def test_keyword_newer_than_the_list_is_counted(build, data_dir):
    edit(data_dir / KEYWORDS, "KW-0325\tGlycoprotein\tPTM\n", "")
    built = build("uniprot_ptm")
    assert "TNF" in labels(built)  # Disulfide bond, rare
    assert notes(built) == ["keywords that the keyword list lacks: 1, such as KW-0325"]


def test_missing_column_is_one_line(build, data_dir):
    edit(data_dir / ENTRIES, "Keyword ID", "Keyword number")
    edit(data_dir / ENTRIES, "\tKeywords\t", "\tWords\t")
    with pytest.raises(SourceFormatError, match=r"reviewed\.tsv: .*'Keyword ID'.*'Keywords ID'.*5 columns"):
        build("uniprot_ptm")


def rewrite(path: Path, columns: dict[str, str], **cells: str) -> None:
    """Keep some columns of the entries under other names, and add rows with these cells, one cell a row and column."""
    table = read_table(path, tuple(columns))
    rows = ["\t".join(columns.values()), *("\t".join(row) for row in table.itertuples(index=False, name=None))]
    path.write_bytes(gzip.compress(("\n".join([*rows, *cells.values()]) + "\n").encode()))


@pytest.mark.parametrize(
    "columns",
    [
        {"Entry": "Entry", "Keyword ID": "Keyword ID"},
        {"Entry": "Entry", "Gene Names (primary)": "Gene names  (primary )", "Keyword ID": "Keyword ID"},
        {"Entry": "Entry", "Gene Names (primary)": "Gene Names", "Keywords": "Keywords"},
        {"Entry": "accession", "Gene Names (primary)": "gene_primary", "Keyword ID": "keywordid"},
        {"Keyword ID": "Keyword ID", "Entry": "Entry", "Gene Names (primary)": "Gene Names (primary)"},
    ],
    ids=["ids and keywords only", "until 2022", "all names, keywords by name", "field names of the API", "other order"],
)
def test_columns_of_other_releases_in_a_compressed_stream(build, data_dir, columns):
    expected = labels(build("uniprot_ptm"))
    rewrite(data_dir / ENTRIES, columns)
    found = labels(build("uniprot_ptm"))
    if "Gene Names (primary)" not in columns:
        # An entry without an accession of HGNC's is known by its gene name alone, and one for several genes by theirs.
        lost = {"H4C1", "H4C2"} & expected.keys() - found.keys()
        expected = {gene: cell for gene, cell in expected.items() if gene not in lost}
    if columns.get("Gene Names (primary)") == "Gene Names":
        expected.pop("H4C2", None)  # the first of all names
    assert found == expected


def test_isoform_entries_are_proteins_of_their_gene_but_not_its_sequence(build, data_dir):
    path = data_dir / ENTRIES
    before = labels(build("uniprot_ptm")), sequences(build("genes"))
    assert "TP53" in before[1]
    row = "P04637-2\tTP53\tGlycoprotein\tKW-0325\tMEEPQSDPSVEPPLSQETFSDLWKLLPENN\n"
    path.write_text(path.read_text(encoding="utf-8") + row, encoding="utf-8")
    after = labels(build("uniprot_ptm")), sequences(build("genes"))
    assert after[0] == before[0] | {"TP53": sorted([*before[0]["TP53"], "Glycoprotein"])}
    assert after[1] == before[1]


def test_the_first_page_of_a_search_is_noticed(build):
    (note,) = build("uniprot_ptm").audit.notes
    assert note.startswith(
        "uniprotkb_human_reviewed.tsv has 15 entries, far fewer than the 20,400 reviewed human proteins"
    )
    assert "get all from https://rest.uniprot.org/uniprotkb/stream?" in note


def test_only_the_paper_tasks_are_ranked():
    configs = UniProtBuilder.builder_configs
    assert select(["uniprot_*"]) == list(configs)
    assert {name: config.paper_size for name, config in configs.items() if config.ranked} == {
        "uniprot_ptm": 13968,
        "uniprot_ligand": 6673,
        "uniprot_domain": 13469,
    }


def test_gene_table_has_the_sequence_of_hgncs_first_accession(build):
    built = build("genes")
    found = sequences(built)
    assert found["CDKN2A"] == "MEPAAGSSME"  # P42771 is HGNC's first; Q8N726 is longer
    assert found["H4C1"] == found["H4C2"] == "MSGRGKGGKG"
    assert found["HBB"] == "MVHLTPEEKS"  # by accession, there is no name
    assert found["MARCHF1"] == "MLGWCEAIAR"  # by an old name, HGNC has another accession
    assert set(built.dataset["symbol"]) - set(found) == {"XIST"}
    assert built.audit.notes[-1] == "14 genes have a protein sequence"


def test_longest_sequence_where_hgncs_accession_is_not_there(build, data_dir):
    edit(data_dir / ENTRIES, "P42771\t", "Z9ZZZ8\t")
    edit(data_dir / ENTRIES, "Q8N726\t", "Z9ZZZ7\t")
    assert sequences(build("genes"))["CDKN2A"] == "MVRRFLVTLRIRRACG"


@pytest.mark.parametrize("how", ["no file", "no column"])
def test_gene_table_without_sequences(build, data_dir, how):
    if how == "no file":
        (data_dir / ENTRIES).unlink()
    else:
        edit(data_dir / ENTRIES, "\tSequence\n", "\tLength\n")
    built = build("genes")
    assert built.dataset.column_names[-2:] == ["description", "summary_source"]
    assert len(built.dataset) == 15


FASTA = """\
>sp|P04637|P53_HUMAN Cellular tumor antigen p53 OS=Homo sapiens OX=9606 GN=TP53 PE=1 SV=4
MEEPQ
SDPSV
>sp|P02340|P53_MOUSE Cellular tumor antigen p53 OS=Mus musculus OX=10090 GN=Tp53 PE=1 SV=4
MTAMEESQSDISLELPLSQETFSGL
>sp|Q9ZZZ9|INS9_HUMAN Insulin (Fragment) OS=Homo sapiens OX=9606 GN=INS PE=4 SV=1
MALW
>tr|Q9ZZZ8|Q9ZZZ8_HUMAN Unreviewed OS=Homo sapiens OX=9606 GN=INS PE=4 SV=1
MALWMRL
>sp|P68871|HBB_HUMAN Hemoglobin subunit beta OS=Homo sapiens OX=9606 PE=1 SV=2
MVHLT
"""


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())])
def test_fasta(build, data_dir, pack):
    (data_dir / "uniprot/uniprotkb_human_reviewed.fasta").write_bytes(pack(FASTA))
    assert sequences(build("genes")) == {"HBB": "MVHLT", "INS": "MALW", "TP53": "MEEPQSDPSV"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("MALW", "<html>", r"line 7 is not a protein sequence: '<html>'"),
        (">sp|P68871|HBB_HUMAN", ">HBB", r"line 10 is not a UniProt header"),
    ],
)
def test_damaged_fasta_names_the_line(tmp_path, old, new, message):
    path = tmp_path / "x.fasta"
    path.write_text(FASTA.replace(old, new), encoding="utf-8")
    with pytest.raises(SourceFormatError, match=message):
        read_fasta(path)


def test_half_downloaded_fasta(tmp_path):
    path = tmp_path / "x.fasta.gz"
    path.write_bytes(gzip.compress(FASTA.encode())[:-12])
    with pytest.raises(SourceFileError, match="half-downloaded"):
        read_fasta(path)


@pytest.mark.real_data
def test_real_keywords(raw_dir, tmp_path):
    # The file lacks some frequent keywords (its README says so), so it is smaller than the paper's.
    built = load("uniprot_domain", RawFiles(raw_dir), cache_dir=tmp_path)
    assert len(built.dataset) == 12195
    assert built.audit.rows_unmapped == 0
    assert built.dataset.features["label"].feature.names == [
        "ANK repeat", "Coiled coil", "EGF-like domain", "Homeobox", "Immunoglobulin domain", "Leucine-rich repeat",
        "Repeat", "SH3 domain", "Signal", "Signal-anchor", "TPR repeat", "Transit peptide", "Transmembrane",
        "Transmembrane helix", "WD repeat", "Zinc-finger",
    ]  # fmt: skip


@pytest.mark.real_data
def test_real_fasta(raw_dir):
    proteins = read_fasta(raw_dir / "uniprot/uniprotkb_rna_binding_human.fasta")
    assert len(proteins) == 1686
    hgnc = raw_dir / "hgnc/hgnc_complete_set.txt"
    genes = read_table(hgnc, ("symbol", "uniprot_ids"))
    found = sequence_per_gene(proteins, genes, SymbolResolver.from_hgnc(hgnc))
    assert 1670 < len(found) < 1700
    assert found["FMR1"].startswith("MEELVVEVRGSNGAFYKAFVKDVHEDS")
    assert len(found["FMR1"]) == 632  # Q06787, the canonical one, not the first of its 13 entries in the file
