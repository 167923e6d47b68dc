"""The genes that `gene-bench check` tries a model on."""

import datasets

from gene_eval.cli.parser import main
from gene_eval.running.toy_genes import columns_read, toy_genes
from model_adapters import load_model


def test_made_up_sequences_are_lawful_and_differ():
    genes = toy_genes()
    assert len(genes) == 20
    first = genes[0]
    assert first["symbol"] == "ABCB1"
    # "Gene symbol ABCB1 ..." without what no amino acid is called by.
    assert first["description"].startswith("Gene symbol ABCB1")
    assert first["protein_sequence"].startswith("GENESYMLACFLLNAME")
    assert first["dna_sequence"].startswith("ACGACAATCACA")  # 6, 4, 13 and 4 to the base of four
    for column, letters in (("protein_sequence", "ACDEFGHIKLMNPQRSTVWY"), ("dna_sequence", "ACGT")):
        assert set("".join(genes[column])) <= set(letters)
        assert len(set(genes[column])) == 20
    assert [len(dna) for dna in genes["dna_sequence"]] == [3 * len(protein) for protein in genes["protein_sequence"]]


def test_columns_that_models_read(tmp_path):
    (tmp_path / "mine.csv").write_text("symbol,d0\nTP53,1\n")
    assert list(columns_read(load_model(str(tmp_path / "mine.csv")))) == []
    assert list(columns_read(load_model("random+length:input=protein_sequence"))) == ["symbol", "protein_sequence"]


def test_check_says_that_sequences_are_made_up(capsys, request):
    # Commands silence the bars of `datasets` for their process, which here is the tests'.
    request.addfinalizer(datasets.enable_progress_bars)
    assert main(["check", "length:input=protein_sequence"]) == 0
    out, err = capsys.readouterr()
    assert "input      protein_sequence: made up for this check, no real sequences\n" in out
    assert "next: gene-bench run length:input=protein_sequence random -t TASK --data-dir DIR" in err
