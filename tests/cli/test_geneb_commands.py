"""`import-geneb`, `report --format geneb` and `export-geneb` on made scores."""

import csv
import json

import numpy as np
import pytest

from gene_eval.cli.parser import main
from gene_eval.publishing.geneb.importing import category_sizes


@pytest.fixture
def folder(tmp_path, capsys):
    rng = np.random.default_rng(0)
    with (tmp_path / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "task", "regime", "metric", "value"])
        for model in ("GROVER", "DNABERT-S", "MutBERT", "METAGENE-1", "space"):
            for regime in ("full", "10shot", "1shot"):
                writer.writerows([model, f"category:{name}", regime, "MCC", rng.random()] for name in category_sizes())
    assert main(["import-geneb", str(tmp_path / "out"), str(tmp_path / "scores.csv")]) == 0
    capsys.readouterr()
    return tmp_path / "out"


def test_report_and_pictures(folder, tmp_path, capsys):
    plots = tmp_path / "plots"
    assert main(["report", str(folder), "--format", "geneb", "--plots", str(plots)]) == 0
    text = capsys.readouterr().out
    assert "All 13 categories" in text
    assert "From full to 10-shot the winner changes in" in text
    assert "Spearman's correlation of parameters and macro, full" in text
    names = {path.stem for path in plots.glob("*.png")}
    assert names == {
        f"geneb_{n}" for n in ("agreement", "categories", "difficulty", "ranks", "regimes", "size", "specialists")
    }
    page = tmp_path / "page.html"
    assert main(["report", str(folder), "--format", "geneb", "-o", str(page)]) == 0
    text = page.read_text()
    # A view for each of three regimes and of 13 categories and all.
    assert text.count('class="view"') == 3 * 14
    assert text.count("<script") == 0
    # They stand in the tables of all results too.
    assert main(["report", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "geneb_category_promoter" in out
    assert "GROVER (imported)" in out


def test_export(folder, tmp_path, capsys):
    assert main(["export-geneb", str(folder), "GROVER"]) == 2
    assert "GROVER" in capsys.readouterr().err
    task, path = "leannmlindsey_GUE_human_tf_0", tmp_path / "task.csv"
    path.write_text(f"model,task,regime,metric,value\nGROVER,{task},full,MCC,0.5\nGROVER,{task},full,Acc,0.75\n")
    path.write_text(path.read_text() + f"GROVER,{task},full,F1,0.7\n")
    assert main(["import-geneb", str(folder), str(path)]) == 0
    assert main(["export-geneb", str(folder), "GROVER", "--params", "87", "--submitted-by", "me"]) == 1
    assert "299 are missing" in capsys.readouterr().err
    written = json.loads((folder / "GROVER.json").read_text())
    assert written["results"] == {"full": {task: {"MCC": 0.5, "Acc": 0.75, "F1": 0.7}}}
    assert (written["meta"]["params"], written["meta"]["submitted_by"]) == (87, "me")


def test_a_folder_without_sequences(tmp_path, capsys):
    assert main(["run", "random:dim=2", "-t", "starter_is_tf", "-o", str(tmp_path)]) == 0
    assert main(["report", str(tmp_path), "--format", "geneb"]) == 2
    assert "no results of tasks about sequences" in capsys.readouterr().err
