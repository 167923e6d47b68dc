"""The comparison of two folders of results."""

import json

from benchmarks.same_scores import main


def write(folder, task, value, label=0.5, folds=(0.5, None)):
    (folder / "model").mkdir(parents=True, exist_ok=True)
    score = {"mean": value, "std": 0.0, "folds": [value, *folds[1:]]}
    labels = {"a": {"roc_auc": {"mean": label, "std": 0.0, "folds": [label]}}}
    content = {"schema_version": 1, "scores": {"roc_auc": score}, "labels": labels}
    (folder / "model" / f"{task}.json").write_text(json.dumps(content))


def test_the_largest_differences_are_named(tmp_path, capsys):
    old, new = tmp_path / "old", tmp_path / "new"
    write(old, "one", 0.5)
    write(new, "one", 0.5)
    write(old, "two", 0.5, label=0.5)
    write(new, "two", 0.502, label=0.6)
    write(old, "three", 0.5)
    assert main([str(old), str(new)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == "model one folds 0.0e+00 (roc_auc of a) means 0.0e+00 (roc_auc)".split()
    assert "folds 1.0e-01 (roc_auc of a)" in lines[1]
    assert lines[2] == f"only in {old}: 1, only in {new}: 0"
    assert lines[3] == "largest fold difference over all labels of 2 results: 2.0e-03 (model two, roc_auc)"
    assert lines[4] == "largest mean difference over all labels of 2 results: 2.0e-03 (model two, roc_auc)"


def test_what_is_undefined_in_one_differs_and_nothing_to_compare_is_an_error(tmp_path, capsys):
    old, new = tmp_path / "old", tmp_path / "new"
    write(old, "one", 0.5, folds=(0.5, None))
    write(new, "one", 0.5, folds=(0.5, 0.7))
    assert main([str(old), str(new)]) == 0
    assert "largest fold difference over all labels of 1 results: inf" in capsys.readouterr().out
    assert main([str(old), str(tmp_path)]) == 1
