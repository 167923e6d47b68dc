"""The made-up folder of the benchmark holds what a run would write."""

from pathlib import Path

from benchmarks.result_folder import make_folder
from gene_eval.results.reading import result_files
from gene_eval.results.store import load, load_folder


def test_files_are_results_of_the_true_schema(tmp_path: Path) -> None:
    make_folder(tmp_path, models=3, tasks=range(6, 10), splits=2)
    found = load_folder(tmp_path)
    assert (len(found.results), found.problems) == (3 * 4 * 2, ())
    assert {each.task.target for each in found.results} == {"binary", "multiclass", "multilabel", "regression"}
    for file in result_files(tmp_path):
        assert load(file.path).to_json() == file.path.read_text(encoding="utf-8")
