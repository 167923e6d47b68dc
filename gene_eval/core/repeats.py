"""One result from several cross-validations of the same rows, each on folds of its own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gene_eval.core.probe import ProbeResult, Score

__all__ = ["pooled", "pooled_score"]


def pooled(results: Sequence[ProbeResult]) -> ProbeResult:
    """Scores over the folds of all repeats, in their order; held-out values are those of the first.

    Args:
        results: What `probe` returned for the folds of each repeat, at least one.

    >>> from gene_eval.core.probe import probe
    >>> X, y = np.arange(8.0)[:, np.newaxis], [0, 0, 1, 0, 1, 0, 1, 1]
    >>> once = probe(X, y, target="binary", folds=[0, 1, 0, 1, 0, 1, 1, 0])
    >>> again = probe(X, y, target="binary", folds=[0, 0, 1, 1, 1, 0, 0, 1])
    >>> len(pooled([once, again]).scores["roc_auc"].folds)
    4
    """
    first, *others = results
    if not others:
        return first
    return replace(
        first,
        scores={metric: pooled_score([each.scores[metric] for each in results]) for metric in first.scores},
        labels={
            label: {metric: pooled_score([each.labels[label][metric] for each in results]) for metric in scores}
            for label, scores in first.labels.items()
        },
        draws={metric: tuple(value for each in results for value in each.draws[metric]) for metric in first.draws},
        convergence={**first.convergence, "converged": all(each.convergence["converged"] for each in results)},
        seconds={stage: sum(each.seconds[stage] for each in results) for stage in first.seconds},
    )


def pooled_score(scores: Sequence[Score]) -> Score:
    """Mean and population standard deviation over the folds where the metric is defined."""
    folds = tuple(value for score in scores for value in score.folds)
    defined = np.array(folds)[~np.isnan(folds)]
    if not defined.size:
        return Score(float("nan"), float("nan"), folds)
    return Score(float(defined.mean()), float(defined.std()), folds)
