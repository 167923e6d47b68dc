"""Estimators of others as heads: `fit`, and `predict_proba`, `decision_function` or `predict`, as in scikit-learn.

A copy is fitted for every split, and for every label of a multi-label task. `random_state`, where an estimator has one
that is not set, is the run's seed.
"""

import ast
import hashlib
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone, is_classifier

from gene_eval.core.engines import HeldOut, Params
from gene_eval.core.errors import ProbeError
from gene_eval.core.heads.parts import empty_values, is_constant, is_scaled, parts
from gene_eval.core.splits import Splits
from gene_eval.core.table import Vectors

Array = npt.NDArray[np.float64]

SCORES = ("predict_proba", "decision_function")
TINY = 1e-300


def make(spec: str) -> Any:
    """An estimator from `module:Class`, `file.py:Class`, or either with parameters: `sklearn.svm:LinearSVC(C=0.1)`.

    Raises:
        ProbeError: The form is another, the module or class does not exist or cannot be run, or it is no estimator.
    """
    named, bracket, inside = spec.partition("(")
    module, _, name = named.strip().rpartition(":")
    options = _options(spec, inside) if bracket else {}
    try:
        kind = getattr(_imported(module), name)
        made = kind(**options)
    except ImportError as error:
        msg = f"head {spec!r}: {error}; expected module:Class of a module that Python finds, or file.py:Class"
        raise ProbeError(msg) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # The user's module and class are code of others.
        msg = f"head {spec!r} cannot be made: {type(error).__name__}: {' '.join(str(error).split())}"
        raise ProbeError(msg) from error
    return checked(made)


def checked(estimator: Any) -> Any:
    """The estimator, if it can be fitted and gives scores.

    Raises:
        ProbeError: It has no `fit`, or none of the methods that give scores or predictions.
    """
    if isinstance(estimator, type):
        msg = f"head is the class {estimator.__name__}; give an instance of it, {estimator.__name__}()"
        raise ProbeError(msg)
    if not callable(getattr(estimator, "fit", None)) or not any(
        callable(getattr(estimator, method, None)) for method in (*SCORES, "predict")
    ):
        msg = f"head {type(estimator).__name__} has no fit, or no {' or '.join(SCORES)}; give an estimator with both"
        raise ProbeError(msg)
    return estimator


def name_of(estimator: Any) -> str:
    """`module:Class`, with the parameters that are not at their defaults."""
    kind = type(estimator)
    changed = {
        name: value
        for name, value in _parameters(estimator).items()
        if name not in (known := inspect.signature(kind).parameters) or repr(known[name].default) != repr(value)
    }
    listed = ", ".join(f"{name}={' '.join(repr(value).split())}" for name, value in sorted(changed.items()))
    return f"{kind.__module__}:{kind.__qualname__}" + (f"({listed})" if listed else "")


def source_sha256(estimator: Any) -> str:
    """Of the file that the class is in, so that an edited one is fitted again; "" without a file."""
    try:
        return hashlib.sha256(Path(inspect.getfile(type(estimator))).read_bytes()).hexdigest()
    except (OSError, TypeError):
        return ""


def held_out(
    X: Vectors, y: npt.NDArray[Any], *, target: str, splits: Splits, params: Params, estimator: Any
) -> HeldOut:
    """Fit a copy for every split and label; see `engines.Engine` for the arrays.

    Raises:
        ProbeError: It gives no scores for labels, or something else than one number for each row and class.
    """
    method = _method(estimator, target)
    values = empty_values(y, target)
    for part in parts(X, splits, params):
        columns = y[part.train].reshape(int(part.train.sum()), -1)
        for column in range(columns.shape[1]):
            labels = columns[:, column].astype(np.float64 if target == "regression" else np.int64)
            if target != "regression" and is_constant(labels):
                continue
            fitted = _copy(estimator, params.seed).fit(part.X_train, labels)
            if target == "regression":
                found = _array(estimator, fitted.predict(part.X_test), len(part.X_test))
                values[part.test] = found[:, 0]
            elif target == "multiclass":
                classes = np.unique(labels)
                values[np.ix_(part.test, classes.astype(np.int64))] = _scores(fitted, method, part.X_test, len(classes))
            else:
                scores = _scores(fitted, method, part.X_test, 2)
                values.reshape(len(y), -1)[part.test, column] = _log_odds(scores, method)
    settings = {name: repr(value) for name, value in sorted(_parameters(_copy(estimator, params.seed)).items())}
    return HeldOut(values, params={"estimator": settings, "is_standardised": is_scaled(params)})


def _method(estimator: Any, target: str) -> str:
    """The method whose output is scored."""
    if target == "regression":
        if hasattr(estimator, "predict") and not is_classifier(estimator):
            return "predict"
        msg = f"head {name_of(estimator)} predicts classes, but the target is regression; give a regressor"
        raise ProbeError(msg)
    found = next((method for method in SCORES if hasattr(estimator, method)), None)
    if found is None:
        msg = f"head {name_of(estimator)} has no {' or '.join(SCORES)}, which {target} labels need; give a classifier"
        raise ProbeError(msg)
    return found


def _scores(fitted: Any, method: str, X: npt.NDArray[Any], n_classes: int) -> Array:
    """(m, classes) probabilities or decision values."""
    found = _array(fitted, getattr(fitted, method)(X), len(X))
    if n_classes == 2 and found.shape[1] == 1:
        found = np.column_stack([-found[:, 0], found[:, 0]])
    if found.shape[1] != n_classes:
        msg = f"head {name_of(fitted)} gave {found.shape[1]} scores for each row by {method}; expected {n_classes}"
        raise ProbeError(msg)
    return found


def _log_odds(scores: Array, method: str) -> Array:
    if method == "decision_function":
        return scores[:, 1]
    # From both columns: 1 - p loses what distinguishes probabilities near 1.
    negative, positive = np.log(np.maximum(scores, TINY)).T
    return np.asarray(positive - negative)


def _array(estimator: Any, found: Any, n: int) -> Array:
    array = np.asarray(found, dtype=np.float64)
    if array.ndim not in (1, 2) or len(array) != n or not np.isfinite(array).all():
        kind = "an infinite or undefined number" if array.shape[:1] == (n,) else f"shape {array.shape} for {n} rows"
        msg = f"head {name_of(estimator)} predicted {kind}; expected a finite number for each row and class"
        raise ProbeError(msg)
    return array.reshape(n, -1)


def _copy(estimator: Any, seed: int) -> Any:
    copied = clone(estimator, safe=False)
    if _parameters(copied).get("random_state", seed) is None:
        copied.set_params(random_state=seed)
    return copied


def _parameters(estimator: Any) -> dict[str, Any]:
    return dict(estimator.get_params(deep=False)) if hasattr(estimator, "get_params") else {}


def _imported(module: str) -> ModuleType:
    if not module.endswith(".py"):
        return importlib.import_module(module)
    path = Path(module).expanduser().resolve()
    name = f"gene_bench_head_{path.stem}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None or not path.is_file():
        msg = f"no file {module}"
        raise ImportError(msg)
    loaded = importlib.util.module_from_spec(found)
    # Where pickle and joblib look for the class.
    sys.modules[name] = loaded
    found.loader.exec_module(loaded)
    return loaded


def _options(spec: str, inside: str) -> dict[str, Any]:
    try:
        call = ast.parse(f"f({inside}", mode="eval").body
        assert isinstance(call, ast.Call)
        assert not call.args
        return {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AssertionError) as error:
        msg = f"head {spec!r}: expected module:Class(name=value, ...) with plain values; or give the object in Python"
        raise ProbeError(msg) from error
