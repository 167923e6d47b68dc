"""Tasks of GENEB that ask the same question about the same sequences of one source: counted once in weighted means."""

from __future__ import annotations

import re

from builders.sources.geneb.collections import task_name
from builders.sources.geneb.table import ROWS, Row

__all__ = ["repeated_tasks"]

# The yeast marks of the Nucleotide Transformer's collection and of GUE are one dataset (Pokholok et al. 2005).
_YEAST = re.compile(r"(?:emp_)?(H\d\w*)")
# The human promoters of both forms of the Nucleotide Transformer's collection and of GUE, of 300 and of 70 bases, are
# of the Eukaryotic Promoter Database.
_PROMOTER = re.compile(r"(?:promoter|prom_300|prom_core)_(all|no_?tata|tata)")


def repeated_tasks() -> dict[str, str]:
    """Task -> what it shares with other tasks; tasks that share nothing are absent.

    >>> found = repeated_tasks()
    >>> found["geneb_nt_h3k4me1"], found["geneb_gue_emp_h3k4me1"], found["geneb_gue_prom_core_tata"]
    ('yeast H3K4me1', 'yeast H3K4me1', 'human promoters, tata')
    """
    named = {task_name(row): _what(row) for rows in ROWS.values() for row in rows}
    return {name: what for name, what in named.items() if what}


def _what(row: Row) -> str:
    if row.species == "yeast" and (mark := _YEAST.fullmatch(row.key)):
        return f"yeast {mark[1]}"
    if row.species == "human" and (promoter := _PROMOTER.fullmatch(row.key)):
        return f"human promoters, {promoter[1].replace('_', '')}"
    return ""
