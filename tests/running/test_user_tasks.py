"""A user's task that fails costs itself: the tasks beside it are scored."""

import re

import pandas as pd
import pytest

import gene_eval
from builders import RawFiles, load
from builders.errors import BuilderError
from builders.user_tables import build_table

BODY = """
import pandas as pd
from builders import GeneTaskBuilder, Source, TaskConfig

{}
class Mine(GeneTaskBuilder):
    SOURCE = Source(name="mine", title="Mine", files={{}})
    PACKAGED = True
    BUILDER_CONFIGS = [TaskConfig("mine_{}", target="binary")]

    def rows(self, config):
        {}
"""


@pytest.mark.parametrize(
    ("name", "top", "body", "reason"),
    [
        ("raises", "", "raise KeyError('x')", "mine_raises: KeyError: 'x' (mine.py, line 12)"),
        ("exits", "", "exit(0)", "mine_exits: SystemExit: 0 (mine.py, line 12)"),
        (
            "nothing",
            "",
            "pass",
            "mine_nothing: rows() returned NoneType; expected a pandas.DataFrame with symbol, label",
        ),
        (
            "cancels",
            "",
            "import asyncio; raise asyncio.CancelledError",
            "mine_cancels: CancelledError (mine.py, line 12)",
        ),
        ("stops", "", "raise GeneratorExit", "mine_stops: GeneratorExit (mine.py, line 12)"),
        (
            "doubles",
            "",
            "return pd.DataFrame([['G1', '0', '1']], columns=['symbol', 'label', 'label'])",
            "mine_doubles: rows() returned several columns 'label'; expected one",
        ),
        (
            "mute",
            "class Mute(Exception):\n    def __str__(self):\n        return 1 / 0\n",
            "raise Mute",
            "mine_mute: Mute (mine.py, line 15)",
        ),
        ("import", "import sys; sys.exit(0)", "pass", "mine.py cannot be run: SystemExit: 0 (mine.py, line 5)"),
        ("syntax", "def f(:", "pass", "mine.py cannot be run: SyntaxError: "),
    ],
)
def test_the_others_go_on(go, tmp_path, name, top, body, reason):
    path = tmp_path / "mine.py"
    path.write_text(BODY.format(top, name, body), encoding="utf-8")
    outcome = go(["random:dim=4"], [f"{path}:Mine", "starter_is_tf"])
    assert [result.task.id for result in outcome.results] == ["starter_is_tf"]
    (failure,) = outcome.failures
    assert reason in failure.reason
    assert "\n" not in failure.reason


def test_the_guides_own_task_needs_no_file_but_its_own(go, repo, toy_dir, toy_genes, tmp_path, monkeypatch):
    monkeypatch.setattr("builders.catalog._user_builders", {})
    blocks = re.findall(r"```python\n(.*?)```", (repo / "docs/own-task.md").read_text(encoding="utf-8"), re.DOTALL)
    (code,) = [block for block in blocks if "class EssentialBuilder" in block]
    (tmp_path / "my_task.py").write_text(code)
    folder = tmp_path / "mine"
    (folder / "mylab").mkdir(parents=True)
    # By old symbols: HGNC's table is there, from whatever folder the genes were built.
    rows = [f"OLD{i},{'yes' if i % 3 else 'no'}" for i, _ in enumerate(toy_genes, start=1)]
    (folder / "mylab" / "essential.csv").write_text("\n".join(["gene,essential", *rows]) + "\n")
    load("genes", RawFiles(toy_dir))
    outcome = go(["bag-of-words"], [f"{tmp_path / 'my_task.py'}:EssentialBuilder"], data_dir=folder)
    assert [failure.reason for failure in outcome.failures] == []
    (result,) = outcome.results
    assert (result.task.id, result.coverage.n_scored) == ("mylab_essential", len(toy_genes))
    # Our own sources are still built from the folder only.
    with pytest.raises(BuilderError, match="no DatabaseExtract_v_1.01.csv in"):
        load("humantfs_is_tf", RawFiles(folder), rebuild=True)


def test_a_file_of_sequences_is_a_task_and_what_is_wrong_with_it_is_one_line(tmp_path):
    own = pd.DataFrame({"text": ["ACGT", "CCCC", "ACGA", "CCCG"] * 10, "label": [0, 1] * 20})
    (tmp_path / "tab").mkdir()
    own.to_csv(tmp_path / "mine.csv.gz", index=False)
    own.drop(columns="label").to_csv(tmp_path / "lacks.csv", index=False)
    own.assign(text=["ACGT"] * 39 + ["AXGT"]).to_csv(tmp_path / "tab" / "strange.tsv", sep="\t", index=False)
    own.assign(split="train").to_csv(tmp_path / "half.csv", index=False)
    files = ["mine.csv.gz", "lacks.csv", "tab/strange.tsv", "half.csv", "none.csv"]
    results = gene_eval.run("kmer:k=1", [str(tmp_path / name) for name in files], log=lambda line: None)
    assert [(result.task.id, result.scores["mcc"].mean, result.task.n_tested) for result in results] == [
        ("mine", 1, 12)
    ]
    assert results.results[0].task.fold_scheme == "70-30-stratified-sha256-seed0"
    reasons = {failure.task: failure.reason for failure in results.failures}
    assert "'label'" in reasons["lacks"]
    assert reasons["strange"].startswith("strange: sequence of row 40 has 'X' at position 2; expected nucleotides")
    assert "no part 'test'" in reasons["half"]
    assert reasons["none"].startswith(f"no file {tmp_path / 'none.csv'}")


@pytest.mark.parametrize(
    ("labels", "target", "names"),
    [
        (["1", "0"], "binary", ["0", "1"]),
        (["TRUE", "FALSE"], "binary", ["0", "1"]),
        (["yes", "no"], "multiclass", ["no", "yes"]),
        (["NA", "1", "b"], "multiclass", ["1", "b", "NA"]),
        (["1", "2", "3"], "multiclass", ["1", "2", "3"]),
        (["0.5", "1", "-2e-3"], "regression", None),
    ],
)
@pytest.mark.parametrize(("name", "sep"), [("screen.csv", ","), ("screen.tsv.gz", "\t"), ("spreadsheet.csv", ";")])
def test_a_file_of_genes_is_a_task(tmp_path, name, sep, labels, target, names):
    genes = ["NA", *(f"G{i}" for i in range(59))]
    given = [labels[i % len(labels)] for i in range(len(genes))]
    frame = pd.DataFrame({"Gene": genes, "score": range(len(genes)), "label": given})
    frame.loc[len(genes)] = ["EMPTY", 3, ""]
    frame.to_csv(tmp_path / name, index=False, sep=sep)
    built = build_table("screen", tmp_path / name, RawFiles(tmp_path))
    assert built.config.target == target
    found = dict(zip(built.dataset["symbol"], built.dataset["label"], strict=True))
    if names is None:
        assert found == pytest.approx(dict(zip(genes, map(float, given), strict=True)))
    else:
        assert built.dataset.features["label"].names == names
        texts = [{"TRUE": "1", "FALSE": "0"}.get(label, label) for label in given]
        assert {gene: names[label] for gene, label in found.items()} == dict(zip(genes, texts, strict=True))


def test_a_file_of_entrez_ids_is_a_task(tmp_path):
    lines = [f"{1000 + i},{i % 2}" for i in range(40)]
    (tmp_path / "ids.csv").write_text("\n".join(["entrez,label", *lines]))
    built = build_table("ids", tmp_path / "ids.csv", RawFiles(tmp_path))
    assert set(built.dataset["symbol"]) == {str(1000 + i) for i in range(40)}
    assert built.config.target == "binary"
