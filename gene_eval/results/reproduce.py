"""The command that makes a result again."""

import re
import shlex

from gene_eval.results.store import ModelRecord, TaskResult

__all__ = ["OTHERS", "is_common", "model_string", "run_words"]

# Stands for the models that a run with --common-genes had besides; a result does not name them.
OTHERS = "OTHER_MODELS"


def model_string(record: ModelRecord) -> str | None:
    """The MODEL string that leads to a recorded model, None where the record does not say: files, folders, classes.

    >>> model_string(ModelRecord("org/name:input=summary", "0" * 40, "sentence-transformer", 4, ""))
    'sentence-transformer:org/name@0000000000000000000000000000000000000000,input=summary'
    >>> model_string(ModelRecord("random:seed=3", None, "random", 4, ""))
    'random:seed=3'
    """
    name, _, options = record.id.partition(":")
    if name == record.adapter or record.adapter == "combined":
        return record.id
    if "/" in name and re.fullmatch(r"[0-9a-f]{40}", record.revision or ""):
        return ",".join(filter(None, [f"{record.adapter}:{name}@{record.revision}", options]))
    return None


def is_common(result: TaskResult) -> bool:
    """Whether entities were left out for the sake of other models, by `--common-genes`."""
    return result.coverage.n_scored < result.coverage.n_task - result.coverage.n_missing


def run_words(result: TaskResult) -> tuple[str, str]:
    """What stands before and after the `-t TASK` of the command that makes a result again."""
    probe = result.probe
    options = [f"--protocol {shlex.quote(probe.protocol)}", f"--engine {shlex.quote(probe.engine)}"]
    options.append(f"--seed {probe.seed}")
    if "pairs" in probe.params:
        options.append(f"--pairs {shlex.quote(str(probe.params['pairs']))}")
    if "diseases" in probe.params:
        options.append(f"--diseases {shlex.quote(str(probe.params['diseases']))}")
    models = shlex.quote(model_string(result.model) or "MODEL")
    if is_common(result):
        models += f" {OTHERS}"
        options.append("--common-genes")
    return f"gene-bench run {models}", " ".join(options)
