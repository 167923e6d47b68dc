"""`verify`: what was saved is run again; an untouched result agrees, a changed one is told by what was changed."""

import json

import numpy as np
import pytest

from gene_eval.cli.parser import main
from gene_eval.results.store import load, load_folder
from gene_eval.running.runner import run
from gene_eval.running.verify import verify

TASK = "humantfs_is_tf"


def silent(line):
    pass


def write_vectors(path, symbols, *, changed=None):
    rng = np.random.default_rng(1)
    rows = {symbol: rng.normal(size=3) for symbol in symbols}
    if changed:
        rows[changed] = rows[changed] + 0.5
    lines = [",".join([symbol, *map(str, row)]) for symbol, row in rows.items()]
    path.write_text("\n".join(["symbol,a,b,c", *lines]) + "\n")
    return path


@pytest.fixture
def vectors(tmp_path, toy_genes):
    return write_vectors(tmp_path / "mine.csv", [symbol for symbol, _ in toy_genes])


@pytest.fixture
def saved(tmp_path, toy_dir):
    """A result of `random` on toy data, as a path."""
    run(["random:dim=4"], [TASK], out=tmp_path / "out", data_dir=toy_dir, log=silent)
    (path,) = (tmp_path / "out").rglob("*.json")
    return path


@pytest.fixture
def check(toy_dir, capsys):
    """Verify result files on the command line; returns (status, one line for each with its details behind it)."""

    def check(*arguments):
        status = main(["verify", *map(str, arguments), "--data-dir", str(toy_dir), "--verbose"])
        return status, capsys.readouterr().out.replace("\n    ", "; ").splitlines()

    return check


def edit(path, where, value):
    content = json.loads(path.read_text())
    part = content
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    path.write_text(json.dumps(content))


def made(value):
    """A score with the same value in every fold, as a file has it."""
    return {"mean": value, "std": None if value is None else 0.0, "folds": [value] * 5}


def shift(path, by):
    """Change a score in every fold, and its mean with them: a file that contradicts itself is refused."""
    score = json.loads(path.read_text())["scores"]["roc_auc"]
    folds = [fold + by for fold in score["folds"]]
    edit(path, ("scores", "roc_auc"), {"mean": score["mean"] + by, "std": score["std"], "folds": folds})


def test_an_untouched_result_reproduces(saved, check):
    result = load(saved)
    n = sum(2 + len(score.folds) for score in (*result.scores.values(), *result.as_published.values()))
    assert check(saved) == (
        0, [f"reproduced: random:dim=4 on {TASK}: largest difference 0 (allowed 1e-06); {n} scores compared"],
    )  # fmt: skip


def test_an_untouched_result_of_a_model_with_options_within_options_reproduces(tmp_path, toy_dir, check):
    run(["shuffled:random:dim=4"], [TASK], out=tmp_path / "out", data_dir=toy_dir, log=silent)
    (path,) = (tmp_path / "out").rglob("*.json")
    status, (line,) = check(path)
    assert (status, line.partition(":")[0]) == (0, "reproduced")


def test_a_changed_label(saved, check, toy_dir):
    path = toy_dir / "humantfs" / "DatabaseExtract_v_1.01.csv"
    path.write_text(path.read_text().replace("TOY8,Yes", "TOY8,No"))
    status, (line,) = check(saved)
    assert status == 1
    assert line.startswith(f"NOT reproduced: random:dim=4 on {TASK}: labels (data sha256) differs: ")
    assert "raw file humantfs/DatabaseExtract_v_1.01.csv differs: " in line
    assert "vectors" not in line


def test_a_changed_vector(tmp_path, toy_dir, toy_genes, vectors, check):
    run([str(vectors)], [TASK], out=tmp_path / "out", data_dir=toy_dir, log=silent)
    path = tmp_path / "out" / "mine" / f"{TASK}.json"
    assert check(path, "--model", vectors)[0] == 0
    write_vectors(vectors, [symbol for symbol, _ in toy_genes], changed="TOY7")
    status, (line,) = check(path, "--model", vectors)
    assert status == 1
    assert "vectors (embedding sha256) differs: " in line
    assert "model revision differs: sha256:" in line
    assert "labels" not in line
    assert "fold" not in line


def test_vectors_of_a_file_need_the_file(tmp_path, toy_dir, vectors, check):
    run([str(vectors)], [TASK], out=tmp_path / "out", data_dir=toy_dir, log=silent)
    status, (line,) = check(tmp_path / "out" / "mine" / f"{TASK}.json")
    assert status == 1
    assert line.endswith("does not say where mine is; give its file, folder or class with --model")


@pytest.mark.parametrize(
    ("where", "value", "reason"),
    [
        (("task", "folds_sha256"), "0" * 64, "folds (folds sha256) differs: 0000000000000000... recorded, "),
        (
            ("task", "fold_scheme"),
            "10-fold",
            "folds are made by another rule: 10-fold recorded, 5-fold-sha256-contiguous-seed0 here",
        ),
        (("task", "version"), "0.9.0", "task version differs: 0.9.0 recorded, 1.1.0 here"),
        (("task", "data_sha256"), "0" * 64, "labels (data sha256) differs: 0000000000000000... recorded, "),
        (("model", "embedding_sha256"), "0" * 64, "vectors (embedding sha256) differs: 0000000000000000... recorded, "),
        (("probe", "C"), 2.0, "probe parameter C differs: 2.0 recorded, 1.0 here"),
        (("coverage", "scored_sha256"), "0" * 64, "scored entities differs: 0000000000000000... recorded, "),
        (("scores", "roc_auc"), made(0.99), "same inputs, but score roc_auc (fold "),
        (("scores", "roc_auc"), made(None), "score roc_auc (fold 0) differs: None recorded, "),
        (("scores", "extra"), made(1.0), "score extra is only in the result"),
        (("task", "id"), "humantfs_is_tff", "cannot be run again: "),
        (("probe", "engine"), "abacus", "cannot be run again: "),
    ],
)
def test_what_was_changed_is_named(saved, check, where, value, reason):
    edit(saved, where, value)
    status, (line,) = check(saved)
    assert status == 1
    assert line.startswith("NOT reproduced: ")
    assert reason in line


def test_other_versions_are_named_and_allow_more(saved, check):
    edit(saved, ("environment", "numpy"), "1.0.0")
    shift(saved, -1e-4)
    status, (line,) = check(saved)
    assert status == 0
    assert "largest difference 0.0001 (allowed 0.001); " in line
    assert f"; version of numpy differs: 1.0.0 recorded, {np.__version__} here" in line


def test_another_kind_of_machine_is_named_and_allows_more(saved, check):
    edit(saved, ("probe", "rough_products"), "bfloat16")
    edit(saved, ("probe", "device"), "cuda")
    shift(saved, -1e-4)
    status, (line,) = check(saved)
    assert status == 0
    assert "(allowed 0.001); " in line
    assert "; probe parameter device differs: cuda recorded, cpu here; " in line
    assert line.endswith("probe parameter rough_products differs: bfloat16 recorded, none here")


def test_results_from_before_rough_products_reproduce(saved, check):
    content = json.loads(saved.read_text())
    del content["probe"]["rough_products"]
    saved.write_text(json.dumps(content))
    status, (line,) = check(saved)
    assert status == 0
    assert "(allowed 1e-06)" in line


def test_scores_that_differ_with_other_versions_name_them(saved, check):
    edit(saved, ("environment", "numpy"), "1.0.0")
    edit(saved, ("scores", "roc_auc"), made(0.01))
    status, (line,) = check(saved)
    assert status == 1
    assert "same inputs, but score roc_auc (fold " in line
    assert "differs: 0.01 recorded, " in line
    assert f"version of numpy differs: 1.0.0 recorded, {np.__version__} here" in line


def test_one_verdict_for_each_in_their_order(tmp_path, toy_dir, saved, check):
    run(["random:dim=5"], [TASK, "gene2vec_gene_pairs"], out=tmp_path / "more", data_dir=toy_dir, log=silent)
    paths = [*sorted((tmp_path / "more").rglob("*.json")), saved]
    edit(paths[1], ("task", "version"), "0.9.0")
    status, lines = check(*paths)
    assert status == 1
    assert [line.split(":")[0] for line in lines] == ["reproduced", "NOT reproduced", "reproduced"]
    assert [line.split(" on ")[1].split(":")[0] for line in lines] == ["gene2vec_gene_pairs", TASK, TASK]


def test_a_named_model_is_verified_and_no_other(tmp_path, toy_dir, vectors, check, capsys):
    run([{"mine-too": str(vectors)}, "random:dim=4"], [TASK], out=tmp_path / "out", data_dir=toy_dir, log=silent)
    run([str(vectors)], [TASK], out=tmp_path / "out", data_dir=toy_dir, log=silent)
    paths = sorted((tmp_path / "out").rglob("*.json"))
    assert [path.parent.name for path in paths] == ["mine", "mine-too", "random-dim-4-49717306"]
    command = ["verify", *map(str, paths), "--data-dir", str(toy_dir), "--model"]
    assert main([*command, str(vectors)]) == 0
    out, err = capsys.readouterr()
    assert [line.split(" on ")[0] for line in out.splitlines()] == ["reproduced: mine"]
    assert f"2 results of other models than {vectors} were left out" in err
    # A name that the user gave: the revision says which results are of the file.
    assert check(paths[1], paths[2], "--model", vectors)[1][0].startswith("reproduced: mine-too on ")
    other = write_vectors(tmp_path / "random:dim.csv", ["TOY1"])
    assert main([*command, str(other)]) == 2
    assert "'random:dim=4'" in capsys.readouterr().err


def test_common_genes_need_all_models_of_the_run(tmp_path, toy_dir, toy_genes):
    part = write_vectors(tmp_path / "part.csv", [symbol for symbol, _ in toy_genes[:45]])
    options = {"out": tmp_path / "out", "data_dir": toy_dir, "common_genes": True}
    run(["random:dim=4", "random:dim=5,seed=1", str(part)], [TASK], log=silent, **options)
    results = {result.model.id: result for result in load_folder(tmp_path / "out").results}
    assert results["random:dim=4"].coverage.n_scored == 45
    (verdict,) = verify([results["random:dim=4"]], data_dir=toy_dir, log=silent)
    assert not verdict.reproduced
    assert "on the entities of several models; give the results of all of them: part, random:dim=4, r" in str(verdict)


def test_a_file_that_is_no_result(tmp_path, check, capsys):
    path = tmp_path / "x.json"
    path.write_text('{"schema_version": 99}')
    status = main(["verify", str(path)])
    assert status == 2
    assert "schema_version is 99" in capsys.readouterr().err
