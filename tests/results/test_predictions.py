"""Predictions: what the probe held out, in a file that fits its result and no other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gene_eval.core.probe import Score
from gene_eval.errors import ResultError
from gene_eval.results.predictions import make_predictions, score_columns
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Settings, TaskRecord, TaskResult
from gene_eval.results.store import load, load_predictions, save

GENES = ("TP53", "NA", "nan", "SOX2")
FOLDS = np.array([1, 0, 0, 1])


def made(target: str = "binary", label_names: tuple[str, ...] = (), **settings: object) -> TaskResult:
    return TaskResult(
        TaskRecord(
            "source_task", "1.0.0", target, "gene", "protein", "source", 5, "d", "f", "f", label_names=label_names
        ),
        ModelRecord("org/model", None, "precomputed", 4, "e"),
        ProbeRecord(Settings(**settings)),  # type: ignore[arg-type]
        Coverage(5, 4, 1),
        {"roc_auc": Score(0.5, 0.0, (0.5, 0.5))},
    )


def frame(result: TaskResult, labels: np.ndarray, values: np.ndarray, folds: np.ndarray = FOLDS) -> pd.DataFrame:
    table = make_predictions(result.task, entities={"symbol": GENES}, labels=labels, values=values, folds=folds)
    return table.to_pandas()


def test_binary_rows_are_entity_fold_label_and_score(tmp_path: Path) -> None:
    result = made()
    values = np.array([0.5, -1.0, 2.0, 0.0])
    save(result, tmp_path, predictions=frame(result, np.array([1, 0, 1, 0]), values))
    found = load_predictions(tmp_path, "org/model", "source_task")
    # Gene names that pandas would take for missing values stay names.
    assert found.to_dict("list") == {
        "symbol": list(GENES), "fold": [1, 0, 0, 1], "label": [1, 0, 1, 0], "score": [0.5, -1.0, 2.0, 0.0],
    }  # fmt: skip


def test_a_multilabel_row_has_the_labels_it_holds_and_a_score_for_each(tmp_path: Path) -> None:
    result = made("multilabel", ("nucleus", "Golgi apparatus", "a/b"))
    labels = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]])
    path = save(result, tmp_path, predictions=frame(result, labels, np.arange(12.0).reshape(4, 3)))
    found = load_predictions(path)
    assert [list(cell) for cell in found["label"]] == [[0, 2], [], [1], [0, 1, 2]]
    columns = score_columns("multilabel", result.task.label_names)
    assert columns[0] == "score_nucleus"
    assert columns[2] == "score_a__b"
    assert found[list(columns)].to_numpy().tolist() == np.arange(12.0).reshape(4, 3).tolist()


def test_a_class_that_no_scored_gene_has_is_never_predicted() -> None:
    result = made("multiclass", ("a", "b", "c"))
    found = frame(result, np.array([0, 2, 0, 2]), np.array([[0.9, 0.1], [0.2, 0.8], [1.0, 0.0], [0.5, 0.5]]))
    assert found[["score_a", "score_b", "score_c"]].to_numpy() == pytest.approx(
        np.array([[0.9, 0.0, 0.1], [0.2, 0.0, 0.8], [1.0, 0.0, 0.0], [0.5, 0.0, 0.5]]), rel=1e-6
    )


def test_rows_that_were_never_held_out_are_not_there() -> None:
    found = frame(made("regression"), np.array([0.5, 1.0, 2.0, 3.0]), np.arange(4.0), np.array([-1, 0, 1, -1]))
    assert found["symbol"].tolist() == ["NA", "nan"]
    assert found["label"].tolist() == [1.0, 2.0]


def test_score_columns_keep_labels_apart() -> None:
    names = ["a b", "a-b", "a/b", "a__b", "", "x" * 100, "x" * 101, "é"]
    assert len(set(score_columns("multilabel", names))) == len(names)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "sha256 is .* but its result says"),
        (lambda path: path.unlink(), "No such file or directory"),
        (lambda path: save(made(), path.parents[1]), "its result was saved without predictions"),
        (
            lambda path: save(replace(made(), created_at="x"), path.parents[1], predictions=_frame().iloc[:2]) and
            path.write_bytes(b"PAR1"), "sha256 is",
        ),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_its_result_is_refused(
    tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    path = save(made(), tmp_path, predictions=_frame())
    parquet = path.with_name("source_task.predictions.parquet")
    assert load(path).predictions is not None
    change(parquet)
    with pytest.raises(ResultError, match=rf"cannot read predictions {parquet}: {reason}.*--overwrite") as caught:
        load_predictions(parquet)
    assert "\n" not in str(caught.value)


def _frame() -> pd.DataFrame:
    return pd.DataFrame({"symbol": GENES, "fold": FOLDS, "label": [0, 1, 0, 1], "score": [0.0, 1.0, 2.0, 3.0]})


@pytest.mark.parametrize(
    ("predictions", "reason"),
    [
        (_frame().drop(columns="score"), "no column 'score'"),
        (_frame().drop(columns="symbol"), "no column that says which gene"),
        (_frame().iloc[:0], "0 rows, but 4 entities were scored"),
        (pd.concat([_frame(), _frame()]), "8 rows, but 4 entities were scored"),
    ],
)
def test_predictions_that_do_not_fit_are_not_written(tmp_path: Path, predictions: pd.DataFrame, reason: str) -> None:
    with pytest.raises(ResultError, match=reason):
        save(made(), tmp_path, predictions=predictions)
    assert list(tmp_path.rglob("*")) == []


def test_a_result_without_predictions_leaves_none_of_an_earlier_one(tmp_path: Path) -> None:
    path = save(made(), tmp_path, predictions=_frame())
    save(made(), tmp_path)
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_is_asked_by_model_task_and_settings(tmp_path: Path) -> None:
    save(made(), tmp_path, predictions=_frame())
    save(made(seed=1), tmp_path, predictions=_frame().assign(score=9.0))
    found = load_predictions(tmp_path, "org/model", "source_task", settings=Settings(seed=1))
    assert found["score"].tolist() == [9.0] * 4
    with pytest.raises(ResultError, match="2 results .* say which with settings=, there are: .* seed 0; .* seed 1"):
        load_predictions(tmp_path, "org/model", "source_task")
    with pytest.raises(ResultError, match="did you mean 'source_task'"):
        load_predictions(tmp_path, "org/model", "source_tusk")
    with pytest.raises(ResultError, match="no results of 'org/modle' .* did you mean 'org__model'"):
        load_predictions(tmp_path, "org/modle", "source_task")
    with pytest.raises(ResultError, match="name the model and the task"):
        load_predictions(tmp_path)
