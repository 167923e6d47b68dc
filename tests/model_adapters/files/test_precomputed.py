import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_adapters import AdapterError, as_matrix, embed, load_model

SYMBOLS = ["TP53", "NA", "nan"]
VECTORS = [[0.5, -1.0], [2.0, 1e-3], [3.25, 4.0]]


def write_wide_csv(path):
    path.write_text("symbol,x0,x1\nTP53,0.5,-1\nNA,2,1e-3\nnan,3.25,4\n")


def write_list_csv(path):
    path.write_text('symbol,embedding\nTP53,"[0.5, -1]"\nNA,"[2.0 1e-3]"\nnan,"[3.25,\n 4]"\n')


def write_wide_tsv(path):
    path.write_text("x0\tsymbol\tx1\n0.5\tTP53\t-1\n2\tNA\t1e-3\n3.25\tnan\t4\n")


def write_list_tsv(path):
    path.write_text("symbol\tembedding\nTP53\t[0.5, -1]\nNA\t[2.0 1e-3]\nnan\t[3.25,4]\n")


def write_wide_parquet(path):
    pd.DataFrame(VECTORS, columns=["a", "b"]).assign(symbol=SYMBOLS).to_parquet(path)


def write_sliced_pandas_parquet(path):
    frame = pd.DataFrame({"symbol": ["X", *SYMBOLS], "x0": [9, *(v[0] for v in VECTORS)], "x1": 0.0})
    frame["x1"] = [9, *(v[1] for v in VECTORS)]
    frame[frame.symbol != "X"].to_parquet(path)


def write_list_parquet(path):
    pq.write_table(pa.table({"symbol": SYMBOLS, "note": ["a", "b", "c"], "embedding": VECTORS}), path, row_group_size=2)


def write_fixed_list_parquet(path):
    embedding = pa.array(VECTORS, pa.list_(pa.float64(), 2))
    pq.write_table(pa.table({"symbol": pa.array(SYMBOLS).dictionary_encode(), "embedding": embedding}), path)


WRITERS = [
    (write_wide_csv, ".csv"),
    (write_list_csv, ".csv"),
    (write_wide_tsv, ".tsv"),
    (write_list_tsv, ".tsv"),
    (write_wide_parquet, ".parquet"),
    (write_sliced_pandas_parquet, ".parquet"),
    (write_list_parquet, ".parquet"),
    (write_fixed_list_parquet, ".PARQUET"),
]


@pytest.mark.parametrize(("write", "extension"), WRITERS)
def test_every_layout_gives_the_same_table(tmp_path, write, extension):
    path = tmp_path / f"mine{extension}"
    write(path)
    model = load_model(str(path))
    symbols, vectors = as_matrix(model.table())
    assert symbols == SYMBOLS
    np.testing.assert_array_equal(vectors, np.array(VECTORS, dtype=np.float32))
    assert (model.model_id, model.adapter, model.unresolved) == ("mine", "precomputed", ())
    assert model.revision == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_embed_returns_the_files_own_table(tmp_path, genes):
    write_wide_csv(tmp_path / "mine.csv")
    model = load_model(f"precomputed:{tmp_path / 'mine.csv'}")
    assert embed(genes, model) is model.table()


def test_values_of_a_csv_are_read_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(8)])
    frame.insert(3, "symbol", [f"G{i}" for i in range(50)])
    frame.to_csv(tmp_path / "v.csv", index=False)
    np.testing.assert_array_equal(as_matrix(load_model(str(tmp_path / "v.csv")).table())[1], values)


def test_byte_order_mark_is_no_part_of_the_name(tmp_path):
    (tmp_path / "v.csv").write_bytes(b"\xef\xbb\xbfsymbol,x0\r\nA,1\r\n")
    assert load_model(str(tmp_path / "v.csv")).table()[:] == {"symbol": ["A"], "embedding": [[1.0]]}


CURRENT = {"ENSG00000141510": "TP53", "p53": "TP53", "7157": "TP53", "ins": "INS"}


def resolve(names):
    return [CURRENT.get(name) for name in names]


def test_identifiers_resolve_and_unknown_ones_are_reported(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("symbol,x0\nENSG00000141510,1\nnobody,2\nins,3\n")
    model = load_model(str(path), resolve=resolve)
    assert model.table()[:] == {"symbol": ["TP53", "INS"], "embedding": [[1.0], [3.0]]}
    assert model.unresolved == ("nobody",)
    assert model.options == {"resolved": True}
    assert load_model(str(path)).table()["symbol"][:] == ["ENSG00000141510", "nobody", "ins"]


def test_numeric_identifiers_are_names(tmp_path):
    pq.write_table(pa.table({"symbol": [7157], "x0": [1]}), tmp_path / "v.parquet")
    assert load_model(str(tmp_path / "v.parquet"), resolve=resolve).table()["symbol"][:] == ["TP53"]


BAD_CSV = {
    "no identifiers": (
        "x0,x1\n1.5,2\n",
        "has no column of gene identifiers, its columns are x0, x1; expected",
    ),
    "only text": (
        "gene,kind\nA,kinase\n",
        "has no numeric column for dimensions, its columns are gene, kind",
    ),
    "two texts": ("a,b,x0\nA,p,1\nB,q,2\n", r"has several columns of text \(a, b\); name the one of genes with id=CO"),
    "all blank": ("symbol,x0\n ,1\n ,2\n", "names no gene: no column of identifiers; expected"),
    "word among numbers": ("symbol,x0\n" + "A,1\n" * 200 + "B,x\n", "column 'x0' holds 'x', expected numbers"),
    "only symbol": ("symbol\nA\n", "has no column but 'symbol'; expected"),
    "empty": ("", "is empty; expected a column of gene identifiers"),
    "no rows": ("symbol,x0\n", "has no rows, expected one for each gene"),
    "column twice": ("symbol,x0,x0\nA,1,2\n", "columns occur more than once: x0;"),
    "NaN": ("symbol,x0,x1\nA,1,2\nB,nan,1\n", r"NaN \(or a missing number\) in the vector of B; expected finite"),
    "missing": ("symbol,x0,x1\nA,1,2\nB,,1\n", r"NaN \(or a missing number\) in the vector of B;"),
    "inf": ("symbol,x0\nA,1\nB,inf\nC,-inf\n", "an infinite number in the vector of B, C;"),
    "too large": ("symbol,x0\nA,1\nB,1e300\n", "an infinite number in the vector of B;"),
    "ragged": ("symbol,x0,x1\nA,1,2\nB,1\n", "the row of B has 2 fields, the header has 3; all must have the same"),
    "ragged lists": (
        'symbol,embedding\nA,"[1,2]"\nB,"[1,2]"\nC,[1]\n',
        "vectors differ in length: A has 2 numbers, C has 1; all must",
    ),
    "abbreviated list": ('symbol,embedding\nA,"[1. 2. ... 3.]"\n', "the vector of A is not a list of numbers .*'...'"),
    "empty list": ("symbol,embedding\nA,[]\n", "the vector of A is empty"),
    "NaN in list": ('symbol,embedding\nA,"[1, NaN]"\n', "NaN .* in the vector of A;"),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_bad_csv(tmp_path, case):
    text, expected = BAD_CSV[case]
    path = tmp_path / "v.csv"
    path.write_text(text)
    with pytest.raises(AdapterError, match=expected) as caught:
        load_model(str(path)).table()
    assert str(caught.value).startswith("v.csv")
    assert "\n" not in str(caught.value)


BAD_PARQUET = {
    "float symbol": (
        {"symbol": [0.5], "x0": [1.0]},
        ": column 'symbol' holds numbers that are not identifiers",
    ),
    "no numbers": (
        {"symbol": ["A"], "kind": ["kinase"]},
        "has no numeric column for dimensions, its",
    ),
    "null number": ({"symbol": ["A", "B"], "x0": [1, None]}, r"NaN \(or a missing number\) in the vector of B;"),
    "no rows": ({"symbol": pa.array([], pa.string()), "x0": pa.array([], pa.float32())}, "has no rows"),
    "ragged": ({"symbol": ["A", "B"], "embedding": [[1.0, 2.0], [1.0]]}, "A has 2 numbers, B has 1;"),
    "no vector": ({"symbol": ["A", "B"], "embedding": [[1.0], None]}, "no vector for B; leave such genes out"),
    "NaN in list": ({"symbol": ["A", "B"], "embedding": [[1.0], [float("nan")]]}, "NaN .* in the vector of B;"),
    "null in list": ({"symbol": ["A"], "embedding": [[1.0, None]]}, "NaN .* in the vector of A;"),
    "strings": ({"symbol": ["A"], "embedding": [["x"]]}, r"column 'embedding' holds list<.*string>, expected lists of"),
}


@pytest.mark.parametrize("case", BAD_PARQUET)
def test_bad_parquet(tmp_path, case):
    columns, expected = BAD_PARQUET[case]
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    with pytest.raises(AdapterError, match=expected) as caught:
        load_model(str(tmp_path / "v.parquet")).table()
    assert str(caught.value).startswith("v.parquet")


@pytest.mark.parametrize("content", [b"", b"symbol,x0\nA,1\n", None])
def test_damaged_parquet(tmp_path, content):
    path = tmp_path / "v.parquet"
    write_wide_parquet(path)
    path.write_bytes(path.read_bytes()[:-20] if content is None else content)
    with pytest.raises(AdapterError, match=r"^v.parquet is not a readable parquet file \(.*\); write it again$") as e:
        load_model(str(path)).table()
    assert "\n" not in str(e.value)


def test_bad_tsv(tmp_path):
    path = tmp_path / "v.tsv"
    for text, expected in [
        ("symbol\tx0\nA\t1\nB\n", "v.tsv: the row of B has 1 fields, the header has 2;"),
        ("symbol\tx0\nA\tone\n", "v.tsv has no numeric column for dimensions, its columns are symbol, x0;"),
    ]:
        path.write_text(text)
        with pytest.raises(AdapterError, match=f"^{expected}"):
            load_model(str(path)).table()


def test_csv_that_is_no_text(tmp_path):
    path = tmp_path / "v.csv"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(AdapterError, match="^v.csv is not a readable csv file .*UTF-8"):
        load_model(str(path)).table()


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "vectors.parquet").touch()
    with pytest.raises(AdapterError, match=r"^no file .*/vectors.parqet.parquet, .* mean 'vectors.parquet'\?$"):
        load_model(str(tmp_path / "vectors.parqet.parquet"))
    with pytest.raises(AdapterError, match=r"there is no folder .*absent$"):
        load_model(str(tmp_path / "absent" / "v.csv"))
    (tmp_path / "v.xlsx").touch()
    with pytest.raises(AdapterError, match=r"^v.xlsx: vectors are not read from .xlsx, expected .parquet, .csv, "):
        load_model(str(tmp_path / "v.xlsx"))
    with pytest.raises(AdapterError, match="^precomputed needs a file"):
        load_model("precomputed:")


def test_a_header_longer_than_the_sample(tmp_path, monkeypatch):
    monkeypatch.setattr("model_adapters.files.readers.sniffing.SAMPLE_BYTES", 64)
    columns = [f"dimension{i}" for i in range(3000)]
    vectors = np.arange(9000, dtype=np.float32).reshape(3, 3000) / 8
    pd.DataFrame(vectors, index=SYMBOLS, columns=columns).to_csv(tmp_path / "v.csv")
    table = load_model(str(tmp_path / "v.csv")).vector_table()
    assert list(table.symbols) == SYMBOLS
    np.testing.assert_array_equal(table.matrix, vectors)


def test_a_text_that_begins_like_numbers_is_left_out_but_a_word_in_a_dimension_is_named(tmp_path):
    n, path = 400, tmp_path / "v.csv"
    frame = pd.DataFrame(np.arange(4.0 * n).reshape(n, 4) / 8, columns=["d0", "d1", "d2", "d3"])
    frame.insert(0, "gene", [f"G{i}" for i in range(n)])
    frame.assign(chromosome=["1"] * 300 + ["X"] * 100).to_csv(path, index=False)
    model = load_model(str(path))
    assert model.vector_table().dim == 4
    assert model.reading.left_out == {"chromosome": "text that names no genes"}
    for row in (3, 350):
        damaged = frame.astype(object)
        damaged.loc[row, "d2"] = "x"
        damaged.to_csv(path, index=False)
        with pytest.raises(AdapterError, match=r"^v.csv: column 'd2' holds 'x', expected numbers$"):
            load_model(str(path)).table()
