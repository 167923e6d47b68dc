"""What may be fitted to vectors: the heads by name, and estimators of others.

A head is a function of an engine's form (`gene_eval.core.engines.Engine`): arrays and splits in, held-out predictions
out.
"""

import importlib
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeAlias, cast

from gene_eval.core.engines import DEFAULT_ENGINE, Engine, get_engine
from gene_eval.core.errors import ProbeError, UnknownNameError
from gene_eval.core.heads.graph_names import GRAPH_HEADS, is_graph_head

__all__ = ["HEADS", "LINEAR", "Head", "get_head", "head_name", "head_sha256", "is_linear", "load_head"]

Head: TypeAlias = str | Any
"""A name of `HEADS`, a head of a graph with its options (`gcn:graph=go`), `module:Class` of an estimator in the form of
scikit-learn, or such an estimator."""

LINEAR: Final = "linear"

HEADS: Final[Mapping[str, str]] = {
    "ridge": "gene_eval.core.heads.ridge:held_out",
    "mlp": "gene_eval.core.heads.mlp:held_out",
    "knn": "gene_eval.core.heads.knn:held_out",
    "centroid": "gene_eval.core.heads.centroid:held_out",
}
"""Heads beside the linear one, which engines fit, as `module:function`, imported on first use."""


def load_head(head: Head) -> Head:
    """The head as `get_head` takes it: a name, or an estimator made from `module:Class`.

    Raises:
        UnknownNameError: No such head.
        ProbeError: The class cannot be imported, or is no estimator.
    """
    if is_graph_head(head):
        return _graphs().parse_head(head) if isinstance(head, str) else head
    if not isinstance(head, str):
        return _estimators().checked(head)
    if head == LINEAR or head in HEADS:
        return head
    if ":" not in head:
        raise UnknownNameError(head, kind="head", known=[LINEAR, *HEADS, *GRAPH_HEADS, "module:Class"])
    return _estimators().make(head)


def is_linear(head: Head) -> bool:
    """Whether it is the head that engines fit."""
    return isinstance(head, str) and head == LINEAR


def head_name(head: Head) -> str:
    """What results call a head: its name, or `module:Class`, with the parameters that are not at their defaults.

    >>> from sklearn.linear_model import Ridge
    >>> head_name("mlp"), head_name(Ridge(alpha=2.0))
    ('mlp', 'sklearn.linear_model._ridge:Ridge(alpha=2.0)')
    """
    if is_graph_head(head):
        # One name, whatever was said of defaults.
        return str(load_head(head))
    return head if isinstance(head, str) else cast("str", _estimators().name_of(head))


def head_sha256(head: Head) -> str:
    """Hash of the code of a loaded estimator; "" of heads that come with gene-bench."""
    return "" if isinstance(head, str) or is_graph_head(head) else cast("str", _estimators().source_sha256(head))


def get_head(head: Head, *, engine: str = DEFAULT_ENGINE, graph: Any = None) -> Engine:
    """The function that fits a head.

    Args:
        head: See `load_head`.
        engine: Of the linear head.
        graph: `gene_eval.core.graph.nodes.Graph` over the vectors, for a head of a graph.

    Raises:
        UnknownNameError: No such head or engine.
        ProbeError: An engine other than the default for a head that engines do not fit, or no estimator.
    """
    chosen = load_head(head)
    linear = get_engine(engine)
    if is_linear(chosen):
        return linear
    if engine != DEFAULT_ENGINE:
        msg = f"engine {engine!r} fits the head 'linear' only, not {head_name(head)!r}; leave the engine out"
        raise ProbeError(msg)
    if is_graph_head(chosen):
        return partial(_graphs().held_out, head=chosen, graph=graph)
    if not isinstance(chosen, str):
        return partial(_estimators().held_out, estimator=chosen)
    module, _, function = HEADS[chosen].partition(":")
    return cast("Engine", getattr(importlib.import_module(module), function))


def _estimators() -> Any:
    # Late: to name a head must not load scikit-learn.
    return importlib.import_module("gene_eval.core.heads.estimator")


def _graphs() -> Any:
    return importlib.import_module("gene_eval.core.heads.graph")
