"""Reports of multi-label tasks and of the paper's families."""

from dataclasses import replace

import pytest

from gene_eval.reporting.text import Mean, build, rows, to_markdown
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, Settings, TaskRecord, TaskResult


def _full(
    model: str, task: str, *, family: str, figure2: str, target: str, scores: dict[str, float], labels: dict[str, float]
) -> TaskResult:
    def score(mean: float) -> Score:
        return Score(mean, 0.01, (mean,))

    return TaskResult(
        TaskRecord(
            id=task,
            version="1.0.0",
            target=target,
            entity="gene",
            family=family,
            source=task,
            n=50,
            data_sha256="d",
            fold_scheme="kfold",
            folds_sha256="f",
            figure2_family=figure2,
            label_names=tuple(labels),
        ),
        ModelRecord(model, None, "precomputed", 4, "e"),
        ProbeRecord(Settings("paper", "fast", 0)),
        Coverage(50, 50, 0),
        {metric: score(value) for metric, value in scores.items()},
        {label: {"roc_auc": score(value), "f1": score(0.1)} for label, value in labels.items()},
    )


@pytest.fixture
def paper_like() -> list[TaskResult]:
    def localization(model: str, auc: float, f1: float) -> TaskResult:
        return _full(
            model,
            "hpa_subcellular_location",
            family="localization",
            figure2="genomic",
            target="multilabel",
            scores={"roc_auc_macro": auc, "f1_weighted": f1},
            labels={"nucleus": auc + 0.1, "cytosol": auc - 0.1},
        )

    def chromosome(model: str, auc: float, f1: float) -> TaskResult:
        return _full(
            model,
            "hpa_chromosome",
            family="genomic",
            figure2="genomic",
            target="multiclass",
            scores={"roc_auc_ovr_weighted": auc, "f1_weighted": f1},
            labels={},
        )

    return [localization("a", 0.8, 0.4), chromosome("a", 0.6, 0.2), localization("b", 0.7, 0.3)]


def test_the_families_of_figure_2_and_f1_as_figure_s1(paper_like: list[TaskResult]) -> None:
    (table,) = build(paper_like).tables
    assert table.means["a", "localization"] == Mean(0.8, None, 1)
    assert table.means["b", "localization"] == Mean(0.7, None, 1)
    assert ("a", "localization") not in table.figure2
    assert table.figure2["a", "genomic"] == Mean(pytest.approx(0.7), pytest.approx(0.1), 2)
    assert table.figure_s1["a", "genomic"] == Mean(pytest.approx(0.3), pytest.approx(0.1), 2)
    assert ("b", "genomic") not in table.figure2
    text = to_markdown(build(paper_like))
    assert (
        "### Families of the paper's Figure 2\n\n"
        "| model | overall (2 tasks) | genomic (2 tasks) |\n"
        "| --- | --- | --- |\n"
        "| a | 0.700 ± 0.100 | 0.700 ± 0.100 |\n"
        "| b | – | – |\n"
    ) in text
    assert "### F1, as in the paper's Figure S1\n\n" in text
    assert "| a | 0.300 ± 0.100 | 0.300 ± 0.100 |" in text


def test_labels_have_a_table_and_rows(paper_like: list[TaskResult]) -> None:
    report = build(paper_like)
    assert (
        "### Labels of hpa_subcellular_location (roc_auc)\n\n"
        "| label | a | b |\n"
        "| --- | --- | --- |\n"
        "| nucleus | 0.900 ± 0.010 | 0.800 ± 0.010 |\n"
        "| cytosol | 0.700 ± 0.010 | 0.600 ± 0.010 |\n"
    ) in to_markdown(report)
    found = {(row["task"], row["label"], row["model"]): row for row in rows(report.tables[0])}
    assert len(found) == 2 * 1 + 2 * 3
    assert found["hpa_subcellular_location", "cytosol", "b"]["mean"] == pytest.approx(0.6)
    assert found["hpa_subcellular_location", "cytosol", "b"]["metric"] == "roc_auc"
    assert found["hpa_subcellular_location", "", "b"]["metric"] == "roc_auc_macro"
    assert found["hpa_chromosome", "", "b"]["mean"] is None


def test_models_are_ordered_by_source_not_by_task() -> None:
    # Seven sources; the last has three tasks, on which "many" wins by far. The other six, it loses.
    names = [f"source{number}_task" for number in range(6)] + ["source6_one", "source6_two", "source6_three"]
    results = []
    for model, small, large in (("many", 0.60, 0.99), ("most", 0.66, 0.70)):
        for name in names:
            auc = large if name.startswith("source6") else small
            one = _full(
                model, name, family="genomic", figure2="genomic", target="binary", scores={"roc_auc": auc}, labels={}
            )
            results.append(replace(one, task=replace(one.task, source=name.split("_")[0])))
    (table,) = build(results).tables
    assert table.means["many", "overall"].mean > table.means["most", "overall"].mean
    assert table.models == ("most", "many")
    places = table.rankings[0]
    assert [(each.model, each.rank) for each in places.models] == [("most", 1), ("many", 2)]
    assert places.models[0].mean == pytest.approx((6 * 0.66 + 0.70) / 7)
    assert "| most | 0.666 ± 0.006 | 1 (1–2) | 1 (1–2) |" in to_markdown(build(results))
