"""`gene-bench bias` and `Results.bias` on saved predictions, against scikit-learn."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import gene_eval
from gene_eval.cli.parser import main
from gene_eval.errors import ReportError
from gene_eval.running.validity import bias as running_bias


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bias")
    gene_eval.run("bag-of-words", ["starter_is_tf", "starter_location"], out=out, log=lambda line: None)
    return out


@pytest.fixture(scope="module")
def counts(folder: Path) -> dict[str, float]:
    genes = gene_eval.load_predictions(folder, "bag-of-words", "starter_is_tf")["symbol"]
    return {gene: float(number * 3) for number, gene in enumerate(sorted(genes)) if number % 16}


def test_values_are_those_of_scikit_learn(folder: Path, counts: dict[str, float]) -> None:
    results = gene_eval.load_results(folder)
    found = results.bias(counts)
    frame = found.to_frame().query("task == 'starter_is_tf' and strata == 'tertile'").set_index("stratum")
    predicted = results.predictions("bag-of-words", "starter_is_tf")
    predicted["depth"] = predicted["symbol"].map(counts)
    predicted = predicted.dropna(subset=["depth"])
    predicted["part"] = pd.qcut(predicted["depth"], 3, labels=False) + 1
    for part, members in predicted.groupby("part"):
        folds = [
            roc_auc_score(fold["label"], fold["score"])
            for _, fold in members.groupby("fold")
            if fold["label"].value_counts().reindex([0, 1]).fillna(0).min() >= 2
        ]
        assert frame.loc[part, "score"] == pytest.approx(np.mean(folds))
        assert frame.loc[part, "n"] == len(members)
        assert frame.loc[part, "log10_publications"] == pytest.approx(np.log10(1 + members["depth"]).mean())
    slopes = found.to_frame("slopes").set_index("task")
    assert slopes.loc["starter_is_tf", "n_unknown"] == 20
    fifths = found.to_frame().query("task == 'starter_is_tf' and strata == 'quintile'")
    expected = np.polyfit(fifths["log10_publications"], fifths["score"], 1)[0]
    assert slopes.loc["starter_is_tf", "slope"] == pytest.approx(expected)


def test_the_command_says_the_same_in_all_forms(
    folder: Path,
    counts: dict[str, float],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running_bias, "_counts", lambda _: counts)
    frame = gene_eval.load_results(folder).bias(counts).to_frame()
    shown = {}
    for form in ("text", "csv", "json"):
        assert main(["bias", str(folder), "--format", form, "--plot", str(tmp_path / "bias.png")]) == 0
        shown[form] = capsys.readouterr().out
    assert [row["score"] for row in json.loads(shown["json"])] == pytest.approx(frame["score"].tolist())
    lines = list(csv.DictReader(io.StringIO(shown["csv"])))
    assert [float(line["score"]) for line in lines] == pytest.approx(frame["score"].tolist())
    first = frame[frame["task"] == "starter_is_tf"].iloc[0]
    (line,) = [line for line in shown["text"].splitlines() if " starter_is_tf " in line]
    assert f"  {first['score']:.3f}  " in line
    assert (tmp_path / "bias.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["bias", str(folder), "--plot", str(tmp_path / "bias.jpg")]) == 2
    assert "a picture is named .png or .svg" in capsys.readouterr().err


def test_without_predictions_there_is_one_line(tmp_path: Path, counts: dict[str, float]) -> None:
    results = gene_eval.run("random:dim=2", "starter_is_tf", out=tmp_path, predictions=False, log=lambda line: None)
    with pytest.raises(ReportError, match="no predictions were saved; run it again with --predictions") as caught:
        results.bias(counts)
    assert "\n" not in str(caught.value)
    whole = gene_eval.run("bag-of-words", "starter_is_tf", log=lambda line: None)
    with pytest.raises(ReportError, match="0 of its 320 entities have a publication count"):
        whole.bias({})
