"""Covariates as vectors: terms, standardised; what is missing is 0 with a column that says so."""

import numpy as np
import pytest
from datasets import Dataset

from model_adapters import AdapterError, as_matrix, embed, load_model

TABLE = Dataset.from_dict(
    {
        "symbol": ["A", "B", "C", "D"],
        "publications": [0.0, 9.0, 99.0, None],
        "transcript_length": [100.0, 200.0, None, None],
        "gene_length": [1000.0, 5000.0, 2000.0, None],
        "chromosome": ["2", "X", "", "2"],
    }
)


def standard(values):
    return (np.array(values) - np.mean(values)) / np.std(values)


def test_publications():
    symbols, vectors = as_matrix(embed(TABLE, load_model("nuisance:publications")))
    assert symbols == ["A", "B", "C"]
    np.testing.assert_allclose(vectors, standard(np.log([1, 10, 100]))[:, None], rtol=1e-6)


def test_lengths_with_squares_and_what_is_missing():
    symbols, vectors = as_matrix(embed(TABLE, load_model("nuisance:length")))
    one, two = standard(np.log([101, 201])), standard(np.log([1001, 5001, 2001]))
    assert symbols == ["A", "B", "C"]
    expected = [[*one, 0], [*one**2, 0], two, two**2, [0, 0, 1]]
    np.testing.assert_allclose(vectors, np.transpose(expected), rtol=1e-5, atol=1e-7)


def test_chromosomes():
    symbols, vectors = as_matrix(embed(TABLE, load_model("nuisance:chromosome")))
    assert (symbols, vectors.tolist()) == (["A", "B", "D"], [[1, 0], [0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nuisance:gc", "nuisance:gc reads column 'gc' of the table gene_covariates, which was built without it"),
        ("nuisance:publicatons", "nuisance has no 'publicatons'; did you mean 'publications'"),
        ("nuisance", "expected nuisance:NAME with one of publications, length, gc"),
        ("lookup:family", "lookup:family has no vectors, only scores from training labels; gene-bench run lookup"),
        ("shuffled:lookup:pair", "lookup:pair has no vectors"),
        ("lookup", "expected lookup:NAME with one of family, pair"),
    ],
)
def test_what_is_wrong_is_one_line(spec, message):
    with pytest.raises(AdapterError, match=message):
        embed(TABLE, load_model(spec))
