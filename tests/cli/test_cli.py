"""The command line as a user meets it: data on stdout, one line per mistake on stderr, and the exit status."""

import csv
import io
import json
import subprocess
import sys
from textwrap import dedent

import pandas as pd
import pyarrow.parquet as pq
import pytest

from builders import TaskConfig, configs, load

SMALL = "random:dim=8"
COMMANDS = ("tasks", "models", "build", "register", "embed", "run", "check", "why", "report")


# Usage


def test_help_lists_the_commands(cli):
    status, out, err = cli("--help")
    assert (status, err) == (0, "")
    for command in COMMANDS:
        assert f"    {command} " in out
        assert cli(command, "--help")[0] == 0


@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        ([], ["the following arguments are required: COMMAND"]),
        (["rnu"], ["invalid choice: 'rnu'", "report"]),
        (["run"], ["required: MODEL"]),
        (["run", "random", "--missing", "fill"], ["--missing", "'fill'", "drop", "error"]),
        (["run", "random", "--seed", "-1"], ["--seed: '-1' is not a whole number, 0 or above"]),
        (["run", "random", "--batch-size", "0"], ["--batch-size: '0' is not a whole number, 1 or above"]),
        (["report", "out", "--format", "pdf"], ["'pdf'", "csv"]),
        (["tasks", "reactome_pathway"], ["no task matches 'reactome_pathway'", "did you mean 'reactome_pathways'?"]),
        (["tasks", "starter_genes"], ["no task matches 'starter_genes'"]),
        (["build", "humantfs_is_ft"], ["did you mean 'humantfs_is_tf'?"]),
        (["build", "starter_*", "--data-dir", "nowhere"], ["data directory 'nowhere' does not exist"]),
        (["run", "random", "-t", "starter_is_ft"], ["did you mean 'starter_is_tf'?"]),
        (["run", "bag-of-word", "-t", "starter_is_tf"], ["'bag-of-word'", "did you mean 'bag-of-words'?"]),
        (
            ["run", "random", "-t", "starter_is_tf", "--engine", "sklear"],
            ["engine 'sklear'", "did you mean 'sklearn'?"],
        ),
        (["run", "random", "-t", "starter_is_tf", "--protocol", "papr"], ["protocol 'papr'", "did you mean 'paper'?"]),
        (["run", "nowhere.csv", "-t", "starter_is_tf"], ["nowhere.csv"]),
        (["embed", "random", "-o", "vectors.csv"], ["-o vectors.csv", "ends in .parquet"]),
        (
            ["run", "random", "-t", "starter_is_tf", "--device", "cdua"],
            ["unknown device 'cdua'", "did you mean 'cuda'?"],
        ),
        (["check", "rndom"], ["did you mean 'random'?"]),
        (["report", "nowhere"], ["no results folder nowhere"]),
    ],
)
def test_mistakes_take_one_line(cli, argv, parts, tmp_path, monkeypatch, assert_one_line):
    monkeypatch.chdir(tmp_path)
    assert_one_line(cli(*argv), *parts)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_takes_one_line(cli, tmp_path, assert_one_line):
    (tmp_path / "file").write_text("not a folder")
    assert cli("run", SMALL, "-t", "starter_is_tf", "-o", tmp_path / "results")[0] == 0
    for command, target in (
        (("report", tmp_path / "results"), "file/report.md"),
        (("card", tmp_path / "results", SMALL), "file/README.md"),
        (("embed", SMALL, "--genes", "starter_genes"), "file/x.parquet"),
        (("run", SMALL, "-t", "starter_is_tf"), "file"),
    ):
        parts = (f"cannot write {tmp_path / target}", f"{tmp_path / 'file'} is a file, expected a folder")
        assert_one_line(cli(*command, "-o", tmp_path / target), *parts)
    (tmp_path / "y.parquet").mkdir()
    folder = ("embed", SMALL, "-o", tmp_path / "y.parquet")
    assert_one_line(cli(*folder), "y.parquet: it is a folder, expected the name of a file")


def test_a_reader_that_leaves_early_is_no_error(repo):
    script = "from gene_eval.cli.parser import main; raise SystemExit(main(['tasks']))"
    child = subprocess.Popen(
        [sys.executable, "-c", script], cwd=repo, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    assert child.wait(timeout=120) == 0
    assert "Error" not in err


def test_an_interrupt_is_one_line(cli, monkeypatch, tmp_path):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("gene_eval.run", stop, raising=False)
    assert cli("run", SMALL, "-o", tmp_path) == (1, "", "gene-bench: stopped; what was finished is saved\n")


# Lists


@pytest.fixture
def nothing_built(tmp_path, monkeypatch):
    """What other tests built is not looked at."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "empty"))


@pytest.mark.usefixtures("nothing_built")
def test_tasks(cli):
    status, out, err = cli("tasks", "starter_*", "reactome_*")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["task", "target", "entity", "family", "n", "built", "raw", "files", "terms"]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["reactome_pathways", "multilabel"],
        ["starter_is_tf", "binary"],
        ["starter_protein_class", "multiclass"],
        ["starter_location", "multilabel"],
        ["starter_membrane_segments", "regression"],
    ]
    assert lines[1].split()[4:] == ["(10,969)", "download", "CC0-1.0"]
    assert err == "5 tasks; n is as built, or (n) as in the paper; next: gene-bench run MODEL -t TASK\n"


@pytest.mark.usefixtures("nothing_built")
def test_tasks_as_json(cli):
    status, out, err = cli("tasks", "--json")
    assert (status, err) == (0, "")
    listed = json.loads(out)
    assert [task["name"] for task in listed] == [name for name, c in configs().items() if isinstance(c, TaskConfig)]
    pathways = next(task for task in listed if task["name"] == "reactome_pathways")
    assert pathways | {"description": ""} == {
        "name": "reactome_pathways",
        "target": "multilabel",
        "entity": "gene",
        "family": "biological_process",
        "figure2_family": "biological_process",
        "source": "reactome",
        "column": None,
        "labels": None,
        "license": "CC0-1.0",
        "description": "",
        "paper_name": "Pathways",
        "paper_size": 10969,
        "ranked": True,
        "gene_table": "genes",
        "version": "2.0.0",
        "n": None,
        "missing": None,
        "is_open": True,
    }


def test_models(cli):
    status, out, err = cli("models")
    assert status == 0
    assert {"bag-of-words", "random", "precomputed", "sentence-transformer"} <= {
        line.split()[0] for line in out.splitlines()[1:]
    }
    assert "gene-bench check MODEL" in err
    status, out, err = cli("models", "--json")
    assert (status, err) == (0, "")
    listed = json.loads(out)
    assert all(model.keys() >= {"name", "usage", "family", "input", "dimension", "source"} for model in listed)
    assert next(model for model in listed if model["name"] == "random")["family"] == "control"


# Build, register, embed


def test_build_says_what_was_built_and_what_was_not(cli, toy_dir):
    (toy_dir / "reactome" / "ReactomePathwaysRelation.txt").unlink()
    # A file that no other test has built from.
    extract = toy_dir / "humantfs" / "DatabaseExtract_v_1.01.csv"
    extract.write_text(
        extract.read_text().replace("Is TF?", "Is TF?,Comment").replace("Yes", "Yes,sure").replace("No", "No,")
    )
    status, out, err = cli("build", "reactome_pathways", "humantfs_is_tf", "starter_is_tf", "--data-dir", toy_dir)
    assert status == 1
    built, missing = out.split("\n\n")
    header, *rows = built.splitlines()
    assert header.split()[:2] == ["config", "state"]
    assert [row.split()[0] for row in rows] == ["humantfs_is_tf", "starter_is_tf"]
    numbers = rows[0].split()
    # 50 rows read, nothing lost, 50 left; 2,765 in the paper.
    assert (numbers[1], numbers[2], numbers[-2], numbers[-1]) == ("built", "50", "50", "2,765")
    assert missing.splitlines()[0].split() == ["not", "built", "why"]
    assert missing.splitlines()[1].startswith("reactome_pathways  Reactome: no ReactomePathwaysRelation.txt in ")
    assert "2 of 3 built" in err
    assert cli("build", "humantfs_is_tf", "--data-dir", toy_dir)[1].splitlines()[1].split()[1] == "cached"


def test_register(cli):
    import evaluate

    status, out, err = cli("register")
    assert status == 0
    assert [line.rsplit("/", 1)[1] for line in out.splitlines()] == ["gene_probe.py", "gene_probe_compare.py"]
    assert err == "next, in Python: evaluate.load('gene_probe')\n"
    assert evaluate.load("gene_probe").name == "gene_probe"


def test_embed_writes_what_run_reads(cli, tmp_path):
    target = tmp_path / "new" / "vectors.parquet"
    status, out, err = cli("embed", SMALL, "--genes", "starter_genes", "-o", target)
    assert (status, out) == (0, "")
    table = pq.read_table(target)
    assert table.column_names == ["symbol", "embedding"]
    assert str(table.schema.field("embedding").type).startswith("fixed_size_list<")
    assert [path.name for path in target.parent.iterdir()] == ["vectors.parquet"]
    assert f"next: gene-bench run {target} -t TASK" in err
    assert "vectors: dimension 8, 0 zero, 0 equal to one before; norms " in err
    assert "genes with a vector: 320 of 320 all\n" in err
    status, out, _ = cli("run", target, SMALL, "-t", "starter_membrane_segments", "-o", tmp_path / "out")
    assert status == 0
    # Below the table stands the same beside the best control.
    row = next(line for line in out.splitlines() if line.startswith("starter_membrane_segments"))
    # The file's vectors and the model's are the same, and so are their scores.
    *_, first, _, first_std, second, _, second_std = row.split()
    assert (first, first_std) == (second, second_std)


# Run and report


def test_run_prints_the_table_and_names_the_next_command(cli, tmp_path):
    out_dir = tmp_path / "my results"
    run = ("run", SMALL, "-t", "starter_is_tf", "-t", "starter_memb*", "-o", out_dir)
    status, out, err = cli(*run)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith("starter")] == [
        "starter_is_tf",
        "starter_membrane_segments",
    ]
    assert "2 results written to" in err
    assert err.endswith(f"next: gene-bench report '{out_dir}' --format md\n")
    status, again, err = cli(*run)
    assert (status, again) == (0, out)
    assert "no task was fitted; 2 were up to date" in err
    assert cli(*run, "--overwrite")[2].count("2 results written") == 1


def test_run_goes_on_after_a_failed_task(cli, tmp_path):
    (tmp_path / "raw").mkdir()
    argv = ("-t", "starter_is_tf", "-t", "hgnc_hla_class", "--data-dir", tmp_path / "raw", "-o", tmp_path / "out")
    status, out, err = cli("run", SMALL, *argv)
    assert status == 1
    assert "starter_is_tf" in out
    assert "failed: hgnc_hla_class: HGNC: no hgnc_complete_set.txt" in err
    assert "1 results written" in err
    assert "1 failed (see above)" in err
    assert "Traceback" not in err


def test_run_with_nothing_to_show(cli, tmp_path):
    pd.DataFrame({"symbol": ["Trp53"], "d0": [1.0]}).to_csv(tmp_path / "mouse.csv", index=False)
    status, out, err = cli("run", tmp_path / "mouse.csv", "-t", "starter_is_tf", "-o", tmp_path / "out")
    assert (status, out) == (1, "")
    assert err.splitlines()[-1] == "no task was fitted; 1 failed (see above)"


@pytest.fixture
def results_dir(cli, tmp_path):
    assert cli("run", SMALL, "-t", "starter_is_tf", "-o", tmp_path / "out")[0] == 0
    return tmp_path / "out"


def test_report_formats(cli, results_dir, tmp_path):
    saved = json.loads(next(results_dir.rglob("starter_is_tf.json")).read_text())
    mean = saved["scores"]["roc_auc"]["mean"]
    status, out, _ = cli("report", results_dir)
    assert status == 0
    assert f"{mean:.3f} ±" in out
    (row,) = csv.DictReader(io.StringIO(cli("report", results_dir, "--format", "csv")[1]))
    assert (row["task"], row["model"], float(row["mean"])) == ("starter_is_tf", SMALL, mean)
    content = json.loads(cli("report", results_dir, "--format", "json")[1])
    assert content["tables"][0]["rows"][0]["mean"] == mean
    status, out, err = cli("report", results_dir, "-o", tmp_path / "new" / "report.md")
    assert (status, out) == (0, "")
    assert err.endswith(f"wrote {tmp_path / 'new' / 'report.md'}\n")
    assert f"{mean:.3f} ±" in (tmp_path / "new" / "report.md").read_text()


def test_report_of_a_folder_with_a_corrupt_file(cli, results_dir):
    broken = results_dir / "broken" / "starter_is_tf.json"
    broken.parent.mkdir()
    broken.write_text('{"schema_version": 1, "task"')
    status, out, err = cli("report", results_dir)
    assert status == 1
    assert "starter_is_tf" in out
    (line,) = (line for line in err.splitlines() if str(broken) in line)
    assert line.startswith(f"warning: cannot read result {broken}: not valid JSON")
    assert broken.read_text() == '{"schema_version": 1, "task"'


# Check


def test_check_a_model_that_fits(cli):
    status, out, err = cli("check", "bag-of-words")
    assert status == 0
    assert "genes      20 of 20 toy genes have a vector" in out
    assert "distinct   20 different vectors" in out
    assert err == "bag-of-words fits; next: gene-bench run bag-of-words random -t 'starter_*'\n"


@pytest.fixture
def write_model(tmp_path):
    """Write a model file around the body of `encode`; returns `file.py:Mine`."""

    def write(body, name="mine"):
        path = tmp_path / f"{name}.py"
        path.write_text(
            dedent(
                f"""
                import numpy as np

                class Mine:
                    model_id = "mine"
                    revision = None
                    input_column = "description"

                    def encode(self, batch):
                        {body}
                """
            )
        )
        return f"{path}:Mine"

    return write


def test_check_and_run_a_users_class(cli, write_model, tmp_path):
    spec = write_model("return np.array([[len(text), text.count('e')] for text in batch], dtype=float)")
    status, out, _ = cli("check", spec)
    assert status == 0
    assert out.startswith("model      mine (adapter user, revision sha256:")
    assert "vectors    20 of dimension 2" in out
    status, out, _ = cli("run", spec, "-t", "starter_is_tf", "-o", tmp_path / "out")
    assert status == 0
    assert (tmp_path / "out" / "mine" / "starter_is_tf.json").is_file()


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("return [1, 2, 3]", ["mine: encode returned shape (3,)", "expected a NumPy float array of shape (20, d)"]),
        ("return np.full((len(batch), 3), np.nan)", ["NaN"]),
        ("return 1 / 0", ["mine: encode failed", "ZeroDivisionError", "(mine.py, line 10)"]),
        ("return np.zeros((len(batch), 3))", ["mine gives all 20 toy genes the same vector"]),
    ],
)
def test_check_a_broken_class(cli, write_model, body, parts):
    status, _, err = cli("check", write_model(body))
    assert status == 2
    assert err.startswith("gene-bench: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err


def test_check_a_class_that_is_not_there(cli, write_model, assert_one_line):
    assert_one_line(cli("check", write_model("return 1").replace(":Mine", ":Mini")), "did you mean 'Mine'?")


def test_check_a_file_of_vectors(cli, tmp_path):
    toy = load("starter_genes").dataset["symbol"][0]
    pd.DataFrame({"symbol": [toy, "Trp53"], "d0": [0.5, 1.5]}).to_csv(tmp_path / "two.csv", index=False)
    status, out, _ = cli("check", tmp_path / "two.csv")
    assert status == 0
    assert "vectors    2 of dimension 1" in out
    target = tmp_path / "two.parquet"
    said = cli("embed", tmp_path / "two.csv", "--genes", "starter_genes", "-o", target)[2]
    assert said.startswith("identifiers: symbol\ndimensions: 1 (d0)\n")
    pd.DataFrame({"symbol": ["Trp53"], "d0": [1.0]}).to_csv(tmp_path / "mouse.csv", index=False)
    status, _, err = cli("check", tmp_path / "mouse.csv")
    assert status == 2
    assert "has a vector; name genes by HGNC symbol" in err


def test_report_draws_pictures(cli, results_dir, tmp_path, assert_one_line):
    cli("run", "random", "length", "-t", "starter_is_tf", "-o", results_dir)
    status, out, err = cli("report", results_dir, "--plots", tmp_path / "plots", "--pair", "length", "RANDOM")
    assert status == 0
    assert out.startswith("# gene-bench report\n")
    assert f"wrote to {tmp_path / 'plots'}: tasks.png, tasks.svg, folds.png, folds.svg\n" in err
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        "tasks.png",
        "tasks.svg",
        "folds.png",
        "folds.svg",
    }
    assert_one_line(cli("report", results_dir, "--pair", "length", "rando"), "no results of model 'rando'", "random")


def test_report_makes_a_page(cli, results_dir, tmp_path):
    status, out, err = cli("report", results_dir, "--format", "html", "-o", tmp_path / "page.html")
    assert (status, out) == (0, "")
    assert err.endswith(f"wrote {tmp_path / 'page.html'}\n")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>\n")
    assert '"name":"starter_is_tf"' in page


def test_a_folder_that_load_dataset_would_take_is_named(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "there is a folder" not in cli("build", "starter_is_tf")[2]
    (tmp_path / "gene-bench").mkdir()
    assert (
        "note: there is a folder gene-bench here, which load_dataset('gene-bench', ...)"
        in cli("build", "starter_is_tf")[2]
    )
