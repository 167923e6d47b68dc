"""Named, versioned lists of tasks: what `-t @NAME` stands for, and what reports give a mean and ranks of their own.

A result says nothing about suites: a task can be in several, and in others tomorrow. The versions are in `suites.tsv`,
which `make record` writes: a list that changes gets the next version.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from builders import BUILDERS, TaskConfig, configs
from builders.errors import UnknownTaskError
from gene_eval.text import did_you_mean

__all__ = ["RECORD", "SIGN", "Suite", "averaged", "expand", "suites"]

SIGN: Final = "@"
PAPER, STARTER, GENEB, EXTENDED, GENEN = "paper-2024", "starter", "geneb", "extended", "genen"
_SOURCES_OF_GENEN = ("litgene", "genellm", "deeploc")
_Rule = Callable[[TaskConfig], bool]
RECORD: Final = "suites.tsv"


@dataclass(frozen=True, slots=True)
class Suite:
    """A list of tasks.

    Args:
        name: Without the sign.
        version: Raised when the list changes.
        description: What the tasks have in common.
        tasks: Ids, in catalogue order.
    """

    name: str
    version: str
    description: str
    tasks: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Hash of the list, whatever its order: a mean of one version means the same in every report."""
        return hashlib.sha256("\n".join(sorted(self.tasks)).encode()).hexdigest()


def _is_of_paper(config: TaskConfig) -> bool:
    return config.paper_name is not None


def _is_starter(config: TaskConfig) -> bool:
    return config.source == STARTER


def _is_of_geneb(config: TaskConfig) -> bool:
    return config.source == GENEB


def _is_of_genen(config: TaskConfig) -> bool:
    return config.source in _SOURCES_OF_GENEN


def _is_beyond(config: TaskConfig) -> bool:
    # Genen's tasks repeat others of ours: its dosage sensitivity is that of Genecorpus.
    return not (_is_of_paper(config) or _is_starter(config) or _is_of_geneb(config) or _is_of_genen(config))


# The configs decide, so that no list repeats them; the record holds the hash of each version's list.
_SUITES: tuple[tuple[str, str, _Rule], ...] = (
    (PAPER, "the tasks of arXiv 2412.04075", _is_of_paper),
    (STARTER, "built in, for trying things out; part of no ranking", _is_starter),
    (EXTENDED, "what gene-bench has beyond the paper; in no other mean", _is_beyond),
    (GENEB, "DNA sequences of the collections that GENEB takes its tasks from", _is_of_geneb),
    (GENEN, "the tasks of Genen, and those of DeepLoc beside them", _is_of_genen),
)


def suites() -> dict[str, Suite]:
    """Every suite that has tasks, by name.

    >>> suites()["starter"].tasks[0]
    'starter_is_tf'
    """
    known = [each for builder in BUILDERS for each in builder.BUILDER_CONFIGS if isinstance(each, TaskConfig)]
    versions = {row["suite"]: row["version"] for row in _recorded()}
    found = (
        Suite(name, versions.get(name, "0.0.0"), description, tuple(config.name for config in known if rule(config)))
        for name, description, rule in _SUITES
    )
    return {suite.name: suite for suite in found if suite.tasks}


def _recorded() -> list[dict[str, str]]:
    """Every version of every suite, the latest of a suite last."""
    text = files("gene_eval.catalogue").joinpath(RECORD).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


def expand(patterns: Iterable[str]) -> list[str]:
    """The patterns with the tasks of a suite in place of its name.

    Raises:
        UnknownTaskError: There is no such suite; the message suggests the nearest.

    >>> expand(["humantfs_*", "@starter"])[:2]
    ['humantfs_*', 'starter_is_tf']
    """
    listed: list[str] = []
    for pattern in patterns:
        if not pattern.startswith(SIGN):
            listed.append(pattern)
            continue
        known = suites()
        if pattern.removeprefix(SIGN) not in known:
            message = f"no suite {pattern!r}; {did_you_mean(pattern, [SIGN + name for name in known])}"
            raise UnknownTaskError(message)
        listed += known[pattern.removeprefix(SIGN)].tasks
    return listed


def averaged() -> dict[str, Sequence[str]]:
    """What reports average: `@name` to the ranked tasks of each suite whose main metric is a ROC-AUC.

    The regressions of `@extended` and `@genen` are lists of their own, `@extended regression` and `@genen regression`.
    """
    known = configs()

    def averaged_of(suite: Suite, *, regression: bool = False) -> tuple[str, ...]:
        tasks = [(name, known[name]) for name in suite.tasks]
        return tuple(
            name
            for name, task in tasks
            if isinstance(task, TaskConfig) and task.ranked and (task.target == "regression") == regression
        )

    there = suites()
    found = {SIGN + suite.name: averaged_of(suite) for suite in there.values()}
    for name in (EXTENDED, GENEN):
        found[f"{SIGN}{name} regression"] = averaged_of(there[name], regression=True)
    return {name: tasks for name, tasks in found.items() if tasks}
