"""What is wrong with an ESM-2 or its input is said in one line."""

import argparse
import json
import shutil
import sys
import types

import numpy as np
import pytest
import torch
from datasets import Dataset
from esm.data import Alphabet
from safetensors.torch import load_file, save_file

from model_adapters import AdapterError, embed, load_model
from model_adapters.sequence.protein import Esm2


def loaded(spec):
    model = load_model(spec)
    model.load("cpu")
    return model


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("esm2", r"^esm2 needs a model: esm2:SIZE \(8M, .*15B\), or pass a local folder: esm2:/path/to/folder$"),
        ("esm2:650m", r"^model 'facebook/esm2_t33_650M_UR50D' is neither .*: esm2:/path/to/folder$"),
        ("esm2:8M@v1", r"^model 'facebook/esm2_t6_8M_UR50D@v1' is neither "),
        ("esm2:650N", r"^esm2 has no size '650N'; did you mean '650M'\?; expected 8M, .* a Hub id \(org/name\)"),
        ("esm2:org/absent", r"^model 'org/absent' is neither a folder here nor in the Hub's local cache"),
        ("esm2:/no/folder", r"^'/no/folder' is neither a folder here nor a Hub id"),
        ("esm2:650N,backend=fair-esm", r"^fair-esm has no model '650N'; did you mean '650M'\?; expected one of 8M,"),
        ("esm2:/no/x.pt,backend=fair-esm", r"^/no/x.pt is not a file, expected a checkpoint of fair-esm"),
        ("esm2:8M,backend=fair", r"^esm2: backend is 'fair', expected transformers or fair-esm; did you mean"),
        ("esm2:8M,window=0", r"^esm2: window is 0, expected 1 or more$"),
        ("esm2:8M,window=2000", r"^esm2: window is 2000, but the model reads 1022 letters at once"),
        ("esm2:8M,stride=1023", r"^esm2: stride is 1023, but window is 1022;"),
        ("esm2:8M,pooling=max", r"^esm2 has no option 'pooling', expected backend="),
    ],
)
def test_models_that_are_not_there(spec, expected):
    with pytest.raises(AdapterError, match=expected) as caught:
        load_model(spec)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_without_its_backend(checkpoint, folder, tmp_path):
    with pytest.raises(AdapterError, match=r"^.*esm2_tiny.pt is a checkpoint of fair-esm; write .*,backend=fair-esm$"):
        load_model(f"esm2:{checkpoint}")
    with pytest.raises(AdapterError, match=r"esm2_tiny is not a file, expected a checkpoint of fair-esm"):
        load_model(f"esm2:{folder},backend=fair-esm")
    with pytest.raises(AdapterError, match=r"holds no model, expected config.json in it"):
        load_model(f"esm2:{tmp_path}")
    with pytest.raises(AdapterError, match=r"^esm2_tiny is not loaded; call load\(device\) first$"):
        Esm2(str(folder)).encode(["MK"])


def without(tensors, *ends):
    return {name: tensor for name, tensor in tensors.items() if not name.endswith(ends)}


def broken(folder, target, *, config=None, vocabulary=None, weights=None):
    """Copy a folder with some files changed; "" for the vocabulary leaves it out."""
    shutil.copytree(folder, target)
    if config:
        (target / "config.json").write_text(json.dumps({**json.loads((folder / "config.json").read_text()), **config}))
    if vocabulary is not None:
        (target / "vocab.txt").write_text(vocabulary)
        if not vocabulary:
            (target / "vocab.txt").unlink()
    if weights:
        weights(target / "model.safetensors")
    return target


def lose_a_layer(path):
    save_file(without(load_file(path), "layer.1.output.dense.weight"), path, metadata={"format": "pt"})


BROKEN = {
    "tensor": ({"weights": lose_a_layer}, r"weights lack 1 tensors of the model \(encoder.layer.1.output.dense.weight"),
    "no weights": (
        {"weights": lambda path: path.unlink()},
        r"could not be loaded on cpu: OSError: .*model.safetensors",
    ),
    "no vocabulary": ({"vocabulary": ""}, r"no vocab.txt can be read \(TypeError: .*; pass a folder that has it$"),
    "other vocabulary": (
        {"vocabulary": "<cls>\n<pad>\n<eos>\n<unk>\nAAA"},
        r"vocabulary has no token 'A'; pass a folder",
    ),
    "larger vocabulary": (
        {"vocabulary": "\n".join([*Alphabet.from_architecture("ESM-1b").all_toks, "J"])},
        r"its vocabulary has 34 tokens, but the weights 33; pass the files of one model",
    ),
    "other model": ({"config": {"model_type": "bert"}}, r"is of type 'bert', expected 'esm'; pass a folder of ESM-2"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_folders(folder, tmp_path, case):
    changes, expected = BROKEN[case]
    model = load_model(f"esm2:{broken(folder, tmp_path / 'esm2_broken', **changes)}")
    genes = Dataset.from_dict({"symbol": ["A"], "protein_sequence": ["MKT"]})
    with pytest.raises(AdapterError, match=r"^esm2_broken:? .*" + expected) as caught:
        embed(genes, model, device="cpu")
    assert "\n" not in str(caught.value)


def test_a_folder_without_what_no_vector_depends_on(folder, residues, tmp_path, proteins):
    def lose(path):
        save_file(without(load_file(path), "inv_freq", "regression.weight"), path, metadata={"format": "pt"})

    model = loaded(f"esm2:{broken(folder, tmp_path / 'esm2_less', weights=lose)}")
    expected = [residues(protein).mean(axis=0) for protein in proteins]
    np.testing.assert_allclose(model.encode(proteins), expected, rtol=0, atol=1e-5)


class Harmful:
    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda good: {**good, "extra": Harmful()}, r"cannot be read as tensors without running code \(Unpickling"),
        (lambda good: good["model"], r"is not a checkpoint of ESM-2, which has 'cfg' and 'model'"),
        (
            lambda good: {**good, "model": without(good["model"], "layers.1.fc1.bias")},
            r"the tensors are not those of ESM-2 \(RuntimeError: ",
        ),
        (lambda good: {**good, "cfg": {"model": argparse.Namespace()}}, r"not those of ESM-2 \(AttributeError: "),
    ],
)
def test_broken_checkpoints(content, tmp_path, change, expected, capfd):
    path = tmp_path / "esm2_odd.pt"
    torch.save(change(content), path)
    with pytest.raises(AdapterError, match=r"^esm2_odd.pt:? .*" + expected) as caught:
        load_model(f"esm2:{path},backend=fair-esm").load("cpu")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().out == ""


def test_another_package_called_esm(checkpoint, monkeypatch):
    for name in [name for name in sys.modules if name == "esm" or name.startswith("esm.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "esm", types.ModuleType("esm"))
    model = load_model(f"esm2:{checkpoint},backend=fair-esm")
    with pytest.raises(AdapterError, match=r"^backend=fair-esm needs the package fair-esm \(ImportError: .* leave the"):
        model.load("cpu")
