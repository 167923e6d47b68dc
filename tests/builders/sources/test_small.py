"""HGNC, Reactome, the human transcription factors and the gene table: hand-written rows, and the real files counted."""

import gzip
from collections import Counter

import pytest

from builders import RawFiles, load
from builders.errors import MissingFileError, SourceFileError, SourceFormatError

GENES = [
    {"symbol": f"GENE{i}", "name": f"gene number {i}", "locus_group": "protein-coding gene", "entrez_id": f"{i + 1}"}
    for i in range(12)
]


@pytest.fixture
def build(data_dir, tmp_path):
    return lambda name: load(name, RawFiles(data_dir), cache_dir=tmp_path / "cache")


@pytest.fixture(scope="module")
def real(raw_dir, tmp_path_factory):
    raw, cache = RawFiles(raw_dir), tmp_path_factory.mktemp("cache")
    return lambda name: load(name, raw, cache_dir=cache)


def labels(built):
    names = getattr(built.dataset.features["label"], "feature", built.dataset.features["label"]).names
    cells = built.dataset["label"]
    named = [[names[i] for i in cell] if isinstance(cell, list) else names[cell] for cell in cells]
    return dict(zip(built.dataset["symbol"], named, strict=True))


# HGNC

HLA = "major histocompatibility complex, class"


def test_hla_class_is_read_off_the_approved_name(write_hgnc, build):
    first = [f"HLA-{letter}" for letter in "ABCEF"]
    second = ["HLA-DMA", "HLA-DPB1", "HLA-DQA1", "HLA-DRA", "HLA-DRB1"]
    write_hgnc(
        [{"symbol": symbol, "name": f"{HLA} I, {symbol[-1]}"} for symbol in first]
        + [{"symbol": symbol, "name": f"{HLA} II, {symbol[4:]}"} for symbol in second]
        + [
            {"symbol": "HLA-F-AS1", "name": "HLA-F antisense RNA 1"},
            {"symbol": "HCP5", "name": "HLA complex P5"},
            {"symbol": "CD74", "name": "CD74 molecule"},
            {"symbol": "HLA-X~withdrawn", "name": f"{HLA} I, X", "status": "Entry Withdrawn"},
        ]
    )
    built = build("hgnc_hla_class")
    assert labels(built) == dict.fromkeys(first, "class_i") | dict.fromkeys(second, "class_ii")
    assert built.dataset.features["label"].names == ["class_ii", "class_i"]


def test_locus_group(write_hgnc, build):
    rna = [{"symbol": f"RNA{i}", "locus_group": "non-coding RNA"} for i in range(5)]
    rare = [{"symbol": "TCELL", "locus_group": "other"}]
    write_hgnc([*GENES, *rna, *rare])
    built = build("hgnc_locus_group")
    assert Counter(labels(built).values()) == {"protein-coding gene": 12, "non-coding RNA": 5}
    assert built.audit.labels_dropped == {"other": 1}


def test_hgnc_without_a_column_that_only_this_task_needs(write_hgnc, build):
    path = write_hgnc(GENES)
    path.write_text(path.read_text().replace("locus_group", "group"))
    with pytest.raises(SourceFormatError, match=r"hgnc_complete_set\.txt: .*'locus_group'.*'Locus group'; the file"):
        build("hgnc_locus_group")


@pytest.mark.real_data
def test_real_hgnc(real):
    hla = labels(real("hgnc_hla_class"))
    assert Counter(hla.values()) == {"class_i": 20, "class_ii": 24}
    assert (hla["HLA-A"], hla["HLA-DRB1"]) == ("class_i", "class_ii")
    assert "HLA-F-AS1" not in hla
    groups = labels(real("hgnc_locus_group"))
    assert (len(groups), groups["XIST"], groups["TP53"]) == (43882, "non-coding RNA", "protein-coding gene")


# The human transcription factors

CENSUS = "number,Ensembl ID,HGNC symbol,DBD,Is TF?,Notes"


def test_transcription_factors(write_hgnc, write_raw, build):
    write_hgnc([{**gene, "ensembl_gene_id": f"ENSG{i:011}"} for i, gene in enumerate(GENES)])
    answers = ["Yes", "No"] * 5
    lines = [f'{i},ENSG{i:011},WRONG{i},C2H2 ZF,{answer},"a, ""b"""' for i, answer in enumerate(answers)]
    # A retired Ensembl id: the symbol, which has a trailing space in the original, is the one to go by.
    lines += ["10,ENSG99999999999,GENE10 ,Unknown,Yes ,x", "11,ENSG99999999998,LOST,Unknown,No,x"]
    write_raw("humantfs/DatabaseExtract_v_1.01.csv", "\n".join([CENSUS, *lines, ""]))
    built = build("humantfs_is_tf")
    expected = {f"GENE{i}": "not_tf" if i % 2 else "tf" for i in range(11)}
    assert labels(built) == expected
    assert built.dataset.features["label"].names == ["not_tf", "tf"]
    assert built.audit.samples["unmapped"] == ["ENSG99999999998"]


def test_another_answer_than_yes_and_no(write_hgnc, write_raw, build):
    write_hgnc(GENES)
    write_raw("humantfs/DatabaseExtract_v_1.01.csv", f"{CENSUS}\n0,ENSG1,GENE1,x,Likely,x\n")
    with pytest.raises(
        SourceFormatError, match=r"DatabaseExtract_v_1\.01\.csv: 'Is TF\?' is 'Likely' in some row; expected"
    ):
        build("humantfs_is_tf")


@pytest.mark.real_data
def test_real_transcription_factors(real):
    built = real("humantfs_is_tf")
    found = labels(built)
    assert built.audit.rows_read == 2765
    assert len(found) == built.audit.n == 2760
    assert 1630 <= Counter(found.values())["tf"] <= 1639
    assert (found["TP53"], found["GATA4"], found["ZBED1"]) == ("tf", "tf", "tf")


# Reactome

RELATIONS = "R-HSA-1\tR-HSA-11\nR-HSA-11\tR-HSA-111\nR-HSA-2\tR-HSA-21\nR-HSA-2\tR-HSA-111\nR-BTA-1\tR-BTA-11\n"


def gmt(**members):
    ids = {"top": "1", "middle": "11", "bottom": "111", "second": "2", "leaf": "21", "orphan": "999"}
    lines = [f"{name.title()}\tR-HSA-{ids[name]}\t" + "\t".join(genes) for name, genes in members.items()]
    return "\n".join([*lines, "Cow\tR-BTA-11\tGENE9", ""])


def test_pathways(write_hgnc, write_raw, build):
    write_hgnc([*GENES, {"symbol": "RPSA", "alias_symbol": "uS2"}, {"symbol": "TAT", "prev_symbol": "OLDTAT"}])
    write_raw("reactome/ReactomePathwaysRelation.txt", RELATIONS)
    genes = [gene["symbol"] for gene in GENES]
    sets = gmt(
        top=["GENE0", "OLDTAT"],
        middle=genes[1:5],
        bottom=genes[5:7],
        second=["US2", "tat"],
        leaf=[*genes[2:4], *genes[7:9]],
        orphan=["GENE10", "GENE0"],
    )
    write_raw("reactome/ReactomePathways.gmt", sets)
    built = build("reactome_pathways")
    # A set counts for every top level above it; viral names are no genes; sets of other species or without a top are
    # left out.
    assert labels(built) == {
        **dict.fromkeys(["GENE0", "GENE1", "GENE4", "TAT"], ["Top"]),
        **dict.fromkeys(["GENE2", "GENE3", "GENE5", "GENE6"], ["Second", "Top"]),
        **dict.fromkeys(["GENE7", "GENE8"], ["Second"]),
    }
    assert built.audit.samples["unmapped"] == ["US2", "tat"]
    assert built.audit.notes == [
        "1 gene sets are newer than the relation table and belong to no top-level pathway in it;"
        " 1 genes are in no other set and are left out"
    ]


INFECTION_RELATIONS = "".join(
    f"R-HSA-{parent}\tR-HSA-{child}\n"
    for parent, child in ((1643685, 5663205), (5663205, 168255), (168256, 1280218), (1430728, 15869))
)
INFECTION_SETS = {
    "Disease\tR-HSA-1643685": ["NA", "NP", "TRS1", "MPP5", "PDZD3", "HA"],
    "Infectious disease\tR-HSA-5663205": ["NA", "NP", "TRS1", "MPP5", "PDZD3", "HA"],
    "Influenza Infection\tR-HSA-168255": ["NA", "NP", "HA"],
    "Immune System\tR-HSA-168256": ["TRS1", *(f"GENE{i}" for i in range(6))],
    "Adaptive Immune System\tR-HSA-1280218": ["TRS1", "MPP5", "OLDGENE6"],
    "Metabolism\tR-HSA-1430728": ["PNP", *(f"GENE{i}" for i in range(7, 12))],
    "Nucleotides\tR-HSA-15869": ["PNP"],
}
# NHERF4, which was PDZD3 until 2022, takes part in nothing but the uptake of a bacterial toxin.
INFECTION_GENES = [
    {"symbol": "XK", "prev_symbol": "NA", "uniprot_ids": "P51811", "date_modified": "2023-01-20"},
    {"symbol": "PNP", "prev_symbol": "NP", "uniprot_ids": "P00491"},
    {"symbol": "TRS-TGA2-1", "prev_symbol": "TRS1"},
    {"symbol": "PALS1", "prev_symbol": "MPP5", "uniprot_ids": "Q8N3R9"},
    {
        **{"symbol": "NHERF4", "prev_symbol": "PDZD3", "uniprot_ids": "Q86UT5"},
        **{"date_symbol_changed": "2022-10-26", "date_modified": "2024-10-01"},
    },
]


@pytest.mark.parametrize("proteins", [None, "P00491\tR-HSA-15869", "P00491-2\tR-HSA-168255"])
def test_names_of_viral_proteins_are_no_human_genes(write_hgnc, write_raw, build, proteins):
    genes = [{**gene, "prev_symbol": f"OLD{gene['symbol']}"} for gene in GENES]
    write_hgnc([*genes, *INFECTION_GENES])
    write_raw("reactome/ReactomePathwaysRelation.txt", INFECTION_RELATIONS)
    write_raw(
        "reactome/ReactomePathways.gmt",
        "".join("\t".join([head, *names]) + "\n" for head, names in INFECTION_SETS.items()),
    )
    if proteins:
        rows = [
            f"{row}\thttps://x\tx\tTAS\tHomo sapiens\n"
            for row in (proteins, "Q8N3R9\tR-HSA-1280218", "Q86UT5\tR-HSA-5663205")
        ]
        write_raw("reactome/UniProt2Reactome_All_Levels.txt", "".join(rows))
    built = build("reactome_pathways")
    found = labels(built)
    assert found["PALS1"] == ["Immune System"]  # its other label has few genes and is dropped
    assert found["GENE6"] == ["Immune System"]
    assert {"XK", "TRS-TGA2-1"}.isdisjoint(found)
    assert found["PNP"] == ["Metabolism"]
    # The table of proteins decides where it is there: in the last case it has PNP in the set of influenza.
    disease = 3 if proteins and "168255" in proteins else 2
    assert built.audit.labels_dropped == {"Disease": disease}
    names = ["NA (not XK)", *(["NP (not PNP)"] if disease == 2 else []), "TRS1 (not TRS-TGA2-1)"]
    assert built.audit.notes == [
        f"{len(names)} names in the sets of infections are proteins of pathogens, not the human genes once called so:"
        f" {', '.join(names)}"
    ]
    assert str(built.config.version) == "2.0.0"


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (
            "Top\tR-HSA-1\tGENE1\nTop only\n",
            SourceFormatError,
            r"line 2 is not 'name, R-HSA-id, genes\.\.\.' .*'Top only'",
        ),
        ("Top\tGENE1\tGENE2\n", SourceFormatError, "line 1 is not 'name"),
        ("Top\tR-HSA-1\tGENE1\n\xe4".encode("latin-1"), SourceFileError, "line 2 is not UTF-8"),
    ],
)
def test_gene_sets_in_another_form(write_hgnc, write_raw, build, content, error, message):
    write_hgnc(GENES)
    write_raw("reactome/ReactomePathwaysRelation.txt", RELATIONS)
    write_raw("reactome/ReactomePathways.gmt", content)
    with pytest.raises(error, match=rf"ReactomePathways\.gmt: {message}"):
        build("reactome_pathways")


@pytest.mark.real_data
def test_real_pathways(real):
    built = real("reactome_pathways")
    names = built.dataset.features["label"].feature.names
    assert len(names) == 25
    assert sorted(built.audit.labels_dropped) == ["Circadian Clock", "Digestion and absorption"]
    found = labels(built)
    assert {"DNA Repair", "Cell Cycle"} <= set(found["BRCA1"])
    # Without nine viral names; with them six genes have the label Disease and two tRNAs are in the task for no reason.
    assert len(found) == 11308
    assert built.audit.notes[0].startswith("9 names in the sets of infections are proteins of pathogens")
    assert {"XK", "TRS-TGA2-1", "TRX-CAT1-2"} & found.keys() == {"XK"}
    assert not any("Disease" in found[gene] for gene in ("XK", "OCA2", "BLOC1S6", "CD46", "PCSK1", "PCSK2"))
    assert {"H3C8", "PALS1", "NHERF4"} <= found.keys()


# The gene table


def test_gene_table(write_hgnc, write_raw, build):
    write_hgnc(
        [
            {
                "hgnc_id": "HGNC:11998",
                "symbol": "TP53",
                "name": "tumor protein p53",
                "locus_group": "protein-coding gene",
                "location": "17p13.1",
                "alias_symbol": "p53|LFS1",
                "entrez_id": "7157",
                "ensembl_gene_id": "ENSG00000141510",
                "uniprot_ids": "P04637|Q00000",
            },
            {"symbol": "ACE2", "name": "angiotensin converting enzyme 2", "location": "Xp22.2", "entrez_id": "59272"},
            {"symbol": "GONE~withdrawn", "status": "Entry Withdrawn"},
        ]
    )
    write_raw(
        "ncbi_gene/gene_summary.gz",
        '#tax_id\tGeneID\tSource\tSummary\n9606\t7157\tRefSeq\t A "guardian". \n10090\t59272\tRefSeq\tOf the mouse.\n',
    )
    built = build("genes")
    ace2, tp53 = built.dataset
    assert tp53 == {
        "symbol": "TP53",
        "hgnc_id": "HGNC:11998",
        "name": "tumor protein p53",
        "ensembl_gene_id": "ENSG00000141510",
        "entrez_id": "7157",
        "uniprot_id": "P04637",
        "alias_symbols": ["p53", "LFS1"],
        "prev_symbols": [],
        "locus_group": "protein-coding gene",
        "chromosome": "17",
        "gene_groups": [],
        "summary": 'A "guardian".',
        "description": 'Gene symbol TP53 full name tumor protein p53 with the summary A "guardian".',
        "summary_source": "RefSeq",
    }
    assert (ace2["summary"], ace2["description"]) == ("", "Gene symbol ACE2 full name angiotensin converting enzyme 2")
    assert built.audit.notes[0] == "1 of 2 genes have a summary by RefSeq"


@pytest.mark.parametrize(
    "summaries",
    [
        "tax_id\tGeneID\tSource\tSummary\n10090\t2\tRefSeq\tOf the mouse.\n9606\t2\tRefSeq\tOf man.\n",
        "## made in 2025\n#tax_id\tGeneID\tSource\tSummary\tAdded\n9606\t2\tRefSeq\tOf man.\tx\n",
        "#tax_id\tSummary\tGeneID\t\n9606\tOf man.\t2\t\n10090\tOf the mouse.\t2\t\n",
    ],
    ids=["without #", "a comment and an added column", "other order and trailing tabs"],
)
def test_summaries_in_other_layouts(write_hgnc, write_raw, build, summaries):
    path = write_hgnc(GENES)
    path.write_text(path.read_text().replace("gene_group", "gene_family"))
    write_raw("ncbi_gene/gene_summary.gz", gzip.compress(summaries.encode()))
    table = build("genes").dataset
    assert dict(zip(table["symbol"], table["summary"], strict=True))["GENE1"] == "Of man."


def test_gene_table_needs_the_summaries(write_hgnc, build):
    write_hgnc(GENES)
    with pytest.raises(MissingFileError, match=r"NCBI Gene: no gene_summary\.gz in .*get it from https://ftp\.ncbi"):
        build("genes")


@pytest.mark.real_data
def test_real_gene_table(real):
    table = real("genes").dataset
    assert len(table) == 43882
    rows = dict(zip(table["symbol"], table, strict=True))
    assert (rows["TP53"]["entrez_id"], rows["TP53"]["chromosome"], rows["TP53"]["uniprot_id"]) == (
        "7157",
        "17",
        "P04637",
    )
    assert rows["TP53"]["description"].startswith(
        "Gene symbol TP53 full name tumor protein p53 with the summary This gene"
    )
    assert rows["MARCHF1"]["prev_symbols"] == ["MARCH1"]
    assert sum(summary != "" for summary in table["summary"]) == 15079
