"""`gene-bench graph-study`: all arms on the same folds, and paired tests between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.statistics.paired_tests import PairedTest, corrected_t_test, holm
from gene_eval.results.records import TaskResult
from gene_eval.running.outcome import Failure
from gene_eval.running.runner import run
from gene_eval.studying.arms import Arm, Question, questions

__all__ = ["Answer", "Study", "run_arms"]


@dataclass(frozen=True)
class Answer:
    """A question with its test on one task and split; `adjusted` is the p-value after Holm over the task's tests."""

    question: Question
    test: PairedTest
    adjusted: float


@dataclass(frozen=True)
class Study:
    """The results of one task on one split scheme.

    Args:
        task: Id.
        split: Scheme.
        metric: What is compared.
        results: Arm -> its result, in the order of the arms.
        answers: Tests between them.
        failures: Arms that could not be scored.
    """

    task: str
    split: str
    metric: str
    results: dict[str, TaskResult]
    answers: list[Answer] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def run_arms(
    arms: Sequence[Arm],
    tasks: Sequence[str],
    *,
    out: Path,
    splits: Sequence[str],
    log: Callable[[str], None],
    **options: Any,
) -> list[Study]:
    """Score every arm on every task and split; what `out` holds of equal inputs is not done again.

    Args:
        arms: See `arms.arms`.
        tasks: Names, globs or suites.
        out: Results folder.
        splits: Schemes.
        log: Takes a line for the user.
        **options: Of `gene_eval.run`.

    Returns:
        One study for each task and split that any arm was scored on.
    """
    found: dict[tuple[str, str], dict[str, TaskResult]] = {}
    failures: list[Failure] = []
    for model in dict.fromkeys(arm.model for arm in arms):
        own = [arm for arm in arms if arm.model == model]
        heads = list(dict.fromkeys(arm.head for arm in own))
        results = run(model, list(tasks), head=heads, split=list(splits), out=out, log=log, **options)
        failures += results.failures
        for result in results:
            for arm in own:
                if arm.head == result.settings.head:
                    found.setdefault((result.task.id, result.settings.split), {})[arm.name] = result
    studies = []
    for (task, split), of_arm in sorted(found.items()):
        ordered = {arm.name: of_arm[arm.name] for arm in arms if arm.name in of_arm}
        metric = MAIN_METRIC[next(iter(ordered.values())).task.target]
        own_failures = [each for each in failures if each.task == task]
        studies.append(Study(task, split, metric, ordered, failures=own_failures))
    return _answered(studies, questions(list(arms)))


def _answered(studies: list[Study], asked: list[Question]) -> list[Study]:
    tests = []
    for study in studies:
        for question in asked:
            one, other = (study.results.get(name) for name in (question.one, question.other))
            # Only what was scored on the same genes and folds is paired.
            if one and other and one.coverage.scored_sha256 == other.coverage.scored_sha256:
                ratio = one.task.test_train_ratio
                folds = (each.scores[study.metric].folds for each in (one, other))
                tests.append((study, question, corrected_t_test(*folds, test_train_ratio=ratio or 0.25)))
    adjusted = holm([test.p_value for _, _, test in tests])
    for (study, question, test), p_value in zip(tests, adjusted, strict=True):
        study.answers.append(Answer(question, test, float(p_value)))
    return studies
