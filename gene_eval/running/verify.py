"""Runs saved results again from what they record, and says which agree, and what differs where one does not."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gene_eval.errors import GeneBenchError
from gene_eval.results.records import Score, TaskResult, defined
from gene_eval.results.reproduce import COMMON_TO, is_common, model_string
from gene_eval.results.settings import UNSEEN
from gene_eval.running.models import load_models
from gene_eval.running.runner import run
from gene_eval.running.validity.label_texts import WORDS
from gene_eval.text import did_you_mean

__all__ = ["OTHER_VERSIONS", "SAME_VERSIONS", "Verdict", "compare", "verify"]

SAME_VERSIONS = 1e-6
# By how much engines and their versions may differ; see the agreement of engines in `gene_eval.core`.
OTHER_VERSIONS = 1e-3
OF_THE_MACHINE = ("device", "rough_products")
"""Probe parameters that the engine chooses by the machine it runs on."""
SHOWN = 16


@dataclass(frozen=True)
class Verdict:
    """The outcome of running one result again.

    Args:
        name: "MODEL on TASK".
        reasons: Why it does not reproduce, the inputs first; empty if it does.
        notes: What differs without having changed the scores: versions of packages, and how the machine computes.
        largest: Largest difference of any score of any fold; None if nothing was compared.
        tolerance: The largest difference that is allowed.
        n_scores: How many numbers were compared.
    """

    name: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()
    largest: float | None = None
    tolerance: float = SAME_VERSIONS
    n_scores: int = 0

    @property
    def reproduced(self) -> bool:
        """Whether inputs are the same and scores within the tolerance."""
        return not self.reasons

    def __str__(self) -> str:
        """One line, with the first reason; `details` has them all."""
        if self.reasons:
            more = f" (and {len(self.reasons) - 1} more)" if len(self.reasons) > 1 else ""
            return f"NOT reproduced: {self.name}: {self.reasons[0]}{more}"
        return f"reproduced: {self.name}: largest difference {self.largest:.1g} (allowed {self.tolerance:g})"

    @property
    def details(self) -> tuple[str, ...]:
        """Every reason, how much was compared, and what differs without having changed the scores."""
        compared = () if self.largest is None else (f"{self.n_scores} scores compared",)
        return (*self.reasons, *compared, *(note for note in self.notes if note not in self.reasons))


def verify(
    recorded: Sequence[TaskResult],
    *,
    model: str | None = None,
    data_dir: Path | None = None,
    device: str | None = None,
    log: Callable[[str], None] = print,
) -> list[Verdict]:
    """Run results again, those of one model and one setting together.

    Args:
        recorded: Saved results. Those of a run with `--common-genes` need the results of all models of that run.
        model: MODEL string of one model whose id does not lead to it (a file of vectors, a class): then only its
            results are verified, those of its name or of its revision.
        data_dir: Raw files; see `builders.RawFiles`.
        device: Where models compute; None takes the best there is.
        log: Takes lines about progress.

    Returns:
        A verdict for each result, in their order; with `model`, for each of that model's.

    Raises:
        GeneBenchError: `model` does not exist, or there is no result of it.
    """
    is_given = _matcher(recorded, model)
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, result in enumerate(recorded):
        groups[_group(result)].append(number)
    verdicts: dict[int, Verdict] = {}
    for numbers in groups.values():
        group = [recorded[number] for number in numbers]
        if model is not None and not any(map(is_given, group)):
            continue
        # Which words were masked depended on all tasks of the run, of which these may be a few.
        words = next((known for each in group if (known := each.model.options.get(WORDS))), None)
        options = {**_options(group[0], data_dir=data_dir, device=device), WORDS: words}
        specs = {result.model.id: model for result in group if model is not None and is_given(result)}
        verdicts |= zip(numbers, _verify_group(group, specs, options, log), strict=True)
    # The other models of a run with `--common-genes` had to be there, but were not asked about.
    return [verdicts[n] for n in sorted(verdicts) if model is None or is_given(recorded[n])]


def compare(recorded: TaskResult, again: TaskResult) -> Verdict:
    """Say whether a second run of a result gave the same; if not, name the inputs that differ, or else the scores."""
    reasons = [*_task_reasons(recorded, again), *_model_reasons(recorded, again)]
    if not reasons and recorded.settings.entities != again.settings.entities:
        others = ", ".join(str(name) for name in recorded.probe.params.get(COMMON_TO) or ())  # type: ignore[attr-defined]
        reasons.append(f"scored on the entities of several models; give the results of all of them: {others}")
    if not reasons and recorded.coverage.scored_sha256 != again.coverage.scored_sha256:
        reasons.append(_differ("scored entities", recorded.coverage.scored_sha256, again.coverage.scored_sha256))
    was, now = _plain(recorded.probe.params), _plain(again.probe.params)
    machine_was, machine_now = ({name: each.pop(name, "none") for name in OF_THE_MACHINE} for each in (was, now))
    reasons += _differing("probe parameter", was, now)
    notes = (
        *_differing("version of", recorded.environment, again.environment),
        *_differing("probe parameter", machine_was, machine_now),
    )
    verdict = Verdict(
        name=_name(recorded),
        reasons=tuple(reasons),
        notes=notes,
        tolerance=OTHER_VERSIONS if notes else SAME_VERSIONS,
    )
    return verdict if reasons else _with_scores(verdict, recorded, again)


def _group(result: TaskResult) -> tuple[object, ...]:
    probe = result.probe
    named = (probe.params.get(name) for name in ("pairs", "diseases", "terms"))
    settings = (result.settings, result.task.repeats, *named)
    # Models that were scored on their common genes have to be there together.
    if is_common(result):
        return settings
    return (*settings, result.model.id, result.model.revision, str(result.model.options.get(WORDS)))


def _options(result: TaskResult, *, data_dir: Path | None, device: str | None) -> dict[str, Any]:
    probe = result.probe
    axes = {axis: value for axis, value in asdict(result.settings).items() if axis != "entities"}
    return {
        **axes,
        "repeats": result.task.repeats,
        "data_dir": data_dir,
        "device": device,
        "pairs": str(probe.params.get("pairs", "average")),
        **{name: str(probe.params[name]) for name in ("diseases", "terms") if name in probe.params},
        "common_genes": is_common(result),
        "dedupe": result.settings.entities == UNSEEN,
        "predictions": False,
    }


def _matcher(recorded: Sequence[TaskResult], model: str | None) -> Callable[[TaskResult], bool]:
    """Whether a result is of the named model: by its id, else by its revision, else because there is no other."""
    if model is None:
        return lambda result: True
    (named,) = load_models(model)
    known = {result.model.id: result.model.revision for result in recorded}
    ids = {named.name} & known.keys() or {
        name for name, revision in known.items() if revision is not None and revision == named.model.revision
    }
    if not ids and len(known) > 1:
        message = f"--model {model} is {named.name}, of which there is no result; {did_you_mean(named.name, known)}"
        raise GeneBenchError(message)
    return lambda result: result.model.id in (ids or known)


def _verify_group(
    group: Sequence[TaskResult], specs: Mapping[str, str], options: Mapping[str, Any], log: Callable[[str], None]
) -> Iterator[Verdict]:
    try:
        # Under the recorded name: the user may have chosen it, and results of another model differ in vectors.
        models = [{result.model.id: specs.get(result.model.id) or _spec(result)} for result in group]
        distinct = list({next(iter(each)): each for each in models}.values())
        tasks = list(dict.fromkeys(result.task.id for result in group))
        again = run(distinct, tasks, log=log, **options)
    except GeneBenchError as error:
        yield from (Verdict(_name(result), (f"cannot be run again: {error}",)) for result in group)
        return
    found = {(result.model.id, result.task.id): result for result in again}
    failed = {failure.task: failure.reason for failure in again.failures}
    for result in group:
        second = found.get((result.model.id, result.task.id))
        if second is None:
            yield Verdict(_name(result), (f"cannot be run again: {failed[result.task.id]}",))
        else:
            yield compare(result, second)


def _spec(result: TaskResult) -> str:
    spec = model_string(result.model)
    if spec is None:
        message = f"the result does not say where {result.model.id} is; give its file, folder or class with --model"
        raise GeneBenchError(message)
    return spec


def _name(result: TaskResult) -> str:
    return f"{result.model.id} on {result.task.id}"


def _task_reasons(recorded: TaskResult, again: TaskResult) -> Iterator[str]:
    was, now = recorded.task, again.task
    for what, old, new in (
        ("task version", was.version, now.version),
        ("target", was.target, now.target),
        ("label names", ", ".join(was.label_names), ", ".join(now.label_names)),
        ("number of entities", str(was.n), str(now.n)),
        ("labels (data sha256)", was.data_sha256, now.data_sha256),
        ("folds (folds sha256)", was.folds_sha256, now.folds_sha256),
    ):
        if old != new and not (what.startswith("folds") and was.fold_scheme != now.fold_scheme):
            yield _differ(what, old, new)
    if was.fold_scheme != now.fold_scheme:
        yield (
            f"folds are made by another rule: {was.fold_scheme} recorded, {now.fold_scheme} here; scores on them cannot"
            " be paired, run the task again with --overwrite"
        )
    if was.data_sha256 != now.data_sha256:
        yield from _differing("raw file", was.inputs, now.inputs)


def _model_reasons(recorded: TaskResult, again: TaskResult) -> Iterator[str]:
    was, now = recorded.model, again.model
    for what, old, new in (
        ("model", was.id, now.id),
        ("adapter", was.adapter, now.adapter),
        ("model revision", str(was.revision), str(now.revision)),
        ("dimension", str(was.dim), str(now.dim)),
        ("vectors (embedding sha256)", was.embedding_sha256, now.embedding_sha256),
    ):
        if old != new:
            yield _differ(what, old, new)
    yield from _differing("model option", _plain(was.options), _plain(now.options))


def _plain(values: Mapping[str, object]) -> dict[str, str]:
    # As a file has them: tuples are lists there, and the keys of options within options are sorted.
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for name, value in values.items()
    }


def _differing(kind: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(was.keys() | now.keys()):
        old, new = was.get(name, "none"), now.get(name, "none")
        if old != new:
            yield _differ(f"{kind} {name}", old, new)


def _differ(what: str, recorded: str, here: str) -> str:
    return f"{what} differs: {_short(recorded)} recorded, {_short(here)} here"


def _short(text: str) -> str:
    return re.sub(rf"([0-9a-f]{{{SHOWN}}})[0-9a-f]{{24,}}", r"\1...", text)


def _with_scores(verdict: Verdict, recorded: TaskResult, again: TaskResult) -> Verdict:
    was, now = dict(_numbers(recorded)), dict(_numbers(again))
    reasons = [
        f"score {name} is only in {'the result' if name in was else 'the new run'}" for name in sorted(was.keys() ^ now)
    ]
    largest, worst = 0.0, ""
    for name in sorted(was.keys() & now):
        old, new = was[name], now[name]
        if (old is None) != (new is None):
            reasons.append(f"score {name} differs: {old} recorded, {new} here")
        elif old is not None and new is not None and abs(old - new) > largest:
            largest, worst = abs(old - new), name
    if largest > verdict.tolerance:
        reasons.append(
            f"same inputs, but score {worst} differs: {was[worst]:.6g} recorded, {now[worst]:.6g} here"
            f" (allowed {verdict.tolerance:g})"
        )
    if reasons:
        reasons += verdict.notes
    return replace(verdict, reasons=tuple(reasons), largest=largest, n_scores=len(was))


def _numbers(result: TaskResult) -> Iterator[tuple[str, float | None]]:
    groups: dict[str, Mapping[str, Score]] = {"": result.scores}
    groups["as published: "] = result.as_published
    groups |= {f"{label}: ": scores for label, scores in result.labels.items()}
    for group, scores in groups.items():
        for metric, score in scores.items():
            yield f"{group}{metric}", defined(score.mean)
            yield f"{group}{metric} (std)", defined(score.std)
            yield from ((f"{group}{metric} (fold {i})", defined(value)) for i, value in enumerate(score.folds))
