"""Kept for Spaces that were pushed before `gene_eval.core.statistics` was there."""

from gene_eval.core.statistics.paired_tests import corrected_t_test, minimal_detectable_difference

__all__ = ["corrected_t_test", "minimal_detectable_difference"]
