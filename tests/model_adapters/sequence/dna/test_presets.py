"""DNA models by name, and how they are read where that is no plain mean of the given strand."""

import pickle

import numpy as np
import pytest
import torch

from model_adapters import AdapterError, load_model
from model_adapters.hub import ModelFiles
from model_adapters.sequence.dna import model as dna
from model_adapters.sequence.dna.presets import NOT_LOADED, PRESETS
from model_adapters.sequence.dna.reading import Reading
from tests.model_adapters.sequence.dna.test_dna import by_hand, loaded


def bases(n, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


@pytest.fixture
def found(monkeypatch):
    """What would be looked for on the Hub."""
    asked = []

    def find(name, *, revision, local_form):
        asked.append((name, revision))
        return ModelFiles(name, revision, name, revision or "main")

    monkeypatch.setattr(dna, "find_model", find)
    return asked


def test_the_forty_models_are_presets_or_say_why_not():
    assert (len(PRESETS), len(NOT_LOADED)) == (30, 10)
    assert len({preset.hub_id for preset in PRESETS}) == 30
    for preset in PRESETS:
        assert len(preset.revision) == 40
        assert preset.reading.window % dna_letters(preset.tokens) == 0


def dna_letters(tokens):
    return {"6-mers": 6, "3-mers": 3}.get(tokens, 1)


def test_a_name_is_a_pinned_model_and_its_window(found):
    model = load_model("dna:NT-v2-50M-3mer-MS,layer=4,trust_remote_code=yes")
    revision = "ff82eaf931e483feeb6bf7ecf03f1febe6b2fe76"
    assert found == [("InstaDeepAI/nucleotide-transformer-v2-50m-3mer-multi-species", revision)]
    assert model.reading == Reading(window=(2048 - 2) * 3, layer=4, trust_remote_code=True)
    assert model.model_id.startswith("InstaDeepAI/nucleotide-transformer-v2-50m-3mer-multi-species:window=6138,")
    load_model("dna:dnabert-2@main,window=512")
    assert found[1] == ("zhihan1996/DNABERT-2-117M", "main")
    assert load_model("dna:generator-eukaryote-3b").reading.multiple == 6
    assert load_model("dna:org/other").reading == Reading()


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            "dna:janusdna-72-w",
            r"^dna:janusdna-72-w: transformers does not load JanusDNA-72-w: its weights are at Harvard",
        ),
        ("dna:dnabert2", r"^dna has no model 'dnabert2'; did you mean 'dnabert-2'\?$"),
        ("dna:grover,window=off,stride=9", r"^dna: stride is 9, but window is off; leave one of them out$"),
        ("dna:grover,window=of", r"^dna: window is 'of', expected a whole number$"),
        ("dna:grover,strands=two", r"^dna: strands is 'two', expected given or both"),
    ],
)
def test_names_and_options_that_are_none(found, spec, expected):
    with pytest.raises(AdapterError, match=expected):
        load_model(spec)


def test_both_strands_are_averaged(mamba):
    text, other = "ACCGTTNA", "TNAACGGT"
    one, two = loaded(f"dna:{mamba}").encode([text, other])
    model = loaded(f"dna:{mamba},strands=both")
    both = model.encode([text, other])
    np.testing.assert_allclose(both, np.tile((one + two) / 2, (2, 1)), rtol=0, atol=1e-6)
    assert np.abs(one - two).max() > 0.01
    assert (model.options["strands"], model.model_id) == ("both", f"{mamba.name}:strands=both")
    assert "strands" not in loaded(f"dna:{mamba}").options
    assert pickle.loads(pickle.dumps(model)).model_id == model.model_id


def test_last_token(causal):
    texts = [bases(n) for n in (5, 31, 12)]
    # The tokenizer ends with a special token, which is not the last one meant.
    expected = [by_hand(f"dna:{causal}", text)[0][-1] for text in texts]
    np.testing.assert_allclose(loaded(f"dna:{causal},pooling=last").encode(texts), expected, rtol=0, atol=1e-5)


def test_without_windows_a_sequence_is_read_whole_or_refused(causal):
    model = loaded(f"dna:{causal},window=off")
    whole = loaded(f"dna:{causal},window=127").encode([bases(127)])
    np.testing.assert_allclose(model.encode([bases(127)]), whole, rtol=0, atol=1e-6)
    assert (model.options["window"], model.model_id) == ("off", "gpt-tiny:window=off")
    with pytest.raises(
        AdapterError, match=r"^300 bases of dna_sequence are 301 tokens, and the model takes 128; give win"
    ):
        model.encode([bases(300)])


def test_rest_of_a_window_is_left_out_where_tokens_have_one_length(causal):
    model = dna.DnaModel(str(causal), reading=Reading(window=12, multiple=6))
    model.load("cpu")
    texts = [bases(11), bases(4), bases(12)]
    plain = loaded(f"dna:{causal}")
    np.testing.assert_allclose(model.encode(texts), plain.encode([texts[0][:6], *texts[1:]]), rtol=0, atol=1e-6)


def test_layers_of_code_that_has_a_language_model_only(coded_masked):
    spec = f"dna:{coded_masked},trust_remote_code=yes"
    texts = [bases(n, n) for n in (4, 9, 30)]
    net = loaded(spec)._net._model
    assert type(net).__name__ == "TinyForMaskedLM"
    table = net.embed.weight.detach().numpy()
    # Tokens of the tokenizer: A, C, G and T are 7 to 10.
    tokens = [[7 + "ACGT".index(base) for base in text] for text in texts]
    np.testing.assert_allclose(loaded(spec).encode(texts), [np.tanh(table[ids]).mean(0) for ids in tokens], atol=1e-5)
    np.testing.assert_allclose(
        loaded(f"{spec},layer=0").encode(texts), [table[ids].mean(0) for ids in tokens], rtol=0, atol=1e-5
    )
    assert not torch.is_grad_enabled() or net.training is False
