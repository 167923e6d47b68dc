"""Damaged and hostile files: one line each, and nothing is allocated that the file does not hold."""

import gzip
import io
import json
import os
import pickle
import random
import struct
import tracemalloc
import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from gene_eval import GeneBenchError
from model_adapters import AdapterError, load_model
from model_adapters.files.readers.pickles import load_plain

SYMBOLS = [f"G{i}" for i in range(20)]
VECTORS = np.arange(60, dtype=np.float32).reshape(20, 3)


def npy_header(shape, dtype="<f4", after=b""):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + after


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def parquet(table):
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def not_utf8():
    names = pa.array([b"A\xff", b"B"], pa.binary()).view(pa.string())
    return parquet(pa.table({"symbol": names, "x": [1.0, 2.0]}))


NAMES = saved(np.array(SYMBOLS))


def expanded():
    buffer = io.BytesIO()
    torch.save({"emb": torch.zeros(1).expand(10**6, 10**5)}, buffer)
    return buffer.getvalue()


HOSTILE = {
    "a table of zeros": (
        "v.parquet",
        parquet(pa.table({name: np.zeros(200_000, dtype=np.float32) for name in map(str, range(100))})),
        r"v.parquet claims 80,000,000 bytes, but \S+ are stored",
    ),
    "a tensor that repeats one number": ("v.pt", expanded(), "a tensor claims 400,000,000,000 bytes, but 4 are stored"),
    "a terabyte announced": ("v.npy", npy_header((10**6, 10**6)), "4,000,000,000,000 bytes, but .* are there"),
    "in an archive": ("v.npz", archive(genes=NAMES, X=npy_header((10**6, 10**6))), "4,000,000,000,000 bytes, but"),
    "a bomb": (
        "v.npz",
        archive(genes=NAMES, X=npy_header((10**5, 10**3), after=bytes(4 * 10**8))),
        r"array X claims 400,000,078 bytes, but \S+ are stored",
    ),
    "header without end": ("v.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "a header of 2,147,483,647 bytes"),
    "header with code": ("v.npy", npy_header("__import__('os')"), "not a readable npy file of numbers"),
    "header that lacks its shape": ("v.npy", npy_header("'x', ").replace(b"shape", b"share"), "v.npy"),
    "header of parentheses": ("v.npy", npy_header("(" * 5000), "v.npy is not a readable npy file|v.npy cannot be read"),
    "header of signs": ("v.npy", npy_header("-" * 60_000 + "1"), "v.npy"),
    "archive of a later version": (
        "v.npz",
        archive(X=saved(VECTORS)).replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\xa8"),
        "v.npz is not a readable npz file .*NotImplementedError",
    ),
    "encrypted archive": (
        "v.npz",
        archive(X=saved(VECTORS)).replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
        "v.npz cannot be read .*encrypted",
    ),
    "negative shape": ("v.npy", npy_header((-1, 3)), r"an array of shape \(-1, 3\)"),
    "complex": ("v.npz", archive(genes=NAMES, X=saved(VECTORS.astype(complex))), r"v.npz holds complex128 of shape"),
    "bool": ("v.npz", archive(genes=NAMES, X=saved(VECTORS > 3)), r"v.npz holds bool of shape \(20, 3\)"),
    "too few names": (
        "v.npz",
        archive(genes=saved(np.array(["A"])), X=saved(VECTORS)),
        "genes names 1 genes, but",
    ),
    "no dimension": ("v.npz", archive(genes=NAMES, X=saved(VECTORS[:, :0])), r"v.npz holds float32 of shape \(20, 0\)"),
    "digits": ("v.txt", b"9" * 4301 + b" 2\nA 1 2\n", "v.txt"),
    "names that are no text": ("v.parquet", not_utf8(), "v.parquet cannot be read|v.parquet"),
    "nested lists": ("v.json", b"[" * 100_000, "v.json is not readable JSON"),
    "a number of 5,000 digits": ("v.json", b'{"A": [' + b"1" * 5000 + b"]}", "v.json is not readable JSON"),
    "a number beyond floats": ("v.json", b'{"A": [1e999, 1]}', "an infinite number in the vector of A"),
    "nested dictionaries": (
        "v.json",
        json.dumps({"A": {"B": {"C": 1}}}).encode(),
        "numbers for C but a int",
    ),
    "a gzip bomb": ("v.csv.gz", None, "v.csv.gz claims .* bytes, but .* are stored"),
    "words of gigabytes": ("v.bin", b"999999999 300\nA " + bytes(1200), "announces 999,999,999 genes of dimension 300"),
    "cut words": ("v.bin", b"2 3\nA " + bytes(12) + b"\nBB" + bytes(13), "v.bin ends within gene 2 of 2"),
    "memo of gigabytes": ("v.pkl", b"\x80\x02}r" + struct.pack("<I", 2**31) + b".", "memo index 2147483648"),
    "bytes of gigabytes": ("v.pkl", b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".", "it ends within"),
    "itself": ("v.pkl", b"\x80\x02]q\x00h\x00a.", "nested over 32 levels"),
    "array of another size": (
        "v.pkl",
        pickle.dumps({"A": np.ones(3)}).replace(b"K\x03\x85", b"K\x04\x85"),
        "24 bytes for an array of float64 of shape",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_one_line_and_little_memory(tmp_path, case, monkeypatch):
    monkeypatch.setattr("model_adapters.files.readers.archives.FREE_BYTES", 64 * 1024**2)
    name, content, expected = HOSTILE[case]
    (tmp_path / name).write_bytes(gzip.compress(bytes(200_000_000)) if content is None else content)
    if name.endswith(".npy"):
        (tmp_path / "genes.tsv").write_text("\n".join(SYMBOLS))
    tracemalloc.start()
    try:
        with pytest.raises(AdapterError, match=expected) as caught:
            load_model(str(tmp_path / name)).table()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert peak < 200_000_000


def test_shared_lists_are_not_written_out():
    value = [1.0] * 10
    for _ in range(12):
        value = [value] * 10
    with pytest.raises(ValueError, match=r"^[\d,]+ values in \d+ bytes$"):
        load_plain(pickle.dumps(value))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_pickles_of_every_protocol(protocol):
    rng = np.random.default_rng(0)
    content = {
        "lists": rng.standard_normal(5000).tolist(),
        "short": [0.5, 1, None, True, -(2**70)],
        "text": ("x", b"bytes", "\u00e9" * 300),
        "arrays": [rng.standard_normal((3, 2)), np.asfortranarray(np.eye(3)[:, :2]), np.arange(3, dtype=">i2")],
        "objects": np.array(["a", "b"], dtype=object),
        "names": np.array(["a", "bc"]),
        "scalar": np.float32(0.5),
        "nested": {1: {"a": [1.5] * 20}},
    }
    read = load_plain(pickle.dumps(content, protocol=protocol))
    np.testing.assert_array_equal(read["lists"], np.array(content["lists"], dtype=np.float32))
    assert (read["short"], read["text"], read["scalar"]) == (content["short"], content["text"], 0.5)
    for got, expected in zip(read["arrays"], content["arrays"], strict=True):
        np.testing.assert_array_equal(got, expected)
    assert (list(read["objects"]), read["names"].tolist()) == (["a", "b"], ["a", "bc"])
    assert list(read["nested"][1]["a"]) == [1.5] * 20


def h5(path, **arrays):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for group in ("obs", "var"):
            file.create_group(group).attrs["_index"] = "_index"
        file["var/_index"] = arrays.pop("names")
        for name, array in arrays.items():
            file[f"varm/{name}"] = array


def test_h5ad_names_must_fit_and_be_text(tmp_path):
    h5(tmp_path / "v.h5ad", names=np.array(SYMBOLS[:15], dtype="S5"), emb=VECTORS)
    with pytest.raises(AdapterError, match=r"^var/_index names 15 genes, but v.h5ad has 20 rows; expected one name"):
        load_model(f"{tmp_path}/v.h5ad").table()
    h5(tmp_path / "v.h5ad", names=np.array(SYMBOLS, dtype="S5"), emb=VECTORS)
    assert len(load_model(f"{tmp_path}/v.h5ad").vector_table()) == 20
    h5(tmp_path / "v.h5ad", names=np.array([b"\xff\xfe"] * 20, dtype="S5"), emb=VECTORS)
    with pytest.raises(AdapterError, match=r"^v.h5ad is not an h5ad file .*UnicodeDecodeError"):
        load_model(f"{tmp_path}/v.h5ad").table()


def sources(folder):
    """One good file of each binary kind."""
    by_gene = dict(zip(SYMBOLS, VECTORS, strict=True))
    frame = pd.DataFrame(VECTORS, index=SYMBOLS, columns=["a", "b", "c"])
    frame.to_parquet(folder / "v.parquet")
    frame.to_csv(folder / "v.csv")
    frame.reset_index().to_feather(folder / "v.feather")
    np.savez(folder / "v.npz", genes=np.array(SYMBOLS, dtype=object), X=VECTORS)
    (folder / "v.pkl").write_bytes(pickle.dumps({**by_gene, "l": [0.5] * 3}))
    torch.save({symbol: torch.tensor(vector) for symbol, vector in by_gene.items()}, folder / "v.pt")
    save_file({symbol: torch.tensor(vector) for symbol, vector in by_gene.items()}, folder / "v.safetensors")
    (folder / "v.json").write_text(json.dumps({symbol: vector.tolist() for symbol, vector in by_gene.items()}))
    (folder / "v.bin").write_bytes(b"20 3\n" + b"".join(s.encode() + b" " + v.tobytes() for s, v in by_gene.items()))
    h5(folder / "v.h5ad", names=np.array(SYMBOLS, dtype="S5"), emb=VECTORS)


def refusal(path):
    """Return the number of lines of the message with which a file is refused, 0 if it is read."""
    try:
        load_model(str(path)).table()
    except AdapterError as error:
        return len(str(error).splitlines())
    return 0


@pytest.mark.filterwarnings("ignore")
def test_mutated_files_are_read_or_refused_in_one_line(tmp_path):
    sources(tmp_path)
    generator = random.Random(0)
    lines = Counter()
    for path in sorted(tmp_path.iterdir()):
        content = path.read_bytes()
        # Each h5ad is read in a process of its own.
        for _ in range(8 if path.suffix == ".h5ad" else 40):
            mutated = bytearray(content)
            for _ in range(generator.randint(1, 4)):
                mutated[generator.randrange(len(mutated))] = generator.randrange(256)
            path.write_bytes(bytes(mutated[: generator.choice((len(mutated), generator.randrange(len(mutated)))) or 1]))
            lines[refusal(path)] += 1
    # Four bytes of hundreds often change a number only.
    assert lines[0] > 20
    assert lines[1] > 20
    assert set(lines) == {0, 1}


def test_a_message_is_one_line_whatever_it_names(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text('symbol,embedding\n"A","[1, 2]"\n"\nK\x1b[2JRAS","[1, 2]",3\n', encoding="utf-8")
    with pytest.raises(GeneBenchError, match="the row of") as caught:
        load_model(str(path)).table()
    assert str(caught.value).isprintable()


def test_an_hdf5_file_that_does_not_end_or_ends_the_library_is_one_line(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    h5(tmp_path / "v.h5ad", names=np.array(SYMBOLS, dtype="S5"), emb=VECTORS)
    os.mkfifo(tmp_path / "pipe")
    with h5py.File(tmp_path / "v.h5ad", "r+") as file:
        # To open a pipe waits for a writer: it stands for a library that goes round in circles.
        file["varm/other"] = h5py.ExternalLink(str(tmp_path / "pipe"), "/X")
    monkeypatch.setattr("model_adapters.files.readers.hdf5.SECONDS", 1)
    with pytest.raises(AdapterError, match=r"^v.h5ad was not read in 1 s: it is damaged; write it again$"):
        load_model(f"{tmp_path}/v.h5ad,key=varm/other").table()
    assert len(load_model(f"{tmp_path}/v.h5ad,key=varm/emb").vector_table()) == 20
    # A process that runs something else ends without a word, as one does that dies in the library.
    monkeypatch.setattr("model_adapters.files.readers.hdf5.CONTENT", "aborts")
    (tmp_path / "aborts.py").write_text("import os; os.abort()")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AdapterError, match=r"^v.h5ad .*HDF5"):
        load_model(f"{tmp_path}/v.h5ad,key=varm/emb").table()
