"""What a shell user has besides the commands that score: completion, doctor, lists, quiet and verbose."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builders import load
from gene_eval.cli.parser import MODULES


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ru"], ["run"]),
        (["run", "--pred"], ["--predictions"]),
        (["run", "bag-of-words", "-t", "@p"], ["@paper-2024"]),
        (["run", "bag-of-words", "-t", "humantfs"], ["humantfs_is_tf"]),
        (["run", "bag"], ["bag-of-words"]),
        (["run", "random", "--missing", ""], ["drop", "error"]),
        (["push", "me"], ["metric"]),
        (["push", "data", "x/y", "--y"], ["--yes"]),
        (["embed", "random", "-o", ""], []),
    ],
)
def test_bash_completes(tmp_path: Path, cli, words, offered) -> None:
    status, script, _ = cli("completion", "bash")
    assert status == 0
    path = tmp_path / "gene-bench.bash"
    path.write_text(script)
    asked = (
        'source "$1"; shift; COMP_WORDS=(gene-bench "$@"); COMP_CWORD=$#; _gene_bench; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", asked, "bash", path, *words], capture_output=True, text=True, check=True)
    assert done.stdout.split() == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_know_every_command_and_are_valid(tmp_path: Path, cli, shell) -> None:
    _, script, _ = cli("completion", shell)
    assert [name for name in MODULES if name not in script] == []
    assert "@paper-2024" in script
    path = tmp_path / "script"
    path.write_text(script)
    if shutil.which(shell):
        subprocess.run([shell, "-n", path], check=True)


def test_python_can_run_the_package(repo: Path) -> None:
    command = [sys.executable, "-m", "gene_eval", "suites"]
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("suite ")


def test_doctor_says_what_cannot_be_built_and_what_shadows(cli, toy_dir: Path, tmp_path: Path, monkeypatch) -> None:
    (toy_dir / "humantfs" / "DatabaseExtract_v_1.01.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    # Not what other tests built.
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "empty"))
    monkeypatch.delenv("HF_HUB_OFFLINE")
    status, out, err = cli("doctor", "--data-dir", toy_dir)
    assert (status, err) == (0, "nothing to fix; next: gene-bench tasks --built\n")
    assert "humantfs: 0 of 1 can be built" in out
    assert "cannot be built: humantfs_is_tf; " in out
    assert "no column 'Ensembl ID'" in out
    assert "reactome: 1 of 1 can be built" in out
    assert "genecorpus: 0 of 7 can be built\n               not there: genecorpus/" in out
    assert "HF_HUB_OFFLINE is not set: without a network" in out
    (tmp_path / "gene-bench").mkdir()
    (tmp_path / "builders").mkdir()
    status, _, err = cli("doctor")
    assert status == 1
    assert f"to fix: {tmp_path}/gene-bench is what load_dataset('gene-bench') takes in this folder" in err
    assert f"to fix: {tmp_path}/builders is what Python imports in this folder" in err
    assert cli("doctor", "--data-dir", tmp_path / "none")[0] == 1


def test_tasks_are_filtered_and_say_what_is_here(cli, toy_dir: Path, assert_one_line) -> None:
    load("starter_is_tf")
    _, out, _ = cli("tasks", "@starter", "--built", "--target", "binary")
    header, *rows = out.splitlines()
    assert header.split() == ["task", "target", "entity", "family", "n", "built", "raw", "files", "terms"]
    assert [row.split() for row in rows] == [
        ["starter_is_tf", "binary", "gene", "regulatory", "320", "yes", "there", "Apache-2.0"]
    ]
    _, out, _ = cli("tasks", "--data-dir", toy_dir, "--family", "regulatory", "--json")
    found = {each["name"]: each for each in json.loads(out)}
    assert found["humantfs_is_tf"]["missing"] == []
    assert found["humantfs_is_tf"]["is_open"] is False
    assert found["genecorpus_n1_targets"]["missing"][0].startswith("genecorpus/")
    assert {each["family"] for each in found.values()} == {"regulatory"}
    assert_one_line(cli("tasks", "--entity", "genes"), "no task has entity 'genes'; did you mean 'gene'?")


def test_quiet_leaves_results_and_warnings(cli, tmp_path: Path) -> None:
    _, out, err = cli("run", "random:dim=4", "-t", "starter_is_tf", "-o", tmp_path, "--quiet")
    assert "starter_is_tf" in out
    assert err == ""
    # What this process says afterwards is heard again.
    assert "up to date" in cli("run", "random:dim=4", "-t", "starter_is_tf", "-o", tmp_path)[2]


def test_verbose_shows_where_an_error_was_raised(cli, tmp_path: Path, assert_one_line) -> None:
    command = ("report", tmp_path / "none")
    assert_one_line(cli(*command), "no results folder")
    status, _, err = cli(*command, "--verbose")
    assert status == 2
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("gene-bench: no results folder")
    assert "not allowed with argument" in cli(*command, "--verbose", "--quiet")[2]


def test_nothing_is_coloured(cli) -> None:
    # There is nothing for NO_COLOR to turn off.
    for command in (["tasks"], ["models"], ["suites"], ["run", "--help"]):
        assert "\x1b" not in "".join(map(str, cli(*command)))
