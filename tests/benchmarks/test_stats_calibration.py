"""A small run of the simulation behind docs/statistics.md, which has the rates of a large one."""

from benchmarks.stats_calibration import over_tasks, per_task, rank_coverage


def test_few_null_pairs_are_called_different():
    null = per_task(25, gap=0.0)
    assert abs(null.difference) < 0.03
    assert null.corrected <= min(0.1, null.uncorrected)


def test_a_large_difference_is_found_more_often_than_a_small_one():
    small, large = per_task(12, gap=0.5), per_task(12, gap=6.0)
    assert 0 < small.difference < large.difference
    assert small.corrected < large.corrected
    assert large.corrected > 0.8


def test_sources_must_be_kept_together():
    null = over_tasks(60, (14, 3, 2, 1, 1, 1, 1, 1))
    assert null["t-test"] <= 0.1
    assert null["t-test"] <= null["t-test, r = 0"] < null["t-test of tasks"]
    assert null["t-test of tasks"] > 0.25
    assert null["signed rank of tasks"] > 0.25


def test_tasks_of_one_source_err_together():
    null = over_tasks(40, (24,), taste=0.0)
    assert null["these tasks"] <= 0.1 < null["t-test of tasks"]
    assert over_tasks(10, (24,), advantage=2.0, taste=0.0)["these tasks"] > 0.8


def test_all_rank_intervals_hold_together():
    assert rank_coverage(60, n_models=6, n_sources=8) >= 0.9
