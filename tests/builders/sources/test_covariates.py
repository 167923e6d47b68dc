"""The table of covariates: each column from its file, absent where the file is, null where the source does not know."""

import math

import pytest

from builders import RawFiles, load

HGNC = [
    {"symbol": f"GENE{i}", "name": f"gene {i}", "locus_group": group, "location": "7q1", "entrez_id": entrez,
     "ensembl_gene_id": f"ENSG{i:011}"}
    for i, (group, entrez) in enumerate(
        [("protein-coding gene", "1"), ("protein-coding gene", "2"), ("non-coding RNA", "3"), ("pseudogene", "")]
    )
]  # fmt: skip


PUBLISHED = ["#tax_id\tGeneID\tPubMed_ID", "9606\t1\t5", "9606\t1\t6", "9606\t1\t6", "10090\t2\t7"]
TISSUES = ["Gene\tTissue\tnTPM", "ENSG00000000000\tliver\t3.0", "ENSG00000000000\tskin\t1.0"]


@pytest.fixture
def build(write_hgnc, write_raw, data_dir, tmp_path):
    write_hgnc(HGNC)

    def build(**files):
        for name, lines in files.items():
            write_raw(name.replace("__", "/"), "\n".join(lines) + "\n")
        return load("gene_covariates", RawFiles(data_dir), cache_dir=tmp_path / "cache")

    return build


def column(built, name):
    return [None if value is None or math.isnan(value) else value for value in built.dataset[name][:]]


def test_what_is_not_there_is_no_column_and_said(build):
    built = build()
    assert built.dataset.column_names == ["symbol", "chromosome"]
    assert built.dataset["chromosome"][:] == ["7"] * 4
    assert "no column publications, since ncbi_gene/gene2pubmed.gz is not there" in built.audit.notes
    assert any(note.startswith("no column family: neither ensembl/pfam") for note in built.audit.notes)


def test_every_column(build):
    built = build(**{
        "ncbi_gene__gene2pubmed.gz": PUBLISHED,
        "ncbi_gene__gene_summary.gz": ["#tax_id\tGeneID\tSource\tSummary", "9606\t1\tRefSeq\tAbout it."],
        "gene_properties__gene_length_gc.tsv": ["ensembl\tlength\tgccontent", "ENSG00000000000\t1200.0\t0.41"],
        "ensembl__genes_grch38.tsv": ["ensgene\tstart\tend", "ENSG00000000001\t100\t199"],
        "hpa__rna_tissue_consensus.tsv": TISSUES,
        "string__string_v12_ntm_700_entrez.tsv.gz": ["entrez_a\tentrez_b", "1\t3", "3\t1", "1\t9"],
        "families__mine.tsv": ["symbol\tfamily", "GENE0\tf"],
    })  # fmt: skip
    # Listed nowhere is 0 for a gene with an NCBI id; a gene without one is unknown.
    assert column(built, "publications") == [2, 0, 0, None]
    described = "Gene symbol GENE0 full name gene 0"
    assert column(built, "text_length") == [len(f"{described} with the summary About it."), *[len(described)] * 3]
    assert column(built, "transcript_length") == [1200, None, None, None]
    assert column(built, "gc") == [0.41, None, None, None]
    assert column(built, "gene_length") == [None, 100, None, None]
    assert column(built, "expression") == [2, None, None, None]
    # A protein-coding gene outside the network has no neighbour; of others nothing is known.
    assert column(built, "degree") == [2, 0, 1, None]
    assert built.dataset["family"][:] == ["f", "GENE1", "GENE2", "GENE3"]
    assert "publications: NCBI Gene, gene2pubmed.gz; unknown for 1 of 4 genes" in built.audit.notes
