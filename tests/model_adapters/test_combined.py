import numpy as np
import pytest
from datasets import Dataset

from model_adapters import AdapterError, as_matrix, embed, embedding_table, load_model

TWO = (["B", "TP53", "INS"], [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]])


@pytest.fixture
def vectors(tmp_path):
    """A file of vectors, of which TP53 and INS are in the gene table."""
    embedding_table(TWO[0], np.array(TWO[1])).to_parquet(tmp_path / "two.parquet")
    return tmp_path / "two.parquet"


def test_side_by_side_over_shared_genes(genes, vectors):
    model = load_model(f"random:dim=3+{vectors}")
    symbols, matrix = as_matrix(embed(genes, model))
    assert symbols == ["TP53", "INS"]
    random = as_matrix(embed(genes, load_model("random:dim=3")))[1]
    np.testing.assert_array_equal(matrix, np.hstack([random[:2], [[0, 0], [6, 8]]]))
    assert model.model_id == "random:dim=3+two"
    assert [part["id"] for part in model.options["parts"]] == ["random:dim=3", "two"]
    assert model.options["parts"][1]["revision"].startswith("sha256:")


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("none", [[0, 0], [6, 8]]),
        ("row", [[0, 0], [0.6, 0.8]]),
        # Lengths 0 and 10, so the root mean square is the root of 50.
        ("block", [[0, 0], [6 / np.sqrt(50), 8 / np.sqrt(50)]]),
    ],
)
def test_scales(genes, vectors, scale, expected):
    model = load_model(f"combined:scale={scale},{vectors}+random:dim=4")
    matrix = as_matrix(embed(genes, model))[1]
    np.testing.assert_allclose(matrix[:, :2], expected, rtol=1e-6)
    if scale == "row":
        np.testing.assert_allclose(np.linalg.norm(matrix[:, 2:], axis=1), 1, rtol=1e-6)
    if scale == "block":
        np.testing.assert_allclose(np.mean(np.linalg.norm(matrix[:, 2:], axis=1) ** 2), 1, rtol=1e-6)
    assert model.model_id == ("" if scale == "none" else f"combined:scale={scale},") + "two+random:dim=4"


def test_no_shared_gene(genes, tmp_path):
    embedding_table(["X1", "X2"], np.ones((2, 1))).to_parquet(tmp_path / "other.parquet")
    expected = r"^random\+other: no gene has a vector in all of the models \(random has 5, other has 2\)"
    with pytest.raises(AdapterError, match=expected):
        embed(genes, load_model(f"random+{tmp_path}/other.parquet"))


def test_a_file_with_a_plus_in_its_name_is_one_file(tmp_path):
    embedding_table(["A"], np.ones((1, 2))).to_parquet(tmp_path / "a+b.parquet")
    assert load_model(f"{tmp_path}/a+b.parquet").adapter == "precomputed"
    assert load_model(f"precomputed:{tmp_path}/a+b.parquet").adapter == "precomputed"


@pytest.mark.parametrize("spec", ["random+", "+random", "combined:random", "combined:", "+"])
def test_less_than_two_models(spec):
    with pytest.raises(AdapterError, match=r"does not join two or more models; write MODEL\+MODEL$"):
        load_model(spec)


def test_shuffled_vectors_are_the_same_ones_elsewhere(genes):
    symbols, plain = as_matrix(embed(genes, load_model("random")))
    names, shuffled = as_matrix(embed(genes, load_model("shuffled:random")))
    assert names == symbols
    assert not np.array_equal(shuffled, plain)
    assert sorted(shuffled.tolist()) == sorted(plain.tolist())


def test_a_shuffle_depends_on_seed_and_set_of_genes_not_on_their_order():
    def at(order, spec):
        names, matrix = as_matrix(embed(Dataset.from_dict({"symbol": order}), load_model(spec)))
        return dict(zip(names, matrix[:, 0].tolist(), strict=True))

    symbols = [f"G{i}" for i in range(100)]
    assert at(symbols, "shuffled:random") == at(symbols[::-1], "shuffled:random")
    other = at(symbols, "shuffled:seed=1,random")
    assert other != at(symbols, "shuffled:random")
    plain = at(symbols, "random")
    assert sum(other[symbol] == plain[symbol] for symbol in symbols) < 8


def test_a_wrapper_takes_all_that_follows():
    model = load_model("length+shuffled:seed=2,random+bag-of-words")
    assert model.model_id == "length+shuffled:seed=2,random+bag-of-words"
    length, shuffled = model.parts
    assert [part.model_id for part in shuffled.parts[0].parts] == ["random", "bag-of-words"]
    with pytest.raises(AdapterError, match=r"^shuffled needs a model: shuffled:MODEL or shuffled:seed=N,MODEL$"):
        load_model("shuffled:seed=3")


def test_parts_are_encoded_once_and_shared_with_the_plain_model(genes_on_disk):
    told = []
    embed(genes_on_disk, load_model("bag-of-words"), on_encode=lambda: told.append("plain"))
    embed(genes_on_disk, load_model("shuffled:bag-of-words"), on_encode=lambda: told.append("shuffled"))
    assert told == ["plain"]
