import hashlib

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from model_adapters import AdapterError, EmbeddingTable, as_matrix, embed, embed_table, from_object, load_model

NAMES = ["TP53", "NA", "nan"]
VECTORS = np.array([[0.5, -1.0], [2.0, 1e-3], [3.25, 4.0]], dtype=np.float32)


class Varm:
    """What is read of an AnnData, which cannot be installed beside pandas 3."""

    obs_names = pd.Index(["c1"])
    var_names = pd.Index(NAMES)
    obsm: dict[str, np.ndarray] = {}
    var = pd.DataFrame({"highly_variable": [True] * 3}, index=NAMES)

    def __init__(self, **varm):
        self.varm = varm


class Polars:
    """What is read of a polars frame."""

    def __init__(self, table):
        self.columns, self._table = table.column_names, table

    def to_arrow(self):
        return self._table


FRAME = pd.DataFrame(VECTORS, index=NAMES, columns=["a", "b"])
ARROW = Dataset.from_pandas(FRAME.assign(symbol=NAMES), preserve_index=False).with_format("arrow")
OBJECTS = {
    "frame": FRAME,
    "frame with a column": FRAME.assign(symbol=NAMES).reset_index(drop=True),
    "polars": Polars(ARROW[:]),
    "dict of lists": dict(zip(NAMES, VECTORS.tolist(), strict=True)),
    "dict of arrays": dict(zip(NAMES, VECTORS, strict=True)),
    "AnnData": Varm(embedding=VECTORS),
    "dataset of lists": Dataset.from_dict({"symbol": NAMES, "embedding": VECTORS.tolist()}),
    "dataset of columns": Dataset.from_pandas(FRAME.assign(symbol=NAMES), preserve_index=False),
    "pair": (np.array(NAMES), VECTORS),
    "table": EmbeddingTable(NAMES, VECTORS),
}
SHA256 = EmbeddingTable(NAMES, VECTORS).sha256


@pytest.mark.parametrize("form", OBJECTS)
def test_every_form_gives_the_same_table(form):
    model = from_object(OBJECTS[form], name="mine")
    assert (model.model_id, model.adapter) == ("mine", "memory")
    assert model.vector_table().sha256 == SHA256
    assert model.revision.startswith("sha256:")
    assert as_matrix(load_model(OBJECTS[form]).table())[0] == NAMES


def test_embed_and_embed_table_take_it(genes):
    model = from_object(FRAME)
    assert model.model_id == "vectors"
    assert embed_table(genes, model) is model.vector_table()
    assert embed(genes, model) is model.table()


def test_identifiers_resolve():
    model = from_object({"p53": [1.0], "nobody": [2.0]}, resolve=lambda names: ["TP53", None])
    assert model.table()[:] == {"symbol": ["TP53"], "embedding": [[1.0]]}
    assert model.unresolved == ("nobody",)


class Length:
    input_column = "name"

    def __init__(self, unit=1.0):
        self.unit = unit

    def encode(self, batch):
        return np.array([[len(name) * self.unit] for name in batch])


def test_an_object_with_encode(genes):
    model = from_object(Length())
    assert (model.model_id, model.adapter, model.revision) == ("Length", "user", None)
    assert embed_table(genes, model).matrix[:, 0].tolist() == [len(name) for name in genes["name"]]
    named = from_object(Length(), name="n")
    assert named.model_id == "n"
    assert named.__reduce__()[0](*named.__reduce__()[1]).model_id == "n"
    with pytest.raises(AdapterError, match=r"^Bare.input_column is None, expected a non-empty string; set it on the"):
        from_object(type("Bare", (), {"encode": print})())


def test_strings_and_paths_are_models_too(tmp_path):
    FRAME.assign(symbol=NAMES).to_csv(tmp_path / "v.csv", index=False)
    assert from_object(tmp_path / "v.csv", name="mine").model_id == "mine"
    assert from_object("random:seed=3").model_id == "random:seed=3"
    content = (tmp_path / "v.csv").read_bytes()
    assert load_model(tmp_path / "v.csv").revision == f"sha256:{hashlib.sha256(content).hexdigest()}"


BAD = {
    "number": (5, r"^vectors: a int is not a model, expected a MODEL string, a path, "),
    "class": (Length, r"^vectors: a type is not a model"),
    "masked": ((NAMES, np.ma.masked_array(VECTORS, VECTORS > 3)), r"^vectors: a masked array; expected plain numbers"),
    "complex": ((NAMES, VECTORS.astype(complex)), r"^vectors holds complex128 of shape \(3, 2\), expected numbers of"),
    "bool": ((NAMES, VECTORS > 0), r"^vectors holds bool of shape \(3, 2\), expected numbers of shape"),
    "too many names": (
        ([*NAMES, "A"], VECTORS),
        r"^identifiers names 4 genes, but vectors has 3 rows; expected one",
    ),
    "empty dict": ({}, r"^vectors: an empty dictionary; expected gene -> list of numbers, or"),
    "dict of words": ({"A": "x"}, r"^vectors: no list of numbers for A but a str; expected gene -> list"),
    "two arrays": (Varm(a=VECTORS, b=VECTORS), r"^vectors: the AnnData has varm\['a'\], varm\['b'\] "),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_model(case):
    obj, expected = BAD[case]
    with pytest.raises(AdapterError, match=expected) as caught:
        from_object(obj).table()
    assert "\n" not in str(caught.value)


def test_a_frame_without_identifiers_says_what_to_do():
    with pytest.raises(AdapterError, match=r"no column of gene identifiers, .* a, b; .*frame.set_index\(COLUMN\)$"):
        from_object(FRAME.reset_index(drop=True))


def test_bad_names():
    with pytest.raises(AdapterError, match=r"^name is '', expected a non-empty string of printable characters$"):
        from_object(FRAME, name="")
