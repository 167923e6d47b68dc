"""Model adapters: gene table in, embedding table out.

`embed(genes, load_model("bag-of-words"))` returns a `datasets.Dataset` with the columns `symbol` and `embedding`;
`embed_table` returns the same as an `EmbeddingTable`: symbols and one float32 matrix in memory.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_adapters.base import AdapterInfo, GeneEncoder, Model, Resolve, choose_device, choose_devices
    from model_adapters.embedding.embed import embed, embed_table
    from model_adapters.embedding.health import gene_coverage
    from model_adapters.embedding.table import EmbeddingTable, as_matrix, embedding_sha256, embedding_table, health
    from model_adapters.errors import AdapterError
    from model_adapters.files.memory import from_object
    from model_adapters.files.precomputed import PrecomputedVectors
    from model_adapters.registry import ADAPTERS, describe, load_model

__all__ = [
    "ADAPTERS",
    "AdapterError",
    "AdapterInfo",
    "EmbeddingTable",
    "GeneEncoder",
    "Model",
    "PrecomputedVectors",
    "Resolve",
    "as_matrix",
    "choose_device",
    "choose_devices",
    "describe",
    "embed",
    "embed_table",
    "embedding_sha256",
    "embedding_table",
    "from_object",
    "gene_coverage",
    "health",
    "load_model",
]

_MODULES = {
    "base": ("AdapterInfo", "GeneEncoder", "Model", "Resolve", "choose_device", "choose_devices"),
    "embedding.embed": ("embed", "embed_table"),
    "embedding.health": ("gene_coverage",),
    "embedding.table": ("EmbeddingTable", "as_matrix", "embedding_sha256", "embedding_table", "health"),
    "errors": ("AdapterError",),
    "files.memory": ("from_object",),
    "files.precomputed": ("PrecomputedVectors",),
    "registry": ("ADAPTERS", "describe", "load_model"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULE_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
