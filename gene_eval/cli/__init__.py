"""The command line."""

from gene_eval.cli.parser import main

__all__ = ["main"]
