import numpy as np
import pytest
from datasets import Dataset
from scipy.linalg import svdvals

from model_adapters import embedding_table, health
from model_adapters.embedding.health import effective_rank


def test_numbers_by_hand():
    vectors = [[3.0, 4.0, 1.0], [0.0, 0.0, 1.0], [3.0, 4.0, 1.0], [0.0, 1.0, 1.0], [3.0, 4.0, 1.0]]
    report = health(embedding_table(["A", "B", "C", "D", "E"], np.array(vectors)))
    assert "coverage" not in report
    assert (report["n"], report["dim"], report["nan_rows"], report["zero_rows"]) == (5, 3, 0, 0)
    assert (report["duplicate_rows"], report["constant_columns"]) == (2, 1)
    assert report["norm"] == {"min": 1.0, "median": 5.099, "max": 5.099}


def test_rows_with_nan_and_zero_rows_are_counted():
    table = Dataset.from_dict({"symbol": ["A", "B", "C"], "embedding": [[np.nan, 1.0], [0.0, 0.0], [3.0, 4.0]]})
    report = health(table)
    assert (report["nan_rows"], report["zero_rows"], report["duplicate_rows"]) == (1, 1, 0)
    assert report["norm"] == {"min": 0.0, "median": 2.5, "max": 5.0}
    assert report["effective_rank"] == 1.0


def test_nothing_but_nan():
    report = health(Dataset.from_dict({"symbol": ["A"], "embedding": [[np.nan, 1.0]]}))
    assert (report["nan_rows"], report["effective_rank"], report["norm"]["max"]) == (1, 0.0, 0.0)


@pytest.mark.parametrize("shape", [(200, 30), (30, 200)])
def test_effective_rank_is_that_of_the_definition(shape):
    matrix = np.random.default_rng(0).standard_normal(shape) * np.linspace(0.1, 3, shape[1])
    values = svdvals(matrix - matrix.mean(axis=0))
    shares = values[values > 1e-6] / values[values > 1e-6].sum()
    assert effective_rank(matrix) == pytest.approx(np.exp(-np.sum(shares * np.log(shares))), rel=1e-6)


def test_effective_rank_finds_a_collapse():
    rng = np.random.default_rng(0)
    low = rng.standard_normal((500, 3)) @ rng.standard_normal((3, 64)) + 5
    assert 2.5 < effective_rank(low) <= 3
    assert effective_rank(np.ones((10, 4))) == 0.0
    assert effective_rank(rng.standard_normal((5000, 8))) > 7.9


def test_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(0)
    matrix, symbols = rng.standard_normal((1500, 6)), [f"G{i}" for i in range(1500)]
    order = rng.permutation(1500)
    shuffled = embedding_table([symbols[i] for i in order], matrix[order])
    report = health(embedding_table(symbols, matrix))
    assert report == health(shuffled)
    assert report["effective_rank_rows"] == 1024


def test_coverage_by_locus_group():
    groups = ["protein-coding gene", "pseudogene", "protein-coding gene", None]
    genes = Dataset.from_dict({"symbol": ["A", "B", "C", "D"], "locus_group": groups})
    table = embedding_table(["C", "A", "X"], np.eye(3))
    assert health(table, genes)["coverage"] == {
        "protein-coding gene": {"genes": 2, "with_vector": 2},
        "pseudogene": {"genes": 1, "with_vector": 0},
        "unknown": {"genes": 1, "with_vector": 0},
    }
    assert health(table, genes.remove_columns("locus_group"))["coverage"] == {"all": {"genes": 4, "with_vector": 2}}
