import hashlib

import numpy as np
import pytest
from datasets import Dataset, Features, List, Value, concatenate_datasets

from model_adapters import AdapterError, EmbeddingTable, as_matrix, embedding_sha256, embedding_table, health

VECTORS = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)


def test_round_trip():
    table = embedding_table(["B", "A", "NA"], VECTORS)
    assert table.features == Features({"symbol": Value("string"), "embedding": List(Value("float32"), length=2)})
    symbols, vectors = as_matrix(table)
    assert symbols == ["B", "A", "NA"]
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, VECTORS)


def test_as_matrix_follows_selection_and_order():
    symbols, vectors = as_matrix(embedding_table(["B", "A", "NA"], VECTORS).select([2, 0]))
    assert symbols == ["NA", "B"]
    assert vectors.tolist() == [[5, 6], [1, 2]]


def test_as_matrix_reads_lists_of_any_float_type():
    table = Dataset.from_dict({"symbol": ["A", "B"], "embedding": [[1.0, 2.0], [3.0, 4.0]], "extra": [0, 0]})
    assert as_matrix(table)[1].tolist() == [[1, 2], [3, 4]]


def test_hash_by_hand():
    content = b"2 2\nA\n" + VECTORS[1].tobytes() + b"B\n" + VECTORS[0].tobytes()
    assert embedding_sha256(embedding_table(["B", "A"], VECTORS[:2])) == hashlib.sha256(content).hexdigest()


def test_hash_ignores_row_order_and_chunks_only():
    table = embedding_table(["B", "A", "C"], VECTORS)
    expected = embedding_sha256(table)
    assert embedding_sha256(table.select([1, 2, 0])) == expected
    assert embedding_sha256(concatenate_datasets([table.select([2]), table.select([0, 1])])) == expected
    other = VECTORS.copy()
    other[0, 0] = np.nextafter(other[0, 0], np.float32(2))
    assert embedding_sha256(embedding_table(["B", "A", "C"], other)) != expected
    assert embedding_sha256(embedding_table(["B", "A", "D"], VECTORS)) != expected
    assert embedding_sha256(embedding_table(["A", "B", "C"], VECTORS)) != expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"symbol": ["A"], "vector": [[1.0]]}, "has columns symbol and embedding, this one has symbol, vector"),
        ({"symbol": ["A"], "embedding": [1.0]}, "column 'embedding' holds double, expected lists of numbers"),
        ({"symbol": ["A", "B"], "embedding": [[1.0], [1.0, 2.0]]}, "A has 1 numbers, B has 2"),
    ],
)
def test_tables_that_are_none(columns, expected):
    with pytest.raises(AdapterError, match=expected):
        as_matrix(Dataset.from_dict(columns))


def test_a_table_in_memory_and_as_a_dataset_are_one():
    table = EmbeddingTable(["B", "A", "NA"], VECTORS)
    assert np.shares_memory(table.matrix, VECTORS)
    assert (len(table), table.dim, table.symbols) == (3, 2, ("B", "A", "NA"))
    assert table.sha256 == embedding_sha256(table.to_dataset()) == embedding_sha256(table)
    assert EmbeddingTable.from_dataset(table.to_dataset()).matrix.tolist() == VECTORS.tolist()
    assert table.health == health(table.to_dataset())
    other = EmbeddingTable(["A", "B", "NA"], VECTORS[[1, 0, 2]])
    assert other.sha256 == table.sha256
    assert other.to_dataset()._fingerprint != table.to_dataset()._fingerprint


@pytest.mark.parametrize(
    ("symbols", "vectors", "expected"),
    [
        ([], np.ones((0, 2)), "^x has no rows, expected one for each gene$"),
        (["A", " "], np.ones((2, 2)), "^x: no symbol in row 2; every row needs one$"),
        (["A", "A"], np.ones((2, 2)), "^x: 1 symbol occurs more than once: A; keep one row for each gene$"),
        (["A", "B", "C"], VECTORS[:2], r"^x: 3 names for an array of shape \(2, 2\), expected \(3, d\)$"),
        (["A"], np.ones((1, 0)), r"^x: 1 names for an array of shape \(1, 0\), expected \(1, d\)$"),
        (["A"], np.ones(1), r"^x: 1 names for an array of shape \(1,\), expected \(1, d\)$"),
        (["A"], [["x"]], "^x: vectors of <U1, expected real numbers$"),
        (["A"], [[1e39]], "^x: an infinite number in the vector of A; expected finite float32 numbers, leave out"),
    ],
)
def test_what_is_no_table(symbols, vectors, expected):
    with pytest.raises(AdapterError, match=expected):
        EmbeddingTable(symbols, vectors, where="x")
