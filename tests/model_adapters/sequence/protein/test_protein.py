"""What ESM-2 gives, against both libraries run on one protein at a time."""

import pickle

import datasets
import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import EsmForMaskedLM, EsmTokenizer

from gene_eval.cli.parser import main
from model_adapters import AdapterError, as_matrix, embed, load_model
from model_adapters.sequence.protein_backends import FAIR_ESM_URL


def loaded(spec):
    model = load_model(spec)
    model.load("cpu")
    return model


@pytest.fixture(params=["transformers", "fair-esm"])
def spec(request, folder, checkpoint):
    return f"esm2:{folder}" if request.param == "transformers" else f"esm2:{checkpoint},backend=fair-esm"


def test_mean_over_residues_without_special_tokens(spec, residues, proteins):
    expected = [residues(protein).mean(axis=0) for protein in proteins]
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


def test_long_proteins_are_read_in_windows_and_each_residue_counts_once(spec, residues):
    protein = "MKTAYIAKQ"
    windows = {0: residues("MKTA"), 2: residues("TAYI"), 4: residues("YIAK"), 5: residues("IAKQ")}
    each = []
    for place in range(9):
        covering = [vectors[place - start] for start, vectors in windows.items() if 0 <= place - start < 4]
        each.append(np.mean(covering, axis=0))
    found = loaded(f"{spec},window=4,stride=2").encode([protein])
    np.testing.assert_allclose(found[0], np.mean(each, axis=0), rtol=0, atol=1e-5)
    assert np.abs(found[0] - residues(protein).mean(axis=0)).max() > 0.01


def test_the_length_of_the_published_models(folder, residues):
    model = loaded(f"esm2:{folder}")
    assert model.options == {"backend": "transformers", "window": 1022, "stride": 511, "dtype": "float32"}
    protein = "".join(np.random.default_rng(2).choice(list("ACDEFGHIKLMNPQRSTVWYUXBZO"), 1030))
    whole, longer = model.encode([protein[:1022], protein])
    np.testing.assert_allclose(whole, residues(protein[:1022]).mean(axis=0), rtol=0, atol=1e-5)
    # Windows 0-1022, 8-1030.
    first, second = residues(protein[:1022]), residues(protein[8:])
    both = (first[8:] + second[:-8]) / 2
    each = np.concatenate([first[:8], both, second[-8:]])
    np.testing.assert_allclose(longer, each.mean(axis=0), rtol=0, atol=1e-5)


def test_isoforms_are_averaged(spec, residues):
    isoforms = ["MKTAYIAKQ", "MKQ", "mkta*"]
    found = loaded(spec).encode(["MKQ", isoforms])
    expected = np.mean([residues(one).mean(axis=0) for one in ("MKTAYIAKQ", "MKQ", "MKTA")], axis=0)
    np.testing.assert_allclose(found[1], expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[0], residues("MKQ").mean(axis=0), rtol=0, atol=1e-5)


def test_gene_table(folder, residues, capfd):
    genes = Dataset.from_dict({"symbol": ["A", "NONE", "B"], "protein_sequence": ["MKT", None, "MKTAYIAKQ"]})
    symbols, vectors = as_matrix(embed(genes, load_model(f"esm2:{folder}"), device="cpu"))
    assert symbols == ["A", "B"]
    expected = [residues(one).mean(axis=0) for one in ("MKT", "MKTAYIAKQ")]
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


def test_published_names(residues, tmp_path, monkeypatch, content):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    (tmp_path / "published").mkdir()
    torch.save(content, tmp_path / "published" / "esm2_t6_8M_UR50D.pt")
    assert FAIR_ESM_URL.startswith("https://")
    monkeypatch.setattr("model_adapters.sequence.protein_backends.FAIR_ESM_URL", (tmp_path / "published").as_uri())
    model = loaded("esm2:8M,backend=fair-esm")
    assert model.model_id == "esm2_t6_8M_UR50D:backend=fair-esm"
    assert (tmp_path / "torch" / "checkpoints" / "esm2_t6_8M_UR50D.pt").is_file()
    np.testing.assert_allclose(model.encode(["MKT"])[0], residues("MKT").mean(axis=0), rtol=0, atol=1e-5)
    expected = (
        r"^esm2_t33_650M_UR50D.pt is not in .*checkpoints, and file:.*650M_UR50D.pt cannot be read \(URLError: .*"
    )
    expected += r"pass a local checkpoint: esm2:/path/to/esm2_t33_650M_UR50D.pt,backend=fair-esm$"
    with pytest.raises(AdapterError, match=expected):
        load_model("esm2:esm2_t33_650M_UR50D,backend=fair-esm")


@pytest.mark.real_data
def test_real_proteins(raw_dir, folder, residues):
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
            np.testing.assert_allclose(vector, residues(real[name]).mean(axis=0), rtol=0, atol=1e-5)
    assert np.isfinite(vectors).all()
    assert len(np.unique(vectors.round(4), axis=0)) == len({real[name] for name in chosen})


def test_check_tells_on_made_up_proteins(folder, capsys, request):
    # Commands silence the bars of `datasets` for their process, which here is the tests'.
    request.addfinalizer(datasets.enable_progress_bars)
    assert main(["check", f"esm2:{folder}", "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    assert "genes      20 of 20 toy genes have a vector\ndistinct   20 different vectors" in out
    assert "input      protein_sequence: made up for this check" in out
    assert err.startswith("esm2_tiny fits; next: gene-bench run esm2:")
