"""Identifiers to current symbols, on hand-written rows in HGNC's layout and on the real complete set."""

import gzip

import pytest

from builders import RawFiles, SymbolResolver, load
from builders.errors import SourceFormatError

ROWS = [
    {
        "hgnc_id": "HGNC:11998",
        "symbol": "TP53",
        "alias_symbol": "p53|LFS1",
        "entrez_id": "7157",
        "ensembl_gene_id": "ENSG00000141510",
        "uniprot_ids": "P04637",
    },
    {"symbol": "MARCHF1", "alias_symbol": "RNF171|FLJ20668", "prev_symbol": "MARCH1"},
    {"symbol": "MTARC1", "prev_symbol": "MOSC1|MARC1"},
    {"symbol": "SEPTIN2", "prev_symbol": "DIFF6|SEPT2"},
    {"symbol": "DELEC1", "prev_symbol": "DEC1"},
    {"symbol": "BHLHE40", "alias_symbol": "DEC1|SHARED"},
    {"symbol": "RPSA", "alias_symbol": "uS2|SHARED", "prev_symbol": "LAMR1"},
    {"symbol": "IRF4", "prev_symbol": "MUM1"},
    {"symbol": "PWWP3A", "alias_symbol": "MUM-1", "prev_symbol": "MUM1"},
    {"symbol": "XK", "prev_symbol": "NA"},
    {"symbol": "FFAR4", "prev_symbol": "O3FAR1"},
    {"symbol": "CDKN2A", "uniprot_ids": "P42771|Q8N726"},
    {"symbol": "C1orf43"},
    {"hgnc_id": "HGNC:1", "symbol": "OLDGENE~withdrawn", "status": "Symbol Withdrawn"},
    {"hgnc_id": "HGNC:2", "symbol": "LOSTGENE", "status": "Entry Withdrawn"},
]


@pytest.fixture
def hgnc(write_hgnc):
    return write_hgnc(ROWS)


@pytest.fixture
def resolver(hgnc):
    return SymbolResolver.from_hgnc(hgnc)


def one(resolver, identifier, **options):
    match = resolver.resolve([identifier], **options).matches[0]
    return match.symbol, match.status


@pytest.mark.parametrize(
    ("identifier", "symbol", "status"),
    [
        ("TP53", "TP53", "current"),
        (" TP53 ", "TP53", "current"),
        ("HGNC:11998", "TP53", "hgnc"),
        ("ENSG00000141510", "TP53", "ensembl"),
        ("ENSG00000141510.18", "TP53", "ensembl"),
        ("ENSG00000141510.18_PAR_Y", "TP53", "ensembl"),
        ("ensg00000141510", "TP53", "ensembl"),
        ("7157", "TP53", "entrez"),
        ("P04637", "TP53", "uniprot"),
        ("P04637-2", "TP53", "uniprot"),
        ("Q8N726", "CDKN2A", "uniprot"),
        ("MARCH1", "MARCHF1", "previous"),
        ("SEPT2", "SEPTIN2", "previous"),
        # It looks like an accession of UniProt and is none that HGNC knows.
        ("O3FAR1", "FFAR4", "previous"),
        # Once the approved symbol of one gene, an alias of another: the approved one counts.
        ("DEC1", "DELEC1", "previous"),
        ("NA", "XK", "previous"),
        ("p53", "TP53", "alias"),
        ("tp53", "TP53", "case"),
        ("P53", "TP53", "case"),
        ("C1ORF43", "C1orf43", "case"),
        ("march1", "MARCHF1", "case"),
        ("2-Sep", "SEPTIN2", "date"),
        ("Sep-02", "SEPTIN2", "date"),
        ("02-SEP", "SEPTIN2", "date"),
        ("1-Dec", "DELEC1", "date"),
    ],
)
def test_known(resolver, identifier, symbol, status):
    assert one(resolver, identifier) == (symbol, status)


@pytest.mark.parametrize(
    ("identifier", "candidates"),
    [
        ("1-Mar", ("MARCHF1", "MTARC1")),
        ("MUM1", ("IRF4", "PWWP3A")),
        ("mum1", ("IRF4", "PWWP3A")),
        ("SHARED", ("BHLHE40", "RPSA")),
    ],
)
def test_ambiguous_is_never_guessed(resolver, identifier, candidates):
    resolution = resolver.resolve([identifier, "TP53"])
    assert resolution.symbols == [None, "TP53"]
    assert resolution.ambiguous == {identifier: candidates}


@pytest.mark.parametrize(
    "identifier", ["HGNC:1", "HGNC:2", "HGNC:99999", "OLDGENE", "OLDGENE~withdrawn", "ANY~withdrawn"]
)
def test_withdrawn(resolver, identifier):
    assert one(resolver, identifier) == (None, "withdrawn")


@pytest.mark.parametrize(
    "identifier", ["", " ", "nan", "None", "ENSG00000000001", "99999999", "P99999", "1-Jan", "5-Sep", "TP53;EGFR"]
)
def test_unmapped(resolver, identifier):
    assert one(resolver, identifier) == (None, "unmapped")


def test_empty_cells_of_hgnc_match_nothing(resolver):
    assert resolver.resolve(["", "|"]).symbols == [None, None]


@pytest.mark.parametrize(
    ("identifier", "by", "symbol"),
    [
        ("US2", ("current", "previous"), None),
        ("US2", ("current", "previous", "alias"), None),
        ("US2", ("case",), "RPSA"),
        ("LAMR1", ("current", "previous"), "RPSA"),
        ("7157", ("current", "previous"), None),
        # A step that may not be used does not make an identifier ambiguous either.
        ("SHARED", ("previous",), None),
        ("TP53", ("ensembl",), "TP53"),
    ],
)
def test_steps_can_be_chosen(resolver, identifier, by, symbol):
    assert one(resolver, identifier, by=by)[0] == symbol


def test_report(resolver):
    resolution = resolver.resolve(["TP53", "MARCH1", "MARCH1", "p53", "MUM1", "HGNC:1", "nonsense"])
    assert resolution.counts == {
        "alias": 1, "ambiguous": 1, "current": 1, "previous": 1, "unmapped": 1, "withdrawn": 1,
    }  # fmt: skip
    assert resolution.changed == {"MARCH1": "MARCHF1", "p53": "TP53"}
    assert (resolution.withdrawn, resolution.unmapped) == (["HGNC:1"], ["nonsense"])
    assert len(resolution) == 7
    assert list(resolution) == ["TP53", "MARCHF1", "MARCHF1", "TP53", None, None, None]


def test_second_identifier_is_used_where_the_first_fails(resolver):
    first = resolver.resolve(["ENSG00000141510", "ENSG00000000001", "nonsense", "IRF4"])
    second = resolver.resolve(["MARCH1", "SEPT2", "rubbish", "rubbish"])
    both = first.or_else(second)
    assert both.symbols == ["TP53", "SEPTIN2", None, "IRF4"]
    assert both.identifiers == ("ENSG00000141510", "SEPT2", "nonsense", "IRF4")


def test_gzipped_set_and_missing_column(hgnc, tmp_path):
    packed = tmp_path / "hgnc_complete_set.txt.gz"
    packed.write_bytes(gzip.compress(hgnc.read_bytes()))
    assert SymbolResolver.from_hgnc(packed).resolve(["p53"]).symbols == ["TP53"]
    hgnc.write_text(hgnc.read_text().replace("prev_symbol", "previous"))
    with pytest.raises(SourceFormatError, match=r"hgnc_complete_set\.txt: no column 'prev_symbol'"):
        SymbolResolver.from_hgnc(hgnc)


def test_custom_download_of_hgnc(tmp_path):
    path = tmp_path / "hgnc.tsv"
    names = ("HGNC ID", "Approved symbol", "Status", "Previous symbols", "Alias symbols", "NCBI Gene ID")
    names = (*names, "Ensembl gene ID", "UniProt ID(supplied by UniProt)")
    rows = [
        ("HGNC:11998", "TP53", "Approved", "", "p53, LFS1", "7157", "ENSG00000141510", "P04637, K7PPA8"),
        ("HGNC:21625", "MARCHF1", "Approved", "MARCH1, OLD1", "", "55016", "", ""),
    ]
    path.write_text("\n".join("\t".join(row) for row in (names, *rows)) + "\n")
    resolver = SymbolResolver.from_hgnc(path)
    asked = ["LFS1", "OLD1", "MARCH1", "K7PPA8", "ENSG00000141510", "HGNC:21625"]
    assert resolver.resolve(asked).symbols == ["TP53", "MARCHF1", "MARCHF1", "TP53", "TP53", "MARCHF1"]
    path.write_text(path.read_text().replace("NCBI Gene ID", "Gene ID"))
    with pytest.raises(
        SourceFormatError,
        match=r"'entrez_id'.*'NCBI Gene ID'.*8 columns",
    ):
        SymbolResolver.from_hgnc(path)


def test_the_gene_table_resolves_as_the_file_it_is_made_from(hgnc, write_raw, data_dir, tmp_path):
    write_raw("ncbi_gene/gene_summary.gz", "#tax_id\tGeneID\tSource\tSummary\n")
    genes = load("genes", RawFiles(data_dir), cache_dir=tmp_path / "cache").dataset
    identifiers = [
        *("TP53", "p53", "7157", "ENSG00000141510.18", "P04637", "HGNC:11998", "MARCH1", "1-Mar", "DEC1", "SHARED"),
        *("MUM1", "NA", "c1ORF43", "nothing", "", "OLDGENE~withdrawn", "P42771"),
    ]
    expected = SymbolResolver.from_hgnc(hgnc).resolve(identifiers)
    found = SymbolResolver.from_genes(genes).resolve(identifiers)
    assert found.matches == expected.matches
    # The table has the first accession only, and no withdrawn genes.
    assert SymbolResolver.from_genes(genes).resolve(["Q8N726", "LOSTGENE"]).symbols == [None, None]
    assert SymbolResolver.from_hgnc(hgnc).resolve(["Q8N726"]).symbols == ["CDKN2A"]


@pytest.mark.real_data
def test_real_complete_set(raw_dir):
    resolver = SymbolResolver.from_hgnc(raw_dir / "hgnc/hgnc_complete_set.txt")
    # Read off the rows of the file by hand.
    expected = {
        "ENSG00000141510.18": "TP53",
        "ENSG00000182378.15_PAR_Y": "PLCXD1",
        "7157": "TP53",
        "P04637-2": "TP53",
        "HGNC:11998": "TP53",
        "MARCH1": "MARCHF1",
        "MARC1": "MTARC1",
        "SEPT2": "SEPTIN2",
        "2-Sep": "SEPTIN2",
        "1-Mar": None,
        "DEC1": "DELEC1",
        "p53": "TP53",
        "IL8": "CXCL8",
        "AARS": "AARS1",
        "O3FAR1": "FFAR4",
        "C1ORF43": "C1orf43",
        "MUM1": None,
        "HGNC:1": None,
        "LOC344967": None,
    }
    resolution = resolver.resolve(expected)
    assert dict(zip(expected, resolution, strict=True)) == expected
    assert resolution.ambiguous == {"1-Mar": ("MARCHF1", "MTARC1"), "MUM1": ("IRF4", "PWWP3A")}
    assert (resolution.withdrawn, resolution.unmapped) == (["HGNC:1"], ["LOC344967"])
