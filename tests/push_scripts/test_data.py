"""`gene-bench push data`: what is sent, what readers get, and what a second push does."""

import json

import pytest
import yaml

REPO = "genes/bench"
READ = """
import json
from datasets import load_dataset
from huggingface_hub import hf_hub_download
task = load_dataset("genes/bench", "starter_location", split="train")
path = hf_hub_download("genes/bench", "eval.yaml", repo_type="dataset")
label = task.features["label"]
print(json.dumps([task.column_names, len(task), task[0], label.feature.names, open(path).read()]))
"""


def test_plan_only_sends_nothing(hub, gene_bench):
    status, out, err = gene_bench("push", "data", REPO, "starter_*")
    assert status == 0
    assert out.startswith(f"push to the dataset {REPO}, which does not exist yet\n")
    assert "  add " in out
    assert "starter_is_tf/train-00000-of-00001.parquet" in out
    assert "nothing was sent yet; to push, give the same command with --yes" in err
    assert hub.writes == []
    assert hub.repos == {}


def test_pushed_data_is_read_back_in_a_fresh_cache(hub, gene_bench, python):
    from builders import load

    status, out, _ = gene_bench("push", "data", REPO, "starter_*", "--yes")
    assert status == 0
    repo = hub.repo("dataset", REPO)
    assert out.splitlines()[-1] == f"{hub.url}/datasets/{REPO}/commit/{repo.refs['main']}"
    assert len(repo.log) == 2
    rows = load("starter_location").dataset
    columns, n, first, names, text = python(READ)
    assert (columns, n, first, names) == (
        rows.column_names, len(rows), rows[0], rows.features["label"].feature.names,
    )  # fmt: skip
    tasks = ["starter_is_tf", "starter_protein_class", "starter_location", "starter_membrane_segments"]
    assert yaml.safe_load(text)["tasks"] == [{"id": task, "config": task, "split": "train"} for task in tasks]
    assert yaml.safe_load(text)["evaluation_framework"] == "gene-bench"


def test_a_second_push_sends_nothing(hub, gene_bench):
    gene_bench("push", "data", REPO, "starter_*", "--yes")
    before, hub.requests[:] = dict(hub.repo("dataset", REPO).refs), []
    status, out, err = gene_bench("push", "data", REPO, "starter_*", "--yes")
    assert (status, hub.writes) == (0, [])
    assert "  same              7 files" in out
    assert "0 files to send (0 B), 0 to delete, in one commit" in out
    assert "nothing was sent: everything is there already" in err
    assert hub.repo("dataset", REPO).refs == before


def test_configs_that_are_gone_are_deleted_and_other_files_stay(hub, gene_bench):
    gene_bench("push", "data", REPO, "starter_*", "--yes")
    repo = hub.repo("dataset", REPO)
    extra = hub_files_with(hub, repo, "notes.txt", b"mine")
    _, out, _ = gene_bench("push", "data", REPO, "starter_is_tf", "starter_genes", "--yes")
    assert "delete" in out
    assert sorted(set(extra) - set(repo.files())) == [
        f"starter_{name}/train-00000-of-00001.parquet" for name in ("location", "membrane_segments", "protein_class")
    ]
    assert repo.files()["notes.txt"] == b"mine"


def hub_files_with(hub, repo, path, data):
    from fake_hub import Blob, Commit

    parent = repo.refs["main"]
    repo.add("main", Commit({**repo.commits[parent].files, path: Blob(data)}, parent, "by hand"))
    return repo.files()


def test_closed_sources_are_left_out_and_named(hub, gene_bench, toy_dir):
    from gene_eval.publishing.export import SOURCES

    closed = next(name for name, source in SOURCES.items() if not source.redistributable and (toy_dir / name).is_dir())
    _, out, _ = gene_bench("push", "data", REPO, "--data-dir", toy_dir, "--yes")
    files = hub.repo("dataset", REPO).files()
    assert not any(path.startswith(f"{closed}_") for path in files)
    assert f"redistributed: {closed}_" in out
    assert "not built: " in out
    card = files["README.md"].decode()
    assert f"- `{closed}_" in card.split("### Left out")[1]
    # The first push built the tasks, the second finds them in the cache: that may not change a byte.
    assert "everything is there already" in gene_bench("push", "data", REPO, "--data-dir", toy_dir, "--yes")[2]
    ranked = yaml.safe_load(files["eval.yaml"])["tasks"]
    assert ranked
    assert not any(task["id"].startswith(("starter_", closed)) for task in ranked)


@pytest.mark.parametrize("repo_id", ["bench", "a/b/c", "/bench", "genes/", "genes/be nch"])
def test_a_repo_id_is_owner_and_name(hub, gene_bench, repo_id):
    status, _, err = gene_bench("push", "data", repo_id, "starter_is_tf")
    assert status == 2
    assert err.count("\n") == 1
    assert "expected owner/name" in err
    assert hub.requests == []


def test_an_installation_without_push_says_so(hub, gene_bench, monkeypatch):
    from gene_eval.cli import publishing

    monkeypatch.setattr(publishing, "distributions", lambda name: [])
    status, _, err = gene_bench("push", "data", REPO)
    assert status == 2
    assert err == "gene-bench: this installation of gene-bench cannot push; install the package again: pip install .\n"


def test_card_reads_as_json(hub, gene_bench):
    gene_bench("push", "data", REPO, "starter_is_tf", "--yes")
    card = hub.repo("dataset", REPO).files()["README.md"].decode()
    assert f'load_dataset("{REPO}", "starter_is_tf"' in card
    head = yaml.safe_load(card.split("---\n")[1])
    assert json.dumps([config["config_name"] for config in head["configs"]]) == '["starter_is_tf"]'
