import numpy as np
import pytest
from datasets import Dataset
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from model_adapters import AdapterError, as_matrix, embed, load_model


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_counts_are_those_of_count_vectorizer(genes, batch_size):
    expected = CountVectorizer(max_features=1024).fit_transform(genes["description"][:]).toarray()
    symbols, vectors = as_matrix(embed(genes, load_model("bag-of-words"), batch_size=batch_size))
    np.testing.assert_array_equal(vectors, expected)
    assert symbols == genes["symbol"][:]


def test_counts_by_hand():
    genes = Dataset.from_dict({"symbol": ["A", "B"], "description": ["DNA binds DNA", "binds a receptor"]})
    # Columns are binds, dna, receptor: lower case, in alphabetical order, no words of one letter.
    assert embed(genes, load_model("bag-of-words"))["embedding"][:] == [[1.0, 2.0, 0.0], [1.0, 0.0, 1.0]]


def test_keeps_the_1024_most_frequent_words():
    words = [f"word{i:04d}" for i in range(1100)]
    genes = Dataset.from_dict({"symbol": ["A", "B"], "description": [" ".join(words), " ".join(words[-1024:])]})
    _, vectors = as_matrix(embed(genes, load_model("bag-of-words")))
    np.testing.assert_array_equal(vectors, np.ones((2, 1024)))


def test_no_words_at_all():
    genes = Dataset.from_dict({"symbol": ["A"], "description": ["!"]})
    with pytest.raises(AdapterError, match=r"^bag-of-words: fit failed on column 'description': ValueError: empty voc"):
        embed(genes, load_model("bag-of-words"))


def test_tfidf_is_that_of_tfidf_vectorizer(genes):
    expected = TfidfVectorizer(max_features=1024).fit_transform(genes["description"][:]).toarray()
    _, vectors = as_matrix(embed(genes, load_model("tfidf"), batch_size=2))
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_another_input(genes):
    model = load_model("bag-of-words:input=name")
    assert (model.model_id, model.input_column) == ("bag-of-words:input=name", "name")
    expected = CountVectorizer().fit_transform(genes["name"][:]).toarray()
    np.testing.assert_array_equal(as_matrix(embed(genes, model))[1], expected)
    with pytest.raises(AdapterError, match=r"reads column 'sumary', but the gene table has symbol, name, description"):
        embed(genes, load_model("bag-of-words:input=sumary"))


def test_a_second_table_is_encoded_with_the_words_of_the_first():
    genes = Dataset.from_dict({"symbol": ["A", "B"], "description": ["DNA binds DNA", "binds a receptor"]})
    diseases = Dataset.from_dict({"symbol": ["D1", "D2"], "description": ["a DNA disease", "receptor, receptor"]})
    table = embed(diseases, load_model("bag-of-words"), fit_on=genes)
    # Columns are binds, dna, receptor, as for the genes.
    assert table[:] == {"symbol": ["D1", "D2"], "embedding": [[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]}
