"""`gene-bench push results`: to a dataset repository, and to a model repository as a pull request."""

import re
from dataclasses import replace

import pytest
import yaml

from gene_eval.results.paths import path_for
from gene_eval.results.store import load_folder

DATASET, MODEL = "genes/results", "bob/encoder"
CARD = "---\nlicense: mit # kept\n---\n# Encoder\n\nBy Bob.\n"


@pytest.fixture
def pull(gene_bench, folder):
    """Push results of bag-of-words as a pull request."""

    def pull(*more):
        return gene_bench(
            "push", "results", MODEL, "--from", folder, "--create-pr", "--model", "bag-of-words", *more
        )  # fmt: skip

    return pull


def test_results_of_all_models_go_to_a_dataset(hub, gene_bench, folder, python):
    status, out, _ = gene_bench("push", "results", DATASET, "--from", folder, "--yes")
    assert status == 0
    files = hub.repo("dataset", DATASET).files()
    found = load_folder(folder).results
    # Not what was predicted: it holds labels.
    public = [replace(each, predictions=None) for each in found]
    sent = {path_for("results", each.model.id, each.task.id).as_posix(): each.to_json() for each in public}
    assert {path: data.decode() for path, data in files.items() if path.startswith("results/")} == sent
    assert "# gene-bench report" in files["README.md"].decode()
    code = """
import datasets
rows = datasets.load_dataset("genes/results", split="train")
print(rows.filter(lambda row: not row["label"]).to_pandas().to_json(orient="records"))
"""
    assert {(row["model"], row["task"]): pytest.approx(row["mean"]) for row in python(code)} == {
        (each.model.id, each.task.id): each.scores[main(each)].mean for each in found
    }


def main(result):
    return "roc_auc" if result.task.target == "binary" else "roc_auc_macro"


def test_a_second_push_sends_nothing_and_words_around_the_report_stay(hub, gene_bench, folder):
    gene_bench("push", "results", DATASET, "--from", folder, "--yes")
    repo = hub.repo("dataset", DATASET)
    from fake_hub import Blob, Commit

    parent = repo.refs["main"]
    files = dict(repo.commits[parent].files)
    files["README.md"] = Blob(files["README.md"].data.replace(b"# gene-bench results\n", b"# Our results\n"))
    repo.add("main", Commit(files, parent, "by hand"))
    hub.requests.clear()
    _, _, err = gene_bench("push", "results", DATASET, "--from", folder, "--yes")
    assert "nothing was sent: everything is there already" in err
    assert hub.writes == []


def test_a_pull_request_extends_the_card(hub, pull):
    repo = hub.create("model", MODEL, {"README.md": CARD})
    status, out, _ = pull("--yes")
    assert status == 0
    assert out.splitlines()[0] == f"push to the model {MODEL}, as a new pull request"
    assert out.splitlines()[-1] == f"{hub.url}/{MODEL}/discussions/1"
    assert repo.files() == {".gitattributes": b"*.parquet filter=lfs\n", "README.md": CARD.encode()}
    assert [(each["title"], each["author"]["name"]) for each in repo.pulls] == [
        ("gene-bench results of bag-of-words", "alice")
    ]
    files = repo.files("refs/pr/1")
    card = files["README.md"].decode()
    assert all(line in card.splitlines() for line in CARD.splitlines())
    assert "## gene-bench results" in card
    entries = yaml.safe_load(files[".eval_results/gene-bench.yaml"])
    assert [entry["dataset"] for entry in entries] == [
        {"id": "gene-bench/gene-bench", "task_id": task} for task in ("starter_is_tf", "starter_location")
    ]
    assert "gene-bench/starter_is_tf.json" in files


def test_the_same_pull_request_again_sends_nothing(hub, pull):
    repo = hub.create("model", MODEL, {"README.md": CARD})
    pull("--yes")
    hub.requests.clear()
    status, out, err = pull("--yes")
    assert (status, hub.writes, len(repo.pulls)) == (0, [], 1)
    assert ", to the open pull request #1" in out.splitlines()[0]
    assert "nothing was sent: everything is there already" in err


def test_new_results_update_the_open_pull_request(hub, pull):
    repo = hub.create("model", MODEL, {"README.md": CARD})
    pull("--yes")
    first = repo.refs["refs/pr/1"]
    status, out, _ = pull("--dataset", "genes/bench@abc", "--yes")
    assert (status, len(repo.pulls)) == (0, 1)
    assert re.search(r"update +\S+ \S+ +README.md", out)
    assert repo.commits[repo.refs["refs/pr/1"]].parent == first
    entries = yaml.safe_load(repo.files("refs/pr/1")[".eval_results/gene-bench.yaml"])
    assert entries[0]["dataset"] == {"id": "genes/bench", "task_id": "starter_is_tf", "revision": "abc"}


def test_a_closed_pull_request_or_one_of_others_is_left_alone(hub, pull):
    repo = hub.create("model", MODEL)
    pull("--yes")
    repo.pulls[0]["status"] = "closed"
    pull("--yes")
    repo.pulls[1]["author"] = {"name": "carol"}
    pull("--yes")
    assert [each["num"] for each in repo.pulls] == [1, 2, 3]


def test_the_answer_to_a_pull_request_gets_lost(hub, pull):
    repo = hub.create("model", MODEL, {"README.md": CARD})
    hub.fail("POST /api/models/*/commit/*", 0, after=True)
    status, _, err = pull("--yes")
    assert (status, len(repo.pulls)) == (0, 1)
    assert "the Hub's answer got lost, but the commit is there" in err


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("---\nlicense: [mit\n---\n# E\n", "its metadata is not valid YAML in line 3"),
        ("---\nlicense: mit\n# E\n", "it opens with --- but no later line --- ends its metadata"),
    ],
)
def test_a_broken_card_stops_the_push(hub, pull, card, reason):
    repo = hub.create("model", MODEL, {"README.md": card})
    status, _, err = pull("--yes")
    assert (status, repo.pulls, hub.writes) == (2, [], [])
    assert f"nothing was sent: README.md of {MODEL} cannot take the results up: {reason}" in err


def test_mistakes_with_pull_requests_are_one_line(hub, gene_bench, folder, tmp_path):
    push = ("push", "results", MODEL, "--create-pr", "--yes")
    _, _, err = gene_bench(*push, "--from", folder)
    assert "name the model with --model, one of bag-of-words, random:dim=8" in err
    _, _, err = gene_bench(*push, "--from", folder, "--model", "bag-of-wods")
    assert "did you mean 'bag-of-words'?" in err
    _, _, err = gene_bench(*push, "--from", folder, "--model", "bag-of-words")
    assert f"there is no model {MODEL} to open a pull request to" in err
    _, _, err = gene_bench(*push[:3], "--from", tmp_path)
    assert err.startswith("gene-bench: no results to report")
    assert hub.writes == []
