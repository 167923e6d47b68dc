"""ESM-2 with random weights, in the layouts that facebook/esm2_* and fair-esm publish."""

import argparse
import json
import pickle
import shutil
import sys
import types

import numpy as np
import pytest
import torch
from datasets import Dataset
from esm.data import Alphabet
from esm.model.esm2 import ESM2
from safetensors.torch import load_file, save_file
from transformers import EsmForMaskedLM, EsmTokenizer

from model_adapters import AdapterError, as_matrix, embed, load_model
from model_adapters.protein import Esm2
from model_adapters.protein_backends import FAIR_ESM_URL

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
def net():
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
def checkpoint(net, tmp_path_factory):
    """The model as a checkpoint of fair-esm, whose contact head is in a file of its own."""
    path = tmp_path_factory.mktemp("fair-esm") / "esm2_tiny.pt"
    torch.save(fair_esm_checkpoint(net), path)
    return path


def fair_esm_checkpoint(net):
    names = {"encoder_layers": LAYERS, "encoder_embed_dim": DIM, "encoder_attention_heads": HEADS}
    model = {
        f"encoder.{name}" if name.startswith("lm_head") else f"encoder.sentence_encoder.{name}": tensor
        for name, tensor in net.state_dict().items()
        if not name.startswith("contact_head")
    }
    return {"cfg": {"model": argparse.Namespace(**names, token_dropout=True)}, "model": model}


@pytest.fixture(scope="module")
def proteins():
    rng = np.random.default_rng(0)
    return ["".join(rng.choice(list(LETTERS), n)) for n in (5, 61, 1, 17, 30, 29, 8, 61, 44, 2)]


@torch.no_grad()
def residues(net, protein):
    """(n, d) last layer of one protein by fair-esm's own batch converter, without padding."""
    _, _, tokens = net.alphabet.get_batch_converter()([("", protein)])
    return net(tokens, repr_layers=[LAYERS])["representations"][LAYERS][0, 1:-1].double().numpy()


def loaded(spec):
    model = load_model(spec)
    model.load("cpu")
    return model


@pytest.fixture(params=["transformers", "fair-esm"])
def spec(request, folder, checkpoint):
    return f"esm2:{folder}" if request.param == "transformers" else f"esm2:{checkpoint},backend=fair-esm"


def test_mean_over_residues_without_special_tokens(spec, net, proteins):
    expected = [residues(net, protein).mean(axis=0) for protein in proteins]
    np.testing.assert_allclose(loaded(spec).encode(proteins), expected, rtol=0, atol=1e-5)
    assert np.std(expected, axis=0).min() > 0.01


def test_transformers_tokenizer_and_model_by_hand(folder, proteins):
    tokenizer, model = EsmTokenizer.from_pretrained(folder), EsmForMaskedLM.from_pretrained(folder).eval()
    with torch.no_grad():
        hidden = [model.esm(**tokenizer(protein, return_tensors="pt")).last_hidden_state[0] for protein in proteins]
    expected = np.array([tokens[1:-1].mean(dim=0).numpy() for tokens in hidden])
    np.testing.assert_allclose(loaded(f"esm2:{folder}").encode(proteins), expected, rtol=0, atol=1e-5)


def test_both_backends_agree_on_the_same_weights(folder, checkpoint, proteins):
    ours = loaded(f"esm2:{folder},window=20,stride=6").encode(proteins)
    theirs = loaded(f"esm2:{checkpoint},backend=fair-esm,window=20,stride=6").encode(proteins)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def test_batches_order_and_padding_do_not_matter(spec, proteins):
    model = loaded(f"{spec},window=25,stride=10")
    alone = np.concatenate([model.encode([protein]) for protein in proteins])
    order = np.random.default_rng(1).permutation(len(proteins))
    for budget in (30, 100, 10**6):
        model._batches.budget = budget
        np.testing.assert_allclose(model.encode(proteins), alone, rtol=0, atol=1e-5)
        shuffled = model.encode([proteins[i] for i in order])
        np.testing.assert_allclose(shuffled, alone[order], rtol=0, atol=1e-5)


def test_long_proteins_are_read_in_windows_and_each_residue_counts_once(spec, net):
    protein = "MKTAYIAKQ"
    windows = {0: residues(net, "MKTA"), 2: residues(net, "TAYI"), 4: residues(net, "YIAK"), 5: residues(net, "IAKQ")}
    each = []
    for place in range(9):
        covering = [vectors[place - start] for start, vectors in windows.items() if 0 <= place - start < 4]
        each.append(np.mean(covering, axis=0))
    found = loaded(f"{spec},window=4,stride=2").encode([protein])
    np.testing.assert_allclose(found[0], np.mean(each, axis=0), rtol=0, atol=1e-5)
    assert np.abs(found[0] - residues(net, protein).mean(axis=0)).max() > 0.01


def test_the_length_of_the_published_models(folder, net):
    model = loaded(f"esm2:{folder}")
    assert model.options == {"backend": "transformers", "window": 1022, "stride": 511, "dtype": "float32"}
    protein = "".join(np.random.default_rng(2).choice(list(LETTERS), 1030))
    whole, longer = model.encode([protein[:1022], protein])
    np.testing.assert_allclose(whole, residues(net, protein[:1022]).mean(axis=0), rtol=0, atol=1e-5)
    # Windows 0-1022, 8-1030.
    first, second = residues(net, protein[:1022]), residues(net, protein[8:])
    both = (first[8:] + second[:-8]) / 2
    each = np.concatenate([first[:8], both, second[-8:]])
    np.testing.assert_allclose(longer, each.mean(axis=0), rtol=0, atol=1e-5)


def test_isoforms_are_averaged(spec, net):
    isoforms = ["MKTAYIAKQ", "MKQ", "mkta*"]
    found = loaded(spec).encode(["MKQ", isoforms])
    expected = np.mean([residues(net, one).mean(axis=0) for one in ("MKTAYIAKQ", "MKQ", "MKTA")], axis=0)
    np.testing.assert_allclose(found[1], expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[0], residues(net, "MKQ").mean(axis=0), rtol=0, atol=1e-5)


def test_gene_table(folder, net, capfd):
    genes = Dataset.from_dict({"symbol": ["A", "NONE", "B"], "protein_sequence": ["MKT", None, "MKTAYIAKQ"]})
    symbols, vectors = as_matrix(embed(genes, load_model(f"esm2:{folder}"), device="cpu"))
    assert symbols == ["A", "B"]
    expected = [residues(net, one).mean(axis=0) for one in ("MKT", "MKTAYIAKQ")]
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)
    lists = Dataset.from_dict({"symbol": ["A", "B"], "protein_sequence": [["MKT", "MKTAYIAKQ"], ["MKT"]]})
    _, vectors = as_matrix(embed(lists, load_model(f"esm2:{folder}"), device="cpu"))
    np.testing.assert_allclose(vectors, [np.mean(expected, axis=0), expected[0]], rtol=0, atol=1e-5)
    assert capfd.readouterr().out == ""


def test_an_illegal_letter_names_gene_letter_and_place(folder):
    genes = Dataset.from_dict({"symbol": ["A", "BAD1"], "protein_sequence": ["MKTAYIAKQ", "MK7T"]})
    expected = r"^esm2_tiny: gene BAD1: protein_sequence has '7' at position 3, expected the 20 amino acids, or U"
    with pytest.raises(AdapterError, match=expected):
        embed(genes, load_model(f"esm2:{folder}"), device="cpu")


def test_half_precision_is_near(spec, proteins):
    full = loaded(spec).encode(proteins)
    half = loaded(f"{spec},dtype=bfloat16").encode(proteins)
    assert 1e-4 < np.abs(full - half).max() < 0.2


def test_names_revisions_and_options(folder, checkpoint, tmp_path):
    model, other = load_model(f"esm2:{folder}"), load_model(f"esm2:{checkpoint},backend=fair-esm,window=9")
    assert (model.model_id, model.adapter, model.input_column) == ("esm2_tiny", "esm2", "protein_sequence")
    assert other.model_id == "esm2_tiny:backend=fair-esm,window=9"
    assert other.options == {"backend": "fair-esm", "window": 9, "stride": 4, "dtype": "float32"}
    assert model.revision.startswith("sha256:")
    assert other.revision.startswith("sha256:")
    assert model.revision != other.revision
    model.load("cpu")
    assert pickle.loads(pickle.dumps(model))._net is None


def test_published_names(net, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    (tmp_path / "published").mkdir()
    torch.save(fair_esm_checkpoint(net), tmp_path / "published" / "esm2_t6_8M_UR50D.pt")
    assert FAIR_ESM_URL.startswith("https://")
    monkeypatch.setattr("model_adapters.protein_backends.FAIR_ESM_URL", (tmp_path / "published").as_uri())
    model = loaded("esm2:8M,backend=fair-esm")
    assert model.model_id == "esm2_t6_8M_UR50D:backend=fair-esm"
    assert (tmp_path / "torch" / "checkpoints" / "esm2_t6_8M_UR50D.pt").is_file()
    np.testing.assert_allclose(model.encode(["MKT"])[0], residues(net, "MKT").mean(axis=0), rtol=0, atol=1e-5)
    expected = (
        r"^esm2_t33_650M_UR50D.pt is not in .*checkpoints, and file:.*650M_UR50D.pt cannot be read \(URLError: .*"
    )
    expected += r"pass a local checkpoint: esm2:/path/to/esm2_t33_650M_UR50D.pt,backend=fair-esm$"
    with pytest.raises(AdapterError, match=expected):
        load_model("esm2:esm2_t33_650M_UR50D,backend=fair-esm")


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
        ("esm2:/no/x.pt,backend=fair-esm", r"^/no/x.pt is no file, expected a checkpoint of fair-esm"),
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
    with pytest.raises(AdapterError, match=r"esm2_tiny is no file, expected a checkpoint of fair-esm"):
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
        (target / "config.json").write_text(json.dumps({**CONFIG, **config}))
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


def test_a_folder_without_what_no_vector_depends_on(folder, net, tmp_path, proteins):
    def lose(path):
        save_file(without(load_file(path), "inv_freq", "regression.weight"), path, metadata={"format": "pt"})

    model = loaded(f"esm2:{broken(folder, tmp_path / 'esm2_less', weights=lose)}")
    expected = [residues(net, protein).mean(axis=0) for protein in proteins]
    np.testing.assert_allclose(model.encode(proteins), expected, rtol=0, atol=1e-5)


class Harmful:
    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (lambda good: {**good, "extra": Harmful()}, r"cannot be read as tensors without running code \(Unpickling"),
        (lambda good: good["model"], r"is no checkpoint of ESM-2, which has 'cfg' and 'model'"),
        (
            lambda good: {**good, "model": without(good["model"], "layers.1.fc1.bias")},
            r"the tensors are not those of ESM-2 \(RuntimeError: ",
        ),
        (lambda good: {**good, "cfg": {"model": argparse.Namespace()}}, r"not those of ESM-2 \(AttributeError: "),
    ],
)
def test_broken_checkpoints(net, tmp_path, content, expected, capfd):
    path = tmp_path / "esm2_odd.pt"
    torch.save(content(fair_esm_checkpoint(net)), path)
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


@pytest.mark.real_data
def test_real_proteins(raw_dir, folder, net):
    text = (raw_dir / "uniprot" / "uniprotkb_rna_binding_human.fasta").read_text()
    # Names have ">" in them (C->U-editing enzyme).
    records = [record.partition("\n") for record in text.split("\n>")]
    real = {header.split("|")[1]: lines.replace("\n", "") for header, _, lines in records}
    assert len(real) == 4751
    # The shortest, those with U or X, and two of over 1,022 residues.
    chosen = sorted(real, key=lambda name: len(real[name]))[:60]
    chosen += [name for name, sequence in real.items() if set(sequence) & set("UX") and len(sequence) < 300]
    chosen += [name for name, sequence in real.items() if 1022 < len(sequence) < 1100][:2]
    chosen = list(dict.fromkeys(chosen))
    vectors = loaded(f"esm2:{folder}").encode([real[name] for name in chosen])
    for name, vector in zip(chosen, vectors, strict=True):
        if len(real[name]) <= 1022:
            np.testing.assert_allclose(vector, residues(net, real[name]).mean(axis=0), rtol=0, atol=1e-5)
    assert np.isfinite(vectors).all()
    assert len(np.unique(vectors.round(4), axis=0)) == len({real[name] for name in chosen})
