import hashlib
import io
import json
import sys

import numpy as np
import pytest

from model_adapters import AdapterError, as_matrix, load_model

NAMES = ["TP53", "NA", "nan"]
VECTORS = np.array([[0.5, -1.0], [2.0, 1e-3], [3.25, 4.0]])


def check(spec):
    model = load_model(str(spec))
    symbols, vectors = as_matrix(model.table())
    assert symbols == NAMES
    np.testing.assert_array_equal(vectors, VECTORS.astype(np.float32))
    return model


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("genes.tsv", "TP53\nNA\nnan\n"),
        ("genes.tsv", "symbol\nTP53\nNA\nnan"),
        ("genes.tsv", "gene\tnote\nTP53\ta\nNA\tb\nnan\tc\n"),
        ("genes.tsv", "id\tsymbol\n1\tTP53\n2\tNA\n3\tnan\n"),
        ("v.genes.tsv", "TP53\tfirst\r\nNA\tsecond\r\nnan\tthird\r\n"),
        ("genes.txt", "TP53\nNA\nnan\n"),
    ],
)
def test_array_with_a_list_of_genes(tmp_path, name, text):
    np.savez_compressed(tmp_path / "v.npz", vectors=VECTORS, n=np.array(3))
    np.save(tmp_path / "v.npy", VECTORS.astype(">f4"))
    (tmp_path / name).write_text(text)
    model = check(tmp_path / "v.npz")
    hashes = [hashlib.sha256((tmp_path / file).read_bytes()).hexdigest() for file in ("v.npz", name)]
    expected = hashlib.sha256(" ".join(f"sha256:{one}" for one in hashes).encode()).hexdigest()
    assert (model.model_id, model.revision) == ("v", f"sha256:{expected}")
    check(tmp_path / "v.npy")


def test_the_array_and_the_list_may_be_named(tmp_path):
    np.savez(tmp_path / "v.npz", a=VECTORS, b=VECTORS * 2)
    (tmp_path / "mine.txt").write_text("\n".join(NAMES))
    assert check(f"{tmp_path}/v.npz,key=a,genes={tmp_path}/mine.txt").model_id == "v:key=a"
    with pytest.raises(AdapterError, match=r"^v.npz has 2 arrays of two dimensions \(a, b\); choose with key=NAME$"):
        load_model(f"{tmp_path}/v.npz,genes={tmp_path}/mine.txt").table()
    with pytest.raises(AdapterError, match=r"^v.npz has no array 'c', it has a, b$"):
        load_model(f"{tmp_path}/v.npz,key=c,genes={tmp_path}/mine.txt").table()


def test_metadata_names_the_model(tmp_path):
    np.savez(tmp_path / "v.npz", VECTORS)
    (tmp_path / "genes.tsv").write_text("\n".join(NAMES))
    (tmp_path / "metadata.json").write_text(json.dumps({"model_id": "org/net", "revision": "v7", "other": 1}))
    model = check(tmp_path / "v.npz")
    assert (model.model_id, model.revision) == ("org/net", "v7")
    (tmp_path / "metadata.json").write_text(json.dumps({"model_id": 7}))
    with pytest.raises(AdapterError, match=r"metadata.json: model_id is 7, expected a string"):
        load_model(str(tmp_path / "v.npz"))
    (tmp_path / "metadata.json").write_text("{")
    with pytest.raises(AdapterError, match=r"metadata.json is not JSON \("):
        load_model(str(tmp_path / "v.npz"))


def saved(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


BAD_ARRAYS = {
    "short list": (saved(np.ones((4, 2))), "genes.tsv names 3 genes, but v.npy has 4 rows; expected one line for"),
    "header without a row": (saved(np.ones((5, 2))), "genes.tsv names 3 genes, but v.npy has 5 rows"),
    "one dimension": (saved(np.ones(3)), r"v.npy holds float64 of shape \(3,\), expected numbers of shape \(genes"),
    "words": (saved(np.array([["a"]] * 3)), "v.npy holds <U1 of shape"),
    "objects": (
        saved(np.array([[{}]] * 3), allow_pickle=True),
        r"v.npy is not a readable npy .*objects of shape \(3, 1\)",
    ),
    "cut": (saved(np.ones((3, 2)))[:-9], r"v.npy is not a readable npy file of numbers \(ValueError: "),
    "text": (b"1,2\n", "v.npy is not a readable npy file of numbers"),
    "NaN": (saved(np.array([[1.0], [np.nan], [2.0]])), "v.npy: NaN .* in the vector of NA"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_arrays(tmp_path, case):
    content, expected = BAD_ARRAYS[case]
    (tmp_path / "v.npy").write_bytes(content)
    (tmp_path / "genes.tsv").write_text("\n".join(NAMES))
    with pytest.raises(AdapterError, match=f"^{expected}") as caught:
        load_model(str(tmp_path / "v.npy")).table()
    assert "\n" not in str(caught.value)


def test_a_list_is_needed(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS)
    with pytest.raises(AdapterError, match=r"^v.npy: .*v.genes.tsv.*genes.txt beside"):
        load_model(str(tmp_path / "v.npy"))


WORD2VEC = {
    "header": "3 2\nTP53 0.5 -1\nNA 2.0 1e-3\nnan 3.25 4\n",
    "no header": "TP53 0.5 -1\nNA 2.0 1e-3\nnan 3.25 4\n",
    "gene2vec": "TP53\t0.5 -1 \nNA\t2.0 1e-3 \nnan\t3.25 4 \n",
    "blank line": "3 2 \r\nTP53 0.5 -1\r\nNA 2.0 1e-3\r\nnan 3.25 4\r\n\r\n",
}


@pytest.mark.parametrize("case", WORD2VEC)
@pytest.mark.parametrize("name", ["v.txt", "v.vec"])
def test_word2vec(tmp_path, case, name):
    (tmp_path / name).write_text(WORD2VEC[case])
    check(tmp_path / name)


def test_a_gene_named_by_a_number_is_no_header(tmp_path):
    (tmp_path / "v.txt").write_text("7157 2\n3630 4\n")
    assert load_model(str(tmp_path / "v.txt")).table()[:] == {"symbol": ["7157", "3630"], "embedding": [[2.0], [4.0]]}


def test_word2vec_is_read_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    lines = [f"G{i} " + " ".join(map(str, row)) for i, row in enumerate(values.tolist())]
    (tmp_path / "v.txt").write_text("\n".join(lines))
    np.testing.assert_array_equal(as_matrix(load_model(str(tmp_path / "v.txt")).table())[1], values)


BAD_WORD2VEC = {
    "ragged": ("A 1 2\nB 1\n", "v.txt: B has 1 numbers, A has 2; all must have the same"),
    "words": ("A 1 2\nB 1 x\n", "v.txt: B has 'x' among its numbers, expected lines of a gene and its numbers"),
    "cut": ("3 2\nA 1 2\nB 3 4\n", "v.txt: its first line announces 3 genes of dimension 2, but it has 2 of 2; a half"),
    "other dimension": ("2 3\nA 1 2 4 5\nB 3 4 5 6\n", "v.txt: its first line announces 2 genes of dimension 3, but"),
    "a list": ("A\nB\n", "v.txt has no column but 'A'; expected gene identifiers and numeric columns"),
    "empty": ("", "v.txt names no gene"),
    "only a header": ("5 7\n", "v.txt names no gene"),
    "huge counts": ("9" * 4301 + " 2\nA 1 2\n", "v.txt"),
}


@pytest.mark.parametrize("case", BAD_WORD2VEC)
def test_bad_word2vec(tmp_path, case):
    text, expected = BAD_WORD2VEC[case]
    (tmp_path / "v.txt").write_text(text)
    with pytest.raises(AdapterError, match=f"^{expected}") as caught:
        load_model(str(tmp_path / "v.txt")).table()
    assert "\n" not in str(caught.value)


def test_binary_word2vec_is_named(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"1 2\nA " + VECTORS[0].astype("<f4").tobytes() + b"\xff\n")
    with pytest.raises(AdapterError, match=r"^v.txt is not UTF-8 text .*; expected word2vec text, not its binary"):
        load_model(str(tmp_path / "v.txt")).table()


@pytest.fixture
def h5ad(tmp_path):
    """Write an h5ad file as anndata does: names in `_index`, arrays in `varm` and `obsm`."""
    h5py = pytest.importorskip("h5py")

    def write(**arrays):
        path = tmp_path / "v.h5ad"
        with h5py.File(path, "w") as file:
            for group, names in (("obs", ["c1", "c2"]), ("var", NAMES)):
                file.create_group(group).attrs["_index"] = "gene_ids"
                file[group]["gene_ids"] = np.array(names, dtype=h5py.string_dtype())
            for key, array in arrays.items():
                group, _, name = key.partition("_")
                file.require_group(group)[name] = array
        return path

    return write


def test_h5ad(h5ad):
    path = h5ad(varm_emb=VECTORS)
    assert check(path).model_id == "v"
    assert check(f"{path},key=varm/emb").model_id == "v:key=varm/emb"
    path = h5ad(varm_emb=VECTORS, obsm_pca=VECTORS[:2])
    check(f"{path},key=varm/emb")
    assert load_model(f"{path},key=obsm/pca").table()["symbol"][:] == ["c1", "c2"]


def test_bad_h5ad(h5ad):
    for arrays, option, expected in [
        ({"varm_a": VECTORS, "obsm_b": VECTORS[:2]}, "", r"v.h5ad has varm/a, obsm/b; choose one .*key=varm/a"),
        ({}, "", r"v.h5ad has no varm and no obsm; choose one array with key=varm/NAME$"),
        ({"varm_emb": VECTORS}, ",key=varm/em", r"v.h5ad has no varm/em, it has varm/emb; did you mean 'varm/emb'\?$"),
        ({"varm_emb/data": VECTORS}, "", r"v.h5ad: varm/emb holds an array of another shape, expected a dense array"),
        ({"varm_emb": VECTORS[:, 0]}, "", r"v.h5ad: varm/emb holds an array of another shape, expected a dense array"),
    ]:
        with pytest.raises(AdapterError, match=f"^{expected}"):
            load_model(f"{h5ad(**arrays)}{option}").table()
    path = h5ad()
    path.write_bytes(b"no HDF5")
    with pytest.raises(AdapterError, match=r"^v.h5ad is not an h5ad file of anndata 0.7 or later \(OSError: "):
        load_model(str(path)).table()


def test_h5ad_without_its_reader(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "v.h5ad").touch()
    with pytest.raises(AdapterError, match=r"^v.h5ad: .* h5py, which is not installed; pip install 'gene-bench\[h5ad"):
        load_model(str(tmp_path / "v.h5ad")).table()


def test_row_numbers_in_a_list_of_genes(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS)
    for text, left_out in [
        ("0\tTP53\n1\tNA\n2\tnan\n", {"column 1": "row numbers"}),
        ("index\tensembl_id\tgene_name\n0\tX\tTP53\n1\tY\tNA\n2\tZ\tnan\n", {"index": "row numbers"}),
    ]:
        (tmp_path / "genes.tsv").write_text(text)
        assert check(tmp_path / "v.npy").reading.left_out == left_out
    (tmp_path / "genes.tsv").write_text("0\n1\n2\n")
    with pytest.raises(
        AdapterError, match=r"^v.npy: column 1 holds row numbers \(0, 1, 2\), no genes; name the column of"
    ):
        load_model(str(tmp_path / "v.npy")).table()
