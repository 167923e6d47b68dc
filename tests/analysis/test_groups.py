"""Groups of tasks: the tasks beyond the paper have means and ranks of their own."""

import pytest

from gene_eval.analysis.groups import group_tasks
from gene_eval.analysis.tables import build
from gene_eval.catalogue.suites import averaged
from gene_eval.reporting.page.data import page_data
from gene_eval.reporting.text import to_markdown
from tests.analysis.made_results import made

PAPER, EXTENDED = ("reactome_pathways", "humantfs_is_tf"), ("bagel_core_essential", "diseases_area")


def results(tasks: tuple[str, ...], *, regressions: tuple[str, ...] = ()) -> list:
    found = []
    for model, gain in (("a", 0.0), ("b", 0.05)):
        for number, task in enumerate(tasks):
            folds = [0.6 + gain + 0.1 * number + 0.01 * fold for fold in range(5)]
            found.append(made(model, task, folds, family="genomic"))
        found += [
            made(model, task, [0.1 + gain, 0.2, 0.3, 0.2, 0.1], target="regression", family="genomic")
            for task in regressions
        ]
    return found


def test_they_are_in_no_other_group() -> None:
    tasks = [each.task for each in results((*PAPER, *EXTENDED), regressions=("hpa_interactions", "gnomad_constraint"))]
    assert group_tasks({task.id: task for task in tasks}.values(), averaged()) == {
        "overall": ("humantfs_is_tf", "reactome_pathways"),
        "genomic": ("humantfs_is_tf", "reactome_pathways"),
        "regression": ("hpa_interactions",),
        "@extended": EXTENDED,
        "@extended regression": ("gnomad_constraint",),
    }


def test_nor_are_their_labels_and_versions() -> None:
    ids = ("humantfs_is_tf", "diseases_area/metabolism", "bagel_core_essential (version 1.0.0, data d, folds f)")
    groups = group_tasks([made("a", task, [0.5], family="genomic").task for task in ids], averaged())
    assert groups["overall"] == ("humantfs_is_tf",)
    assert groups["@extended"] == (ids[2], ids[1])


def test_alone_they_are_all_there_is() -> None:
    tasks = [made("a", task, [0.5], family="genomic").task for task in EXTENDED]
    assert group_tasks(tasks, averaged()) == {"overall": EXTENDED, "genomic": EXTENDED}


def test_means_ranks_and_the_page_keep_them_apart() -> None:
    report = build(results((*PAPER, *EXTENDED), regressions=("gnomad_constraint",)), suites=averaged())
    (table,) = report.tables
    # The mean of the first two tasks, and of the last two: 0.6 and 0.7, 0.8 and 0.9, and 0.02 for the folds.
    assert table.means["a", "overall"].mean == pytest.approx(0.67)
    assert table.means["a", "@extended"].mean == pytest.approx(0.87)
    assert table.means["b", "@extended regression"].mean == pytest.approx(0.19)
    assert {group.name for group in table.rankings} >= {"overall", "@extended", "@extended regression"}
    assert table.figure2_groups == {"overall": ("humantfs_is_tf", "reactome_pathways")} | {
        "genomic": ("humantfs_is_tf", "reactome_pathways")
    }
    groups = {group["name"]: group for group in page_data(report)["tables"][0]["groups"]}
    names = [task["name"] for task in page_data(report)["tables"][0]["tasks"]]
    assert [names[task] for task in groups["@extended"]["tasks"]] == list(EXTENDED)
    assert (groups["@extended"]["metric"], groups["@extended regression"]["metric"]) == ("roc_auc", "spearman")
    assert "@extended (2" in to_markdown(report)
