"""`gene-bench push`: found by its entry point, since only push_scripts may write to the Hub."""

import argparse
from importlib.metadata import distributions

from gene_eval.errors import GeneBenchError

__all__ = ["push"]


def push(arguments: argparse.Namespace) -> int:
    """Show what would be published on the Hub, and with `--yes` do it."""
    # Not entry_points(): a stale egg-info in the working directory would hide the installed package from it.
    entries = [entry for found in distributions(name="gene-bench") for entry in found.entry_points]
    found = [entry for entry in entries if (entry.group, entry.name) == ("gene_bench.commands", "push")]
    if not found:
        message = "this installation of gene-bench cannot push; install the package again: pip install ."
        raise GeneBenchError(message)
    return int(found[0].load()(arguments))
