"""Kept for Spaces that were pushed before `gene_eval.metrics.storage` was there."""

from gene_eval.metrics.storage import LosslessReferences

__all__ = ["LosslessReferences"]
