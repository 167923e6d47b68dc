"""`gene_eval.run` and what it gives: the job of the command line, from Python."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import gene_eval
from builders import load
from gene_eval import GeneBenchError
from gene_eval.cli import main

SMALL = "random:dim=8"


@pytest.fixture(scope="module")
def symbols():
    return load("starter_genes").dataset["symbol"][:]


@pytest.fixture(scope="module")
def frame(symbols):
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(len(symbols), 6)).astype("float32"), index=symbols)


@pytest.fixture(scope="module")
def labels():
    task = load("starter_is_tf").dataset
    return pd.DataFrame({"symbol": task["symbol"][:], "label": task["label"][:]})


@pytest.fixture
def go(log):
    """Run in memory."""

    def go(models, tasks, **options):
        return gene_eval.run(models, tasks, log=log, **options)

    return go


def main_scores(results):
    scores = results.to_frame().query("is_main")
    return dict(zip(zip(scores["model"], scores["task"], strict=True), scores["mean"], strict=True))


def test_models_of_every_kind_give_the_same_scores(go, frame, symbols, tmp_path):
    import datasets

    path = tmp_path / "file.csv"
    frame.rename_axis("symbol").to_csv(path)
    vectors = frame.to_numpy()
    table = datasets.Dataset.from_dict({"symbol": symbols, "embedding": vectors.tolist()})

    class Encoder:
        model_id, revision, input_column = "encoder", None, "symbol"

        def encode(self, batch):
            return frame.loc[batch].to_numpy()

    models = {
        "frame": frame,
        "dict": dict(zip(symbols, vectors, strict=True)),
        "pair": (symbols, vectors),
        "dataset": table,
        "path": str(path),
        "object": Encoder(),
    }
    found = main_scores(go(models, ["starter_is_tf", "starter_location"]))
    assert {model for model, _ in found} == set(models)
    for task in ("starter_is_tf", "starter_location"):
        assert len({round(found[model, task], 9) for model in models}) == 1


def test_nothing_is_written_without_out(go, frame, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = go({"mine": frame}, "starter_is_tf")
    assert (results.models, results.tasks, list(tmp_path.iterdir())) == (("mine",), ("starter_is_tf",), [])


def test_the_command_line_does_the_same(go, capsys, tmp_path):
    assert main(["run", SMALL, "bag-of-words", "-t", "starter_*", "-o", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    results = go([SMALL, "bag-of-words"], ["starter_*"])
    assert printed == f"{results}\n"
    saved = gene_eval.load_results(tmp_path)
    pd.testing.assert_frame_equal(
        saved.to_frame().sort_values(["model", "task", "metric"], ignore_index=True),
        results.to_frame().sort_values(["model", "task", "metric"], ignore_index=True),
    )


def test_frames(go):
    results = go(SMALL, ["starter_is_tf", "starter_location"])
    scores, folds, labels = (results.to_frame(level) for level in ("scores", "folds", "labels"))
    assert list(scores.columns[:7]) == ["model", "task", "split", "head", "protocol", "shots", "seed"]
    first = scores.iloc[0]
    assert (first["split"], first["head"], first["protocol"], first["shots"], first["seed"]) == (
        *("random", "linear", "paper", None, 0),
    )
    auc = folds.query("task == 'starter_is_tf' and metric == 'roc_auc'")["score"]
    mean = scores.query("task == 'starter_is_tf' and metric == 'roc_auc'")["mean"].item()
    assert len(auc) == 5
    assert mean == pytest.approx(auc.mean())
    assert set(labels["task"]) == {"starter_location"}
    assert "nucleus" in set(labels["label"])
    assert results.table().loc["starter_is_tf", SMALL] == mean
    with pytest.raises(GeneBenchError, match=r"unknown level 'fold': did you mean 'folds'"):
        results.to_frame("fold")


def test_comparisons_and_ranks(go):
    results = go(["bag-of-words", SMALL], "starter_*")
    comparison = results.compare("bag-of-words", SMALL)
    assert "starter_is_tf" in repr(comparison)
    tasks = comparison.to_frame().set_index("task")
    means = main_scores(results)
    assert tasks.loc["starter_is_tf", "mean_a"] == pytest.approx(means["bag-of-words", "starter_is_tf"])
    assert tasks.loc["starter_is_tf", "better"] == "bag-of-words"
    assert gene_eval.compare(results, "bag-of-words", SMALL).to_frame().equals(comparison.to_frame())
    # The starter tasks count in no group.
    assert comparison.to_frame("groups").empty
    assert results.rank().empty


def test_pictures(go):
    from matplotlib.figure import Figure

    results = go(["bag-of-words", SMALL], "starter_*")
    assert isinstance(results.plot.tasks(), Figure)
    assert isinstance(results.plot.folds("bag-of-words", SMALL), Figure)
    with pytest.raises(GeneBenchError, match="ranks"):
        results.plot.ranks()  # no task of these is ranked


def test_as_text_and_html(go):
    results = go({"<b>mine": SMALL}, "starter_is_tf")
    assert "starter_is_tf" in str(results)
    page = results._repr_html_()
    assert page.startswith("<")
    assert "&lt;b&gt;mine" in page
    assert "<b>mine" not in page


def test_save_and_load(go, tmp_path):
    results = go(SMALL, "starter_*", predictions=True)
    results.save(tmp_path / "out")
    loaded = gene_eval.load_results(tmp_path / "out")
    assert main_scores(loaded) == main_scores(results)
    assert sorted(results.save(tmp_path / "out")) == sorted((tmp_path / "out").rglob("*.json"))
    other = go({SMALL: "random:dim=9"}, "starter_is_tf")
    with pytest.raises(GeneBenchError, match="holds results of other vectors under the name random:dim="):
        other.save(tmp_path / "out")
    assert len(other.save(tmp_path / "out", overwrite=True)) == 1
    results.save(tmp_path / "out", overwrite=True)
    saved = gene_eval.load_predictions(tmp_path / "out", SMALL, "starter_location")
    pd.testing.assert_frame_equal(saved, results.predictions(SMALL, "starter_location"), check_dtype=False)


def test_predictions_are_those_that_were_scored(go, labels):
    from sklearn.metrics import roc_auc_score

    results = go("bag-of-words", "starter_is_tf", predictions=True)
    found = results.predictions("bag-of-words", "starter_is_tf")
    assert list(found.columns) == ["symbol", "fold", "label", "score"]
    assert set(found["symbol"]) == set(labels["symbol"])
    scores = results.to_frame("folds").query("metric == 'roc_auc'").set_index("fold")["score"]
    for fold, rows in found.groupby("fold"):
        assert roc_auc_score(rows["label"], rows["score"]) == pytest.approx(scores[fold])


@pytest.mark.parametrize(
    ("form", "target"),
    [
        (lambda t: t, "binary"),
        (lambda t: t.assign(label=t["label"].astype(bool)), "binary"),
        (lambda t: t.assign(label=t["label"].map({0: "other", 1: "tf"})), "multiclass"),
        (lambda t: t.assign(label=t["label"] + 0.5 * np.arange(len(t))), "regression"),
        (
            lambda t: t.assign(label=[["a", "b"] if one else ["b"] * (i % 2) for i, one in enumerate(t["label"])]),
            "multilabel",
        ),
    ],
)
def test_a_frame_is_a_task(go, labels, form, target):
    (result,) = go(SMALL, {"mine": form(labels)})
    assert (result.task.id, result.task.target, result.task.n) == ("mine", target, len(labels))


def test_a_frame_with_folds_is_scored_on_them(go, labels):
    folds = dict(zip(*(load("starter_is_tf").dataset[name][:] for name in ("symbol", "fold")), strict=True))
    copy = labels.assign(fold=labels["symbol"].map(folds)).sample(frac=1, random_state=0)
    found = main_scores(go("bag-of-words", ["starter_is_tf", {"copy": copy}]))
    assert found["bag-of-words", "copy"] == pytest.approx(found["bag-of-words", "starter_is_tf"])


def test_a_dataset_is_a_task(go):
    task = load("starter_location").dataset
    found = main_scores(go(SMALL, ["starter_location", {"copy": task}]))
    assert found[SMALL, "copy"] == pytest.approx(found[SMALL, "starter_location"])


@pytest.mark.parametrize(
    ("models", "tasks", "options", "message"),
    [
        ([], "starter_is_tf", {}, "no model was given"),
        (SMALL, "starter_is_ft", {}, "did you mean 'starter_is_tf'"),
        (SMALL, "starter_is_tf", {"sed": 1}, "unknown option 'sed': did you mean 'seed'"),
        (SMALL, "starter_is_tf", {"split": "familly"}, "unknown split 'familly'"),
        (SMALL, "starter_is_tf", {"head": "lineal"}, "unknown head 'lineal'"),
        (SMALL, "starter_is_tf", {"shots": 0}, "shots is 0"),
        ([{"a": SMALL}, {"a": "bag-of-words"}], "starter_is_tf", {}, "both named a"),
        (SMALL, 7, {}, "a task is a int; expected"),
        (SMALL, {"starter_is_tf": pd.DataFrame({"symbol": ["A"], "label": [1]})}, {}, "give your table another name"),
    ],
)
def test_mistakes_are_one_line(go, models, tasks, options, message):
    with pytest.raises(GeneBenchError, match=message) as caught:
        go(models, tasks, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"symbol": ["A", "B"]}), "no column 'label'"),
        (pd.DataFrame({"x": [1.0, 2.0], "label": [0, 1]}), "no column of genes"),
        (pd.DataFrame({"symbol": list("ABCDEFGH"), "label": [1] * 8}), "expected 2 with 5 members"),
    ],
)
def test_a_table_that_is_no_task_costs_that_task(go, table, message):
    results = go(SMALL, ["starter_is_tf", {"mine": table}])
    assert results.tasks == ("starter_is_tf",)
    ((task, model, reason),) = [(each.task, each.model, each.reason) for each in results.failures]
    assert (task, model) == ("mine", "")
    assert message in reason


def test_a_frame_without_identifiers_is_one_line(go, symbols):
    frame = pd.DataFrame(np.ones((len(symbols), 3)))
    with pytest.raises(GeneBenchError, match=r"^mine has no column of gene identifiers") as caught:
        go({"mine": frame, "small": SMALL}, "starter_is_tf")
    assert "\n" not in str(caught.value)


def test_an_exception_of_a_users_model_costs_that_model(go, tmp_path):
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    model_id, input_column = 'mine', 'symbol'\n"
        "    def encode(self, batch):\n        raise KeyError('x')\n"
    )
    results = go([f"{tmp_path / 'mine.py'}:Mine", SMALL], "starter_is_tf")
    assert results.models == (SMALL,)
    assert "mine.py, line 4" in results.failures[0].reason


@pytest.mark.parametrize("error", ["SystemExit(0)", "BaseException('a panic of a library in Rust')"])
@pytest.mark.parametrize("method", ["__init__(self)", "encode(self, batch)"])
def test_what_is_no_exception_costs_that_model_too(go, tmp_path, method, error):
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    model_id, input_column = 'mine', 'symbol'\n"
        f"    def encode(self, batch):\n        pass\n    def {method}:\n        raise {error}\n"
    )
    if method.startswith("encode"):
        results = go([f"{tmp_path / 'mine.py'}:Mine", SMALL], "starter_is_tf")
        assert results.models == (SMALL,)
        assert "mine.py, line 6" in results.failures[0].reason
    else:
        with pytest.raises(GeneBenchError, match=r"mine.py:Mine cannot be made .*mine.py, line 6"):
            go([f"{tmp_path / 'mine.py'}:Mine", SMALL], "starter_is_tf")


def test_importing_is_cheap():
    script = "import sys, gene_eval; print(sorted({'numpy', 'pandas', 'datasets', 'torch'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_public_names_are_there_and_documented():
    for name in gene_eval.__all__:
        assert name == "__version__" or getattr(gene_eval, name).__doc__
    assert set(gene_eval.__all__) <= set(dir(gene_eval))
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        gene_eval.rnu  # noqa: B018


def test_every_error_is_a_gene_bench_error():
    from builders import BuilderError
    from gene_eval.core import ProbeError
    from model_adapters import AdapterError
    from push_scripts.errors import PushError

    for error in (BuilderError, AdapterError, ProbeError, PushError):
        assert issubclass(error, GeneBenchError)
        assert issubclass(error, ValueError)


def test_lists():
    assert gene_eval.tasks("starter_*").loc["starter_location", "target"] == "multilabel"
    assert "reactome_pathways" in gene_eval.tasks().index
    assert "bag-of-words" in gene_eval.models().index
