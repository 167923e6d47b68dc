"""Named, versioned lists of tasks: what `-t @NAME` stands for, and what reports give a mean and ranks of their own.

A result says nothing of suites: a task can be in several, and in others tomorrow.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from builders import BUILDERS, TaskConfig, configs
from builders.errors import UnknownTaskError
from gene_eval.text import did_you_mean

__all__ = ["SIGN", "Suite", "averaged", "expand", "suites"]

SIGN: Final = "@"
PAPER, STARTER, GENEB, EXTENDED, GENEN = "paper-2024", "starter", "geneb", "extended", "genen"
_SOURCES_OF_GENEN = ("litgene", "genellm", "deeploc")
_Rule = Callable[[TaskConfig], bool]


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


def _is_of_paper(config: TaskConfig) -> bool:
    return config.paper_name is not None


def _is_starter(config: TaskConfig) -> bool:
    return config.source == STARTER


def _is_of_geneb(config: TaskConfig) -> bool:
    return config.source == GENEB


def _is_of_genen(config: TaskConfig) -> bool:
    return config.source in _SOURCES_OF_GENEN


def _is_beyond(config: TaskConfig) -> bool:
    # Genen's tasks repeat others that are there: its dosage sensitivity is that of Genecorpus.
    return not (_is_of_paper(config) or _is_starter(config) or _is_of_geneb(config) or _is_of_genen(config))


# What a config says decides, so that no list repeats it; a test holds the names of each version.
_SUITES: tuple[tuple[str, str, str, _Rule], ...] = (
    (PAPER, "1.0.0", "the tasks of arXiv 2412.04075", _is_of_paper),
    (STARTER, "1.0.0", "built in, for trying things out; part of no ranking", _is_starter),
    # 2.0.0: essentiality, constraint, druggability, age and the other sources of builders/sources/extended, and GO.
    (EXTENDED, "2.0.0", "what gene-bench has beyond the paper; in no other mean", _is_beyond),
    (GENEB, "1.0.0", "DNA sequences of the collections that GENEB takes its tasks from", _is_of_geneb),
    (GENEN, "1.0.0", "the tasks of Genen, and those of DeepLoc beside them", _is_of_genen),
)


def suites() -> dict[str, Suite]:
    """Every suite that has tasks, by name.

    >>> suites()["starter"].tasks[0]
    'starter_is_tf'
    """
    known = [each for builder in BUILDERS for each in builder.BUILDER_CONFIGS if isinstance(each, TaskConfig)]
    found = (
        Suite(name, version, description, tuple(config.name for config in known if rule(config)))
        for name, version, description, rule in _SUITES
    )
    return {suite.name: suite for suite in found if suite.tasks}


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
