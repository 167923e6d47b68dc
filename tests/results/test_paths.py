import itertools
from pathlib import Path

import pytest

from gene_eval.results.paths import path_for, predictions_path
from gene_eval.results.settings import Settings


def test_defaults_have_the_short_name_whatever_the_task_calls_default() -> None:
    assert path_for("out", "m", "hgnc_hla_class") == Path("out/m/hgnc_hla_class.json")
    published = Settings(split="published", protocol="geneb")
    assert path_for("out", "m", "gene2vec_gene_pairs", published, defaults=published).name == "gene2vec_gene_pairs.json"
    name = path_for("out", "m", "gene2vec_gene_pairs", Settings(protocol="geneb"), defaults=published).name
    assert name == "gene2vec_gene_pairs@split=random.json"


def test_names_are_one_to_one_and_fit_any_file_system() -> None:
    heads = ["mlp", "MLP", "a:B", "a.B", "a,b", "a=b", "a~3a", "../x", "é", "e\u0301", " ", "C:\\x", "x" * 41, "x" * 42]
    axes = itertools.product([None, 1, 16], ["random", "family"], ["linear", *heads], [0, 10])
    settings = [Settings(shots=shots, split=split, head=head, seed=seed) for shots, split, head, seed in axes]
    names = [path_for("", "m", "source_task", each).name for each in settings]
    assert len({name.casefold() for name in names}) == len(settings)
    for name in names:
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.~@=,-")
        assert len(name) < 200


@pytest.mark.parametrize("name", ["t.json", "t@seed=1.json"])
def test_predictions_lie_beside_their_result(name: str) -> None:
    assert predictions_path(Path("r/m") / name) == Path("r/m") / name.replace(".json", ".predictions.parquet")


def test_settings_are_said_briefly_and_ordered() -> None:
    assert str(Settings()) == "protocol paper, engine fast, seed 0"
    assert str(Settings("scaled", "sklearn", 3, "family", "mlp", 5)) == (
        "protocol scaled, engine sklearn, seed 3, split family, head mlp, shots 5"
    )
    assert sorted([Settings(shots=16), Settings(shots=1), Settings(), Settings(engine="aaa")]) == [
        Settings(), Settings(shots=1), Settings(shots=16), Settings(engine="aaa"),
    ]  # fmt: skip
