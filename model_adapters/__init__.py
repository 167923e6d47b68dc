"""Model adapters: gene table in, embedding table out.

`embed(genes, load_model("bag-of-words"))` returns a `datasets.Dataset` with the columns `symbol` and `embedding`.
"""

from model_adapters.base import AdapterInfo, GeneEncoder, Model, Resolve, choose_device, choose_devices
from model_adapters.embedding.embed import embed
from model_adapters.embedding.health import gene_coverage, health
from model_adapters.embedding.table import as_matrix, embedding_sha256, embedding_table
from model_adapters.errors import AdapterError
from model_adapters.files.precomputed import PrecomputedVectors
from model_adapters.registry import ADAPTERS, describe, load_model

__all__ = [
    "ADAPTERS",
    "AdapterError",
    "AdapterInfo",
    "GeneEncoder",
    "Model",
    "PrecomputedVectors",
    "Resolve",
    "as_matrix",
    "choose_device",
    "choose_devices",
    "describe",
    "embed",
    "embedding_sha256",
    "embedding_table",
    "gene_coverage",
    "health",
    "load_model",
]
