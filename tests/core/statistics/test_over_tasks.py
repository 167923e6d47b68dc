"""The t-test over clusters of tasks, and rankings, against scipy, all resamples and known answers."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.over_tasks import cluster_means, cluster_p_values, cluster_t_test, tie_groups

VALUES = np.array([0.05, 0.12, -0.02, 0.08, 0.03, 0.10])


def test_the_t_test_against_scipy_and_against_all_resamples():
    """Six values have 6^6 resamples; their spread, scaled for few clusters, is the textbook's standard error."""
    resamples = np.array(list(itertools.product(range(6), repeat=6)))
    found = cluster_t_test(VALUES)
    assert found.std_error == pytest.approx(VALUES[resamples].mean(axis=1).std() * math.sqrt(6 / 5))
    assert (found.mean, found.n, found.n_clusters) == (pytest.approx(VALUES.mean()), 6, 6)
    expected = stats.ttest_1samp(VALUES, 0)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_clusters_that_agree_by_chance_are_fewer_than_they_seem():
    """Under its own null: normal means that correlate by 0.2, of which the ordinary test makes too many findings."""
    rng = np.random.default_rng(0)
    means = math.sqrt(0.8) * rng.normal(size=(20_000, 8)) + math.sqrt(0.2) * rng.normal(size=(20_000, 1))
    assert np.mean(cluster_p_values(means) < 0.05) > 0.15
    assert np.mean(cluster_p_values(means, correlation=0.2) < 0.05) == pytest.approx(0.05, abs=0.005)
    found = cluster_t_test(means[0], correlation=0.2)
    plain = stats.ttest_1samp(means[0], 0)
    # Of the covariance of the mean, and the expected sample variance, of any two that correlate by 0.2.
    inflation = math.sqrt((np.full((8, 8), 0.2) + 0.8 * np.eye(8)).mean() * 8 / 0.8)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(plain.statistic) / inflation, 7))
    assert found.high - found.mean == pytest.approx(inflation * (plain.confidence_interval().high - found.mean))
    assert cluster_p_values(means[:1], correlation=0.2)[0] == pytest.approx(found.p_value)


def test_a_cluster_counts_once_however_many_tasks_it_has():
    repeated = cluster_t_test([*VALUES, *[VALUES[0]] * 50], clusters=[*"abcdef", *"a" * 50])
    alone = cluster_t_test(VALUES)
    assert repeated.mean == pytest.approx(alone.mean)
    assert repeated.p_value == pytest.approx(alone.p_value)
    assert (repeated.n, repeated.n_clusters) == (56, 6)
    assert cluster_means([[1, 2, 3], [4, 5, 9]], ["b", "a", "b"]).tolist() == [[2, 2], [6.5, 5]]


def test_five_clusters_say_nothing():
    found = cluster_t_test(VALUES, clusters=["a", "b", "c", "d", "e", "e"])
    assert found.n_clusters == 5
    assert found.mean == pytest.approx((0.05 + 0.12 - 0.02 + 0.08 + 0.065) / 5)
    assert all(math.isnan(value) for value in (found.low, found.high, found.std_error, found.p_value))


def test_equal_models_are_not_different():
    found = cluster_t_test(np.zeros(8))
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
        cluster_t_test(values, clusters=clusters)


def test_many_pairs_at_once_are_the_pairs_one_by_one():
    differences = np.random.default_rng(1).normal(size=(300, 14))
    differences[3] = 0
    differences[4, 2] = math.nan
    clusters = [number // 2 for number in range(14)]
    p_values = cluster_p_values(differences, clusters=clusters)
    for pair in (0, 1, 2, 299):
        found = cluster_t_test(differences[pair], clusters=clusters)
        assert p_values[pair] == pytest.approx(found.p_value, rel=1e-9)
    assert p_values[3] == 1
    assert np.flatnonzero(np.isnan(p_values)).tolist() == [4]
    assert np.isnan(cluster_p_values(differences[:, :5])).all()


def test_runs_may_overlap_and_never_hold_two_that_differ():
    p_values = np.ones((4, 4))
    p_values[0, 2] = p_values[2, 0] = p_values[0, 3] = p_values[3, 0] = 0.01
    assert tie_groups([4, 3, 2, 1], p_values) == ((0, 1), (1, 2, 3))
    assert tie_groups([1, 2], np.full((2, 2), math.nan)) == ((1, 0),)
