"""Bootstrap over clusters of tasks, and rankings, against enumeration of all resamples and known answers."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.resampling import bootstrap_mean, cluster_means, rank_models, tie_groups

VALUES = np.array([0.05, 0.12, -0.02, 0.08, 0.03, 0.10])


def test_bootstrap_against_all_resamples():
    """Six values have 6^6 resamples; their spread, scaled for few clusters, is the textbook's standard error."""
    resamples = np.array(list(itertools.product(range(6), repeat=6)))
    exact = VALUES[resamples].mean(axis=1).std() * math.sqrt(6 / 5)
    assert exact == pytest.approx(VALUES.std(ddof=1) / math.sqrt(6))
    found = bootstrap_mean(VALUES)
    assert found.std_error == pytest.approx(exact, rel=0.02)
    assert (found.mean, found.n, found.n_clusters) == (pytest.approx(VALUES.mean()), 6, 6)
    expected = stats.ttest_1samp(VALUES, 0)
    assert found.p_value == pytest.approx(expected.pvalue, rel=0.1)
    interval = expected.confidence_interval()
    assert (found.low, found.high) == (pytest.approx(interval.low, abs=2e-3), pytest.approx(interval.high, abs=2e-3))


def test_a_cluster_counts_once_however_many_tasks_it_has():
    repeated = bootstrap_mean([*VALUES, *[VALUES[0]] * 50], clusters=[*"abcdef", *"a" * 50])
    alone = bootstrap_mean(VALUES)
    assert repeated.mean == pytest.approx(alone.mean)
    assert repeated.p_value == pytest.approx(alone.p_value)
    assert (repeated.n, repeated.n_clusters) == (56, 6)
    assert cluster_means([[1, 2, 3], [4, 5, 9]], ["b", "a", "b"]).tolist() == [[2, 2], [6.5, 5]]


def test_five_clusters_say_nothing():
    found = bootstrap_mean(VALUES, clusters=["a", "b", "c", "d", "e", "e"])
    assert found.n_clusters == 5
    assert found.mean == pytest.approx((0.05 + 0.12 - 0.02 + 0.08 + 0.065) / 5)
    assert all(math.isnan(value) for value in (found.low, found.high, found.std_error, found.p_value))


def test_seeds_repeat_and_matter():
    assert bootstrap_mean(VALUES, seed=1) == bootstrap_mean(VALUES, seed=1)
    assert bootstrap_mean(VALUES, seed=1).low != bootstrap_mean(VALUES, seed=2).low


def test_equal_models_are_not_different():
    found = bootstrap_mean(np.zeros(8))
    assert (found.mean, found.low, found.high, found.p_value) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("values", "clusters", "message"),
    [
        ([], None, r"scores of shape \(1, 0\)"),
        ([0.1, math.nan], None, "none of them undefined"),
        ([0.1, 0.2], ["a"], "1 clusters for 2 tasks; name one per task"),
    ],
)
def test_values_that_have_no_mean(values, clusters, message):
    with pytest.raises(ProbeError, match=message):
        bootstrap_mean(values, clusters=clusters)


@pytest.fixture(scope="module")
def ranking():
    """A good model, two that are alike, a poor one; 12 tasks."""
    rng = np.random.default_rng(0)
    base = rng.uniform(0.6, 0.8, size=12)
    alike = base + rng.normal(0, 0.02, size=(2, 12))
    return rank_models([base - 0.1, *alike, base + 0.1 + rng.normal(0, 0.01, size=12)])


def test_places_and_intervals(ranking):
    assert ranking.ranks[[3, 0]].tolist() == [1, 4]
    assert sorted(ranking.ranks[1:3].tolist()) == [2, 3]
    assert (ranking.low[3], ranking.high[3]) == (1, 1)
    assert (ranking.low[0], ranking.high[0]) == (4, 4)
    assert ranking.low[1:3].tolist() == [2, 2]
    assert ranking.high[1:3].tolist() == [3, 3]


def test_p_values_are_those_of_pairs_adjusted_for_their_number(ranking):
    assert ranking.p_values[1, 2] == ranking.p_values[2, 1] > 0.05
    others = ranking.p_values[[0, 0, 0, 3, 3], [1, 2, 3, 1, 2]]
    assert (others < 1e-4).all()
    assert np.isnan(np.diag(ranking.p_values)).all()
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 10))
    assert rank_models([first, second]).p_values[0, 1] == pytest.approx(bootstrap_mean(first - second).p_value)


def test_who_is_tied(ranking):
    middle = tuple(sorted((1, 2), key=lambda model: -ranking.means[model]))
    assert tie_groups(ranking.means, ranking.p_values) == ((3,), middle, (0,))


def test_runs_may_overlap_and_never_hold_two_that_differ():
    p_values = np.ones((4, 4))
    p_values[0, 2] = p_values[2, 0] = p_values[0, 3] = p_values[3, 0] = 0.01
    assert tie_groups([4, 3, 2, 1], p_values) == ((0, 1), (1, 2, 3))
    assert tie_groups([1, 2], np.full((2, 2), math.nan)) == ((1, 0),)


def test_equal_means_share_the_better_place():
    scores = np.tile(np.arange(8.0), (3, 1)) / 10
    scores[2] -= 0.1
    ranking = rank_models(scores)
    assert ranking.ranks.tolist() == [1, 1, 3]
    assert ranking.p_values[0, 1] == 1


def test_few_clusters_give_places_without_intervals():
    ranking = rank_models([[0.5, 0.6], [0.7, 0.8]])
    assert ranking.ranks.tolist() == [2, 1]
    assert np.isnan([*ranking.low, *ranking.high, *ranking.p_values.ravel()]).all()
