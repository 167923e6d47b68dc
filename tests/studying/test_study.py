"""Graphs in runs and in `gene-bench graph-study`, against NumPy, scikit-learn and the probe itself."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from builders import RawFiles
from gene_eval.cli.parser import main
from gene_eval.core.errors import UnknownNameError
from gene_eval.core.probe import probe
from gene_eval.errors import GeneBenchError
from gene_eval.results import store
from gene_eval.running import scoring
from gene_eval.running.encoding.vectors import ModelVectors
from gene_eval.running.runner import run
from gene_eval.running.tasks import collect_tasks
from gene_eval.studying.arms import arms, questions
from gene_eval.studying.leaks import find_leaks
from gene_eval.studying.masking import Cell, Masking, hidden_rows
from model_adapters import load_model
from model_adapters.graph.alone import Spectral

TASK, MODEL = "humantfs_is_tf", "random:dim=6"
TINY = "hidden=4,epochs=4"
HEAD = f"gcn:graph=huri,{TINY}"


class Log(list):
    def __call__(self, line):
        self.append(line)


@pytest.fixture
def go(graph_dir, tmp_path):
    def go(model, **options):
        return run(model, TASK, data_dir=graph_dir, out=tmp_path / "out", **{"log": Log(), **options})

    return go


@pytest.fixture
def parts(graph_dir):
    """The task in arrays, and vectors of the model."""
    raw = RawFiles(graph_dir)
    (task,) = collect_tasks(TASK, raw)
    return task, ModelVectors(load_model(MODEL), raw, name=MODEL, log=Log())


def test_a_head_of_a_graph_in_a_run(go, graph_dir, tmp_path, monkeypatch):
    (first,) = go(MODEL, head=HEAD)
    assert first.settings.head == HEAD
    assert (first.probe.params["n_edges"], first.probe.params["edges_of_test_rows"]) == (90, "used")
    assert go(MODEL, head=HEAD).up_to_date == 1
    assert store.load(next((tmp_path / "out").rglob("*.json"))).probe.params["graph_sha256"]
    # Other edges are another result.
    path = graph_dir / "huri" / "HuRI.tsv"
    path.write_text(path.read_text() + "ENSG00000000001\tENSG00000000009\n")
    again = go(MODEL, head=HEAD)
    assert again.fitted == 1
    assert again.results[0].probe.params["n_edges"] == 91
    # And so is one of networks that are trained otherwise.
    monkeypatch.setattr(scoring, "NETWORKS", 0)
    assert go(MODEL, head=HEAD).fitted == 1


def test_propagated_vectors_in_a_run_are_a_product(go, parts):
    task, vectors = parts
    (found,) = go(f"propagate:graph=huri,steps=2,model={MODEL}")
    table = vectors.of(task.gene_table).embedding
    number = np.array([int(symbol[3:]) for symbol in table.symbols])
    gap = np.abs(number[:, None] - number)
    # Pairs begin at 1 to 45.
    loops = np.eye(50) + (((gap == 1) | (gap == 3)) & (np.minimum(number[:, None], number) <= 45))
    P = loops / np.sqrt(np.outer(loops.sum(axis=0), loops.sum(axis=0)))
    row = {symbol: i for i, symbol in enumerate(table.symbols)}
    X = (P @ P @ table.matrix)[[row[symbol] for symbol in task.entities["symbol"]]]
    expected = probe(X, task.y, target="binary", folds=task.folds[0]).scores["roc_auc"]
    np.testing.assert_allclose(found.scores["roc_auc"].folds, expected.folds, atol=1e-6)


def test_vectors_of_a_graph_alone_are_made_once_for_runs_that_share_raw_files(graph_dir, monkeypatch):
    made, make = [], Spectral.encode_table
    monkeypatch.setattr(Spectral, "encode_table", lambda self, genes: made.append(self.model_id) or make(self, genes))
    raw = RawFiles(graph_dir)
    one, two = (run("spectral:graph=huri,dim=4", TASK, raw=raw, head=h, log=Log()) for h in ("linear", "knn"))
    assert made == ["spectral:graph=huri,dim=4"]
    assert len(one.results) == len(two.results) == 1
    assert one.results[0].model.embedding_sha256 == two.results[0].model.embedding_sha256


def test_terms_carry_their_definitions(go):
    log = Log()
    (words,) = go("bag-of-words", head=f"gcn:graph=go,{TINY}", log=log)
    assert "bag-of-words: 5 vectors of dimension" in " ".join(log)
    assert (words.probe.params["n_nodes"], words.probe.params["n_edges"]) == (55, 4 + 17 + 13 + 10)
    found = go(MODEL, head=f"gcn:graph=go,{TINY}", terms="random:dim=7")
    assert "vectors of terms have 7 numbers, those of genes 6" in found.failures[0].reason
    (same,) = go(MODEL, head=f"gcn:graph=go,{TINY}", terms=MODEL)
    assert same.probe.params["terms"] == MODEL


@pytest.mark.parametrize(
    ("model", "head", "reason"),
    [
        ("propagate:graph=huri,model=random", HEAD, "has neighbours in its vectors already"),
        (MODEL, "gcn:graph=hurry", "unknown graph 'hurry' in 'hurry'; did you mean 'huri'"),
        ("propagate:graph=hurry,model=random", "linear", "unknown graph 'hurry'"),
    ],
)
def test_what_cannot_be_scored_costs_one_line(go, model, head, reason):
    found = go(model, head=head)
    assert not found.results
    assert reason in found.failures[0].reason
    assert "\n" not in found.failures[0].reason


def test_arms_and_what_their_differences_say():
    found = arms("m", ["string", "go"], options="lr=0.01")
    # Of the ontology alone there is no vote: no gene has a gene as its neighbour.
    assert len({arm.name for arm in found}) == len(found) == 4 + 7 + 6
    assert "neighbours' labels on go, no model" not in {arm.name for arm in found}
    by_name = {arm.name: arm for arm in found}
    assert by_name["GCN on go, rewired"].head == "gcn:graph=go:rewired=1,lr=0.01"
    assert by_name["linear, propagated on string"].model == "propagate:graph=string,steps=2,model=m"
    asked = questions(found)
    assert len(asked) == 1 + 2 * 7
    assert all(question.one in by_name and question.other in by_name for question in asked)
    assert [arm.kind for arm in arms("m", ["go"], wanted=("gcn",))] == ["linear", "gcn"]
    with pytest.raises(UnknownNameError, match="unknown arm 'gnc': did you mean 'gcn'"):
        arms("m", ["go"], wanted=("gnc",))


def test_the_command_writes_tables_and_goes_on_where_it_was(graph_dir, tmp_path, capsys):
    command = [
        "graph-study",
        MODEL,
        "--graph",
        "huri,go+huri",
        "-t",
        TASK,
        "-o",
        str(tmp_path / "s"),
        "--split",
        "random",
    ]
    command += [
        "--arms",
        "propagated,gcn,vote",
        "--head-options",
        TINY,
        "--mask",
        "0,0.5",
        "--mask-seeds",
        "2",
        "--leaks",
    ]
    command += ["--data-dir", str(graph_dir)]
    assert main(command) == 0
    printed, told = capsys.readouterr()
    text = (tmp_path / "s" / "study.md").read_text()
    assert text in printed + "\n"
    for line in (
        "| linear, plain vectors | 0.",
        "| GCN on huri | 0.",
        "| linear, propagated on go+huri | 0.",
        "transductive",
    ):
        assert line in text
    assert "| GO:2 | of threes | 1.000 | auc |" in text
    assert f"| linear, propagated on go without {TASK}.txt+huri | 0." in text
    assert "hidden, seed 1" in told
    picture = (tmp_path / "s" / "masking" / f"{TASK}.svg").read_text()
    # Five arms, in two panels and in the legend.
    assert picture.count('id="LineCollection') == 3 * 5
    assert main(command) == 0
    again, told = capsys.readouterr()
    assert again == printed
    assert "hidden, seed" not in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--graph", "strin"], "unknown graph 'strin'"),
        (["--mask", "0.5,0.2"], "--mask 0.5,0.2: expected ascending shares"),
        (["--mask", "1"], "expected ascending shares from 0 to below 1"),
        (["--arms", "gnc"], "unknown arm 'gnc'"),
        (["--head-options", "depth=3"], "unknown option of head gcn 'depth'"),
    ],
)
def test_a_wrong_command_is_one_line(graph_dir, tmp_path, capsys, options, message):
    command = ["graph-study", MODEL, "-t", TASK, "-o", str(tmp_path / "s"), "--data-dir", str(graph_dir), *options]
    assert main(command) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_hidden_vectors_are_zero_and_nothing_else_changes(parts, tmp_path):
    task, vectors = parts
    masking = Masking(task, vectors, tmp_path / "cells", log=Log())
    table = vectors.of(task.gene_table).embedding
    row = {symbol: i for i, symbol in enumerate(table.symbols)}
    index = [row[symbol] for symbol in task.entities["symbol"]]

    def score(X, folds):
        return probe(X, task.y, target="binary", folds=folds).scores["roc_auc"].folds

    hidden = np.array(table.matrix)
    hidden[hidden_rows(table.symbols, 0.5, 3)] = 0
    expected = np.nanmean(score(hidden[index], task.folds[0]))
    assert masking.score(Cell("linear", "linear", "", 0.5, "all genes", 3)) == pytest.approx(expected, abs=1e-6)
    # Test genes of each fold, one fold after the other.
    folds, found = task.folds[0], []
    for fold in range(5):
        test = np.flatnonzero(folds == fold)
        X = np.array(table.matrix)[index]
        X[test[hidden_rows([table.symbols[index[i]] for i in test], 0.5, 3)]] = 0
        found.append(score(X, folds)[fold])
    cell = Cell("linear", "linear", "", 0.5, "test genes", 3)
    assert masking.score(cell) == pytest.approx(np.nanmean(found), abs=1e-6)
    path = next(
        path for path in (tmp_path / "cells").iterdir() if json.loads(path.read_text())["where"] == "test genes"
    )
    path.write_text(json.dumps({"mean": 0.125}))
    assert masking.score(cell) == 0.125


def test_a_curve_and_its_area(parts, tmp_path, monkeypatch):
    masking = Masking(*parts, tmp_path, log=Log())
    monkeypatch.setattr(masking, "score", lambda cell: 0.9 - cell.share + 0.1 * cell.seed)
    (curve,) = masking.curves([("a", "linear", "")], [0.0, 0.25, 0.75], 2, ["all genes"])
    np.testing.assert_allclose(curve.means, [0.9, 0.7, 0.2])
    # Two seeds: half the distance times the quantile 12.706 of one degree of freedom.
    np.testing.assert_allclose(curve.half_widths, [0, 12.7062 * 0.05, 12.7062 * 0.05], rtol=1e-4)
    assert curve.area == pytest.approx((0.25 * 0.8 + 0.5 * 0.45) / 0.75)


def test_terms_that_state_the_label(parts, tmp_path):
    task, vectors = parts
    leaks = find_leaks(task, vectors.raw, tmp_path / "leaks.txt", least=0.55)
    has = {
        term: np.array([(int(symbol[3:]) - 1) % every == 0 for symbol in task.entities["symbol"]])
        for term, every in (("GO:2", 3), ("GO:3", 4), ("GO:4", 5))
    }
    folds = task.folds[0]
    for leak in leaks.terms:
        aucs = [roc_auc_score(task.y[folds != fold], has[leak.term][folds != fold]) for fold in range(5)]
        assert leak.auc == pytest.approx(max(max(auc, 1 - auc) for auc in aucs))
    assert leaks.terms[0].term == "GO:2"
    assert leaks.terms[0].auc == 1
    assert (tmp_path / "leaks.txt").read_text().splitlines()[1] == "GO:2\t1.000\tauc\tof threes"
    (numbers,) = collect_tasks("starter_membrane_segments", vectors.raw)
    with pytest.raises(GeneBenchError, match="found for classes of genes only"):
        find_leaks(numbers, vectors.raw, tmp_path / "x.txt")
