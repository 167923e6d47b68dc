"""Names of the heads of a graph, apart from what fits them: to name a head must load nothing."""

from typing import Any, Final

__all__ = ["GRAPH_HEADS", "NETWORKS", "is_graph_head", "is_network"]

GRAPH_HEADS: Final = ("gcn", "gat", "vote")
NETWORKS: Final = 2
"""Version of how networks are trained: results of another one are made again."""


def is_graph_head(head: Any) -> bool:
    """Whether it is a head of a graph, or names one.

    >>> is_graph_head("gcn:graph=go"), is_graph_head("mlp")
    (True, False)
    """
    return _kind(head) in GRAPH_HEADS


def is_network(head: Any) -> bool:
    """Whether it is one of them that is trained.

    >>> is_network("gat:graph=go"), is_network("vote")
    (True, False)
    """
    return is_graph_head(head) and _kind(head) != "vote"


def _kind(head: Any) -> str:
    kind = head if isinstance(head, str) else getattr(head, "kind", "")
    return kind.partition(":")[0] if isinstance(kind, str) else ""
