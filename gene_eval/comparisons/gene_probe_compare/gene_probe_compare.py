"""Which of two embeddings knows more about a gene property, and how sure that is: an `evaluate` comparison.

A thin shell: `gene_eval.core` cross-validates both on the same folds and compares their scores.
"""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy.typing as npt

from gene_eval.core import MAIN_METRIC, METRICS, ProbeError, UnknownNameError, default_folds, probe
from gene_eval.core.engines import DEFAULT_ENGINE
from gene_eval.core.references import indicator, infer_target
from gene_eval.core.statistics.paired_tests import corrected_t_test, minimal_detectable_difference
from gene_eval.metrics.storage import LosslessReferences

_DESCRIPTION = """
Cross-validates a linear model from each of two embeddings to the same labels, on the same folds, and tests whether
their scores differ: a paired t-test whose variance is corrected for the training rows that folds share (Nadeau and
Bengio, 2003), since the ordinary t-test finds differences where there are none.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions1 (list of list of float, n x d): the first model's embeddings, one row per gene.
    predictions2 (list of list of float, n x d2): the second model's embeddings of the same genes.
    references: the labels, one per row, as in the metric `gene_probe`. Without `target`, whole numbers that are all 0
        or 1 are binary, other whole numbers multi-class, decimal numbers (1.0 is one) regression, lists multi-label.
    target (str): "binary", "multiclass", "multilabel" or "regression"; found from the references by default.
    metric (str): what to compare; by default roc_auc, roc_auc_ovr_macro (multi-class), roc_auc_macro (multi-label)
        or r2 (regression).
    folds (list of int, n): fold number of each row. Default: scikit-learn's shuffled 5-fold split by `seed`.
    seed (int): seed of the default folds and of whatever the engine draws. Default 0.
    protocol (str): how a probe is set up, see `gene_probe`.
    engine (str): how the fits are solved.
    num_labels (int): how many labels a multi-label task has, where references are lists of class ids.
    options: `C` (inverse of the L2 penalty, default 1.0), `tol` and `max_iter` of the fits, `memory` (bytes that the
        fast engine may fill).
Returns:
    metric: what was compared.
    score1: mean score of the first model over the folds.
    score2: mean score of the second.
    difference: score1 - score2, over the folds in which both are defined.
    ci_low: lower end of the 95 % interval of the difference.
    ci_high: upper end.
    stat: t, on n_folds - 1 degrees of freedom.
    p_value: two-sided.
    detectable: the smallest true difference that would be found with a chance of 80 %.
    n_folds: folds in which both scores are defined.
    fold_scores1: score of the first model in each fold, nan where undefined.
    fold_scores2: score of the second.
Examples:
    >>> import evaluate
    >>> import numpy as np
    >>> compare = evaluate.load("gene_probe_compare")
    >>> rng = np.random.default_rng(0)
    >>> vectors = rng.normal(size=(200, 3))
    >>> is_tf = (vectors[:, 0] > 0).astype(int)
    >>> noisy = vectors + rng.normal(size=(200, 3))
    >>> found = compare.compute(predictions1=vectors, predictions2=noisy, references=is_tf)
    >>> found["metric"], round(found["score1"], 2), round(found["score2"], 2)
    ('roc_auc', 1.0, 0.89)
    >>> found["ci_low"] > 0, found["p_value"] < 0.05
    (True, True)
"""

_CITATION = """\
@article{nadeau2003inference,
  title={Inference for the generalization error},
  author={Nadeau, Claude and Bengio, Yoshua},
  journal={Machine Learning},
  volume={52},
  pages={239--281},
  year={2003}
}
@article{kantor2024genes,
  title={Does your model understand genes? A benchmark of gene properties for biological and text models},
  author={Kan-Tor, Yoav and Danziger, Michael Morris and Zohar, Eden and Ninio, Matan and Shimoni, Yishai},
  journal={arXiv preprint arXiv:2412.04075},
  year={2024}
}
"""


class GeneProbeCompare(LosslessReferences, evaluate.Comparison):  # type: ignore[misc]  # evaluate ships no types
    """Paired comparison of two embeddings; see `inputs_description` for arguments and results."""

    def _info(self) -> evaluate.ComparisonInfo:
        vectors = datasets.List(datasets.Value("float64"))
        return evaluate.ComparisonInfo(
            module_type="comparison",
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_KWARGS_DESCRIPTION,
            features=self.choices(predictions1=vectors, predictions2=vectors),
            reference_urls=["https://doi.org/10.1023/A:1024068626366", "https://arxiv.org/abs/2412.04075"],
        )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> None:
        """Add rows; see `evaluate.EvaluationModule.add_batch`."""
        lengths = [len(kwargs[name]) for name in ("predictions1", "predictions2")]
        if lengths != [len(references)] * 2 or not lengths[0]:
            msg = (
                f"predictions1 has {lengths[0]} rows, predictions2 {lengths[1]} and references {len(references)}; "
                "give both models' vectors of the same genes, and one label each"
            )
            raise ProbeError(msg)
        self.check_kind(references)
        super().add_batch(predictions=predictions, references=references, **kwargs)

    def _compute(  # noqa: PLR0913 - the options of `probe`, and how to read the references
        self,
        predictions1: list[list[float]],
        predictions2: list[list[float]],
        references: list[Any],
        *,
        target: str | None = None,
        metric: str | None = None,
        folds: Sequence[int] | None = None,
        seed: int = 0,
        protocol: str = "paper",
        engine: str = DEFAULT_ENGINE,
        num_labels: int | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        target = target or infer_target(references)
        labels: npt.ArrayLike = references
        if target == "multilabel" and isinstance(references[0], list):
            labels = indicator(references, num_labels or 0)
        if folds is None:
            folds = default_folds(labels, target=target, seed=seed).tolist()
        settings: dict[str, Any] = dict(
            target=target, folds=folds, seed=seed, protocol=protocol, engine=engine, **options
        )
        metric = metric or MAIN_METRIC.get(target, "")
        if target in METRICS and metric not in METRICS[target]:
            raise UnknownNameError(metric, kind=f"metric of {target} labels", known=METRICS[target])
        first, second = (probe(vectors, labels, **settings).scores[metric] for vectors in (predictions1, predictions2))
        n_folds = len(first.folds)
        test = corrected_t_test(first.folds, second.folds, test_train_ratio=1 / (n_folds - 1))
        return {
            "metric": metric,
            "score1": first.mean,
            "score2": second.mean,
            "difference": test.difference,
            "ci_low": test.low,
            "ci_high": test.high,
            "stat": test.statistic,
            "p_value": test.p_value,
            "detectable": minimal_detectable_difference(test.std_error, test.df),
            "n_folds": test.n,
            "fold_scores1": list(first.folds),
            "fold_scores2": list(second.folds),
        }
