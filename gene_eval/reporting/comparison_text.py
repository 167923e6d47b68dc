"""Says what a comparison of two models found: a few sentences, a table of groups and a table of tasks."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from gene_eval.analysis.compare import Comparison, GroupComparison, TaskComparison
from gene_eval.analysis.groups import EXTENDED, MAIN, OVERALL, is_family, is_regression
from gene_eval.core.statistics.paired_tests import ALPHA
from gene_eval.results.minimum import RULE
from gene_eval.text import count, printable

__all__ = ["sentences", "to_text"]

NOTHING = "–"
UNITS = {"r2": "R2", "spearman": "in rank correlation"}


def to_text(comparison: Comparison) -> str:
    """What was found in sentences, then a table of groups and a table of tasks, for a terminal."""
    tables = [_task_table(comparison)]
    if comparison.groups:
        tables.insert(0, _group_table(comparison))
    parts = [
        printable(" ".join(sentences(comparison))),
        *("\n".join(_aligned(table)) for table in tables),
        _legend(comparison),
    ]
    return "\n\n".join(parts) + "\n"


def sentences(comparison: Comparison) -> Iterator[str]:
    """Is one better, by how much and how surely; in which families; on how many tasks."""
    a, b = comparison.model_a, comparison.model_b
    groups = {group.name: group for group in comparison.groups}
    if comparison.left_out:
        n_left_out = sum(map(len, comparison.left_out.values()))
        yield f"{count(n_left_out, 'task')} left out ({'; '.join(comparison.left_out)})."
    for name in MAIN:
        if name in groups:
            yield _verdict(groups[name], a, b)
    families = [group for group in comparison.groups if is_family(group.name)]
    if len(families) > 1:
        by_verdict = [(f"{a} is better in", "a"), (f"{b} is better in", "b"), ("no clear difference in", "")]
        found = [(text, [_family(each) for each in families if each.better == better]) for text, better in by_verdict]
        yield "By family: " + "; ".join(f"{text} {', '.join(names)}" for text, names in found if names) + "."
    wins = Counter(task.better for task in comparison.tasks)
    n_tasks = len(comparison.tasks)
    yield (
        f"Task by task ({n_tasks} compared, each by itself): {a} is better on {wins['a']}, {b} on {wins['b']}, "
        f"undecided on {wins['']}."
    )
    if comparison.n_models > 2:
        n_pairs = comparison.n_models * (comparison.n_models - 1) // 2
        yield f"Verdicts are those of the ranks: p-values are adjusted for the {n_pairs} pairs of models here (Holm)."


def _verdict(group: GroupComparison, a: str, b: str) -> str:
    unit = UNITS.get(group.metric, "ROC-AUC")
    tasks = count(group.n_tasks, "task")
    where = "overall"
    if group.name != OVERALL:
        kind = "regression task" if is_regression(group.name) else "task"
        beyond = " beyond the paper" if group.name.startswith(EXTENDED) else ""
        where = f"over {tasks.replace('task', kind)}{beyond}"
    scope = "about this task only" if group.n_tasks == 1 else f"about these {tasks} only"
    if "source" in group.basis:
        scope = f"mean over the {group.basis} of {tasks}"
    if math.isnan(group.p_value):
        return f"Whether {a} or {b} is better {where} cannot be said: no variance to judge by ({scope})."
    ways = f"{a} is ahead on {group.ahead_a}, {b} on {group.ahead_b}"
    p_values = _p(group.p_value) + ("" if group.holm_p == group.p_value else f", {_p(group.holm_p)} of all pairs")
    how_sure = f"95 % interval {group.low:+.3f} to {group.high:+.3f}, {p_values}; {scope}; {ways}"
    if group.is_mixed and group.holm_p < ALPHA:
        return f"Mixed {where}, no verdict: {group.difference:+.3f} {unit} on average ({how_sure})."
    if not group.better:
        return f"{a} and {b} do not differ clearly {where}: {group.difference:+.3f} {unit} ({how_sure})."
    better, worse = (a, b) if group.better == "a" else (b, a)
    return f"{better} is better than {worse} {where}: {a} has {group.difference:+.3f} {unit} ({how_sure})."


def _family(group: GroupComparison) -> str:
    """The basis of a verdict, since two tasks say less than eight sources; where there is none, its name."""
    return f"{group.name} ({group.basis})" if group.better else group.name


def _group_table(comparison: Comparison) -> list[list[str]]:
    a, b = comparison.model_a, comparison.model_b
    header = ["tasks", "metric", "n", "mean over", a, b, "difference", "95 % interval", "p", "p (Holm)"]
    rows = [
        [
            group.name, group.metric, str(group.n_tasks), group.basis, _score(group.mean_a), _score(group.mean_b),
            _signed(group.difference), _interval(group.low, group.high), _small(group.p_value), _small(group.holm_p),
            f"{group.ahead_a} / {group.ahead_b}", f"{group.wins_a} / {group.wins_b}",
            _winner(group.better, comparison),
        ]
        for group in comparison.groups
    ]  # fmt: skip
    return [[*header, "ahead on", "tasks won", "better"], *rows]


def _task_table(comparison: Comparison) -> list[list[str]]:
    a, b = comparison.model_a, comparison.model_b
    header = ["task", "family", "metric", "n", a, b, "difference", "95 % interval", "p", "p (Holm)", "p (BH)"]
    return [[*header, "detectable", "better"], *(_task_row(task, comparison) for task in comparison.tasks)]


def _task_row(task: TaskComparison, comparison: Comparison) -> list[str]:
    test, record = task.test, task.task
    scored = str(record.n) if task.n_scored == record.n else f"{task.n_scored} of {record.n}"
    folds = "" if test.n == task.n_folds else f" ({test.n} of {task.n_folds} folds)"
    return [
        record.id + (" *" if task.why_unranked else "") + ("" if task.is_counted else " †"),
        record.family, task.metric, scored + folds,
        _score(task.mean_a), _score(task.mean_b), _signed(test.difference), _interval(test.low, test.high),
        _small(test.p_value), _small(task.holm_p), _small(task.bh_p), _detectable(task),
        _winner(task.better, comparison),
    ]  # fmt: skip


def _detectable(task: TaskComparison) -> str:
    if math.isnan(task.detectable):
        return NOTHING
    low, high = task.detectable_interval
    return f"{task.detectable:.3f} ({low:.3f} to {high:.3f})"


def _legend(comparison: Comparison) -> str:
    lines = [
        f"{comparison.settings}; difference = {comparison.model_a} - {comparison.model_b}, on folds that both share.",
        "p (Holm): adjusted for all pairs of models here, separately in each line; p (BH): for the tasks compared.",
        "Tasks: corrected resampled t-test (Nadeau and Bengio); detectable: what would be found with a chance of 80 %,",
        "by the errors of all pairs of models, and between what the few folds say that this lies (95 %).",
    ]
    if all(task.n_folds == 1 for task in comparison.tasks):
        lines.append(
            "One test part and no folds: a difference on a task is not tested;"
            " intervals over its test rows: gene-bench report DIR --format geneb."
        )
    if any(task.why_unranked for task in comparison.tasks):
        lines.append("* part of no statement over tasks.")
    if any(not task.is_counted for task in comparison.tasks):
        lines.append(f"† {RULE}: part of no statement over tasks.")
    return "\n".join(printable(line) for line in lines)


def _winner(better: str, comparison: Comparison) -> str:
    return {"a": comparison.model_a, "b": comparison.model_b}.get(better, "")


def _score(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:z.3f}"


def _signed(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:+z.3f}"


def _interval(low: float, high: float) -> str:
    return NOTHING if math.isnan(low) else f"{low:+.3f} to {high:+.3f}"


def _small(p_value: float) -> str:
    if math.isnan(p_value):
        return NOTHING
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _p(p_value: float) -> str:
    text = _small(p_value)
    return f"p {text[0]} {text[1:]}" if text[0] == "<" else f"p = {text}"


def _aligned(grid: Sequence[Sequence[str]]) -> list[str]:
    shown = [[printable(cell) for cell in line] for line in grid]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in shown]
    return ["  ".join(line).rstrip() for line in padded]
