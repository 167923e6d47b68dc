"""What a score loses against random folds, which splits rank models, and pairs on random folds."""

from dataclasses import replace

import pytest
from made_results import made, with_settings

from gene_eval.analysis.groups import group_tasks
from gene_eval.analysis.power import PAIRS, why_unranked
from gene_eval.analysis.tables import build
from gene_eval.reporting.text import to_markdown

MODELS = {"good": 0.9, "poor": 0.7}


def results():
    for model, score in MODELS.items():
        random = made(model, "hpa_1", [score] * 5)
        yield random
        for split, loss in (("family", 0.05), ("chromosome", 0.01)):
            yield with_settings(
                made(model, "hpa_1", [score - loss, score - 3 * loss, *[score - loss] * 3]), split=split
            )
    # Other vectors of the same name: nothing to be less than.
    other = made("good", "hpa_2", [0.8] * 5)
    yield other
    yield with_settings(replace(other, model=replace(other.model, embedding_sha256="0" * 64)), split="family")


def test_the_family_split_stands_first_with_what_scores_lose() -> None:
    family, random, chromosome = build(results()).tables
    assert [table.settings.split for table in (family, random, chromosome)] == ["family", "random", "chromosome"]
    assert family.cells["good", "hpa_1"].mean == pytest.approx(0.9 - 7 * 0.05 / 5)
    assert family.cells["good", "hpa_1"].to_random == pytest.approx(-7 * 0.05 / 5)
    assert chromosome.cells["poor", "hpa_1"].to_random == pytest.approx(-7 * 0.01 / 5)
    assert family.cells["good", "hpa_2"].to_random is None
    assert all(cell.to_random is None for cell in random.cells.values())
    text = to_markdown(build(results()))
    assert "| hpa_1 | localization | roc_auc | 100 | 0.830 ± 0.040 (-0.070) | 0.630 ± 0.040 (-0.070) |" in text


def test_chromosomes_rank_nothing() -> None:
    family, random, chromosome = build(results()).tables
    assert random.rankings
    assert family.task_rankings
    assert not chromosome.rankings
    assert not chromosome.task_rankings


def test_pairs_are_ranked_where_no_gene_is_shared() -> None:
    random = made(
        "good", "gene2vec_1", [0.9] * 5, entity="gene_pair", fold_scheme="5-fold-sha256-contiguous-seed0"
    ).task
    disjoint = replace(random, fold_scheme="5-block-genes-sha256-contiguous-seed0")
    gene = made("good", "hpa_1", [0.9] * 5, fold_scheme="5-fold-sha256-contiguous-seed0").task
    assert (why_unranked(random), why_unranked(disjoint), why_unranked(gene)) == (PAIRS, "", "")
    assert group_tasks([random, gene])["overall"] == ("hpa_1",)
    # The paper's figures average it all the same.
    assert group_tasks([random, gene], weak=True)["overall"] == ("gene2vec_1", "hpa_1")
