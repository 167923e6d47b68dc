"""DNA sequences of the gene table, from hand-written FASTA in Ensembl's layout."""

import gzip

import pytest

from builders import RawFiles, load
from builders.errors import SourceFileError, SourceFormatError
from builders.readers.fasta import read_records
from builders.sources.genes.ensembl import longest_transcripts

CDS = "ensembl/Homo_sapiens.GRCh38.cds.all.fa.gz"
FASTA = """\
>ENST00000381330.5 cds chromosome:GRCh38:11:2159779:2161209:-1 gene:ENSG00000254647.7 gene_biotype:protein_coding \
transcript_biotype:protein_coding gene_symbol:INS description:insulin [Source:HGNC Symbol;Acc:HGNC:6081]
ATGGCCCTG
TGGATG
>ENST00000397262.5 cds chromosome:GRCh38:11:2159779:2161221:-1 gene:ENSG00000254647.7 gene_biotype:protein_coding
ATGGCC
>ENST00000612966.2 cds chromosome:GRCh38:6:26021649:26021960:1 gene:ENSG00000278637.3 gene_biotype:protein_coding
ATGTCRggn
>ENST00000335295.4 cds chromosome:GRCh38:11:5225464:5227071:-1 gene:ENSG00000244734.4 description:C->T gene:X
ATGGTG
>ENST00000380315.2 cds chromosome:GRCh38:11:5225464:5227197:-1 gene:ENSG00000244734.4
ATGGTC
>ENST00000999999.1 cds chromosome:GRCh38:CHR_HSCHR6_MHC_COX_CTG1:1:9:1 gene:ENSG00000999999.1
ATG
"""


@pytest.fixture
def genes(write_raw, write_hgnc):
    """Raw files of four genes, and a function that builds the gene table."""
    ensembl = {"INS": "ENSG00000254647", "H4C1": "ENSG00000278637", "HBB": "ENSG00000244734", "XIST": ""}
    write_hgnc([{"symbol": symbol, "ensembl_gene_id": identifier} for symbol, identifier in ensembl.items()])
    write_raw("ncbi_gene/gene_summary.gz", "#tax_id\tGeneID\tSource\tSummary\n")
    return lambda data_dir, cache: load("genes", RawFiles(data_dir), cache_dir=cache)


def test_the_longest_transcript_of_each_gene(genes, write_raw, data_dir, tmp_path):
    write_raw(CDS, gzip.compress(FASTA.encode()))
    built = genes(data_dir, tmp_path / "cache")
    table = dict(zip(built.dataset["symbol"], built.dataset["dna_sequence"], strict=True))
    assert table == {"INS": "ATGGCCCTGTGGATG", "H4C1": "ATGTCNGGN", "HBB": "ATGGTG", "XIST": ""}
    assert built.audit.notes[-1] == ("3 genes have a DNA sequence, the longest of Homo_sapiens.GRCh38.cds.all.fa.gz")
    assert CDS in built.audit.inputs
    assert "protein_sequence" not in built.dataset.column_names


def test_genes_of_other_species_in_the_file(tmp_path):
    path = tmp_path / "all.fa"
    path.write_text(
        FASTA + ">ENSMUST00000000001.5 cds chromosome:GRCm39:3:1:9:-1 gene:ENSMUSG00000000001.5\nATGATGATG\n"
    )
    assert list(longest_transcripts(path)) == [
        "ENSG00000254647", "ENSG00000278637", "ENSG00000244734", "ENSG00000999999",
    ]  # fmt: skip


def test_coding_sequences_before_whole_transcripts(genes, write_raw, data_dir, tmp_path):
    write_raw("ensembl/Homo_sapiens.GRCh38.cdna.all.fa", ">ENST1.1 cdna x gene:ENSG00000254647.7\nAGCATGGCCCTG\n")
    first = genes(data_dir, tmp_path / "cache").dataset
    assert [text for text in first["dna_sequence"] if text] == ["AGCATGGCCCTG"]
    write_raw("ensembl/Homo_sapiens.GRCh38.cds.all.fa", ">ENST1.1 cds x gene:ENSG00000254647.7\nATGGCCCTG\n")
    second = genes(data_dir, tmp_path / "cache").dataset
    assert [text for text in second["dna_sequence"] if text] == ["ATGGCCCTG"]


def test_no_file_no_column(genes, data_dir, tmp_path):
    assert "dna_sequence" not in genes(data_dir, tmp_path / "cache").dataset.column_names


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("TGGATG", "TGGAU1", r"line 3 is not a DNA sequence: 'TGGAU1'"),
        (">ENST00000381330.5", "<html>", r"line 1 is not a FASTA header '>\.\.\.': '<html> cds"),
        ("gene:ENSG00000278637.3", "gene:FBgn0001", r"line 6 is not an Ensembl header '>ENST"),
        ("ATGGTG", "", ""),
    ],
)
def test_damaged_files_name_the_line(tmp_path, old, new, message):
    path = tmp_path / "x.fa"
    path.write_text(FASTA.replace(old, new), encoding="utf-8")
    if message:
        with pytest.raises(SourceFormatError, match=message):
            longest_transcripts(path)
    else:
        assert longest_transcripts(path)["ENSG00000244734"] == "ATGGTC"


def test_half_downloaded(tmp_path):
    path = tmp_path / "x.fa.gz"
    path.write_bytes(gzip.compress(FASTA.encode())[:-12])
    with pytest.raises(SourceFileError, match="half-downloaded"):
        longest_transcripts(path)


def test_records(tmp_path):
    path = tmp_path / "x.fa"
    path.write_bytes(b">a b>c\r\nAC\r\n\r\nGT\r\n>d\r\n>e\r\nA")
    found = [tuple(record) for record in read_records(path, letters="ACGT", kind="DNA")]
    assert found == [(1, "a b>c", "ACGT"), (5, "d", ""), (6, "e", "A")]
    path.write_bytes(b"")
    assert list(read_records(path, letters="ACGT", kind="DNA")) == []
