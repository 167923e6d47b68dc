"""The command that makes a result again."""

import shlex

from gene_eval.results import TaskResult

__all__ = ["run_words"]

# What stands for a model whose id does not lead back to it.
STAND_INS = {"precomputed": "VECTORS_FILE", "user": "FILE.py:CLASS"}


def run_words(result: TaskResult) -> tuple[str, str]:
    """What stands before and after the `-t TASK` of the command that made a result, with a space between them.

    A run with `--common-genes` needs the other models of that run as well; a result does not name them.
    """
    record, probe = result.model, result.probe
    options = f"--protocol {shlex.quote(probe.protocol)} --engine {shlex.quote(probe.engine)} --seed {probe.seed}"
    if "pairs" in probe.params:
        options += f" --pairs {shlex.quote(str(probe.params['pairs']))}"
    return f"gene-bench run {STAND_INS.get(record.adapter, shlex.quote(record.id))}", options
