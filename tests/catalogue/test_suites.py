"""Suites: named, versioned lists of tasks, from the command line, Python and reports."""

import hashlib
import json

import pytest

import gene_eval
from builders.errors import UnknownTaskError
from gene_eval.catalogue.suites import averaged, expand, suites
from gene_eval.cli.parser import main
from gene_eval.running.tasks import choose

# Of a suite that has other tasks, the version is raised: a mean of 1.0.0 must mean the same in every report.
SHA256 = {
    ("paper-2024", "1.0.0"): "472faafbae777304",
    ("extended", "2.0.0"): "ef96c34592d075eb",
    ("starter", "1.0.0"): "481b34b884150bb0",
}


@pytest.mark.parametrize(("name", "version"), SHA256)
def test_a_version_of_a_suite_has_the_same_tasks_for_ever(name: str, version: str) -> None:
    suite = suites()[name]
    assert suite.version == version
    found = hashlib.sha256("\n".join(sorted(suite.tasks)).encode()).hexdigest()[:16]
    assert found == SHA256[name, version], f"a list that changes is a new version: raise it, and enter {found} for it"


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
    target = gene_eval.tasks("@paper-2024")["target"]
    assert set(found["@paper-2024"]) == set(target[target != "regression"].index)
    assert set(found["@extended regression"]) == {"gnomad_constraint", "saluki_mrna_half_life"}
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
