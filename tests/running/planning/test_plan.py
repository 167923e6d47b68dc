"""`gene-bench plan`: the cells that a run has, those that are done, and nothing written."""

import json

from gene_eval.cli import main
from gene_eval.running.runner import run


def test_plan_counts_what_is_done_and_writes_nothing(tmp_path, capsys):
    out = tmp_path / "out"
    run("random:dim=8", "starter_*", out=out, log=[].append)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    words = ["plan", "random:dim=8", "random:dim=16", "-t", "starter_*", "-o", str(out)]
    words += ["--head=linear", "--head=ridge"]
    assert main([*words, "--format", "json"]) == 0
    printed = capsys.readouterr()
    rows = {(row["step"], row["name"]): row for row in json.loads(printed.out)}
    fits = {name: (rows["fit", name]["n"], rows["fit", name]["done"]) for name in ("random:dim=8", "random:dim=16")}
    assert fits == {"random:dim=8": (8, 4), "random:dim=16": (8, 0)}
    assert sum(row["done"] for (step, _), row in rows.items() if step == "build") == 4
    assert rows["fit", "random:dim=8"]["seconds"] > 0
    assert "4 of 16 cells are done; nothing was written" in printed.err
    assert "of the 4 results" in printed.err
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_plan_of_a_folder_that_is_not_there(tmp_path, capsys):
    assert main(["plan", "random:dim=8", "-t", "starter_is_tf", "-o", str(tmp_path / "none")]) == 0
    assert "--timings" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
