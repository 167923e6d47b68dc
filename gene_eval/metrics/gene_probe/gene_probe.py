"""How much gene vectors know about a gene property: a cross-validated linear probe, as an `evaluate` metric.

A thin shell: it finds out what the references are, and `gene_eval.core.probe` does the rest.
"""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy.typing as npt

from gene_eval.core import ProbeError, default_folds, probe
from gene_eval.core.engines import DEFAULT_ENGINE
from gene_eval.core.references import indicator, infer_target
from gene_eval.metrics.storage import LosslessReferences

_DESCRIPTION = """
Cross-validates a linear model from embeddings to labels and scores the held-out rows: logistic regression for binary,
multi-class and multi-label references, ordinary least squares for numbers. The higher the scores, the more of the
labelled property can be read off the embeddings by a linear model. This is the protocol of "Does your model understand
genes?" (arXiv 2412.04075), with ranking metrics from decision values, and folds in which a label is constant left out.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions (list of list of float, n x d): the embeddings, one row per gene.
    references: the labels, one per row of predictions. Without `target`, whole numbers that are all 0 or 1 are binary,
        other whole numbers multi-class, decimal numbers (1.0 is one) regression, and lists multi-label.
        Multi-label references are rows of 0 and 1, one column per label, or lists of class ids, such as a
        `List(ClassLabel)` column holds; class ids need `num_labels` or `label_names`.
    target (str): "binary", "multiclass", "multilabel" or "regression"; found from the references by default.
    folds (list of int, n): fold number of each row; the rows of each number are held out once. Default: scikit-learn's
        shuffled 5-fold split by `seed`, stratified for binary and multiclass.
    seed (int): seed of the default folds and of whatever the engine draws. Default 0.
    protocol (str): "paper": scikit-learn's default objectives on the embeddings as they are. "scaled": standardised
        within each training fold, the penalty chosen by inner cross-validation.
    engine (str): how the fits are solved: "fast" (default) or "sklearn", the readable reference.
    label_names (list of str): names of the labels of a multi-label task.
    num_labels (int): how many labels a multi-label task has, where neither columns nor `label_names` tell.
    per_label (bool): add the scores of each label of a multi-label task. Default False.
    options: `C` (inverse of the L2 penalty, default 1.0), `tol` and `max_iter` of the fits, `memory` (bytes that the
        fast engine may fill).
Returns:
    For each metric M of the target, M (mean over the folds) and M_std (population standard deviation over the folds):
        binary: roc_auc, average_precision, accuracy, precision, recall, f1, mcc. 1 is the positive label.
        multiclass: roc_auc_ovr_weighted, roc_auc_ovr_macro, accuracy, precision_weighted, recall_weighted, f1_weighted,
            f1_macro, mcc.
        multilabel: roc_auc_weighted, roc_auc_macro, average_precision_macro, hamming_loss, accuracy,
            precision_weighted, recall_weighted, f1_weighted.
        regression: r2, rmse, mae, pearson, spearman.
    labels: with per_label, the binary metrics of each label by its name (by column number without label_names).
Examples:
    >>> import evaluate
    >>> import numpy as np
    >>> gene_probe = evaluate.load("gene_probe")
    >>> rng = np.random.default_rng(0)
    >>> vectors = rng.normal(size=(60, 3))
    >>> is_tf = (vectors[:, 0] > 0).astype(int)
    >>> scores = gene_probe.compute(predictions=vectors, references=is_tf)
    >>> round(scores["roc_auc"], 2), round(scores["roc_auc_std"], 2)
    (0.98, 0.02)

    Lists of class ids, as in a `List(ClassLabel)` column; the scores of each label besides the overall ones:

    >>> locations = [[i for i in range(2) if row[i] > 0] for row in vectors]
    >>> scores = gene_probe.compute(
    ...     predictions=vectors, references=locations, label_names=["nucleus", "membrane"], per_label=True
    ... )
    >>> round(scores["roc_auc_macro"], 2), round(scores["labels"]["nucleus"]["roc_auc"], 2)
    (1.0, 0.99)

    Decimal numbers make it a regression:

    >>> scores = gene_probe.compute(predictions=vectors, references=vectors @ [1.0, 2.0, -1.0])
    >>> sorted(scores)[:4]
    ['mae', 'mae_std', 'pearson', 'pearson_std']
    >>> round(scores["r2"], 3)
    1.0
"""

_CITATION = """\
@article{kantor2024genes,
  title={Does your model understand genes? A benchmark of gene properties for biological and text models},
  author={Kan-Tor, Yoav and Danziger, Michael Morris and Zohar, Eden and Ninio, Matan and Shimoni, Yishai},
  journal={arXiv preprint arXiv:2412.04075},
  year={2024}
}
"""


class GeneProbe(LosslessReferences, evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Linear probe with cross-validation; see `inputs_description` for arguments and results."""

    def _info(self) -> evaluate.MetricInfo:
        vectors = datasets.List(datasets.Value("float64"))
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_KWARGS_DESCRIPTION,
            features=self.choices(predictions=vectors),
            reference_urls=["https://arxiv.org/abs/2412.04075"],
        )

    def add_batch(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> None:
        """Add rows; see `evaluate.EvaluationModule.add_batch`."""
        if len(predictions) == 0 or len(predictions) != len(references):
            msg = f"predictions has {len(predictions)} rows and references {len(references)}; give one label per vector"
            raise ProbeError(msg)
        self.check_kind(references)
        super().add_batch(predictions=predictions, references=references, **kwargs)

    def _compute(  # noqa: PLR0913 - the options of `probe`, and how to read the references
        self,
        predictions: list[list[float]],
        references: list[Any],
        *,
        target: str | None = None,
        folds: Sequence[int] | None = None,
        seed: int = 0,
        protocol: str = "paper",
        engine: str = DEFAULT_ENGINE,
        label_names: Sequence[str] | None = None,
        num_labels: int | None = None,
        per_label: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        target = target or infer_target(references)
        labels: npt.ArrayLike = references
        if target == "multilabel" and isinstance(references[0], list):
            labels = indicator(references, num_labels or len(label_names or ()))
        if folds is None:
            folds = default_folds(labels, target=target, seed=seed).tolist()
        result = probe(
            predictions,
            labels,
            target=target,
            folds=folds,
            seed=seed,
            protocol=protocol,
            engine=engine,
            label_names=label_names,
            **options,
        )
        scores: dict[str, Any] = _flat(result.scores)
        if per_label:
            scores["labels"] = {name: _flat(of_label) for name, of_label in result.labels.items()}
        return scores


def _flat(scores: dict[str, Any]) -> dict[str, float]:
    return {name: value for metric, s in scores.items() for name, value in ((metric, s.mean), (f"{metric}_std", s.std))}
