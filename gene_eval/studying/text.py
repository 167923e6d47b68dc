"""A study of graphs as Markdown."""

import math
from collections.abc import Iterable, Sequence

from gene_eval.studying.leaks import Leaks
from gene_eval.studying.masking import Curve
from gene_eval.studying.strata import FEWEST, Stratum
from gene_eval.studying.study import Study

__all__ = ["curves_text", "leaks_text", "strata_text", "study_text"]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]


def study_text(study: Study) -> list[str]:
    """Scores of the arms of one task and split, and the tests between them."""
    lines = [f"## {study.task}, split {study.split}", ""]
    rows = []
    for name, result in study.results.items():
        score, params = result.scores[study.metric], result.probe.params
        edges = params.get("edges_of_test_rows")
        rows.append(
            [
                name,
                _number(score.mean),
                _number(score.std),
                f"{result.coverage.n_scored:,}",
                "" if edges is None else f"{params['n_joined']:,}",
                "" if edges is None else ("transductive" if edges == "used" else "inductive"),
            ]
        )
    lines += _table(("arm", study.metric, "sd of folds", "n", "with an edge", "edges of test genes"), rows)
    if study.answers:
        lines += ["", "Differences: corrected paired t-test over folds; p after Holm over all tests of the task.", ""]
        tests = (
            [
                each.question.about,
                f"{each.question.one} - {each.question.other}",
                _number(each.test.difference, sign=True),
                f"{_number(each.test.low, sign=True)} to {_number(each.test.high, sign=True)}",
                _p_value(each.adjusted),
            ]
            for each in study.answers
        )
        lines += _table(("what it says", "arms", "difference", "95 % interval", "p"), tests)
    lines += [f"\nNot scored: {each.model or each.task}: {each.reason}" for each in study.failures]
    return [*lines, ""]


def curves_text(task: str, curves: Sequence[Curve]) -> list[str]:
    """Scores against the share of genes whose vectors are hidden."""
    shares = curves[0].shares
    lines = [f"## {task}: vectors set to zero", "", "Mean over seeds, and half the width of its 95 % interval.", ""]
    rows = (
        [
            curve.arm,
            curve.where,
            *(f"{_number(m)} ± {_number(h)}" for m, h in zip(curve.means, curve.half_widths, strict=True)),
            _number(curve.area),
        ]
        for curve in curves
    )
    return [*lines, *_table(("arm", "hidden of", *(f"{share:.0%}" for share in shares), "area"), rows), ""]


def leaks_text(leaks: Leaks) -> list[str]:
    """The terms that state a task's label, the strongest first."""
    lines = [f"## {leaks.task}: terms that state the label", ""]
    lines.append(
        f"{len(leaks.terms):,} terms are listed in {leaks.path.name}: by name {leaks.count('name'):,}, by source"
        f" {leaks.count('source'):,}, by their own AUC on training genes {leaks.count('auc'):,}."
    )
    rows = ([each.term, each.name, _number(each.auc), ", ".join(each.reasons)] for each in leaks.terms[:10])
    return [*lines, "", *_table(("term", "name", "AUC alone", "listed by"), rows), ""]


def strata_text(strata: Sequence[Stratum]) -> list[str]:
    """Scores of the arms within quarters of genes by publications."""
    if not strata:
        return []
    lines = [
        "Within quarters of genes by publications: AUC over pairs of genes of one fold, 95 % bootstrap interval.",
        "",
    ]
    header = ["arm", *(f"{each.name} ({each.n_positive:,} of {each.n:,})" for each in strata)]
    rows = (
        [
            arm,
            *(
                f"{_number(each.scores[arm][0])} ({_number(each.scores[arm][1])} to {_number(each.scores[arm][2])})"
                for each in strata
            ),
        ]
        for arm in strata[0].scores
    )
    lines += _table(header, rows)
    if small := [each.name for each in strata if not each.is_large]:
        lines += ["", f"Fewer than {FEWEST} genes of a class, so no statement: {', '.join(small)}."]
    return [*lines, ""]


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else _number(value)


def _number(value: float, *, sign: bool = False) -> str:
    return "" if math.isnan(value) else f"{value:{'+' if sign else ''}.3f}"
