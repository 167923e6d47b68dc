"""Cells of every kind (pairs, diseases, graphs, controls, ...): workers give what one machine gives."""

import json
from collections import Counter
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from distributed import Client

from gene_eval.errors import GeneBenchError
from gene_eval.running.cluster import worker
from gene_eval.running.cluster.executor import Cluster
from gene_eval.running.runner import run
from model_adapters import GeneEncoder
from model_adapters.embedding import embed, shards

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def client(one_thread):
    """Two workers of one thread each, in this process."""
    with Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as client:
        yield client


def contents(results):
    def plain(result):
        content = json.loads(result.to_json())
        return {name: content[name] for name in content if name not in ("timing", "created_at", "predictions")}

    return [plain(result) for result in results], [(each.model, each.task, each.reason) for each in results.failures]


@pytest.fixture
def both(client, tmp_path):
    """Run on one machine, on workers, and on workers that see no folder; the three must agree."""

    def both(models, tasks, **options):
        common = {"log": [].append, **options}
        here = run(models, tasks, **common)
        there = run(models, tasks, out=tmp_path / "there", client=client, **common)
        sent = run(models, tasks, client=client, **common)
        assert contents(there) == contents(here)
        assert contents(sent) == contents(here)
        assert not list((tmp_path / "there").glob(".*"))
        for result in here:
            held = here.predictions(result.model.id, result.task.id) if len({r.settings for r in here}) == 1 else None
            if held is not None and result.settings.shots is None:
                for other in (there, sent):
                    pd.testing.assert_frame_equal(other.predictions(result.model.id, result.task.id), held)
        again = run(models, tasks, out=tmp_path / "there", client=client, **common)
        assert (again.fitted, again.up_to_date) == (0, len(here))
        return here

    return both


def test_controls_gain_and_files(both, families_dir, tmp_path):
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(44, 3)), index=[f"TOY{i}" for i in range(1, 45)], columns=list("abc")
    )
    frame.to_csv(tmp_path / "mine.csv")
    found = both(
        [str(tmp_path / "mine.csv"), {"frame": frame * 2}],
        "humantfs_is_tf",
        controls=True,
        gain="nuisance:publications",
        data_dir=families_dir,
    )
    assert {"mine", "frame", "shuffled:mine", "lookup:family"} <= set(found.models)
    assert any(result.gain for result in found)


def test_pairs_and_diseases(both, families_dir):
    found = both(
        ["bag-of-words", "random:dim=5"],
        ["gene2vec_gene_pairs", "opentargets_gene_disease"],
        diseases="bag-of-words",
        data_dir=families_dir,
    )
    assert len(found) == 4


def test_common_genes_and_heads(both, families_dir):
    frame = pd.DataFrame(np.eye(40), index=[f"TOY{i}" for i in range(1, 41)])
    found = both(
        [{"few": frame}, "random:dim=5"],
        "humantfs_is_tf",
        common_genes=True,
        head=["linear", "ridge"],
        data_dir=families_dir,
    )
    assert {result.coverage.n_scored for result in found} == {40}


def test_a_head_of_a_graph(both, families_dir):
    lines = [f"ENSG{i:011}\tENSG{i + step:011}" for step in (1, 3) for i in range(1, 46)]
    (families_dir / "huri").mkdir()
    (families_dir / "huri/HuRI.tsv").write_text("\n".join(lines) + "\n")
    head = "gcn:graph=huri,hidden=2,epochs=1"
    assert len(both("random:dim=5", "humantfs_is_tf", head=head, data_dir=families_dir)) == 1


def test_sequences_with_few_labels(both):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "sequence": ["".join(rng.choice(list("ACGT"), 30)) for _ in range(80)],
            "label": rng.integers(0, 2, 80),
            "split": ["train"] * 40 + ["validation"] * 10 + ["test"] * 30,
        }
    )
    assert len(both("kmer:k=2", {"mine": table}, shots=[None, 2])) == 2


class Kept(GeneEncoder):
    """A model that only this process has."""

    model_id = "kept"

    def __init__(self):
        self.asked = 0

    def __reduce__(self):
        message = "not to be sent"
        raise TypeError(message)

    def encode(self, batch):
        self.asked += 1
        return np.array([[len(text), text.count("a")] for text in batch], "float32")


def test_an_object_that_cannot_be_sent_is_embedded_by_the_client_once(client):
    model = Kept()
    tasks = ["starter_is_tf", "starter_protein_class"]
    found = run(model, tasks, client=client, batch_size=1000, log=[].append)
    assert len(found) == 2
    assert model.asked == 1


def test_what_does_not_exist_stops_a_run_before_it_begins(client):
    with pytest.raises(GeneBenchError, match="did you mean"):
        run("random", "starter_is_tff", client=client, log=[].append)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"client": "tcp://node:8786"}, "expected a distributed.Client"), ({"gather": True}, "give a client")],
)
def test_wrong_options_are_told_in_one_line(options, said):
    with pytest.raises(GeneBenchError, match=said):
        run("random", "starter_is_tf", log=[].append, **options)


class Padded(GeneEncoder):
    """A model whose vectors depend on the batch, and that can be made anew by a worker."""

    model_id, is_cheap = "padded", False
    encoded: ClassVar[list[str]] = []

    def encode(self, batch):
        Padded.encoded += batch
        return np.array([[len(text), max(map(len, batch)), text.count("a")] for text in batch], "float32")


def test_workers_share_the_genes_of_a_model(both, monkeypatch):
    monkeypatch.setattr(embed, "CHUNK", 16)
    monkeypatch.setattr(shards, "LEAST", 100)
    # The one machine's vectors are not to be taken.
    monkeypatch.setattr("datasets.is_caching_enabled", lambda: False)
    Padded.encoded.clear()
    lines = []
    assert len(both(Padded(), "starter_is_tf", batch_size=8, log=lines.append)) == 1
    by = [line.rpartition("computed for ")[2] for line in lines if "vectors of dimension 3" in line]
    assert by == ["starter_genes", *["starter_genes by 2 workers"] * 3]
    assert set(Counter(Padded.encoded).values()) == {4}


def test_ctrl_c_leaves_a_folder_that_the_same_run_completes(client, tmp_path, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    options = {"head": ["linear", "ridge"], "log": [].append}
    with monkeypatch.context() as patched:
        patched.setattr(Cluster, "_taken", stop)
        with pytest.raises(KeyboardInterrupt):
            run("random:dim=4", "starter_*", out=tmp_path, client=client, **options)
    assert not list(tmp_path.glob(".run-*"))
    found = run("random:dim=4", "starter_*", out=tmp_path, client=client, **options)
    assert found.up_to_date >= 1
    assert contents(found) == contents(run("random:dim=4", "starter_*", **options))


@pytest.mark.parametrize("times", [2, 3])
def test_a_cell_is_tried_three_times(client, tmp_path, monkeypatch, times):
    tries, scored = Counter(), worker._scored

    def flaky(made, cell, *rest):
        tries[cell] += 1
        if cell.fit == 0 and tries[cell] <= times:
            message = "the disk is full"
            raise OSError(message)
        return scored(made, cell, *rest)

    monkeypatch.setattr(worker, "_scored", flaky)
    found = run("random:dim=4", "starter_is_tf", head=["linear", "ridge"], client=client, out=tmp_path, log=[].append)
    assert sorted(tries.values()) == [1, 3]
    assert (len(found), len(found.failures)) == ((2, 0) if times == 2 else (1, 1))
    assert all("the disk is full" in failure.reason for failure in found.failures)
