"""One frame of vectors in every form in which vectors are published gives one table."""

import gzip
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pytest
import torch
from datasets import Dataset
from safetensors.torch import save_file

from model_adapters import AdapterError, EmbeddingTable, load_model
from model_adapters.files.formats import FORMATS, extension_of, format_of, formats_table

SYMBOLS = [f"GENE{i}" for i in range(12)]
IDS = {f"ENSG{i:011d}": symbol for i, symbol in enumerate(SYMBOLS)}
ENTREZ = {str(7 * i * i + 100): symbol for i, symbol in enumerate(SYMBOLS)}
VECTORS = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
FRAME = pd.DataFrame(VECTORS, index=SYMBOLS, columns=["d0", "d1", "d2", "d3"])
SHA256 = EmbeddingTable(SYMBOLS, VECTORS).sha256


def resolve(names):
    known = {**IDS, **ENTREZ, **{symbol: symbol for symbol in SYMBOLS}}
    return [known.get(name) for name in names]


def compressed(path, text):
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("__MACOSX/._v.csv", "x")
            archive.writestr("v.csv", text)


def word2vec(path, *, binary):
    with path.open("wb") as file:
        file.write(b"12 4\n")
        for symbol, vector in zip(SYMBOLS, VECTORS, strict=True):
            numbers = vector.astype("<f4").tobytes() if binary else " ".join(map(str, vector.tolist())).encode()
            file.write(symbol.encode() + b" " + numbers + b"\n")


def h5ad(path, *, group, key, names="index"):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for each in ("obs", "var"):
            file.create_group(each).attrs["_index"] = "_index"
            n = 12 if each == group else 4
            index = SYMBOLS if each == group and names == "index" else [str(100 * i) for i in range(n)]
            file[each]["_index"] = np.array(index, dtype=h5py.string_dtype())
        if names != "index":
            categories = file[group].create_group(names)
            categories["categories"] = np.array(SYMBOLS[::-1], dtype=h5py.string_dtype())
            categories["codes"] = np.arange(12)[::-1].astype(np.int8)
        file[key] = VECTORS.T if (key, group) == ("X", "var") else VECTORS


def npz(path, **arrays):
    np.savez(path, **arrays)


def dataset(path):
    Dataset.from_dict({"gene": SYMBOLS, "vector": VECTORS.tolist()}).save_to_disk(path)


def zoo(path):
    path.mkdir()
    np.savez(path / "embeddings.npz", VECTORS)
    (path / "genes.tsv").write_text("\n".join(SYMBOLS))
    (path / "metadata.json").write_text(json.dumps({"model_id": "v", "license": "x"}))


def object_names():
    return np.array(SYMBOLS, dtype=object)


BY_GENE = dict(zip(SYMBOLS, VECTORS, strict=True))
LISTS = {symbol: vector.tolist() for symbol, vector in BY_GENE.items()}
RECORDS = [{"gene": symbol, "embedding": vector} for symbol, vector in LISTS.items()]
SEMICOLONS = FRAME.to_csv(sep=";", decimal=",")
R_TABLE = "\n".join([" ".join(FRAME.columns), *(" ".join([f'"{s}"', *map(str, v)]) for s, v in LISTS.items())])
OLD_NAMES = FRAME.rename(index=dict(zip(SYMBOLS, IDS, strict=True)))
DECIMALS = FRAME.set_axis([f"{entrez}.0" for entrez in ENTREZ]).rename_axis("entrez")
DOUBLES = FRAME.assign(entrezgene=list(map(float, ENTREZ))).reset_index(drop=True)
NUMBERED = FRAME.reset_index(names="gene").reset_index()
FORMS = {
    "csv with an index": ("v.csv", lambda p: FRAME.to_csv(p)),
    "tsv with an index": ("v.tsv", lambda p: FRAME.to_csv(p, sep="\t")),
    "parquet with an index": ("v.parquet", lambda p: FRAME.to_parquet(p)),
    "parquet with a named index": ("v.parquet", lambda p: FRAME.rename_axis("Gene").to_parquet(p)),
    "parquet of lists": ("v.parquet", lambda p: pd.DataFrame(RECORDS).to_parquet(p)),
    "columns 0 to d-1": ("v.csv", lambda p: FRAME.set_axis(range(4), axis=1).to_csv(p)),
    "ensembl ids": ("v.csv", lambda p: OLD_NAMES.rename_axis("ENSG").to_csv(p)),
    "entrez as decimals": (
        "v.csv",
        lambda p: DECIMALS.to_csv(p),
    ),
    "entrez as doubles": (
        "v.parquet",
        lambda p: DOUBLES.to_parquet(p),
    ),
    "unusual name": ("v.csv", lambda p: FRAME.rename_axis("locus tag").to_csv(p)),
    "no header": ("v.csv", lambda p: FRAME.to_csv(p, header=False)),
    "semicolons": ("v.csv", lambda p: p.write_text(SEMICOLONS)),
    "blanks, as R writes": ("v.txt", lambda p: p.write_text(R_TABLE)),
    "bom and crlf": ("v.csv", lambda p: p.write_bytes(b"\xef\xbb\xbf" + FRAME.to_csv().replace("\n", "\r\n").encode())),
    "latin-1": ("v.csv", lambda p: p.write_bytes(FRAME.assign(note="caf\xe9").to_csv().encode("latin-1"))),
    "utf-16": ("v.csv", lambda p: p.write_bytes(FRAME.to_csv().encode("utf-16"))),
    "row numbers": ("v.csv", lambda p: FRAME.rename_axis("symbol").reset_index().to_csv(p)),
    "row numbers called index": (
        "v.csv",
        lambda p: NUMBERED.to_csv(p, index=False),
    ),
    "other columns": ("v.csv", lambda p: FRAME.assign(chromosome="chr1", biotype="protein coding").to_csv(p)),
    "csv.gz": ("v.csv.gz", lambda p: compressed(p, FRAME.to_csv())),
    "zip": ("v.zip", lambda p: compressed(p, FRAME.to_csv())),
    "tsv.gz": ("v.tsv.gz", lambda p: compressed(p, FRAME.to_csv(sep="\t"))),
    "csv of lists": ("v.csv", lambda p: pd.DataFrame(RECORDS).to_csv(p, index=False)),
    "genes as columns": ("v.csv", lambda p: FRAME.T.to_csv(p)),
    "genes as columns of parquet": ("v.parquet", lambda p: FRAME.T.to_parquet(p)),
    "feather": ("v.feather", lambda p: feather.write_feather(FRAME.reset_index(names="gene"), p)),
    "arrow stream": ("v.arrow", lambda p: _stream(p)),
    "json": ("v.json", lambda p: p.write_text(json.dumps(LISTS))),
    "json of arrays": ("v.json", lambda p: p.write_text(json.dumps({"genes": SYMBOLS, "emb": VECTORS.tolist()}))),
    "json records": ("v.json", lambda p: p.write_text(json.dumps(RECORDS))),
    "jsonl": ("v.jsonl", lambda p: p.write_text("\n".join(map(json.dumps, RECORDS)))),
    "pickle of lists": ("v.pickle", lambda p: p.write_bytes(pickle.dumps(LISTS))),
    "pickle of arrays": ("v.pkl", lambda p: p.write_bytes(pickle.dumps(BY_GENE, protocol=2))),
    "pickle of an array and names": ("v.pkl", lambda p: p.write_bytes(pickle.dumps({"X": VECTORS, "genes": SYMBOLS}))),
    "torch": ("v.pt", lambda p: torch.save({s: torch.tensor(v) for s, v in BY_GENE.items()}, p)),
    "torch of one tensor": ("v.pth", lambda p: torch.save({"embeddings": torch.tensor(VECTORS), "genes": SYMBOLS}, p)),
    "safetensors": ("v.safetensors", lambda p: save_file({s: torch.tensor(v) for s, v in BY_GENE.items()}, p)),
    "npz": ("v.npz", lambda p: npz(p, IDs=np.array(list(ENTREZ)), data=VECTORS)),
    "npz of objects": ("v.npz", lambda p: npz(p, genes=object_names(), embeddings=VECTORS, n=np.arange(3))),
    "npy of a dict": ("v.npy", lambda p: np.save(p, np.array(BY_GENE, dtype=object), allow_pickle=True)),
    "npz with genes as columns": ("v.npz", lambda p: npz(p, genes=np.array(SYMBOLS), embeddings=VECTORS.T)),
    "word2vec text": ("v.txt", lambda p: word2vec(p, binary=False)),
    "word2vec binary": ("v.bin", lambda p: word2vec(p, binary=True)),
    "h5ad varm": ("v.h5ad", lambda p: h5ad(p, group="var", key="varm/emb")),
    "h5ad obsm": ("v.h5ad", lambda p: h5ad(p, group="obs", key="obsm/emb", names="gene_symbols")),
    "h5ad X, genes as obs": ("v.h5ad", lambda p: h5ad(p, group="obs", key="X")),
    "h5ad X, genes as var": ("v.h5ad", lambda p: h5ad(p, group="var", key="X", names="feature_name")),
    "saved dataset": ("v", dataset),
    "zoo folder": ("v", zoo),
}


def _stream(path):
    table = pa.Table.from_pandas(FRAME)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_one_table(tmp_path, form):
    name, write = FORMS[form]
    write(tmp_path / name)
    model = load_model(str(tmp_path / name), resolve=resolve)
    table = model.vector_table()
    assert table.sha256 == SHA256
    assert model.model_id == "v"
    assert model.unresolved == ()
    assert list(model.reading.lines())


def test_every_format_is_tried_here_and_has_a_row_in_the_documentation():
    tried = {format_of(Path(name)).reader for name, _ in FORMS.values() if "." in name}
    assert tried == {each.reader for each in FORMATS}
    assert len(formats_table()) == len(FORMATS)
    assert all(extension_of(Path(f"a{one}")) == one for each in FORMATS for one in each.extensions)


NOT_RUN = {
    "frame": (
        lambda: pickle.dumps(FRAME),
        r"^v.pkl names pandas.*, which could run code \(nothing was run\): it holds a pandas object; where you "
        r"trust it, pandas.read_pickle\('v.pkl'\).to_parquet\('vectors.parquet'\)$",
    ),
    "gensim": (
        lambda: b"\x80\x02cgensim.models.keyedvectors\nKeyedVectors\n.",
        r"^v.pkl names gensim.models.keyedvectors.KeyedVectors, .*KeyedVectors.load\('v.pkl'\).save_word2vec_fo",
    ),
    "code": (
        lambda: b"cbuiltins\neval\n(S'1'\ntR.",
        r"^v.pkl names builtins.eval, which could run code \(nothing was run\): it holds more than plain data",
    ),
    "list": (lambda: pickle.dumps([1]), r"^v.pkl holds a list, expected a dictionary: gene -> list of numbers$"),
    "words": (lambda: pickle.dumps({"A": "x"}), r"^v.pkl: no list of numbers for A but a str; expected gene -> list"),
    "lengths": (lambda: pickle.dumps({"A": [1.0], "B": [1.0, 2]}), r"^v.pkl: vectors differ in length: A has 1 number"),
    "cut": (lambda: pickle.dumps(LISTS)[:-9], r"^v.pkl is not a readable pickle of plain data \(ValueError: it ends"),
    "empty": (lambda: b"", r"^v.pkl (is not a readable pickle|cannot be read)"),
}


@pytest.mark.parametrize("case", NOT_RUN)
def test_pickles_that_are_refused(tmp_path, case):
    content, expected = NOT_RUN[case]
    (tmp_path / "v.pkl").write_bytes(content())
    with pytest.raises(AdapterError, match=expected) as caught:
        load_model(str(tmp_path / "v.pkl")).table()
    assert "\n" not in str(caught.value)


def test_a_torch_file_with_code_is_not_run(tmp_path):
    torch.save({"A": torch.ones(2), "path": Path("x")}, tmp_path / "v.pt")
    with pytest.raises(AdapterError, match=r"^v.pt holds more than tensors: pathlib.*could run code; nothing was run"):
        load_model(str(tmp_path / "v.pt")).table()


def test_tensors_without_names_need_a_list(tmp_path):
    save_file({"embedding.weight": torch.tensor(VECTORS)}, tmp_path / "v.safetensors")
    with pytest.raises(AdapterError, match=r"^v.safetensors .*genes.tsv"):
        load_model(str(tmp_path / "v.safetensors")).table()
    (tmp_path / "genes.tsv").write_text("symbol\n" + "\n".join(SYMBOLS))
    assert load_model(str(tmp_path / "v.safetensors")).vector_table().sha256 == SHA256
    torch.save(torch.tensor(VECTORS), tmp_path / "v.pt")
    assert load_model(str(tmp_path / "v.pt")).vector_table().sha256 == SHA256
    torch.save(torch.ones(3, 2), tmp_path / "v.pt")
    with pytest.raises(AdapterError, match=r"^genes.tsv names 12 genes, but v.pt has 3 rows"):
        load_model(str(tmp_path / "v.pt")).table()


def test_folders(tmp_path):
    zoo(tmp_path / "some-model")
    (tmp_path / "some-model" / "metadata.json").unlink()
    model = load_model(f"{tmp_path}/some-model")
    assert (model.model_id, model.vector_table().sha256) == ("some-model", SHA256)
    FRAME.to_csv(tmp_path / "some-model" / "second.csv")
    with pytest.raises(AdapterError, match=r"some-model has 2 files of vectors \(embeddings.npz, second.csv\); name"):
        load_model(f"{tmp_path}/some-model")
