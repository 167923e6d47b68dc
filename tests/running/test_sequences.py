"""Tasks about sequences in a run: parts, regimes, protocols, repeats, vectors made once, result files."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import matthews_corrcoef

from builders import RawFiles, load
from gene_eval.core.few_labels import geneb
from gene_eval.core.few_labels.geneb import GENEB_SEEDS, draw_rows
from gene_eval.core.parts import logistic
from gene_eval.results import store
from gene_eval.running.runner import run
from gene_eval.running.verify import verify
from model_adapters import GeneEncoder, load_model


def frame(n=160, *, seed=0, classes=2, length=40, repeats=0):
    """Sequences of which class k is richer in the k-th base; `repeats` test rows are copies of training rows."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    p = np.full((n, 4), 1.0)
    p[np.arange(n), y] += 0.5
    texts = ["".join(rng.choice(list("ACGT"), length, p=row / row.sum())) for row in p]
    parts = np.repeat(["train", "validation", "test"], [n // 2, n // 8, n - n // 2 - n // 8])
    table = pd.DataFrame({"sequence": texts, "label": y, "split": parts})
    if repeats:
        table.loc[table.index[-repeats:], ["sequence", "label"]] = table.loc[
            : repeats - 1, ["sequence", "label"]
        ].values
    return table


class Counted(GeneEncoder):
    """Word counts that remember what they were asked for."""

    model_id, input_column, version = "counted", "dna_sequence", "1"

    def __init__(self):
        self.encoded, self.loaded = [], 0

    def load(self, device):
        self.loaded += 1

    def encode(self, batch):
        self.encoded += batch
        return np.array([[text.count(word) for word in ("A", "C", "G", "T", "AC", "GT")] for text in batch], "float32")


def arrays(table, spec="kmer:k=2"):
    vectors = load_model(spec).encode(table["sequence"].tolist())
    return {
        part: (vectors[rows], table["label"][rows].to_numpy())
        for part in ("train", "validation", "test")
        for rows in [(table["split"] == part).to_numpy()]
    }


def test_three_regimes_by_geneb_are_those_of_scikit_learn(go, tmp_path):
    table = frame()
    found = go("kmer:k=2", {"mine": table}, shots=[None, 10, 1])
    assert not found.failures
    parts = arrays(table)
    (X, y), (X_test, truth) = parts["train"], parts["test"]
    by_shots = {result.settings.shots: result for result in found}
    called = LogisticRegression(max_iter=1000).fit(X, y).predict(X_test)
    full = by_shots[None]
    assert full.scores["mcc"].folds == pytest.approx((matthews_corrcoef(truth, called),))
    assert full.intervals["mcc"][0] < full.scores["mcc"].mean < full.intervals["mcc"][1]
    assert sum(map(sum, full.confusion[0])) == len(truth) == full.task.n_tested
    for k in (10, 1):
        fits = [
            LogisticRegression(max_iter=1000).fit(X[r], y[r])
            for r in (draw_rows(y, shots=k, seed=s) for s in GENEB_SEEDS)
        ]
        expected = [matthews_corrcoef(truth, fit.predict(X_test)) for fit in fits]
        assert by_shots[k].scores["mcc"].folds == pytest.approx(expected)
        assert len(by_shots[k].confusion) == 5
    assert (full.settings.split, full.settings.protocol, full.task.main_metric) == ("published", "geneb", "mcc")
    files = {path.name for path in (tmp_path / "out").rglob("*.json")}
    assert files == {"mine.json", "mine@shots=10.json", "mine@shots=1.json"}
    for path in (tmp_path / "out").rglob("*.json"):
        read = store.load(path)
        assert read.to_json() == path.read_text()
        assert read.confusion == by_shots[read.settings.shots].confusion
    assert go("kmer:k=2", {"mine": table}, shots=[None, 10, 1]).up_to_date == 3
    predictions = found.predictions("kmer:k=2", "mine")
    assert len(predictions) == len(truth)
    assert matthews_corrcoef(predictions["label"], predictions["score"] > 0) == pytest.approx(full.scores["mcc"].mean)
    assert found.to_frame().query("is_main")["metric"].unique().tolist() == ["mcc"]
    assert f"{full.scores['mcc'].mean:.3f}" in str(found)


def test_scaled_chooses_on_the_part_for_validation_and_other_heads_are_fitted(go):
    found = go("kmer:k=2", {"mine": frame(classes=3)}, protocol="scaled", head=["linear", "knn"])
    linear, knn = found.results
    assert linear.probe.params["C_chosen_on"] == "validation"
    for result in (linear, knn):
        assert {"mcc", "accuracy", "f1_macro", "roc_auc_ovr_macro"} <= result.scores.keys()
        assert len(result.confusion[0]) == 3
    assert [result.settings.head for result in found] == ["linear", "knn"]


def test_dedupe_keeps_both_numbers(go, tmp_path):
    table = frame(repeats=20)
    (plain,) = go("kmer:k=2", {"mine": table})
    (unseen,) = go("kmer:k=2", {"mine": table}, dedupe=True)
    assert unseen.settings.entities == "unseen"
    assert unseen.all_rows["mcc"] == plain.scores["mcc"]
    assert sum(map(sum, unseen.confusion[0])) == plain.task.n_tested - 20 == unseen.task.n_tested
    parts = arrays(table)
    model = LogisticRegression(max_iter=1000).fit(*parts["train"])
    X_test, truth = (part[:-20] for part in parts["test"])
    assert unseen.scores["mcc"].mean == pytest.approx(matthews_corrcoef(truth, model.predict(X_test)))
    assert {path.name for path in (tmp_path / "out").rglob("*.json")} == {"mine.json", "mine@entities=unseen.json"}
    (few,) = go("kmer:k=2", {"mine": table}, dedupe=True, shots=10)
    assert len(few.all_rows["mcc"].folds) == len(few.scores["mcc"].folds) == 5


def test_a_sequence_in_several_tasks_is_encoded_once(log):
    one, other = frame(seed=1), frame(seed=2)
    other.loc[:59, ["sequence", "label"]] = one.loc[:59, ["sequence", "label"]].values
    model = Counted()
    first = run(model, {"one": one, "other": other}, log=log)
    assert not first.failures
    assert len(model.encoded) == len(set(model.encoded)) == len(set(one["sequence"]) | set(other["sequence"]))
    assert model.loaded == 2
    assert "for the sequences of other, 60 of them from the cache" in log.text
    again = Counted()
    second = run(again, {"one": one, "other": other}, log=log)
    assert again.encoded == []
    assert [r.scores["mcc"] for r in second] == [r.scores["mcc"] for r in first]
    assert first.results[0].model.embedding_sha256 == second.results[0].model.embedding_sha256


def test_vectors_of_a_damaged_file_are_made_again(log):
    import datasets

    from gene_eval.running.encoding.vectors import VECTORS_OF_SEQUENCES

    class Other(Counted):
        model_id = "damaged"

    table = frame(seed=5)
    before = run(Other(), {"mine": table}, log=log).results[0]
    folder = max(
        (datasets.config.HF_DATASETS_CACHE / VECTORS_OF_SEQUENCES).iterdir(), key=lambda each: each.stat().st_mtime
    )
    (chunk,) = folder.glob("*.chunk")
    chunk.write_bytes(chunk.read_bytes()[:-4])
    assert "was damaged and is removed" in run(Other(), {"mine": table}, log=log).failures[0].reason
    again = Other()
    after = run(again, {"mine": table}, log=log).results[0]
    assert len(again.encoded) == len(set(table["sequence"]))
    assert after.scores == before.scores


def test_vectors_of_ones_own_by_sequence_id(log, tmp_path):
    table = frame(seed=3).assign(sequence_id=[f"s{i}" for i in range(160)])
    vectors = pd.DataFrame(load_model("kmer:k=2").encode(table["sequence"].tolist()), index=table["sequence_id"])
    (expected,) = run("kmer:k=2", {"mine": table}, log=log)
    (own,) = run({"own": vectors}, {"mine": table}, log=log)
    assert own.scores["mcc"] == expected.scores["mcc"]
    vectors.to_csv(tmp_path / "own.csv")
    (read,) = run(tmp_path / "own.csv", {"mine": table}, log=log)
    assert read.scores["mcc"] == expected.scores["mcc"]
    # A frame of genes and sequences is one of genes for tasks about genes.
    symbols = load("starter_genes").dataset["symbol"][:]
    genes = pd.DataFrame(np.random.default_rng(0).normal(size=(len(symbols), vectors.shape[1])), index=symbols)
    mixed = run({"own": pd.concat([vectors, genes])}, [{"mine": table}, "starter_is_tf"], log=log)
    assert not mixed.failures
    assert {result.task.id: result.coverage.n_missing for result in mixed} == {"mine": 0, "starter_is_tf": 0}
    fewer = run({"own": vectors.iloc[:-10]}, {"mine": table}, log=log).results[0]
    assert (fewer.coverage.n_missing, fewer.task.n_tested) == (10, expected.task.n_tested - 10)


@pytest.mark.parametrize(
    ("model", "options", "reason"),
    [
        (
            "bag-of-words",
            {},
            "bag-of-words reads 'description', and a task about sequences has none; take a model of DNA",
        ),
        ("gc", {"split": "random"}, "sequences cannot be split by random; expected published, which is the default"),
        ("gc", {"curve": True}, "a task with published parts has no curve; give --shots, or leave curve out"),
        ("gc", {"head": "knn"}, "head knn with protocol geneb is not fitted on published parts; take head linear"),
        ("gc", {"memory": 1000.0}, r"1,000 bytes of memory are too few: vectors of 80 x 1 need at least"),
        ("lookup:family", {}, "mine was built without families of genes"),
    ],
)
def test_what_cannot_be_scored_is_one_line(log, model, options, reason):
    found = run(model, {"mine": frame()}, log=log, **options)
    assert not found.results
    assert reason in found.failures[0].reason
    assert "\n" not in found.failures[0].reason


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"protocol": "geneb"}, "protocol geneb is for tasks with published parts"),
        ({"split": "published"}, "no split published: it comes in one part"),
        ({"dedupe": True}, "dedupe leaves test sequences out"),
        ({"shots": 2, "protocol": "scaled"}, "leave protocol and engine out"),
    ],
)
def test_what_genes_have_not(log, options, reason):
    found = run("random:dim=4", "starter_is_tf", log=log, **options)
    assert reason in found.failures[0].reason


def test_a_result_is_verified_by_its_own_record(go, tmp_path):
    table = frame(seed=9)
    path = tmp_path / "mine.csv"
    table.to_csv(path, index=False)
    found = go("gc", {"mine": table}, shots=[None, 10], dedupe=True)
    assert [result.settings.shots for result in found] == [None, 10]
    # A table of the user's own is not named by its result: that is said, and nothing else.
    (verdict, _) = verify(found.results, log=lambda line: None)
    assert "cannot be run again" in verdict.reasons[0]


class Layered(GeneEncoder):
    """Of three layers only the second says anything; what was encoded is counted by layer."""

    model_id, input_column, version, selects_layer = "layered", "dna_sequence", "1", True

    def __init__(self, layer="select", counts=None):
        self.layer, self.options, self.counts = layer, {"layer": layer}, {} if counts is None else counts

    def layers(self):
        return [1, 2, -1]

    def with_layer(self, layer):
        made = Layered(layer, self.counts)
        made.selects_layer = False
        return made

    def encode(self, batch):
        self.counts[self.layer] = self.counts.get(self.layer, 0) + len(batch)
        words = np.array([[text.count(word) for word in "ACGT"] for text in batch], "float32")
        return words if self.layer == 2 else words[:, :1] * 0 + [[len(text) * 0.5] for text in batch]


@pytest.mark.parametrize("has_validation", [True, False])
def test_a_layer_is_chosen_inside_the_training_part(log, has_validation):
    table = frame(seed=11 + has_validation)
    if not has_validation:
        table.loc[table["split"] == "validation", "split"] = "train"
    # What the test part says must not matter.
    table.loc[table["split"] == "test", "label"] = 1 - table["label"]
    model = Layered()
    (result,) = run(model, {"mine": table}, log=log)
    assert result.model.health["layer"] == 2
    assert set(result.model.health["layer_scores"]) == {"1", "2", "-1"}
    assert result.model.health["layer_chosen_on"].startswith(
        "validation, 20 rows" if has_validation else "a fifth of train, 20"
    )
    assert result.scores["mcc"].mean < 0
    n = len(set(table["sequence"]))
    assert model.counts[2] == n
    assert model.counts[1] < n


@pytest.mark.real_data
def test_published_scores_of_4_mers_by_a_run(raw_dir, log):
    names = ["geneb_gue_mouse_0", "geneb_idhs_el_dnase_i"]
    found = run("kmer:k=4", names, data_dir=raw_dir, shots=[None, 10], log=log)
    scores = {(r.task.id, r.settings.shots): r.scores["mcc"] for r in found}
    assert scores["geneb_gue_mouse_0", None].mean == pytest.approx(0.4371, abs=1e-3)
    assert scores["geneb_gue_mouse_0", 10].mean == pytest.approx(0.1061, abs=1e-3)
    assert scores["geneb_gue_mouse_0", 10].std == pytest.approx(0.069, abs=1e-3)
    # Unscaled, the solver stops before it tells the classes apart.
    assert scores["geneb_idhs_el_dnase_i", None].mean == 0
    (scaled,) = run("kmer:k=4", names[1], data_dir=raw_dir, protocol="scaled", log=log)
    assert scaled.scores["mcc"].mean == pytest.approx(0.572, abs=0.01)


@pytest.mark.real_data
@pytest.mark.parametrize("small", [None, 0])
def test_words_counted_and_fitted_by_scikit_learn_alone(raw_dir, log, monkeypatch, small):
    if small is not None:
        for module in (geneb, logistic):
            monkeypatch.setattr(module, "SMALL", small)
    name = "geneb_gue_mouse_2"
    shots = [None, 10, 1] if small is None else [None]
    found = {r.settings.shots: r for r in run("kmer:k=6", name, data_dir=raw_dir, shots=shots, log=log)}
    words = ["".join(word) for word in itertools.product("ACGT", repeat=6)]
    counter = CountVectorizer(analyzer="char", ngram_range=(6, 6), lowercase=False, vocabulary=words)
    table = load(name, RawFiles(raw_dir)).dataset.to_pandas()
    (X, y), (X_test, truth) = (
        (counter.transform(rows["sequence"]).toarray(), rows["label"].to_numpy())
        for part in ("train", "test")
        for rows in [table[table["split"] == part]]
    )
    X, X_test = ((counts / counts.sum(axis=1, keepdims=True)).astype(np.float32) for counts in (X, X_test))
    # Of few examples many rows lie just between two: there the last digit decides, so the precision is the same.
    X = X.astype(np.float32 if small is None else np.float64)
    for k, result in found.items():
        drawn = [np.arange(len(y))] if k is None else [draw_rows(y, shots=k, seed=seed) for seed in GENEB_SEEDS]
        fits = [LogisticRegression(max_iter=1000).fit(X[rows], y[rows]) for rows in drawn]
        expected = [matthews_corrcoef(truth, fit.predict(X_test)) for fit in fits]
        assert result.scores["mcc"].folds == pytest.approx(expected, abs=1e-3)
