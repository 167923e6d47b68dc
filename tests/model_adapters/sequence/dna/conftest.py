"""Tiny DNA models with random weights, in the layouts of Nucleotide Transformer, DNABERT-2, HyenaDNA and GPTs."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    EsmConfig,
    EsmForMaskedLM,
    EsmTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedTokenizerFast,
)

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

MASKED = """
import torch
from transformers import PreTrainedModel, PretrainedConfig
from transformers.modeling_outputs import MaskedLMOutput

class TinyConfig(PretrainedConfig):
    model_type = "tiny_masked_dna"
    vocab_size = 12

class TinyForMaskedLM(PreTrainedModel):
    config_class = TinyConfig

    def __init__(self, config):
        super().__init__(config)
        self.embed = torch.nn.Embedding(12, 16)
        self.post_init()

    def forward(self, input_ids, attention_mask=None, output_hidden_states=False):
        first = self.embed(input_ids)
        layers = (first, torch.tanh(first)) if output_hidden_states else None
        return MaskedLMOutput(logits=first @ self.embed.weight.T, hidden_states=layers)
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


def bases(n, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


@pytest.fixture(scope="module", autouse=True)
def seeded(one_thread):
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
def mamba(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "mamba-tiny"
    save_base_tokenizer(folder)
    config = MambaConfig(vocab_size=12, hidden_size=DIM, num_hidden_layers=2, state_size=4, pad_token_id=4)
    stirred(MambaForCausalLM(config)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def coded_masked(tmp_path_factory):
    """As Nucleotide Transformer 2, whose code has heads only."""
    folder = tmp_path_factory.mktemp("hub") / "masked-tiny"
    save_base_tokenizer(folder)
    (folder / "modeling_tiny.py").write_text(MASKED)
    code = {"AutoConfig": "modeling_tiny.TinyConfig", "AutoModelForMaskedLM": "modeling_tiny.TinyForMaskedLM"}
    (folder / "config.json").write_text(json.dumps({"model_type": "tiny_masked_dna", "auto_map": code}))
    tensors = {"embed.weight": torch.randn(12, DIM)}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
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
    folder = Path(shutil.copytree(dnabert2, tmp_path_factory.mktemp("hub") / "coded-bert"))
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
