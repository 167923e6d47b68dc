"""Identifiers as they come: forms of accessions, dates, names changed by R, other species, and what is no gene."""

import gzip

import pytest

from builders import SymbolResolver
from builders.errors import SourceFormatError
from builders.symbols import ALL_STEPS, read_identifier_map

ROWS = [
    {"hgnc_id": "HGNC:5", "symbol": "A1BG", "entrez_id": "1", "ensembl_gene_id": "ENSG00000121410"},
    {"symbol": "AANAT", "entrez_id": "15", "uniprot_ids": "Q16613"},
    {"symbol": "AAAS", "entrez_id": "8086"},
    {"symbol": "UPF1", "entrez_id": "51146"},
    {"symbol": "PLCXD1", "ensembl_gene_id": "ENSG00000182378"},
    {"symbol": "ENSA", "ensembl_gene_id": "ENSG00000143420"},
    {"symbol": "HLA-A"},
    {"symbol": "NKX2-1", "prev_symbol": "TITF1"},
    {"symbol": "RN7SK", "alias_symbol": "7SK"},
    {"symbol": "TBCE"},
    {"symbol": "MIP"},
    {"symbol": "LMX1A", "prev_symbol": "LMX1"},
    {"symbol": "BHLHE40", "alias_symbol": "DEC1", "ensembl_gene_id": "ENSG00000134107"},
    {"symbol": "DELEC1", "prev_symbol": "DEC1"},
    {"symbol": "SEPTIN2", "prev_symbol": "SEPT2"},
    {"symbol": "SEPTIN3", "prev_symbol": "SEPT3"},
    {"symbol": "MARCHF9", "prev_symbol": "MARCH9"},
    {"symbol": "MARCHF1", "prev_symbol": "MARCH1"},
    {"symbol": "MTARC1", "prev_symbol": "MARC1"},
    {"symbol": "XK", "prev_symbol": "NA"},
    {"symbol": "NR2F6", "alias_symbol": "EAR2", "mgd_id": "MGI:1352453", "rgd_id": "RGD:621685"},
    {"symbol": "ACTB", "mgd_id": "MGI:87904"},
    {"symbol": "SMN1", "mgd_id": "MGI:109257"},
    {"symbol": "SMN2", "mgd_id": "MGI:109257"},
]


@pytest.fixture
def resolver(write_hgnc):
    return SymbolResolver.from_hgnc(write_hgnc(ROWS))


def one(resolver, identifier, **options):
    match = resolver.resolve([identifier], **options).matches[0]
    return match.symbol, match.status


@pytest.mark.parametrize(
    ("identifier", "symbol", "status"),
    [
        ("HGNC:5", "A1BG", "hgnc"),
        ("hgnc:5", "A1BG", "hgnc"),
        ("HGNC:HGNC:5", "A1BG", "hgnc"),
        ("hsa:51146", "UPF1", "entrez"),
        ("NCBIGene:51146", "UPF1", "entrez"),
        ("8086.0", "AAAS", "entrez"),
        ("ENSGR0000182378", "PLCXD1", "ensembl"),
        ("ENSGR0000182378.12", "PLCXD1", "ensembl"),
        ("sp|Q16613|AANA_HUMAN", "AANAT", "uniprot"),
        ("sp|Q16613-2|AANA_HUMAN", "AANAT", "uniprot"),
        ("Q16613_HUMAN", "AANAT", "uniprot"),
        ("UniProtKB:Q16613", "AANAT", "uniprot"),
        ("ENSA", "ENSA", "current"),
        ("A1BG_ENSG00000121410", "A1BG", "ensembl"),
        ("ENSG00000121410.12_A1BG", "A1BG", "ensembl"),
        ("A1BG|ENSG00000121410", "A1BG", "ensembl"),
        # The id tells which DEC1 is meant; where HGNC lacks the id, the symbol speaks.
        ("DEC1_ENSG00000134107", "BHLHE40", "ensembl"),
        ("DEC1_ENSG00000999999", "DELEC1", "previous"),
        ("ENSA_ENSG00000999999", "ENSA", "current"),
        ("HLA.A", "HLA-A", "r_name"),
        ("NKX2.1", "NKX2-1", "r_name"),
        ("X7SK", "RN7SK", "r_name"),
        ("TBCE.1", "TBCE", "r_name"),
        ("HLA.A.2", "HLA-A", "r_name"),
        ("2-Sep", "SEPTIN2", "date"),
        ("Sep-02", "SEPTIN2", "date"),
        ("X2.Sep", "SEPTIN2", "date"),
        ("2-Sep-21", "SEPTIN2", "date"),
        ("2-Sep-2021", "SEPTIN2", "date"),
        ("2021-09-02", "SEPTIN2", "date"),
        ("2021-09-02 00:00:00", "SEPTIN2", "date"),
        ("2021-09-02T00:00:00", "SEPTIN2", "date"),
        ("02/09/2021", "SEPTIN2", "date"),
        ("02.09.2021", "SEPTIN2", "date"),
        ("44441", "SEPTIN2", "date"),
        ("44441.0", "SEPTIN2", "date"),
        ("NA", "XK", "previous"),
    ],
)
def test_forms(resolver, identifier, symbol, status):
    assert one(resolver, identifier) == (symbol, status)


@pytest.mark.parametrize(
    ("identifier", "candidates"),
    [
        # The ninth of March or the third of September.
        ("03/09/2021", ("MARCHF9", "SEPTIN3")),
        ("2021-03-01", ("MARCHF1", "MTARC1")),
        ("1-Mar-21", ("MARCHF1", "MTARC1")),
    ],
)
def test_dates_that_may_be_two_genes(resolver, identifier, candidates):
    assert resolver.resolve([identifier]).ambiguous == {identifier: candidates}


@pytest.mark.parametrize(
    ("identifier", "note"),
    [
        # Not taken for MIP: it is CCL3, and nothing tells a protein's name from a number that anndata added.
        ("MIP-1", "no name that HGNC knows"),
        # A gene of its own, not the second of two LMX1.
        ("LMX1.2", "no name that HGNC knows"),
        ("TBCE.11", "no name that HGNC knows"),
        ("na", "word for a missing value"),
        ("nan", "word for a missing value"),
        ("None", "word for a missing value"),
        ("Null", "word for a missing value"),
        ("", "empty"),
        ("<pad>", "special token of a vocabulary"),
        ("<cls>", "special token of a vocabulary"),
        ("[MASK]", "special token of a vocabulary"),
        ("ERCC-00002", "spike-in control"),
        ("Trp53", "looks like a mouse or rat symbol"),
        ("1700001C02Rik", "looks like a mouse or rat symbol"),
        ("H2-K1", "looks like a mouse or rat symbol"),
        ("ENSMUSG00000059552", "Ensembl id of another species"),
        ("MGI:87904", "mouse or rat id; HGNC's ortholog columns map it on request"),
        ("ENSP00000269305", "Ensembl transcript or protein id; needs a map to genes"),
        ("9606.ENSP00000269305", "Ensembl transcript or protein id; needs a map to genes"),
        ("ENSG00000999999", "Ensembl id that HGNC does not list"),
        ("sp|P02340|P53_MOUSE", "protein of another species"),
        ("AANA_HUMAN", "UniProt entry name; use the accession"),
        ("99999999", "number that is not an Entrez id known to HGNC; a row number?"),
        ("1-Jan", "date"),
        ("LOC344967", "locus or clone without an approved symbol"),
        ("TP53;EGFR", "several names in one cell"),
        ("nonsense", "no name that HGNC knows"),
    ],
)
def test_what_is_no_gene_is_called_what_it_is(resolver, identifier, note):
    match = resolver.resolve([identifier]).matches[0]
    assert (match.symbol, match.status, match.note) == (None, "unmapped", note)


def test_a_bare_number_is_an_entrez_id_unless_only_hgnc_ids_are_asked_for(resolver):
    assert one(resolver, "5") == (None, "unmapped")
    assert one(resolver, "5", by=("hgnc",)) == ("A1BG", "hgnc")


def test_orthologs_on_request_only(resolver):
    with_orthologs = (*ALL_STEPS, "ortholog")
    assert one(resolver, "MGI:1352453") == (None, "unmapped")
    assert one(resolver, "MGI:1352453", by=with_orthologs) == ("NR2F6", "ortholog")
    assert one(resolver, "RGD:621685", by=with_orthologs) == ("NR2F6", "ortholog")
    assert resolver.resolve(["MGI:109257"], by=with_orthologs).ambiguous == {"MGI:109257": ("SMN1", "SMN2")}


def test_map_of_identifiers_decides_first(write_hgnc, tmp_path):
    path = tmp_path / "map.tsv.gz"
    rows = [
        "#string_protein_id\tgene",
        "9606.ENSP00000000001\tENSG00000121410",
        "9606.ENSP00000000002\tA1BG",
        "9606.ENSP00000000002\tAANAT",
        "9606.ENSP00000000003\tNOSUCH",
        "9606.ENSP00000000004\t",
        "Actb\tMGI:87904",
    ]
    path.write_bytes(gzip.compress(("\n".join(rows) + "\n").encode()))
    given = read_identifier_map(path, "#string_protein_id", "gene")
    resolver = SymbolResolver.from_hgnc(write_hgnc(ROWS), identifier_map=given)
    names = [*(f"9606.ENSP0000000000{i}" for i in range(1, 5)), "Actb"]
    found = resolver.resolve(names)
    assert [(match.symbol, match.status) for match in found.matches] == [
        ("A1BG", "mapped"),
        (None, "ambiguous"),
        (None, "unmapped"),
        (None, "unmapped"),
        ("ACTB", "mapped"),
    ]
    assert found.matches[1].candidates == ("A1BG", "AANAT")
    # What is ambiguous after the map stays ambiguous.
    doubtful = SymbolResolver.from_hgnc(write_hgnc(ROWS), identifier_map={"x": ["A1BG", "MGI:109257"]})
    assert doubtful.resolve(["x"]).ambiguous == {"x": ("A1BG", "SMN1", "SMN2")}
    assert found.matches[2].note == "mapped to NOSUCH, which HGNC does not know"
    with pytest.raises(SourceFormatError, match="no column 'protein'"):
        read_identifier_map(path, "protein", "gene")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["Actb", "Ear2", "Tbce", "AANAT"], "3 of the 4 names that match do so only regardless of case"),
        (["Trp53", "Gm10000", "H2-K1", "A1BG"], "most names are written as symbols of mouse or rat are"),
    ],
)
def test_mouse_genes_are_asked_about(resolver, names, reason):
    assert resolver.resolve(names).species_warning == (
        f"{reason}; are these mouse or rat genes? map them to human orthologs first"
    )


@pytest.mark.parametrize("names", [["A1BG", "HLA-A", "tbce", "nonsense"], ["8086", "51146"], ["LOC1", "<pad>"], []])
def test_human_genes_are_not(resolver, names):
    assert resolver.resolve(names).species_warning == ""


def test_listing_for_an_audit(resolver, tmp_path):
    found = resolver.resolve(["A1BG", "TITF1", "tbce", "1-Mar", "<pad>", "A1BG", "HGNC:999"])
    assert found.listing() == [
        ("A1BG", "A1BG", "current", ""),
        ("TITF1", "NKX2-1", "previous", ""),
        ("tbce", "TBCE", "case", ""),
        ("1-Mar", "", "ambiguous", "MARCHF1, MTARC1"),
        ("<pad>", "", "unmapped", "special token of a vocabulary"),
        ("HGNC:999", "", "withdrawn", ""),
    ]
    found.write_listing(tmp_path / "audit.tsv")
    lines = (tmp_path / "audit.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "identifier\tsymbol\tstatus\tnote"
    assert lines[4] == "1-Mar\t\tambiguous\tMARCHF1, MTARC1"
    assert len(lines) == 7
    assert resolver.resolve(["<pad>", "<cls>", "ERCC-00002", "x", "x"]).unknown_kinds == {
        "special token of a vocabulary": 2,
        "no name that HGNC knows": 1,
        "spike-in control": 1,
    }


@pytest.mark.real_data
def test_forms_on_the_real_set(raw_dir):
    resolver = SymbolResolver.from_hgnc(raw_dir / "hgnc/hgnc_complete_set.txt")
    expected = {
        "hsa:51146": "A4GNT",
        "8086.0": "AAAS",
        "HLA.A": "HLA-A",
        "HLA.DRB1": "HLA-DRB1",
        "ENSGR0000182378": "PLCXD1",
        "sp|Q16613|SNAT_HUMAN": "AANAT",
        "NKX2.1": "NKX2-1",
        "CAND1.11": None,
        "44441": "SEPTIN2",
        "ENSA": "ENSA",
        "nan": None,
        "na": None,
    }
    assert dict(zip(expected, resolver.resolve(expected), strict=True)) == expected
    proteins = read_identifier_map(
        raw_dir / "string/9606.protein.info.v12.0.txt.gz", "#string_protein_id", "preferred_name"
    )
    mapped = SymbolResolver.from_hgnc(raw_dir / "hgnc/hgnc_complete_set.txt", identifier_map=proteins)
    assert mapped.resolve(["9606.ENSP00000000233"]).matches[0].symbol == "ARF5"
    counts = mapped.resolve(proteins).counts
    assert counts["mapped"] / len(proteins) > 0.98
