"""Tests over folds and corrections, against published examples, hand calculation, and brute force."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from gene_eval.core.errors import ProbeError
from gene_eval.core.statistics.paired_tests import (
    benjamini_hochberg,
    corrected_t_test,
    corrected_variance,
    fixed_tasks_p_values,
    fixed_tasks_test,
    holm,
    minimal_detectable_difference,
    standard_error_factors,
)

# Student's sleep data, the example of R's ?t.test: t.test(extra ~ group, paired = TRUE).
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
A = [0.81, 0.79, 0.84, 0.80, 0.78]
B = [0.78, 0.77, 0.80, 0.79, 0.77]
nan = math.nan


def test_without_correction_it_is_the_paired_t_test_of_r():
    test = corrected_t_test(SLEEP_1, SLEEP_2, test_train_ratio=0)
    assert test.statistic == pytest.approx(-4.0621, abs=5e-5)
    assert test.p_value == pytest.approx(0.002833, abs=5e-7)
    assert (test.low, test.high) == (pytest.approx(-2.4598858, abs=5e-8), pytest.approx(-0.7001142, abs=5e-8))
    assert (test.difference, test.df, test.n) == (pytest.approx(-1.58), 9, 10)


def test_the_corrected_formula_by_hand():
    # d = .03 .02 .04 .01 .01: mean .022, sum of squares about it .00068, variance .00017;
    # (1/5 + 1/4) * .00017 = .0000765, root .0087464; t = 2.51532; t(4) at 97.5 % = 2.776445.
    test = corrected_t_test(A, B, test_train_ratio=1 / 4)
    assert test.std_error == pytest.approx(0.00874643, abs=1e-8)
    assert test.statistic == pytest.approx(2.515312, abs=1e-6)
    assert test.low == pytest.approx(0.022 - 2.776445 * 0.00874643, abs=1e-7)
    assert test.high == pytest.approx(0.022 + 2.776445 * 0.00874643, abs=1e-7)
    # The distribution of t with 4 degrees of freedom in closed form.
    x = test.statistic / math.sqrt(4 + test.statistic**2)
    assert test.p_value == pytest.approx(1 - x * (3 - x**2) / 2, abs=1e-12)


def test_the_correction_only_scales_the_standard_error():
    plain = corrected_t_test(A, B, test_train_ratio=0)
    corrected = corrected_t_test(A, B, test_train_ratio=1 / 4)
    assert corrected.std_error / plain.std_error == pytest.approx(math.sqrt((1 / 5 + 1 / 4) / (1 / 5)))
    assert plain.p_value < 0.05 < corrected.p_value


def test_folds_undefined_for_either_model_are_left_out():
    with_gaps = corrected_t_test([*A, nan, 0.5], [*B, 0.3, nan], test_train_ratio=1 / 4)
    assert with_gaps == corrected_t_test(A, B, test_train_ratio=1 / 4)


@pytest.mark.parametrize(
    ("a", "b", "difference", "p_value", "n"),
    [
        ([0.5, 0.6, 0.7], [0.5, 0.6, 0.7], 0.0, 1.0, 3),
        ([0.1 + 0.2, 0.5], [0.3, 0.5], 0.0, 1.0, 2),
        ([1.0, 1.0, 1.0], [0.5, 0.5, 0.5], 0.5, nan, 3),
        ([0.7, 0.8, 0.9], [0.6, 0.7, 0.8], 0.1, nan, 3),
        ([0.7, nan], [0.5, 0.6], 0.2, nan, 1),
        ([nan, nan], [0.5, 0.6], nan, nan, 0),
        ([], [], nan, nan, 0),
    ],
)
def test_without_variance_there_is_no_p_value_unless_scores_are_equal(a, b, difference, p_value, n):
    test = corrected_t_test(a, b, test_train_ratio=1 / 4)
    assert (test.difference, test.p_value, test.n) == (
        pytest.approx(difference, nan_ok=True),
        pytest.approx(p_value, nan_ok=True),
        n,
    )
    assert math.isnan(test.low) == math.isnan(test.p_value)
    assert math.isnan(minimal_detectable_difference(test.std_error, test.df))


def test_scores_that_cannot_be_paired():
    with pytest.raises(ProbeError, match=r"scores of shape \(2,\) and \(3,\) cannot be paired"):
        corrected_t_test([0.5, 0.6], [0.5, 0.6, 0.7], test_train_ratio=1 / 4)


def test_tasks_that_err_together_are_no_more_sure_than_one():
    one = corrected_t_test(A, B, test_train_ratio=1 / 4)
    assert fixed_tasks_test([one] * 16).p_value == pytest.approx(one.p_value)
    other = corrected_t_test([0.9, 0.8, 0.9], [0.5, 0.5, 0.4], test_train_ratio=1 / 4)
    both = fixed_tasks_test([one, other])
    assert both.difference == pytest.approx((one.difference + other.difference) / 2)
    assert both.std_error == pytest.approx((one.std_error + other.std_error) / 2)
    assert both.p_value == pytest.approx(2 * stats.t.sf(both.difference / both.std_error, 2))
    nothing = corrected_t_test([nan], [nan], test_train_ratio=1 / 4)
    assert fixed_tasks_test([one, nothing]) == one
    assert fixed_tasks_test([nothing]).n == 0


def test_in_clusters_each_cluster_counts_once():
    rng = np.random.default_rng(3)
    tests = [corrected_t_test(a, b, test_train_ratio=1 / 4) for a, b in rng.normal(0.7, 0.05, size=(3, 2, 5))]
    found = fixed_tasks_test(tests, clusters="aab")
    for name in ("difference", "std_error"):
        one, two, three = (getattr(test, name) for test in tests)
        assert getattr(found, name) == pytest.approx((one + two) / 4 + three / 2)


def test_a_task_without_spread_takes_the_largest_error_of_the_others():
    """1.0 against 0.5 in every fold of a small task must not leave nothing to say over all tasks."""
    perfect, chance = [1.0] * 5, [0.5] * 5
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.8, 0.02, size=(2, 5)), rng.normal(0.6, 0.05, size=(2, 5))
    saturated = corrected_t_test(perfect, chance, test_train_ratio=1 / 4)
    spread = [corrected_t_test(a, b, test_train_ratio=1 / 4) for a, b in zip(first, second, strict=True)]
    assert math.isnan(saturated.p_value)
    found = fixed_tasks_test([saturated, *spread])
    errors = [test.std_error for test in spread]
    assert found.std_error == pytest.approx((max(errors) + sum(errors)) / 3)
    assert found.difference == pytest.approx((0.5 + sum(test.difference for test in spread)) / 3)
    differences = np.array([[np.subtract(perfect, chance), *(first - second)]])
    assert fixed_tasks_p_values(differences, test_train_ratio=1 / 4) == pytest.approx(found.p_value)
    # Without any spread there is still nothing to judge by.
    assert math.isnan(fixed_tasks_test([saturated] * 2).p_value)
    assert np.isnan(fixed_tasks_p_values(differences[:, :1], test_train_ratio=1 / 4)).all()


def test_all_pairs_at_once_are_the_pairs_one_by_one():
    scores = np.random.default_rng(0).normal(0.7, 0.05, size=(5, 4, 5))
    scores[0, 0, :2] = scores[1, 1, 3] = scores[2, 2] = nan
    scores[4] = scores[3]
    first, second = np.triu_indices(5, k=1)
    p_values = fixed_tasks_p_values(scores[first] - scores[second], test_train_ratio=1 / 4)
    in_clusters = fixed_tasks_p_values(scores[first] - scores[second], test_train_ratio=1 / 4, clusters="aabc")
    for i, j, p_value, clustered in zip(first, second, p_values, in_clusters, strict=True):
        tests = [corrected_t_test(a, b, test_train_ratio=1 / 4) for a, b in zip(scores[i], scores[j], strict=True)]
        # A task without any common fold leaves nothing to say over all of them.
        expected = nan if 2 in (i, j) else fixed_tasks_test(tests).p_value
        assert p_value == pytest.approx(expected, rel=1e-9, nan_ok=True)
        if 2 not in (i, j):
            expected = fixed_tasks_test(tests, clusters="aabc").p_value
            assert clustered == pytest.approx(expected, rel=1e-9)
    assert p_values[-1] == 1


@pytest.mark.parametrize(("df", "power"), [(4, 0.8), (4, 0.5), (9, 0.9), (2, 0.8)])
def test_the_detectable_difference_is_detected_that_often(df, power):
    """Power by integrating the normal distribution over that of the variance, without the noncentral t."""
    shift = minimal_detectable_difference(1.0, df, power=power)
    critical = stats.t.ppf(0.975, df)

    def rejected(variance):
        edge = critical * math.sqrt(variance / df)
        return (stats.norm.sf(edge - shift) + stats.norm.cdf(-edge - shift)) * stats.chi2.pdf(variance, df)

    assert integrate.quad(rejected, 0, 200, epsabs=1e-9)[0] == pytest.approx(power, abs=1e-6)


def test_the_detectable_difference_of_a_textbook():
    # statsmodels 0.15: TTestPower().solve_power(nobs=5, alpha=0.05, power=0.8) = 1.6819970833
    assert minimal_detectable_difference(1 / math.sqrt(5), 4) == pytest.approx(1.6819970833, abs=1e-6)
    assert minimal_detectable_difference(0.02, 4) == pytest.approx(2 * minimal_detectable_difference(0.01, 4))


def test_the_interval_of_a_standard_error_holds_the_true_one_that_often():
    rng = np.random.default_rng(0)
    estimates = rng.normal(size=(20_000, 5)).std(axis=1, ddof=1)
    low, high = standard_error_factors(4)
    assert np.mean((estimates * low <= 1) & (estimates * high >= 1)) == pytest.approx(0.95, abs=0.005)
    assert np.isnan(standard_error_factors(0)).all()


def test_holm_and_benjamini_hochberg_as_in_r():
    # R: p <- c(0.01, 0.02, 0.03, 0.04, 0.05, 0.5, 0.001); p.adjust(p, "holm"); p.adjust(p, "BH")
    p = [0.01, 0.02, 0.03, 0.04, 0.05, 0.5, 0.001]
    assert holm(p) == pytest.approx([0.06, 0.1, 0.12, 0.12, 0.12, 0.5, 0.007])
    expected = [0.035, 0.14 / 3, 0.0525, 0.056, 0.35 / 6, 0.5, 0.007]
    assert benjamini_hochberg(p) == pytest.approx(expected)


# Benjamini and Hochberg (1995), section 3.3: 15 p-values; 3 are found by Bonferroni and Holm at 0.05, 4 by theirs.
PUBLISHED = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000,
]  # fmt: skip


def test_the_example_of_benjamini_and_hochberg():
    assert np.count_nonzero(holm(PUBLISHED) <= 0.05) == 3
    assert np.count_nonzero(benjamini_hochberg(PUBLISHED) <= 0.05) == 4


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_undefined_p_values_do_not_count(adjust):
    got = adjust([0.01, nan, 0.04])
    assert got[[0, 2]] == pytest.approx(adjust([0.01, 0.04]))
    assert math.isnan(got[1])
    assert adjust([]).tolist() == []
    assert np.isnan(adjust([nan])).all()


def test_variance_of_repeated_cross_validation():
    # Two repeats of five folds: (1/10 + 1/4) s^2, with one fold undefined (1/9 + 1/4) s^2.
    scores = [*A, *B]
    assert corrected_variance(scores, test_train_ratio=1 / 4) == pytest.approx(0.35 * np.var(scores, ddof=1))
    assert corrected_variance([*scores[:9], nan], test_train_ratio=1 / 4) == pytest.approx(
        (1 / 9 + 1 / 4) * np.var(scores[:9], ddof=1)
    )
    assert math.isnan(corrected_variance([0.5], test_train_ratio=1 / 4))
