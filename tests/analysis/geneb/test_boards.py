"""Boards and measures of GENEB, against scipy and against counts by hand."""

import numpy as np
import pytest
import scipy.stats

from gene_eval.analysis.geneb import measures
from gene_eval.analysis.geneb.board import boards
from gene_eval.core.parts.score import over_fits
from gene_eval.reporting.geneb import to_geneb
from gene_eval.results.records import Coverage, ModelRecord, ProbeRecord, Score, TaskRecord, TaskResult
from gene_eval.results.settings import Settings

SIZES = {"promoter": 2, "enhancer": 3}
TASKS = {"promoter": ("p1", "p2"), "enhancer": ("e1", "e2", "e3")}


def record(name, family, entity="sequence"):
    return TaskRecord(
        name,
        "1",
        "binary",
        entity,
        family,
        "geneb",
        100,
        "",
        "published",
        "",
        ranked=False,
        default_split="published",
        default_protocol="geneb",
    )


def result(  # noqa: PLR0913 - what a result of a test may differ in
    model, task, family, table=None, *, value=None, shots=None, entity="sequence", params=None
):
    tables = None if table is None else np.array(table)
    scores = {"mcc": Score(value, np.nan, ())} if tables is None else over_fits(tables)
    return TaskResult(
        task=record(task, family, entity),
        model=ModelRecord(
            model, None, "imported" if tables is None else "kmer", 4, "", options={"params": params} if params else {}
        ),
        probe=ProbeRecord(Settings(protocol="geneb", split="published", shots=shots)),
        coverage=Coverage(100, 100, 0),
        scores=scores,
        confusion=() if tables is None else tuple(tuple(tuple(row) for row in t) for t in tables.tolist()),
        imported={"file": "x"} if tables is None else {},
    )


def square(right):
    """A table of 200 rows whose Matthews coefficient is (right - wrong) / 200."""
    return [[right // 2, 100 - right // 2], [100 - right // 2, right // 2]]


def made(models, shots=(None,)):
    rng = np.random.default_rng(0)
    return [
        result(model, task, family, [square(int(rng.integers(60, 100)) * 2)], shots=k)
        for model in models
        for k in shots
        for family, tasks in TASKS.items()
        for task in tasks
    ]


def board_of(results, **options):
    return boards(results, **{"sizes": SIZES, "same": {}, "parameters": {}, "resamples": 300, **options})


def test_means_ranks_and_intervals():
    found = made(["a", "b", "c"], shots=(None, 10))
    (board,) = board_of(found)
    value = {(r.model.id, r.task.id, r.settings.shots): r.scores["mcc"].mean for r in found}
    for i, model in enumerate(board.models):
        means = [np.mean([value[model, task, None] for task in tasks]) for tasks in TASKS.values()]
        np.testing.assert_allclose(board.regimes[None].means[i], means)
        assert board.micro(None)[i] == pytest.approx(
            np.mean([v for (m, _, s), v in value.items() if (m, s) == (model, None)])
        )
    macro = board.regimes[None].macro
    assert (np.diff(macro) <= 0).all()
    low, high = measures.macro_intervals(board.regimes[None])
    assert ((low < macro) & (macro < high)).all()
    ends, overall = measures.rank_intervals(board.regimes[None])
    assert ends.shape == (2, 3, 2)
    assert ((1 <= overall) & (overall <= 3)).all()
    assert board.regimes.keys() == {None, 10}
    text = to_geneb([board])
    assert f"{macro[0]:.4f}" in text
    assert "No scores of all models with 1-shot." in text


def test_rows_drawn_of_one_task_spread_as_scikit_learn_rows_do():
    (board,) = board_of(
        [result("a", "p1", "promoter", [square(160)]), result("b", "p1", "promoter", [square(120)])], resamples=4000
    )
    draws = board.regimes[None].draws[:, :, 0]
    # Of n rows called at random with accuracy p, the coefficient of balanced classes spreads as 2 sqrt(p (1 - p) / n).
    for column, p in zip(draws.T, (0.8, 0.6), strict=True):
        assert column.std() == pytest.approx(2 * np.sqrt(p * (1 - p) / 200), rel=0.1)


def test_repeats_count_once():
    found = [result("a", task, "enhancer", [square(right)]) for task, right in (("e1", 180), ("e2", 180), ("e3", 120))]
    (board,) = board_of(found, same={"e1": "mark", "e2": "mark"})
    assert board.regimes[None].means[0, 0] == pytest.approx((0.8 + 0.8 + 0.2) / 3)
    assert board.regimes[None].weighted[0, 0] == pytest.approx((0.8 + 0.2) / 2)


def test_only_models_with_all_tasks_stand_on_a_board():
    found = [*made(["a", "b"]), result("c", "p1", "promoter", [square(160)])]
    found += [
        result("published", f"geneb_category_{name}", name, value=0.5, entity="category", params=7) for name in SIZES
    ]
    of_tasks, of_categories = board_of(found)
    assert set(of_tasks.models) == {"a", "b"}
    assert of_tasks.lacking == {"c": 4, "published": 5}
    # With all tasks of all categories, those scored here stand beside the published means.
    assert set(of_categories.models) == {"a", "b", "published"}
    assert of_categories.lacking == {"c": 2}
    assert of_categories.imported == {"published"}
    assert of_categories.parameters == {"published": 7}
    assert "published †" in to_geneb([of_categories])


def published(model, tasks, shots=(None,)):
    return [result(model, task, tasks[task], value=0.5, shots=k) for task in tasks for k in shots]


def test_a_regime_that_imported_scores_lack_has_a_board_without_them():
    own = made(["a", "b"], shots=(None, 10))
    (with_all,) = board_of(own + published("c", {t: f for f, of in TASKS.items() for t in of}, shots=(None, 10)))
    assert (set(with_all.models), list(with_all.regimes)) == ({"a", "b", "c"}, [None, 10])
    joint, alone = board_of(own + published("c", {t: f for f, of in TASKS.items() for t in of}))
    assert (set(joint.models), list(joint.regimes)) == ({"a", "b", "c"}, [None])
    assert (set(alone.models), list(alone.regimes)) == ({"a", "b"}, [None, 10])


@pytest.mark.parametrize("tasks", [{"p1": "promoter", "e2": "enhancer"}, {"e2": "enhancer"}])
def test_tasks_that_all_models_have_where_no_model_has_each(tasks):
    """Submissions alone, of any tasks, and models that were scored on different ones."""
    for results in (
        published("c", tasks) + published("d", tasks),
        [*published("c", tasks), *published("d", {"e2": "enhancer"})],
        [r for r in made(["a", "b"]) if (r.model.id, r.task.id) not in (("a", "p2"), ("b", "p1"), ("b", "e1"))],
    ):
        (board,) = board_of(results)
        shared = set.intersection(*({r.task.id for r in results if r.model.id == m} for m in board.models))
        assert len(board.models) == 2
        assert {task for each in board.task_names.values() for task in each} == shared
    assert board_of([*published("c", {"p1": "promoter"}), *published("d", {"e1": "enhancer"})]) == []


def test_agreement_is_kendalls_tau_b():
    rng = np.random.default_rng(0)
    means = rng.integers(0, 6, size=(15, 4)) / 10
    tau, ends, mean = measures.category_agreement(means)
    for a in range(4):
        for b in range(4):
            assert tau[a, b] == pytest.approx(scipy.stats.kendalltau(means[:, a], means[:, b]).statistic)
    pairs = np.triu_indices(4, 1)
    assert mean.value == pytest.approx(tau[pairs].mean())
    assert ((ends[0] <= tau + 1e-9) & (tau <= ends[1] + 1e-9))[pairs].all()
    # The interval is that of models drawn with replacement, by scipy.
    drawn = [scipy.stats.kendalltau(*means[rng.integers(0, 15, 15)][:, :2].T).statistic for _ in range(1500)]
    np.testing.assert_allclose(ends[:, 0, 1], np.nanpercentile(drawn, (2.5, 97.5)), atol=0.06)


def test_size_and_score_is_spearmans_correlation():
    rng = np.random.default_rng(1)
    size, macro = 10 ** rng.uniform(6, 9, 12), rng.random(12)
    assert measures.size_and_score(size.tolist(), macro).value == pytest.approx(
        scipy.stats.spearmanr(size, macro).statistic
    )
    most, without = measures.leave_one_out(size.tolist(), macro)
    kept = np.arange(12) != most
    assert without.value == pytest.approx(scipy.stats.spearmanr(size[kept], macro[kept]).statistic)
    assert measures.smaller_wins([1e6, 5e6, 6e6], np.array([0.9, 0.5, 0.1])) == 2


def test_winners_change_where_another_model_is_best():
    found = [
        result(model, task, family, [square(right)], shots=shots)
        for shots, rights in ((None, {"a": 180, "b": 150}), (10, {"a": 120, "b": 140}))
        for model, right in rights.items()
        for family, task in (("promoter", "p1"), ("enhancer", "e1"))
    ]
    (board,) = board_of(found)
    assert measures.winners(board, None) == ["a", "a"]
    assert measures.winner_changes(board, 10).value == 2


def test_difficulty_has_genebs_bounds():
    ((mean, std, hard, wide),) = measures.difficulty(np.array([[0.1], [0.5]]))
    assert (mean, std, hard, wide) == (pytest.approx(0.3), pytest.approx(0.2), True, True)
    assert measures.difficulty(np.array([[0.4], [0.5]]))[0][2:] == (False, False)
