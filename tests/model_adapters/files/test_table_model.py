import numpy as np
import pytest

from model_adapters import AdapterError, as_matrix, load_model

CURRENT = {"ENSG00000141510": "TP53", "p53": "TP53", "TP53": "TP53", "INS": "INS", "IDDM1": "INS", "MYC": "MYC"}


def resolve(names):
    return [CURRENT.get(name) for name in names]


@pytest.fixture
def vectors_file(tmp_path):
    def write(*rows):
        path = tmp_path / "v.csv"
        path.write_text("symbol,x0,x1\n" + "".join(f"{name},{x},{y}\n" for name, x, y in rows))
        return path

    return write


ALIASED = [("p53", 1, 0), ("INS", 5, 6), ("TP53", 3, 2), ("nobody", 9, 9), ("ENSG00000141510", 5, 1)]


def rows_of(model):
    symbols, vectors = as_matrix(model.table())
    return dict(zip(symbols, vectors.tolist(), strict=True))


@pytest.mark.parametrize(
    ("rule", "model_id", "expected"),
    [
        ("", "v", {"TP53": [3, 1], "INS": [5, 6]}),
        (",duplicates=average", "v", {"TP53": [3, 1], "INS": [5, 6]}),
        (",duplicates=current", "v:duplicates=current", {"TP53": [3, 2], "INS": [5, 6]}),
    ],
)
def test_rows_of_one_gene(vectors_file, rule, model_id, expected):
    model = load_model(f"{vectors_file(*ALIASED)}{rule}", resolve=resolve)
    assert rows_of(model) == expected
    assert (model.model_id, model.unresolved) == (model_id, ("nobody",))
    assert model.audit == {"rows": 5, "genes": 2, "rows without a known gene": 1, "genes with several rows": 1}


def test_current_averages_where_no_row_has_the_current_symbol(vectors_file):
    path = vectors_file(("p53", 1, 0), ("ENSG00000141510", 2, 4))
    assert rows_of(load_model(f"{path},duplicates=current", resolve=resolve)) == {"TP53": [1.5, 2]}


def test_refused_by_option(vectors_file):
    path = vectors_file(*ALIASED, ("IDDM1", 0, 0))
    expected = r"^v.csv: p53 and TP53 are both the gene TP53, and 1 more gene has several rows; keep one row for each"
    with pytest.raises(AdapterError, match=expected):
        load_model(f"{path},duplicates=refuse", resolve=resolve).table()
    assert len(load_model(f"{path},duplicates=refuse").table()) == 6
    assert load_model(f"{path},duplicates=refuse").model_id == "v"


def test_rows_of_the_same_identifier_are_averaged_unless_another_rule_is_given(vectors_file):
    path = vectors_file(("A", 1, 2), ("B", 0, 0), ("A", 2, 4))
    model = load_model(str(path))
    assert rows_of(model) == {"A": [1.5, 3], "B": [0, 0]}
    assert (model.audit["rows"], model.audit["genes with several rows"]) == (3, 1)
    assert model.reading.notes == ["1 genes have several rows; see duplicates="]
    assert rows_of(load_model(f"{path},duplicates=average")) == {"A": [1.5, 3], "B": [0, 0]}
    assert rows_of(load_model(f"{path},duplicates=current")) == {"A": [1, 2], "B": [0, 0]}
    with pytest.raises(AdapterError, match=r"^v.csv: 2 rows are the gene A; keep one row"):
        load_model(f"{path},duplicates=refuse").table()


def test_average_is_taken_in_double_precision(vectors_file):
    path = vectors_file(("TP53", 16777217, 0.1), ("p53", 16777219, 0.2), ("ENSG00000141510", 1, 0.3))
    first, second = rows_of(load_model(str(path), resolve=resolve))["TP53"]
    stored = np.array([[16777217, 0.1], [16777219, 0.2], [1, 0.3]], dtype=np.float32).astype(np.float64)
    assert [first, second] == stored.mean(axis=0).astype(np.float32).tolist()


def test_no_identifier_is_a_gene(vectors_file):
    path = vectors_file(*((name, 0, 0) for name in "abcd"))
    with pytest.raises(AdapterError, match=r"^v.csv: none of its 4 identifiers in 'symbol' is a known gene \(a, b"):
        load_model(str(path), resolve=resolve).table()


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("duplicates=averag", r"precomputed: duplicates is 'averag', expected average or .*; did you mean 'average'\?"),
        ("duplicate=average", r"precomputed has no option 'duplicate', expected .*; did you mean 'duplicates'\?"),
        ("key=a", r"^v.csv: key= is not for .csv files; leave it out$"),
        ("genes=/absent", r"precomputed: genes is '/absent', expected a file that exists"),
    ],
)
def test_bad_options(vectors_file, option, expected):
    with pytest.raises(AdapterError, match=expected):
        load_model(f"{vectors_file(*ALIASED)},{option}")
