"""Bootstrap over clusters of tasks, and rankings, against enumeration of all resamples and known answers."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.resampling import bootstrap_mean, bootstrap_p_values, cluster_means, tie_groups

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


def test_many_pairs_at_once_are_the_pairs_one_by_one():
    differences = np.random.default_rng(1).normal(size=(300, 14))
    differences[3] = 0
    differences[4, 2] = math.nan
    clusters = [number // 2 for number in range(14)]
    p_values = bootstrap_p_values(differences, clusters=clusters, seed=3)
    for pair in (0, 1, 2, 299):
        found = bootstrap_mean(differences[pair], clusters=clusters, seed=3)
        assert p_values[pair] == pytest.approx(found.p_value, rel=1e-9)
    assert p_values[3] == 1
    assert np.flatnonzero(np.isnan(p_values)).tolist() == [4]
    assert np.isnan(bootstrap_p_values(differences[:, :5])).all()


def test_runs_may_overlap_and_never_hold_two_that_differ():
    p_values = np.ones((4, 4))
    p_values[0, 2] = p_values[2, 0] = p_values[0, 3] = p_values[3, 0] = 0.01
    assert tie_groups([4, 3, 2, 1], p_values) == ((0, 1), (1, 2, 3))
    assert tie_groups([1, 2], np.full((2, 2), math.nan)) == ((1, 0),)
