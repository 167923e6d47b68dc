"""What a gene's vector knows: tasks x models -> result files -> tables.

The work lives in submodules that are imported when needed (`runner`, `reports`, `core.probe`), so that
`import gene_eval` costs next to nothing.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
