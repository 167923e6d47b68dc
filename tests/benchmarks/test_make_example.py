"""The example of the docs: what is written, how large it may be, and that nothing but results is in it."""

import shutil

import pytest
import yaml

from benchmarks import make_example
from gene_eval import load_results
from gene_eval.running.runner import run

COMMAND = "gene-bench run bag-of-words random -t 'starter_*' -o results"


@pytest.fixture(autouse=True)
def no_browser(monkeypatch):
    """Screenshots take seconds, and differ between machines."""
    monkeypatch.setattr(shutil, "which", lambda name: None)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    run(["bag-of-words", "random"], ["starter_is_tf", "starter_location"], out=out, log=lambda line: None)
    return load_results(out)


def test_the_example_is_written_and_says_how(found, tmp_path):
    make_example.write(tmp_path, found, "bag-of-words", [COMMAND])
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"README.md", "card.md", "comparison.txt", "folds.png", "report.md", "tasks.png"}
    readme = (tmp_path / "README.md").read_text()
    assert "\n2 models on 2 tasks, as gene-bench shows them." in readme
    assert COMMAND in readme.splitlines()
    linked = {name for name in written if f"]({name})" in readme}
    assert linked == written - {"README.md"}
    assert (tmp_path / "comparison.txt").read_text().startswith("$ gene-bench compare results bag-of-words random\n")
    index = yaml.safe_load((tmp_path / "card.md").read_text().split("---\n")[1])["model-index"]
    assert [each["dataset"]["config"] for each in index[0]["results"]] == ["starter_is_tf", "starter_location"]
    assert (tmp_path / "tasks.png").read_bytes().startswith(b"\x89PNG")
