"""The head "mlp": a multilayer perceptron with rectified units, fitted by Adam, as in scikit-learn.

Under protocol "paper" it is the one of arXiv 2412.04075, Figure S12: three hidden layers of 100 units, at most 500
passes over the training rows, vectors as they are, everything else scikit-learn's default. Several labels share the
hidden layers.

Under protocol "scaled" it is one hidden layer of 128 units on standardised features, stopped early: three networks
with three seeds, each fitted without the rows that one of the other splits scores (`scaled.training_sets`) and kept as
it was at the least loss on those; it stops after `PATIENCE` passes without a smaller one. The last layer's outputs of
the three are averaged.
"""

import copy
import warnings
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.special
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.heads.parts import Part, empty_values, is_constant, is_scaled, parts
from gene_eval.core.heads.scaled import TrainingSets, training_sets
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors

Array = npt.NDArray[np.float64]

PAPER: Final[dict[str, Any]] = {"hidden_layer_sizes": (100, 100, 100), "max_iter": 500}
HIDDEN: Final = 128
N_SEEDS: Final = 3
MAX_EPOCHS: Final = 200
PATIENCE: Final = 10


def held_out(X: Vectors, y: npt.NDArray[Any], *, target: str, splits: Splits, params: Params) -> HeldOut:
    """Fit all labels of a split by one network, or three; see `engines.Engine` for the arrays."""
    values = empty_values(y, target)
    sets = training_sets(splits, y, target=target, seed=params.seed) if is_scaled(params) else None
    passes: list[int] = []
    for part in parts(X, splits, params):
        labels = y[part.train].astype(np.float64 if target == "regression" else np.int64)
        if is_constant(labels):
            values[part.test] = labels[0] if target == "regression" else 0.0
            continue
        fit = _Fit(labels.ravel() if labels.ndim == 2 and labels.shape[1] == 1 else labels, target)
        outputs = fit.paper(part, params.seed, passes) if sets is None else fit.early(part, sets, params.seed, passes)
        into = np.ix_(part.test, fit.classes) if target == "multiclass" else part.test
        values[into] = fit.values(outputs).reshape(values[into].shape)
    scaled: dict[str, Any] = {
        "hidden_layer_sizes": (HIDDEN,),
        "n_seeds": N_SEEDS,
        "patience": PATIENCE,
        "max_iter": MAX_EPOCHS,
    }
    settings = PAPER if sets is None else scaled
    at_limit = sum(count >= settings["max_iter"] for count in passes)
    outcome = {"converged": at_limit == 0, "n_fits": len(passes), "n_unconverged": at_limit}
    return HeldOut(values, params={**settings, "is_standardised": sets is not None}, convergence=outcome)


class _Fit:
    """Networks for the labels of one split's training rows."""

    def __init__(self, labels: npt.NDArray[Any], target: str) -> None:
        self.labels, self.target = labels, target
        self.classes = np.unique(labels) if target != "regression" else np.empty(0, dtype=np.int64)
        # Of the targets that networks see; labels are as they are.
        self.middle, self.spread = 0.0, 1.0

    def paper(self, part: Part, seed: int, passes: list[int]) -> Array:
        kind = MLPRegressor if self.target == "regression" else MLPClassifier
        network = kind(**PAPER, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(part.X_train, self.labels)
        passes.append(int(network.n_iter_))
        return outputs_of(network, part.X_test)

    def early(self, part: Part, sets: TrainingSets, seed: int, passes: list[int]) -> Array:
        if self.target == "regression":
            self.middle, self.spread = float(self.labels.mean()), float(self.labels.std())
        found = []
        for number, (inner, _, tested) in enumerate(sets.inner(part.split)[:N_SEEDS]):
            fitted, held = sets.train_rows(inner)[part.train], tested[part.train]
            if not is_constant(self.labels[fitted]):
                network = self._stopped(part.X_train, fitted, held, N_SEEDS * seed + number, passes)
                found.append(outputs_of(network, part.X_test))
        return np.asarray(np.mean(found, axis=0)) if found else np.zeros((len(part.X_test), self.n_outputs))

    @property
    def n_outputs(self) -> int:
        if self.target == "multiclass":
            return len(self.classes) if len(self.classes) > 2 else 1
        return self.labels.shape[1] if self.labels.ndim == 2 else 1

    def _stopped(
        self,
        X: npt.NDArray[Any],
        fitted: npt.NDArray[np.bool_],
        held: npt.NDArray[np.bool_],
        seed: int,
        passes: list[int],
    ) -> Any:
        """The network as it was when its loss on the held rows was least."""
        is_regression = self.target == "regression"
        network = (MLPRegressor if is_regression else MLPClassifier)(hidden_layer_sizes=(HIDDEN,), random_state=seed)
        labels = (self.labels - self.middle) / self.spread if is_regression else self.labels
        classes = np.arange(labels.shape[1]) if labels.ndim == 2 else self.classes
        first = {} if is_regression else {"classes": classes}
        least, best, best_epoch, epoch = np.inf, network, 0, 0
        while epoch < MAX_EPOCHS and epoch - best_epoch < PATIENCE:
            epoch += 1
            network.partial_fit(X[fitted], labels[fitted], **first)
            loss = self._loss(labels[held], outputs_of(network, X[held]))
            if loss < least:
                least, best, best_epoch = loss, copy.deepcopy(network), epoch
        passes.append(epoch)
        return best

    def _loss(self, labels: npt.NDArray[Any], outputs: Array) -> float:
        if self.target == "regression":
            return float(((labels[:, None] - outputs) ** 2).mean())
        if self.target == "multiclass" and len(self.classes) > 2:
            position = np.searchsorted(self.classes, labels)
            return float((scipy.special.logsumexp(outputs, axis=1) - outputs[np.arange(len(labels)), position]).mean())
        truth = (labels == self.classes[-1]) if self.target == "multiclass" else labels
        return float((np.logaddexp(0, outputs) - truth.reshape(outputs.shape) * outputs).mean())

    def values(self, outputs: Array) -> Array:
        """Outputs of the last layer in the form of `engines.HeldOut.values`, for the classes that are known."""
        if self.target != "multiclass":
            return np.asarray(outputs * self.spread + self.middle)
        if len(self.classes) > 2:
            return np.asarray(scipy.special.softmax(outputs, axis=1))
        return np.column_stack([scipy.special.expit(-outputs), scipy.special.expit(outputs)])


def outputs_of(network: Any, X: npt.NDArray[Any]) -> Array:
    """(n, outputs) of the last layer before its activation: log-odds, logits of classes, or the prediction itself."""
    rows = X
    for number, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_, strict=True)):
        rows = (np.maximum(rows, 0) if number else rows) @ weights + bias
    return rows.astype(np.float64)
