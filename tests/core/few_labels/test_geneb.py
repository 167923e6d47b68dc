"""GENEB's protocol against scikit-learn by itself, and against published values of real tasks."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from gene_eval.core.errors import ProbeError
from gene_eval.core.few_labels.geneb import GENEB_SEEDS, draw_rows, hard_scores, score_geneb


def made(n, d, classes=2, seed=0, spread=1.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    centres = rng.normal(size=(classes, d)) * spread
    X = (rng.normal(size=(n, d)) + centres[y]).astype(np.float32)
    return (X[: n // 2], y[: n // 2]), (X[n // 2 :], y[n // 2 :])


def by_scikit_learn(train, test, k):
    """Scores of each seed, as GENEB's harness computes them."""
    (X, y), (X_test, y_test) = train, test
    found = []
    for seed in GENEB_SEEDS:
        rows = np.arange(len(y))
        if k is not None:
            generator = np.random.RandomState(seed)
            rows = np.concatenate(
                [
                    generator.choice(np.where(y == name)[0], min(k, int((y == name).sum())), replace=False)
                    for name in sorted(set(y.tolist()))
                ]
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(max_iter=1000, random_state=seed).fit(X[rows], y[rows])
        called = model.predict(X_test)
        found.append(
            (
                matthews_corrcoef(y_test, called),
                accuracy_score(y_test, called),
                f1_score(y_test, called, average="macro"),
            )
        )
    return np.array(found)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("k", [None, 10, 1])
def test_scores_are_those_of_scikit_learn(classes, k):
    train, test = made(600, 20, classes, spread=0.3)
    (scored,) = score_geneb(train, test, shots=[k])
    expected = by_scikit_learn(train, test, k)
    for column, name in enumerate(("mcc", "accuracy", "f1_macro")):
        score = scored.scores[name]
        assert score.mean == pytest.approx(expected[:, column].mean(), abs=1e-9)
        assert score.std == pytest.approx(expected[:, column].std(), abs=1e-9)
        if k is None:
            # The seeds do nothing there.
            assert len(score.folds) == 1
            assert np.ptp(expected[:, column]) == 0
        else:
            assert score.folds == pytest.approx(expected[:, column], abs=1e-9)
            assert scored.intervals == {}


def test_a_draw_takes_what_a_small_class_has():
    rows = draw_rows([5, 7, 5, 5, 7, 5], shots=3, seed=42)
    assert sorted(rows[:3].tolist()) != rows[3:].tolist()
    assert {row for row in rows.tolist() if row in (1, 4)} == {1, 4}
    assert len(rows) == 5


def test_hard_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    for classes in (2, 3, 6):
        truth, called = rng.integers(0, classes, 80), rng.integers(0, classes - 1, 80)
        table = np.zeros((classes, classes))
        np.add.at(table, (truth, called), 1)
        found = {name: values[0] for name, values in hard_scores(table[None]).items()}
        assert found["mcc"] == pytest.approx(matthews_corrcoef(truth, called))
        assert found["f1_macro"] == pytest.approx(f1_score(truth, called, average="macro"))
    assert hard_scores([[[3, 0], [2, 0]]])["mcc"].tolist() == [0.0]


def test_interval_is_that_of_resampled_test_rows():
    train, test = made(800, 5, spread=0.3)
    (scored,) = score_geneb(train, test, shots=[None], resamples=4000)
    model = LogisticRegression(max_iter=1000).fit(*train)
    called, truth = model.predict(test[0]), test[1]
    rng = np.random.default_rng(5)
    drawn = [rng.integers(0, len(truth), len(truth)) for _ in range(2000)]
    # Of two classes it is the correlation of the two columns of zeros and ones.
    expected = np.quantile([np.corrcoef(truth[rows], called[rows])[0, 1] for rows in drawn], (0.025, 0.975))
    assert scored.intervals["mcc"] == pytest.approx(expected, abs=0.01)
    assert scored.intervals["mcc"][0] < scored.scores["mcc"].mean < scored.intervals["mcc"][1]
    assert score_geneb(train, test, shots=[None], resamples=4000) == [scored]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda X, y: ((X, y), (X[:, 1:], y)),
            r"vectors of train have 4 numbers and those of test 3; give one model's",
        ),
        (lambda X, y: ((X, y), (X, y + 1)), r"class 2 of test is missing in train"),
        (lambda X, y: ((X, y * 0), (X, y)), r"train has 1 class; expected two or more"),
        (lambda X, y: ((X, y[1:]), (X, y)), r"labels of train are int64 of shape \(7,\); expected 8 classes 0\.\.K-1"),
        (lambda X, y: ((X, y), (X, y / 2)), r"labels of test are float64 of shape \(8,\); expected 8 classes"),
    ],
)
def test_arrays_that_do_not_fit(change, expected):
    X, y = np.random.default_rng(0).normal(size=(8, 4)), np.arange(8) % 2
    with pytest.raises(ProbeError, match=expected):
        score_geneb(*change(X, y))


def four_mers(raw_dir, name):
    """(vectors, labels) of train and test, by the readers of the files."""
    from builders.sources.geneb.layouts import READERS
    from model_adapters import load_model

    rows = READERS["gue"]({part: raw_dir / "gue" / name / f"{part}.csv" for part in ("train", "test")}, "")
    vectors = load_model("kmer:k=4").encode(rows["sequence"].tolist())
    labels = rows["label"].astype(int).to_numpy()
    return [(vectors[chosen], labels[chosen]) for chosen in (rows["split"] == part for part in ("train", "test"))]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "full", "mean", "std"), [("tf/0", 0.6115, 0.3257, 0.119), ("mouse/0", 0.4371, 0.1061, 0.069)]
)
def test_published_scores_of_4_mers(raw_dir, name, full, mean, std):
    found = score_geneb(*four_mers(raw_dir, name), shots=[None, 10])
    assert found[0].scores["mcc"].mean == pytest.approx(full, abs=1e-3)
    assert found[1].scores["mcc"].mean == pytest.approx(mean, abs=1e-3)
    assert found[1].scores["mcc"].std == pytest.approx(std, abs=1e-3)
