"""Tiny DNA models with random weights, in the layouts of Nucleotide Transformer, DNABERT-2, HyenaDNA and GPTs."""

import itertools
import json
import pickle
from functools import cache

import numpy as np
import pytest
import torch
from datasets import Dataset
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    EsmConfig,
    EsmForMaskedLM,
    EsmTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from model_adapters import AdapterError, as_matrix, embed, load_model
from model_adapters.dna import DnaModel, Reading
from model_adapters.hub import quiet_loading

DIM = 16
# A causal model of the Hub with code of its own, as HyenaDNA: a convolution, no attention mask, a tuple as output.
MODELING = """
import torch
from transformers import PreTrainedModel, PretrainedConfig

class ConvConfig(PretrainedConfig):
    model_type = "tiny_conv_dna"

    def __init__(self, vocab_size=16, d_model=16, **kwargs):
        self.vocab_size, self.d_model = vocab_size, d_model
        super().__init__(**kwargs)

class ConvModel(PreTrainedModel):
    config_class = ConvConfig

    def __init__(self, config):
        super().__init__(config)
        self.embed = torch.nn.Embedding(config.vocab_size, config.d_model)
        self.mix = torch.nn.Conv1d(config.d_model, config.d_model, 5)
        self.post_init()

    def forward(self, input_ids=None, output_hidden_states=None):
        first = self.embed(input_ids)
        # What follows a token must not change it, but what is mixed over the whole input does.
        last = self.mix(torch.nn.functional.pad(first.transpose(1, 2), (4, 0))).transpose(1, 2)
        return (last + last.mean(dim=1, keepdim=True),)
"""


# In DNABERT-2 the configuration is a class of the model's own, and the model belongs to that of transformers.
OWN_CONFIG = """
from transformers import BertConfig as Original

class BertConfig(Original):
    pass
"""
OWN_BERT = """
import torch
from transformers.models.bert.modeling_bert import BertPreTrainedModel

from .configuration_bert import BertConfig

class BertModel(BertPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.tokens = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.Wqkv = torch.nn.Linear(config.hidden_size, config.hidden_size)
        self.post_init()

    def forward(self, input_ids, attention_mask=None):
        counted = attention_mask.unsqueeze(-1)
        tokens = self.tokens(input_ids)
        # What padding would change if it were not masked.
        middle = (tokens * counted).sum(dim=1, keepdim=True) / counted.sum(dim=1, keepdim=True)
        return torch.tanh(self.Wqkv(tokens) + middle), middle[:, 0]
"""


def stirred(model):
    """Make norms and biases differ from 1 and 0, and the layers matter."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model.eval()


def copied(folder, target):
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def bases(n, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


@pytest.fixture(scope="module", autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def nucleotide_transformer(tmp_path_factory):
    """Tokens of 3 bases where there are 3 (of 6 in the published ones), else of one; no end token."""
    folder = tmp_path_factory.mktemp("hub") / "nt-tiny"
    words = ["".join(word) for word in itertools.product("ATCG", repeat=3)]
    vocabulary = ["<unk>", "<pad>", "<mask>", "<cls>", "<eos>", "<bos>", *words, *"ATCGN"]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    EsmTokenizer(str(folder / "vocab.txt"), eos_token=None, model_max_length=60).save_pretrained(folder)
    config = EsmConfig(
        vocab_size=len(vocabulary), hidden_size=DIM, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32
    )
    config.update({"pad_token_id": 1, "mask_token_id": 2, "max_position_embeddings": 62, "token_dropout": True})
    stirred(EsmForMaskedLM(config)).save_pretrained(folder)
    return folder


def save_fast_tokenizer(folder, tokenizer, **special):
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)


@pytest.fixture(scope="module")
def dnabert2(tmp_path_factory):
    """Byte pairs, [CLS] first and [SEP] last."""
    folder = tmp_path_factory.mktemp("hub") / "dnabert2-tiny"
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    trainer = trainers.BpeTrainer(vocab_size=60, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([bases(300, seed) for seed in range(20)], trainer)
    ends = [("[CLS]", 1), ("[SEP]", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    named = {"unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"}
    save_fast_tokenizer(folder, tokenizer, **{f"{name}_token": token for name, token in named.items()})
    config = BertConfig(
        vocab_size=60, hidden_size=DIM, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, pad_token_id=3
    )
    stirred(BertForMaskedLM(config)).save_pretrained(folder)
    return folder


def save_base_tokenizer(folder, **options):
    """One token for each base, [SEP] last and none first, padding on the left: as HyenaDNA."""
    names = ["[CLS]", "[SEP]", "[BOS]", "[MASK]", "[PAD]", "[RESERVED]", "[UNK]", *"ACGTN"]
    known = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A [SEP]", special_tokens=[("[SEP]", 1)])
    named = {"unk": "[UNK]", "cls": "[CLS]", "eos": "[SEP]", "bos": "[BOS]", "pad": "[PAD]", "mask": "[MASK]"}
    special = {f"{name}_token": token for name, token in named.items()}
    save_fast_tokenizer(folder, tokenizer, padding_side="left", **special, **options)


@pytest.fixture(scope="module")
def causal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "gpt-tiny"
    save_base_tokenizer(folder)
    config = GPT2Config(vocab_size=12, n_embd=DIM, n_layer=2, n_head=2, n_positions=128)
    stirred(GPT2LMHeadModel(config)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "conv-tiny"
    save_base_tokenizer(folder)
    (folder / "modeling_conv.py").write_text(MODELING)
    code = {"AutoConfig": "modeling_conv.ConvConfig", "AutoModel": "modeling_conv.ConvModel"}
    config = {"model_type": "tiny_conv_dna", "vocab_size": 16, "d_model": DIM, "auto_map": code}
    (folder / "config.json").write_text(json.dumps(config))
    mix = torch.nn.Conv1d(DIM, DIM, 5)
    tensors = {"embed.weight": torch.randn(16, DIM), "mix.weight": mix.weight.data, "mix.bias": mix.bias.data}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def coded_bert(dnabert2, tmp_path_factory):
    folder = copied(dnabert2, tmp_path_factory.mktemp("hub") / "coded-bert")
    (folder / "configuration_bert.py").write_text(OWN_CONFIG)
    (folder / "bert_layers.py").write_text(OWN_BERT)
    config = json.loads((folder / "config.json").read_text())
    code = {"AutoConfig": "configuration_bert.BertConfig", "AutoModel": "bert_layers.BertModel"}
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": code}))
    torch.manual_seed(7)
    tensors = {
        "tokens.weight": torch.randn(60, DIM),
        "Wqkv.weight": torch.randn(DIM, DIM),
        "Wqkv.bias": torch.randn(DIM),
    }
    save_file(
        {f"bert.{name}": tensor for name, tensor in tensors.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder


MODELS = {"nucleotide_transformer": "", "dnabert2": "", "causal": "", "coded": ",trust_remote_code=yes"}


@pytest.fixture(params=MODELS)
def spec(request):
    return f"dna:{request.getfixturevalue(request.param)}{MODELS[request.param]}"


@pytest.fixture
def sequences():
    return [bases(n, seed=n) for n in (7, 50, 1, 31, 30, 100, 2, 31)] + ["ACGTNNNA", "acgtnACGGT"]


def loaded(spec):
    model = load_model(spec)
    model.load("cpu")
    return model


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
    monkeypatch.setattr("model_adapters.dna.WINDOWS_AT_ONCE", 4)
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


def test_an_illegal_letter_names_gene_letter_and_place(dnabert2):
    genes = Dataset.from_dict({"symbol": ["A", "RNA1"], "dna_sequence": ["ACGT", "ACUGN"]})
    expected = r"^dnabert2-tiny: gene RNA1: dna_sequence has 'U' at position 3, expected A, C, G, T, or N"
    with pytest.raises(AdapterError, match=expected):
        embed(genes, load_model(f"dna:{dnabert2}"), device="cpu")


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


def test_code_runs_only_when_asked(coded, capfd):
    with pytest.raises(AdapterError, match=r"^conv-tiny comes with code of its own; if you trust it, add trust_remote"):
        loaded(f"dna:{coded}")
    model = loaded(f"dna:{coded},trust_remote_code=yes")
    assert model.options["trust_remote_code"] is True
    assert model.model_id == "conv-tiny:trust_remote_code=yes"
    with pytest.raises(AdapterError, match=r"^conv-tiny does not give out its layers; leave layer out$"):
        loaded(f"dna:{coded},trust_remote_code=yes,layer=1").encode(["ACGT"])
    assert capfd.readouterr() == ("", "")


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


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("dna", r"^dna needs a model: dna:<Hub id>, or pass a local folder: dna:/path/to/folder$"),
        ("dna:org/absent", r"^model 'org/absent' is neither a folder .* pass a local folder: dna:/path/to/folder$"),
        ("dna:org/absent@v2,window=9", r"^model 'org/absent@v2' is neither"),
        ("dna:/no/folder", r"^'/no/folder' is neither a folder here nor a Hub id"),
        ("dna:org/x,pooling=men", r"^dna: pooling is 'men', expected mean or cls or max; did you mean 'mean'\?$"),
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
    less = copied(dnabert2, tmp_path / "less")
    tensors = load_file(less / "model.safetensors")
    del tensors["bert.encoder.layer.1.output.dense.weight"]
    save_file(tensors, less / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        AdapterError, match=r"^less: the weights lack 1 tensors of the model \(encoder.layer.1.output.den"
    ):
        loaded(f"dna:{less}")
    mixed = copied(causal, tmp_path / "mixed")
    (mixed / "tokenizer.json").write_bytes((dnabert2 / "tokenizer.json").read_bytes())
    with pytest.raises(AdapterError, match=r"^mixed: its tokenizer gives the token \d+, but the weights have 12; pass"):
        loaded(f"dna:{mixed}").encode([bases(50)])
    with pytest.raises(AdapterError, match=r"^dnabert2-tiny:window=9 is not loaded; call load\(device\) first$"):
        DnaModel(str(dnabert2), reading=Reading(window=9)).encode(["A"])


def test_a_tokenizer_that_knows_no_dna(dnabert2, tmp_path):
    words = copied(dnabert2, tmp_path / "words")
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "gene": 1}, unk_token="[UNK]"))
    save_fast_tokenizer(words, tokenizer, unk_token="[UNK]")
    with pytest.raises(AdapterError, match=r"^words: its tokenizer knows no part of ACGT...; pass a model of DNA$"):
        loaded(f"dna:{words}").encode(["ACGT"])


def test_without_weights_or_tokenizer(dnabert2, tmp_path):
    genes = Dataset.from_dict({"symbol": ["A"], "dna_sequence": ["ACGT"]})
    for name in ("model.safetensors", "tokenizer.json"):
        less = copied(dnabert2, tmp_path / f"no-{name}")
        (less / name).unlink()
        with pytest.raises(AdapterError, match=rf"^{less.name}: could not be loaded on cpu: ") as caught:
            embed(genes, load_model(f"dna:{less}"), device="cpu")
        assert "\n" not in str(caught.value)


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
