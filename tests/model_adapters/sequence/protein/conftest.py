"""ESM-2 with random weights, in the layouts that facebook/esm2_* and fair-esm publish."""

import argparse
import json

import numpy as np
import pytest
import torch
from esm.model.esm2 import ESM2
from safetensors.torch import save_file

LAYERS, DIM, HEADS = 3, 24, 4
LETTERS = "ACDEFGHIKLMNPQRSTVWYUXBZO"
# As in the config.json of facebook/esm2_t6_8M_UR50D, but for the sizes.
CONFIG = {
    "architectures": ["EsmForMaskedLM"],
    "model_type": "esm",
    "emb_layer_norm_before": False,
    "attention_probs_dropout_prob": 0.0,
    "hidden_dropout_prob": 0.0,
    "hidden_size": DIM,
    "intermediate_size": 4 * DIM,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "layer_norm_eps": 1e-05,
    "mask_token_id": 32,
    "pad_token_id": 1,
    "max_position_embeddings": 1026,
    "position_embedding_type": "rotary",
    "token_dropout": True,
    "torch_dtype": "float32",
    "vocab_size": 33,
}
# Names in fair-esm's checkpoints -> names in the Hub's files.
RENAMED = [
    ("embed_tokens.", "esm.embeddings.word_embeddings."),
    ("emb_layer_norm_after.", "esm.encoder.emb_layer_norm_after."),
    ("layers.", "esm.encoder.layer."),
    ("contact_head.", "esm.contact_head."),
    (".self_attn.q_proj.", ".attention.self.query."),
    (".self_attn.k_proj.", ".attention.self.key."),
    (".self_attn.v_proj.", ".attention.self.value."),
    (".self_attn.out_proj.", ".attention.output.dense."),
    (".self_attn.rot_emb.", ".attention.self.rotary_embeddings."),
    (".self_attn_layer_norm.", ".attention.LayerNorm."),
    (".fc1.", ".intermediate.dense."),
    (".fc2.", ".output.dense."),
    (".final_layer_norm.", ".LayerNorm."),
]


@pytest.fixture(scope="module")
def net(one_thread):
    """The model itself; norms and biases are not at 1 and 0, where exchanged ones would not show."""
    torch.manual_seed(0)
    model = ESM2(LAYERS, DIM, HEADS).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.3)
            elif "embed_tokens" not in name:
                parameter.mul_(1.5)
    return model


@pytest.fixture(scope="module")
def folder(net, tmp_path_factory):
    """The model as a folder of the Hub."""
    folder = tmp_path_factory.mktemp("hub") / "esm2_tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "vocab.txt").write_text("\n".join(net.alphabet.all_toks))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "EsmTokenizer"}))
    tensors = {}
    for name, tensor in net.state_dict().items():
        for old, new in RENAMED:
            name = name.replace(old, new) if old.startswith(".") or name.startswith(old) else name
        tensors[name.replace("lm_head.weight", "lm_head.decoder.weight")] = tensor.clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def content(net):
    """What a checkpoint of fair-esm holds."""
    names = {"encoder_layers": LAYERS, "encoder_embed_dim": DIM, "encoder_attention_heads": HEADS}
    model = {
        f"encoder.{name}" if name.startswith("lm_head") else f"encoder.sentence_encoder.{name}": tensor
        for name, tensor in net.state_dict().items()
        if not name.startswith("contact_head")
    }
    return {"cfg": {"model": argparse.Namespace(**names, token_dropout=True)}, "model": model}


@pytest.fixture(scope="module")
def checkpoint(content, tmp_path_factory):
    """The model as a checkpoint of fair-esm, whose contact head is in a file of its own."""
    path = tmp_path_factory.mktemp("fair-esm") / "esm2_tiny.pt"
    torch.save(content, path)
    return path


@pytest.fixture(scope="module")
def proteins():
    rng = np.random.default_rng(0)
    return ["".join(rng.choice(list(LETTERS), n)) for n in (5, 61, 1, 17, 30, 29, 8, 61, 44, 2)]


@pytest.fixture(scope="module")
def residues(net):
    """(n, d) last layer of one protein by fair-esm's own batch converter, without padding."""

    @torch.no_grad()
    def residues(protein):
        _, _, tokens = net.alphabet.get_batch_converter()([("", protein)])
        return net(tokens, repr_layers=[LAYERS])["representations"][LAYERS][0, 1:-1].double().numpy()

    return residues
