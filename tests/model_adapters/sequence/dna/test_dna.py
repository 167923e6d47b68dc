"""What DNA models give, against the library run on one sequence at a time."""

import pickle
from functools import cache

import numpy as np
import pytest
import torch
from datasets import Dataset
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from model_adapters import AdapterError, as_matrix, embed, load_model
from model_adapters.hub import quiet_loading


def bases(n, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


def loaded(spec):
    model = load_model(spec)
    model.load("cpu")
    return model


MODELS = {"nucleotide_transformer": "", "dnabert2": "", "causal": "", "mamba": "", "coded": ",trust_remote_code=yes"}


@pytest.fixture(params=MODELS)
def spec(request):
    return f"dna:{request.getfixturevalue(request.param)}{MODELS[request.param]}"


@pytest.fixture
def sequences():
    return [bases(n, seed=n) for n in (7, 50, 1, 31, 30, 100, 2, 31)] + ["ACGTNNNA", "acgtnACGGT"]


@cache
def library(spec):
    """The model and the tokenizer by themselves."""
    folder, _, options = spec.removeprefix("dna:").partition(",")
    with quiet_loading():
        net = AutoModel.from_pretrained(folder, trust_remote_code="trust" in options, dtype=torch.float32)
        return net.eval(), AutoTokenizer.from_pretrained(folder, trust_remote_code="trust" in options)


def by_hand(spec, text, *, layer=-1):
    """(t, d) vectors of the tokens of one sequence, special ones left out, and of the first; no padding."""
    net, tokenizer = library(spec)
    ids = tokenizer(text.upper())["input_ids"]
    with torch.no_grad():
        if layer == -1:
            hidden = net(input_ids=torch.tensor([ids]))[0][0]
        else:
            hidden = net(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0]
    ends = {"[CLS]", "[SEP]", "<cls>"}
    kept = [i for i, token in enumerate(tokenizer.convert_ids_to_tokens(ids)) if token not in ends]
    assert len(kept) < len(ids)
    return hidden[kept].numpy(), hidden[0].numpy()


def test_mean_over_tokens_without_special_ones(spec, sequences):
    expected = [by_hand(spec, sequence)[0].mean(axis=0) for sequence in sequences]
    np.testing.assert_allclose(loaded(spec).encode(sequences), expected, rtol=0, atol=1e-5)
    assert np.std(expected, axis=0).min() > 0.01


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_batches_order_and_padding_do_not_matter(spec, sequences, pooling):
    model = loaded(f"{spec},window=40,stride=30,pooling={pooling}")
    alone = np.concatenate([model.encode([sequence]) for sequence in sequences])
    order = np.random.default_rng(1).permutation(len(sequences))
    for budget in (20, 60, 10**6):
        model._batches.budget = budget
        np.testing.assert_allclose(model.encode(sequences), alone, rtol=0, atol=1e-5)
        shuffled = model.encode([sequences[i] for i in order])
        np.testing.assert_allclose(shuffled, alone[order], rtol=0, atol=1e-5)


def test_long_sequences_are_read_in_windows_and_each_base_counts_once(spec):
    text = bases(24, seed=3)
    windows = [by_hand(spec, text[start : start + 10])[0] for start in (0, 10, 14)]
    means, tops = [w.mean(axis=0) for w in windows], [w.max(axis=0) for w in windows]
    # The last window is drawn back to the end: its first six bases stand in two windows, half in each.
    expected = (10 * means[0] + (4 + 6 / 2) * means[1] + (4 + 6 / 2) * means[2]) / 24
    found = loaded(f"{spec},window=10").encode([text])
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-5)
    found = loaded(f"{spec},window=10,pooling=max").encode([text])
    np.testing.assert_allclose(found[0], np.max(tops, axis=0), rtol=0, atol=1e-5)
    starts = (0, 7, 14)
    means = [by_hand(spec, text[start : start + 10])[0].mean(axis=0) for start in starts]
    found = loaded(f"{spec},window=10,stride=7").encode([text])
    expected = (8.5 * means[0] + 7 * means[1] + 8.5 * means[2]) / 24
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-5)


def test_blocks_of_windows_do_not_matter(causal, monkeypatch):
    texts = [bases(95, seed=5), bases(33, seed=6)]
    whole = loaded(f"dna:{causal},window=10,stride=5").encode(texts)
    monkeypatch.setattr("model_adapters.sequence.dna.model.WINDOWS_AT_ONCE", 4)
    parts = loaded(f"dna:{causal},window=10,stride=5").encode(texts)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-5)


def test_first_token_and_maximum(nucleotide_transformer, dnabert2, sequences):
    for folder in (nucleotide_transformer, dnabert2):
        hands = [by_hand(f"dna:{folder}", sequence) for sequence in sequences]
        found = loaded(f"dna:{folder},pooling=cls").encode(sequences)
        np.testing.assert_allclose(found, [first for _, first in hands], rtol=0, atol=1e-5)
        found = loaded(f"dna:{folder},pooling=max").encode(sequences)
        np.testing.assert_allclose(found, [tokens.max(axis=0) for tokens, _ in hands], rtol=0, atol=1e-5)


def test_layers(nucleotide_transformer, causal, sequences):
    for folder, last in ((nucleotide_transformer, 3), (causal, 2)):
        spec = f"dna:{folder}"
        output = loaded(spec).encode(sequences)
        for layer in (0, 1, -2):
            found = loaded(f"{spec},layer={layer}").encode(sequences)
            expected = [by_hand(spec, sequence, layer=layer)[0].mean(axis=0) for sequence in sequences]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
            assert np.abs(found - output).max() > 0.01
        np.testing.assert_allclose(loaded(f"{spec},layer={last}").encode(sequences), output, rtol=0, atol=1e-5)
        with pytest.raises(AdapterError, match=rf"tiny has layers 0 to {last}, but layer is {last + 1}$"):
            loaded(f"{spec},layer={last + 1}").encode(sequences)


def test_several_sequences_of_a_gene_are_averaged(dnabert2):
    model = loaded(f"dna:{dnabert2}")
    one, two, both = model.encode([bases(20), bases(50, 1), [bases(20), bases(50, 1)]])
    np.testing.assert_allclose(both, (one + two) / 2, rtol=0, atol=1e-5)


def test_gene_table(dnabert2, capfd):
    genes = Dataset.from_dict({"symbol": ["A", "NONE", "B"], "dna_sequence": [bases(9), None, bases(30).lower()]})
    symbols, vectors = as_matrix(embed(genes, load_model(f"dna:{dnabert2}"), device="cpu"))
    assert symbols == ["A", "B"]
    expected = [by_hand(f"dna:{dnabert2}", bases(n))[0].mean(axis=0) for n in (9, 30)]
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)
    assert capfd.readouterr().out == ""


def test_unknown_bases_alone_have_a_vector(spec):
    assert np.isfinite(loaded(spec).encode(["NNNN", "A"])).all()


def test_every_choice_is_recorded(dnabert2):
    model = load_model(f"dna:{dnabert2},window=500,stride=250,pooling=cls,layer=-2,dtype=bfloat16")
    assert model.options == {
        "window": 500,
        "stride": 250,
        "pooling": "cls",
        "layer": -2,
        "dtype": "bfloat16",
        "trust_remote_code": False,
    }
    assert model.model_id == "dnabert2-tiny:window=500,stride=250,pooling=cls,layer=-2,dtype=bfloat16"
    plain = load_model(f"dna:{dnabert2}")
    assert (plain.model_id, plain.adapter, plain.input_column) == ("dnabert2-tiny", "dna", "dna_sequence")
    assert (plain.options["window"], plain.options["stride"]) == (1000, 1000)
    assert load_model(f"dna:{dnabert2},window=500").model_id == "dnabert2-tiny:window=500"
    assert plain.revision.startswith("sha256:")
    plain.load("cpu")
    assert pickle.loads(pickle.dumps(plain))._net is None


def test_a_model_with_a_configuration_of_its_own(coded_bert, sequences):
    with pytest.raises(
        AdapterError, match=r"^coded-bert comes with code of its own; if you trust it, add trust_remote"
    ):
        loaded(f"dna:{coded_bert}")
    tensors = load_file(coded_bert / "model.safetensors")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(coded_bert)
    expected = []
    for sequence in sequences:
        ids = torch.tensor(tokenizer(sequence.upper())["input_ids"])
        tokens = tensors["bert.tokens.weight"][ids]
        hidden = torch.tanh(tokens @ tensors["bert.Wqkv.weight"].T + tensors["bert.Wqkv.bias"] + tokens.mean(dim=0))
        expected.append(hidden[1:-1].mean(dim=0).numpy())
    found = loaded(f"dna:{coded_bert},trust_remote_code=yes").encode(sequences)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.real_data
def test_real_promoters(raw_dir, nucleotide_transformer):
    path = next((raw_dir / "gue").rglob("prom_core_all/test.csv"))
    real = [line.split(",")[0] for line in path.read_text().splitlines()[1:41]]
    assert {len(sequence) for sequence in real} == {70}
    spec = f"dna:{nucleotide_transformer}"
    expected = [by_hand(spec, sequence)[0].mean(axis=0) for sequence in real[:5]]
    vectors = loaded(spec).encode(real)
    np.testing.assert_allclose(vectors[:5], expected, rtol=0, atol=1e-5)
    assert len(np.unique(vectors.round(4), axis=0)) == len(set(real))


def test_a_layer_that_is_to_be_chosen_is_a_layer_once_it_is(nucleotide_transformer):
    model = load_model(f"dna:{nucleotide_transformer},layer=select")
    assert model.selects_layer
    assert model.layers()[-1] == -1
    model.load("cpu")
    with pytest.raises(AdapterError, match="layer=select is chosen by the labels of a task"):
        model.encode(["ACGTACGT"])
    for layer in model.layers():
        chosen, direct = model.with_layer(layer), load_model(f"dna:{nucleotide_transformer},layer={layer}")
        assert not chosen.selects_layer
        assert chosen.options == direct.options
        for each in (chosen, direct):
            each.load("cpu")
        np.testing.assert_array_equal(chosen.encode(["ACGTACGT"]), direct.encode(["ACGTACGT"]))
