import numpy as np
import pytest
from datasets import Dataset
from sklearn.feature_extraction.text import CountVectorizer

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
