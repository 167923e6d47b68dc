import hashlib
import json
import pickle
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from builders import SymbolResolver
from builders.readers.pickles import load_plain
from model_adapters import AdapterError, as_matrix, load_model

ENSEMBL = {"ENSG00000141510": "TP53", "ENSG00000254647": "INS", "ENSG00000136997": "MYC"}
TOKENS = {"<pad>": 0, "<mask>": 1, "ENSG00000141510": 2, "ENSG00000254647": 3, "ENSG00000136997": 4}
WEIGHTS = torch.arange(12, dtype=torch.float32).reshape(6, 2) / 8


def resolve(names):
    return [ENSEMBL.get(name, name if name in ENSEMBL.values() else None) for name in names]


def vectors_of(model):
    symbols, vectors = as_matrix(model.table())
    return dict(zip(symbols, vectors.tolist(), strict=True))


@pytest.fixture
def geneformer(tmp_path):
    """A folder in the layout of ctheodoris/Geneformer: weights above, dictionary in geneformer/."""
    folder = tmp_path / "Geneformer-V0"
    (folder / "geneformer").mkdir(parents=True)
    state = {"bert.embeddings.word_embeddings.weight": WEIGHTS, "bert.embeddings.position_embeddings.weight": WEIGHTS}
    state["bert.embeddings.word_embeddings.weight"] = WEIGHTS[: len(TOKENS)]
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "geneformer" / "token_dictionary.pkl").write_bytes(pickle.dumps(TOKENS))
    return folder


@pytest.fixture
def scgpt(tmp_path):
    folder = tmp_path / "blood"
    folder.mkdir()
    torch.save({"encoder.embedding.weight": WEIGHTS, "encoder.enc_norm.weight": WEIGHTS[0]}, folder / "best_model.pt")
    (folder / "vocab.json").write_text(json.dumps({"MYC": 4, "TP53": 1, "<cls>": 0, "INS": 5, "<pad>": 2, "<eoc>": 3}))
    return folder


@pytest.fixture
def cellplm(tmp_path):
    state = {"embedder.feat_enc.emb": WEIGHTS[:3], "head.weight": WEIGHTS}
    torch.save({"epoch": 3, "model_state_dict": state}, tmp_path / "20230926_85M.best.ckpt")
    (tmp_path / "20230926_85M.config.json").write_text(json.dumps({"enc_hid": 2, "gene_list": list(ENSEMBL)}))
    return tmp_path / "20230926_85M.best.ckpt"


EXPECTED = {"TP53": [0.5, 0.625], "INS": [0.75, 0.875], "MYC": [1.0, 1.125]}


def test_geneformer(geneformer):
    model = load_model(f"geneformer:{geneformer}", resolve=resolve)
    assert vectors_of(model) == EXPECTED
    assert (model.model_id, model.adapter, model.options) == ("Geneformer-V0", "geneformer", {"resolved": True})
    assert (model.audit["special tokens"], model.unresolved) == (2, ())
    parts = ["pytorch_model.bin", "geneformer/token_dictionary.pkl"]
    hashes = " ".join("sha256:" + hashlib.sha256((geneformer / part).read_bytes()).hexdigest() for part in parts)
    assert model.revision == "sha256:" + hashlib.sha256(hashes.encode()).hexdigest()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_geneformer_safetensors_of_any_float(geneformer, dtype):
    save_file({"embeddings.word_embeddings.weight": WEIGHTS[:5].to(dtype)}, geneformer / "model.safetensors")
    (geneformer / "pytorch_model.bin").unlink()
    assert vectors_of(load_model(f"geneformer:{geneformer}", resolve=resolve)) == EXPECTED


def test_geneformer_without_a_resolver_takes_the_names_of_its_own_dictionary(geneformer):
    assert set(vectors_of(load_model(f"geneformer:{geneformer}"))) == set(ENSEMBL)
    names = {"TP53": "ENSG00000141510", "P53": "ENSG00000141510", "MYC": "ENSG00000136997"}
    (geneformer / "geneformer" / "gene_name_id_dict.pkl").write_bytes(pickle.dumps(names))
    model = load_model(f"geneformer:{geneformer}")
    assert vectors_of(model) == {"ENSG00000254647": EXPECTED["INS"], "TP53": EXPECTED["TP53"], "MYC": EXPECTED["MYC"]}


def test_an_unknown_id_is_found_by_name_unless_another_id_is_that_gene(geneformer):
    tokens = {"<pad>": 0, "<mask>": 1, "ENSG00000141510": 2, "ENSG99999999991": 3, "ENSG99999999992": 4}
    names = {"TP53": "ENSG99999999991", "MYC": "ENSG99999999992"}
    (geneformer / "geneformer" / "token_dictionary.pkl").write_bytes(pickle.dumps(tokens))
    (geneformer / "geneformer" / "gene_name_id_dict.pkl").write_bytes(pickle.dumps(names))
    model = load_model(f"geneformer:{geneformer}", resolve=resolve)
    assert vectors_of(model) == {"TP53": EXPECTED["TP53"], "MYC": EXPECTED["MYC"]}
    assert model.unresolved == ("ENSG99999999991",)


def test_geneformer_with_several_dictionaries(geneformer, tmp_path):
    source = geneformer / "geneformer" / "token_dictionary.pkl"
    shutil.copy(source, geneformer / "geneformer" / "token_dictionary_gc95M.pkl")
    with pytest.raises(AdapterError, match=r"token_dictionary.pkl, token_dictionary_gc95M.pkl"):
        load_model(f"geneformer:{geneformer}")
    model = load_model(f"geneformer:{geneformer},dictionary={source}", resolve=resolve)
    assert (vectors_of(model), model.model_id, model.options) == (EXPECTED, "Geneformer-V0", {"resolved": True})


def test_scgpt(scgpt):
    model = load_model(f"scgpt:{scgpt}", resolve=resolve)
    assert vectors_of(model) == {"MYC": [1.0, 1.125], "TP53": [0.25, 0.375], "INS": [1.25, 1.375]}
    assert (model.model_id, model.adapter) == ("scgpt:blood", "scgpt")


@pytest.mark.parametrize("prefix", ["module.", "model."])
def test_a_prefix_of_the_training_code_does_not_matter(scgpt, prefix):
    torch.save({f"{prefix}encoder.embedding.weight": WEIGHTS}, scgpt / "best_model.pt")
    assert vectors_of(load_model(f"scgpt:{scgpt}"))["TP53"] == [0.25, 0.375]


def test_files_of_old_torch_are_read(scgpt):
    state = {"encoder.embedding.weight": WEIGHTS}
    torch.save(state, scgpt / "best_model.pt", _use_new_zipfile_serialization=False)
    assert vectors_of(load_model(f"scgpt:{scgpt}"))["TP53"] == [0.25, 0.375]


def test_cellplm(cellplm, tmp_path):
    model = load_model(f"cellplm:{cellplm}", resolve=resolve)
    assert vectors_of(model) == {"TP53": [0.0, 0.125], "INS": [0.25, 0.375], "MYC": [0.5, 0.625]}
    assert model.model_id == "cellplm:20230926_85M"
    (tmp_path / "plain").mkdir()
    renamed = shutil.copy(cellplm, tmp_path / "plain" / "best.ckpt")
    shutil.copy(tmp_path / "20230926_85M.config.json", tmp_path / "plain" / "config.json")
    assert vectors_of(load_model(f"cellplm:{renamed}", resolve=resolve))["MYC"] == [0.5, 0.625]


@pytest.mark.parametrize("first", ["", "2 2\n"])
def test_gene2vec(tmp_path, first):
    path = tmp_path / "gene2vec_dim_200_iter_9_w2v.txt"
    path.write_text(first + "TP53 0.5 -1\nMYC 2 1e-3 \n")
    model = load_model(f"gene2vec:{path}", resolve=resolve)
    assert vectors_of(model) == {"TP53": [0.5, -1.0], "MYC": [2.0, float(np.float32(1e-3))]}
    assert (model.model_id, model.adapter) == ("gene2vec_dim_200_iter_9_w2v", "gene2vec")


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")  # noqa: PTH123


@pytest.mark.parametrize("new_format", [True, False])
def test_code_in_a_checkpoint_is_not_run(scgpt, tmp_path, new_format):
    state = {"encoder.embedding.weight": WEIGHTS, "args": Evil(tmp_path / "ran")}
    torch.save(state, scgpt / "best_model.pt", _use_new_zipfile_serialization=new_format)
    expected = r"best_model.pt holds more than weights: .*open, which could run code; nothing was run, fetch the file"
    with pytest.raises(AdapterError, match=expected) as caught:
        load_model(f"scgpt:{scgpt}").table()
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_files_that_are_missing(geneformer, scgpt, cellplm, tmp_path):
    (geneformer / "geneformer" / "token_dictionary.pkl").unlink()
    (scgpt / "vocab.json").unlink()
    (tmp_path / "20230926_85M.config.json").unlink()
    for spec, expected in [
        (f"geneformer:{geneformer}", r"^geneformer: no token_dictionary\*.pkl in .*Geneformer-V0; get both files"),
        (f"geneformer:{geneformer}/geneformer", r"^geneformer: no model.safetensors or pytorch_model.bin in "),
        (f"geneformer:{tmp_path}/Geneformer-V1", r"^no folder .*/Geneformer-V1; did you mean 'Geneformer-V0'\?"),
        (f"scgpt:{scgpt}", r"^scgpt: no vocab.json in .*blood, it has best_model.pt; get both files from the mod"),
        (f"scgpt:{tmp_path}", r"^scgpt: no best_model.pt or model.safetensors in "),
        (f"cellplm:{cellplm}", r"^cellplm: no 20230926_85M.config.json or config.json in .*; get NAME.best.ckpt and"),
        (f"cellplm:{cellplm}2", r"^no file .*, expected cellplm:FILE.*; did you mean '20230926_85M.best.ckpt'\?$"),
        ("gene2vec:/absent/v.txt", r"^no file /absent/v.txt, expected gene2vec:FILE.*: there is no folder /absent$"),
        ("scgpt:", r"^scgpt needs its files: scgpt:FOLDER"),
    ]:
        with pytest.raises(AdapterError, match=expected) as caught:
            load_model(spec)
        assert "\n" not in str(caught.value)


def test_a_vocabulary_that_does_not_fit(geneformer, scgpt, cellplm):
    (scgpt / "vocab.json").write_text(json.dumps({"TP53": 1, "MYC": 6}))
    expected = r"^vocab.json is larger than the embedding: MYC is token 6, but encoder.embedding.weight .* has 6 rows"
    with pytest.raises(AdapterError, match=expected):
        load_model(f"scgpt:{scgpt}").table()
    (scgpt / "vocab.json").write_text(json.dumps({"TP53": "1"}))
    with pytest.raises(AdapterError, match=r"vocab.json: the token of TP53 is '1', expected a row number"):
        load_model(f"scgpt:{scgpt}").table()
    (scgpt / "vocab.json").write_text("[1, 2]")
    with pytest.raises(AdapterError, match=r"vocab.json .*list.*dictionary"):
        load_model(f"scgpt:{scgpt}").table()
    config = cellplm.with_name("20230926_85M.config.json")
    config.write_text(json.dumps({"gene_list": ["ENSG00000141510"] * 4}))
    with pytest.raises(AdapterError, match=r"^20230926_85M.config.json .*4 genes.* 3"):
        load_model(f"cellplm:{cellplm}").table()
    config.write_text(json.dumps({"gene_lists": []}))
    with pytest.raises(AdapterError, match=r"config.json has no list of names called gene_list"):
        load_model(f"cellplm:{cellplm}").table()
    unknown = {f"ENSG9999999999{i}": i for i in range(5)}
    (geneformer / "geneformer" / "token_dictionary.pkl").write_bytes(pickle.dumps(unknown))
    with pytest.raises(AdapterError, match=r"^Geneformer-V0: none of its 5 identifiers is a known gene \(ENSG9999999"):
        load_model(f"geneformer:{geneformer}", resolve=resolve).table()


def test_a_dictionary_of_another_model(geneformer, scgpt):
    fewer = {name: row for name, row in TOKENS.items() if name != "<mask>"}
    path = geneformer / "geneformer" / "token_dictionary.pkl"
    path.write_bytes(pickle.dumps(fewer))
    expected = (
        r"^token_dictionary.pkl has 4 tokens, but embeddings.word_embeddings.weight in pytorch_model.bin has 5 rows; "
        r"take the dictionary that was published with these weights, or add strict=false if it is that one$"
    )
    with pytest.raises(AdapterError, match=expected):
        load_model(f"geneformer:{geneformer}").table()
    model = load_model(f"geneformer:{geneformer},strict=false", resolve=resolve)
    assert vectors_of(model) == EXPECTED
    assert (model.model_id, model.options["strict"]) == ("Geneformer-V0:strict=false", "false")
    (scgpt / "vocab.json").write_text(json.dumps({"TP53": 1, "MYC": 4}))
    with pytest.raises(AdapterError, match=r"^vocab.json has 2 tokens, but encoder.embedding.weight in best_model.pt"):
        load_model(f"scgpt:{scgpt}").table()
    assert set(vectors_of(load_model(f"scgpt:{scgpt},strict=false"))) == {"TP53", "MYC"}


def map_to_symbols(resolver, names):
    return resolver.resolve(names).symbols


@pytest.mark.real_data
def test_real_dictionaries(raw_dir, tmp_path):
    resolver = SymbolResolver.from_hgnc(raw_dir / "hgnc" / "hgnc_complete_set.txt")
    vocabulary = json.loads((raw_dir / "scgpt" / "vocab.json").read_text())
    weights = torch.arange(len(vocabulary), dtype=torch.float32).reshape(-1, 1).repeat(1, 2)
    shutil.copytree(raw_dir / "geneformer", tmp_path / "geneformer")
    (tmp_path / "geneformer").chmod(0o755)
    state = {"bert.embeddings.word_embeddings.weight": weights[:25426]}
    torch.save(state, tmp_path / "geneformer" / "pytorch_model.bin")
    shutil.copytree(raw_dir / "scgpt", tmp_path / "scgpt")
    (tmp_path / "scgpt").chmod(0o755)
    torch.save({"encoder.embedding.weight": weights}, tmp_path / "scgpt" / "best_model.pt")
    current = partial(map_to_symbols, resolver)
    vectors = vectors_of(load_model(f"geneformer:{tmp_path / 'geneformer'}", resolve=current))
    tokens = load_plain(raw_dir / "geneformer" / "token_dictionary.pkl")
    assert vectors["TP53"] == [float(tokens["ENSG00000141510"])] * 2
    assert len(vectors) == 21323
    vectors = vectors_of(load_model(f"scgpt:{tmp_path / 'scgpt'}", resolve=current))
    assert vectors["TP53"] == [float(vocabulary["TP53"])] * 2
    assert len(vectors) == 43106
