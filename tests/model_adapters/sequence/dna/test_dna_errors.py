"""What is wrong with a DNA model or its input is said in one line."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from model_adapters import AdapterError, embed, load_model
from model_adapters.sequence.dna.model import DnaModel
from model_adapters.sequence.dna.reading import Reading


def bases(n, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


def loaded(spec):
    model = load_model(spec)
    model.load("cpu")
    return model


def copy(folder, target):
    return Path(shutil.copytree(folder, target))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("dna", r"^dna needs a model: dna:<name or Hub id>, or pass a local folder: dna:/path/to/folder$"),
        ("dna:org/absent", r"^model 'org/absent' is neither a folder .* pass a local folder: dna:/path/to/folder$"),
        ("dna:org/absent@v2,window=9", r"^model 'org/absent@v2' is neither"),
        ("dna:/no/folder", r"^'/no/folder' is neither a folder here nor a Hub id"),
        (
            "dna:org/x,pooling=men",
            r"^dna: pooling is 'men', expected mean or cls or max or last; did you mean 'mean'\?$",
        ),
        ("dna:org/x,window=9,stride=10", r"^dna: stride is 10, but window is 9; the letters between"),
        ("dna:org/x,windw=9", r"^dna has no option 'windw', .*did you mean 'window'\?$"),
        ("dna:org/x,layer=last", r"^dna: layer is 'last', expected a whole number$"),
    ],
)
def test_models_that_are_not_there(spec, expected):
    with pytest.raises(AdapterError, match=expected) as caught:
        load_model(spec)
    assert "\n" not in str(caught.value)


def test_models_that_do_not_fit(dnabert2, causal, nucleotide_transformer, tmp_path):
    genes = Dataset.from_dict({"symbol": ["A", "LONG"], "dna_sequence": ["ACGT", bases(300)]})
    expected = (
        r"^nt-tiny: gene LONG: 300 bases of dna_sequence are 101 tokens, and the model takes 60; give window=178 or"
    )
    with pytest.raises(AdapterError, match=expected):
        embed(genes, load_model(f"dna:{nucleotide_transformer}"), device="cpu")
    embed(genes, load_model(f"dna:{nucleotide_transformer},window=177"), device="cpu")
    with pytest.raises(AdapterError, match=r"^gpt-tiny: its tokenizer puts no special token first, so pooling=cls"):
        loaded(f"dna:{causal},pooling=cls").encode(["ACGT"])
    less = copy(dnabert2, tmp_path / "less")
    tensors = load_file(less / "model.safetensors")
    del tensors["bert.encoder.layer.1.output.dense.weight"]
    save_file(tensors, less / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(AdapterError, match=r"^less: .*encoder.layer.1.output.den"):
        loaded(f"dna:{less}")
    mixed = copy(causal, tmp_path / "mixed")
    (mixed / "tokenizer.json").write_bytes((dnabert2 / "tokenizer.json").read_bytes())
    with pytest.raises(AdapterError, match=r"^mixed: its tokenizer gives the token \d+, but the weights have 12; pass"):
        loaded(f"dna:{mixed}").encode([bases(50)])
    with pytest.raises(AdapterError, match=r"^dnabert2-tiny:window=9 is not loaded; call load\(device\) first$"):
        DnaModel(str(dnabert2), reading=Reading(window=9)).encode(["A"])


def test_a_tokenizer_that_knows_no_dna(dnabert2, tmp_path):
    words = copy(dnabert2, tmp_path / "words")
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "gene": 1}, unk_token="[UNK]"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]").save_pretrained(words)
    with pytest.raises(AdapterError, match=r"^words: its tokenizer knows no part of ACGT...; pass a model of DNA$"):
        loaded(f"dna:{words}").encode(["ACGT"])


def test_without_weights_or_tokenizer(dnabert2, tmp_path):
    genes = Dataset.from_dict({"symbol": ["A"], "dna_sequence": ["ACGT"]})
    for name in ("model.safetensors", "tokenizer.json"):
        less = copy(dnabert2, tmp_path / f"no-{name}")
        (less / name).unlink()
        with pytest.raises(AdapterError, match=rf"^{less.name}: could not be loaded on cpu: ") as caught:
            embed(genes, load_model(f"dna:{less}"), device="cpu")
        assert "\n" not in str(caught.value)


def test_an_illegal_letter_names_gene_letter_and_place(dnabert2):
    genes = Dataset.from_dict({"symbol": ["A", "RNA1"], "dna_sequence": ["ACGT", "ACUGN"]})
    expected = r"^dnabert2-tiny: gene RNA1: dna_sequence has 'U' at position 3, expected A, C, G, T, or N"
    with pytest.raises(AdapterError, match=expected):
        embed(genes, load_model(f"dna:{dnabert2}"), device="cpu")


def test_code_runs_only_when_asked(coded, capfd):
    with pytest.raises(AdapterError, match=r"^conv-tiny comes with code of its own; if you trust it, add trust_remote"):
        loaded(f"dna:{coded}")
    model = loaded(f"dna:{coded},trust_remote_code=yes")
    assert model.options["trust_remote_code"] is True
    assert model.model_id == "conv-tiny:trust_remote_code=yes"
    with pytest.raises(AdapterError, match=r"^conv-tiny .*layers"):
        loaded(f"dna:{coded},trust_remote_code=yes,layer=1").encode(["ACGT"])
    assert capfd.readouterr() == ("", "")
