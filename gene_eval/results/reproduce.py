"""The command that makes a result again."""

import re
import shlex

from gene_eval.results.records import ModelRecord, TaskResult
from gene_eval.results.settings import COMMON, UNSEEN

__all__ = ["COMMON_TO", "OTHERS", "is_common", "model_string", "run_options", "run_words"]

COMMON_TO = "common_to"
"""Probe parameter: names of the models of a run with `--common-genes`."""
# Stands for these in a command: a name need not be a MODEL string.
OTHERS = "OTHER_MODELS"
# Axes that a command names only where they are not at the task's default.
RARE = ("split", "head", "shots")


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
    """Whether only the entities that all models of the run have were scored (`--common-genes`)."""
    return result.settings.entities.startswith(COMMON)


def run_options(result: TaskResult) -> list[str]:
    """The options of `gene-bench run` that make a result again, each with its value."""
    settings, params = result.settings, result.probe.params
    chosen = {"protocol": settings.protocol, "engine": settings.engine, "seed": settings.seed}
    chosen |= {axis: value for axis, value in settings.differences(result.task.defaults).items() if axis in RARE}
    chosen |= {"repeats": result.task.repeats} if result.task.repeats > 1 else {}
    chosen |= {name: params[name] for name in ("pairs", "diseases", "terms") if name in params}
    chosen |= {"gain": result.gain.covariates} if result.gain else {}
    chosen |= {"control": "permuted", "permutations": len(result.permuted.scores)} if result.permuted else {}
    options = [f"--{name} {shlex.quote(str(value))}" for name, value in chosen.items()]
    options += ["--dedupe"] if settings.entities == UNSEEN else []
    return [*options, "--common-genes"] if is_common(result) else options


def run_words(result: TaskResult) -> tuple[str, str]:
    """What stands before and after the `-t TASK` of the command that makes a result again."""
    models = shlex.quote(model_string(result.model) or "MODEL") + (f" {OTHERS}" if is_common(result) else "")
    return f"gene-bench run {models}", " ".join(run_options(result))
