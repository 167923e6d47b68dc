"""Suites: named, versioned lists of tasks, from the command line, Python and reports."""

import json
from pathlib import Path

import pytest

import gene_eval
from builders.errors import UnknownTaskError
from gene_eval.catalogue.suites import RECORD, averaged, expand, suites
from gene_eval.cli.parser import main
from gene_eval.running.tasks import choose

FILE = Path(gene_eval.__file__).parent / "catalogue" / RECORD
ADVICE = (
    f"a list that changes is a new version: make record, or PYTHONPATH=. python tests/catalogue/{Path(__file__).name}"
)


def recorded() -> list[tuple[str, str, str]]:
    """Suite, version and hash of the list, the latest version of a suite last."""
    header, *rows = FILE.read_text(encoding="utf-8").splitlines()
    assert header == "suite\tversion\tsha256"
    return [tuple(row.split("\t")) for row in rows]  # type: ignore[misc]


def with_new_versions(rows: list[tuple[str, str, str]], now: dict[str, str]) -> list[tuple[str, str, str]]:
    """The record, and a version more of each suite whose list is another than that of its latest."""
    latest = {name: (version, digest) for name, version, digest in rows}
    changed = [name for name, digest in now.items() if latest.get(name, ("", ""))[1] != digest]
    new = [(name, f"{int(latest.get(name, ('0.0.0', ''))[0].split('.')[0]) + 1}.0.0", now[name]) for name in changed]
    return rows + new


def test_a_version_of_a_suite_has_the_same_tasks_for_ever() -> None:
    found = suites()
    rows = recorded()
    assert with_new_versions(rows, {name: suite.sha256 for name, suite in found.items()}) == rows, ADVICE
    assert {name: suite.version for name, suite in found.items()} == {name: version for name, version, _ in rows}
    # Those of the first reports, whatever else is recorded.
    assert ("paper-2024", "1.0.0") in {row[:2] for row in rows if row[2].startswith("472faafbae777304")}
    assert ("extended", "2.0.0") in {row[:2] for row in rows if row[2].startswith("ef96c34592d075eb")}
    assert len({row[:2] for row in rows}) == len(rows)


def test_a_list_that_changes_is_the_next_version() -> None:
    rows = [("a", "1.0.0", "x"), ("b", "1.0.0", "y"), ("a", "2.0.0", "z")]
    assert with_new_versions(rows, {"a": "z", "b": "y"}) == rows
    assert with_new_versions(rows, {"a": "x", "b": "y", "c": "x"})[3:] == [("a", "3.0.0", "x"), ("c", "1.0.0", "x")]


def test_every_task_is_in_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without tasks that another test has added.
    monkeypatch.setattr("builders.catalog._user_builders", {})
    found = suites()
    assert len(found["paper-2024"].tasks) == 74
    assert found["starter"].tasks == tuple(name for name in choose(["starter_*"]))
    assert {"hgnc_locus_group", "genecorpus_lys4_only_vs_non_methylated"} <= set(found["extended"].tasks)
    listed = [task for suite in found.values() for task in suite.tasks]
    assert sorted(listed) == sorted(gene_eval.tasks().index)


def test_a_name_stands_for_its_tasks() -> None:
    assert expand(["a", "@starter", "b"])[::5] == ["a", "b"]
    assert list(choose(["@starter", "humantfs_*"])) == ["humantfs_is_tf", *suites()["starter"].tasks]
    with pytest.raises(UnknownTaskError, match=r"no suite '@paper'; did you mean '@paper-2024'\?"):
        choose(["@paper"])
    results = gene_eval.run("random:dim=4", ["@starter"], log=[].append)
    assert set(results.tasks) == set(suites()["starter"].tasks)


def test_only_what_has_a_roc_auc_and_counts_is_averaged() -> None:
    found = averaged()
    assert "@starter" not in found
    target, beyond = (gene_eval.tasks(suite)["target"] for suite in ("@paper-2024", "@extended"))
    assert set(found["@paper-2024"]) == set(target[target != "regression"].index)
    assert set(found["@extended regression"]) == set(beyond[beyond == "regression"].index) >= {"gnomad_constraint"}
    # Built on request only, so that a mean is within everybody's reach.
    assert not {"tcrd_development_level", "finan2017_druggability_tier"} & set(found["@extended"])


def test_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suites"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["@paper-2024", "1.0.0", "74"]
    assert main(["suites", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in facts] == list(gene_eval.suites().index) == list(suites())
    assert main(["tasks", "@starter"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("starter_is_tf")


if __name__ == "__main__":
    lists = {name: suite.sha256 for name, suite in suites().items()}
    record = [("suite", "version", "sha256"), *with_new_versions(recorded(), lists)]
    FILE.write_text("".join("\t".join(row) + "\n" for row in record), encoding="utf-8")
    print(f"recorded {', '.join(f'@{row[0]} {row[1]}' for row in record[1:])} in {FILE}")
