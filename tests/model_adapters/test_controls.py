import numpy as np
import pytest
from datasets import Dataset

from model_adapters import AdapterError, as_matrix, embed, load_model
from model_adapters.controls import RandomVectors


def vectors_of(symbols, spec="random"):
    names, vectors = as_matrix(embed(Dataset.from_dict({"symbol": symbols}), load_model(spec)))
    return dict(zip(names, vectors, strict=True))


def test_a_gene_has_the_same_vector_in_any_order_and_company():
    first = vectors_of(["TP53", "INS", "MYC"])
    second = vectors_of(["NA", "MYC", "TP53"])
    for symbol in ("TP53", "MYC"):
        np.testing.assert_array_equal(first[symbol], second[symbol])
    assert not np.array_equal(first["TP53"], first["MYC"])


def test_seed_and_dim_change_every_number():
    default = vectors_of(["TP53"])["TP53"]
    assert default.shape == (128,)
    assert not np.isclose(default, vectors_of(["TP53"], "random:seed=1")["TP53"]).any()
    longer = vectors_of(["TP53"], "random:dim=256")["TP53"]
    assert longer.shape == (256,)
    assert not np.isclose(default, longer[:128]).any()


def test_values_are_standard_normal_and_unrelated():
    matrix = np.stack(list(vectors_of([f"G{i}" for i in range(1000)]).values()))
    assert abs(matrix.mean()) < 0.01
    assert abs(matrix.std() - 1) < 0.01
    correlation = np.corrcoef(matrix) - np.eye(1000)
    assert abs(correlation).max() < 0.6
    assert abs(correlation.std() - 1 / np.sqrt(128)) < 0.002


def test_id_names_what_differs_from_the_default():
    assert load_model("random").model_id == load_model("random:seed=0,dim=128").model_id == "random"
    assert load_model("random:dim=256,seed=3").model_id == "random:seed=3,dim=256"
    assert load_model("random:dim=256").options == {"seed": 0, "dim": 256}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("random:sed=3", r"random has no option 'sed', expected seed=N or dim=N; did you mean 'seed'\?"),
        ("random:seed=x", r"random: seed is 'x', expected a whole number"),
        ("random:seed=", r"random: seed is '', expected a whole number"),
        ("random:seed", r"^random takes no argument, but 'seed' was given; write random\[:seed=N,dim=N\]$"),
        ("random:seed=1,seed=2", r"^random: seed is given twice; give it once$"),
        ("random:dim=0", r"random: dim is 0, expected 1 or more"),
    ],
)
def test_bad_options(spec, expected):
    with pytest.raises(AdapterError, match=expected):
        load_model(spec)


def test_reads_the_symbol_column():
    assert RandomVectors().input_column == "symbol"


def test_length_is_the_logarithm_of_the_characters_of_the_input():
    genes = Dataset.from_dict(
        {"symbol": ["A", "B", "C"], "description": ["x" * 99, "é", None], "protein_sequence": ["MKV", "", "MA"]}
    )
    expected = np.log(np.array([100.0, 2.0], dtype=np.float32))
    table = embed(genes, load_model("length"))
    assert table["symbol"][:] == ["A", "B"]
    np.testing.assert_allclose(as_matrix(table)[1][:, 0], expected, rtol=1e-6)
    protein = load_model("length:input=protein_sequence")
    assert protein.model_id == "length:input=protein_sequence"
    table = embed(genes, protein)
    assert table["symbol"][:] == ["A", "C"]
    np.testing.assert_allclose(as_matrix(table)[1][:, 0], np.log([4.0, 3.0]), rtol=1e-6)


def test_length_of_what_is_no_text_names_the_gene():
    genes = Dataset.from_dict({"symbol": ["A"], "exons": [3]})
    with pytest.raises(AdapterError, match=r"^length:input=exons: gene A: exons is a int, expected text$"):
        embed(genes, load_model("length:input=exons"))
