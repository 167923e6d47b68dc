"""What a result file says: `TaskResult` and its records.

The same result always gives the same bytes, apart from `timing` and `created_at`. An undefined score is NaN here, as in
`gene_eval.core`, and `null` in the file; NaN and infinity are never written.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from gene_eval.core.controls.permutation import Permuted
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.probe import Score
from gene_eval.errors import ResultError
from gene_eval.results.schema import INLINE, SCHEMA_VERSION, parse, plain, read_record
from gene_eval.results.settings import Settings

__all__ = [
    "Coverage",
    "GainRecord",
    "ModelRecord",
    "Permuted",
    "PredictionsRecord",
    "ProbeRecord",
    "Score",
    "Settings",
    "TaskRecord",
    "TaskResult",
    "defined",
]

# Names that are also relative paths, below which results lie.
TASK_ID = r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)*"
OPTIONAL = (
    *("predictions", "draws", "curve", "as_published", "gain", "permuted"),
    *("intervals", "confusion", "all_rows", "imported"),
)
"""Blocks of a result file that are left out where there is nothing in them."""
TARGETS = ("binary", "multiclass", "multilabel", "regression")
PARTED = ("sequence", "category")
"""Entities of tasks with published parts, and of published means over such tasks."""


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """The task as it was scored; what an older file does not say is None, or empty.

    Attributes:
        id: `<source>_<task>`, or `<source>_<task>/<label>`.
        version: Of the task; another one has other labels.
        target: "binary", "multiclass", "multilabel" or "regression".
        entity: What has a label: "gene", "gene_pair", "gene_disease" or "sequence".
        family: Kind of task, by which means are made.
        source: Whose raw files it is made from.
        n: Entities of the task.
        data_sha256: Of the entities and labels.
        fold_scheme: The rule that folds are made by.
        folds_sha256: Of the entities and folds.
        ranked: Whether it counts in means and ranks.
        figure2_family: Family in the paper's Figure 2.
        label_names: Names of the classes or labels, in the order of their numbers.
        inputs: Each raw file to its sha256.
        audit: What became of the source's rows.
        default_split: Split that a run of the task takes by default.
        default_protocol: Protocol that it takes by default.
        rarer_train: Of a binary task, the fewest training examples of either class in a fold.
        rarer_test: The same of the test rows.
        repeats: Cross-validations, whose folds stand one after the other in the scores.
        n_tested: Entities in a test part of the first of them.
        test_train_ratio: Mean of test over training rows.
        from_annotation: Whether a negative may be a gene that nobody has annotated yet.
        class_counts: Entities of each class, or with each label of a multi-label task; empty for numbers.
    """

    id: str
    version: str
    target: str
    entity: str
    family: str
    source: str
    n: int
    data_sha256: str
    fold_scheme: str
    folds_sha256: str
    ranked: bool = True
    figure2_family: str = ""
    label_names: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    audit: Mapping[str, object] = field(default_factory=dict)
    default_split: str = "random"
    default_protocol: str = "paper"
    rarer_train: int | None = None
    rarer_test: int | None = None
    repeats: int = 1
    n_tested: int | None = None
    test_train_ratio: float | None = None
    from_annotation: bool = False
    class_counts: tuple[int, ...] = ()

    @property
    def main_metric(self) -> str:
        """The metric by which models are compared: of sequences the Matthews coefficient, else that of the target."""
        return "mcc" if self.entity in PARTED else MAIN_METRIC[self.target]

    @property
    def defaults(self) -> Settings:
        """The settings that the short file name stands for."""
        return Settings(split=self.default_split, protocol=self.default_protocol)


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """The model and the vectors it gave.

    Attributes:
        id: Its name in all tables.
        revision: Commit, or hash of the file, where there is one.
        adapter: What made the vectors.
        dim: Numbers of a vector.
        embedding_sha256: Of all vectors, not only of those that the task used.
        options: What the vectors depend on besides.
        health: State of all vectors: see `model_adapters.health`; for vectors of a file also what became of its rows.
    """

    id: str
    revision: str | None
    adapter: str
    dim: int
    embedding_sha256: str
    options: Mapping[str, object] = field(default_factory=dict)
    health: Mapping[str, object] = field(default_factory=dict)

    @property
    def options_text(self) -> str:
        """The options as a file has them, so that those of a run and of its file are equal.

        >>> ModelRecord("m", None, "a", 4, "", {"b": ({"d": 1, "c": 2},)}).options_text
        '{"b": [{"c": 2, "d": 1}]}'
        """
        return json.dumps(dict(self.options), sort_keys=True, default=str)


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """How the vectors were scored; in a file the `params` (`C`, `tol`, ...) stand beside these fields.

    Attributes:
        params: Numbers that shaped the fits.
        convergence: Whether the fits converged, and what else the engine says about it.
    """

    settings: Settings = field(metadata={INLINE: True})
    params: Mapping[str, object] = field(default_factory=dict)
    convergence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the task's entities have a vector.

    Attributes:
        n_task: Entities of the task.
        n_scored: Those that were scored. Can be less than `n_task - n_missing`: with `--common-genes` (axis `entities`)
            what other models lack is left out too.
        n_missing: Those without a vector.
        missing_sample: A few of them.
        scored_sha256: Of the entities that were scored.
    """

    n_task: int
    n_scored: int
    n_missing: int
    missing_sample: tuple[str, ...] = ()
    scored_sha256: str = ""


@dataclass(frozen=True, slots=True)
class PredictionsRecord:
    """The file of predictions beside a result; see `gene_eval.results.predictions`.

    Attributes:
        file: Its name.
        sha256: Of its content.
    """

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class GainRecord:
    """What vectors add to covariates; see `gene_eval.core.controls.gain`.

    Attributes:
        covariates: Their name, such as nuisance:all.
        covariates_sha256: Of their values.
        n: Entities that have both vectors and covariates.
        metric: Of the scores.
        scores: "covariates" (alone), "both" (with the vectors as well) and "gain", the difference fold by fold.
        labels: The same for each label of a multi-label task.
    """

    covariates: str
    covariates_sha256: str
    n: int
    metric: str
    scores: Mapping[str, Score]
    labels: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """Everything a report, card or page may say about one model on one task.

    Attributes:
        task: What was asked.
        model: What was scored.
        probe: How.
        coverage: On how many entities.
        scores: Each metric of the target.
        labels: Each label of a multi-label task to its binary metrics.
        environment: Versions of gene-bench, Python and packages, and the platform.
        timing: Seconds of the stages.
        created_at: When, in UTC.
        predictions: Where what was predicted lies.
        draws: For few labels, each metric to its mean over folds for every draw.
        curve: Learning curve of `metric`, by `share` of the training rows.
        as_published: Scores as the paper's code computes them; see `gene_eval.core.published`.
        gain: What the vectors add to covariates, where a run was asked for it.
        permuted: Scores of permuted labels, where a run was asked for them.
        intervals: Of published parts, each metric to the 2.5 % and 97.5 % points over resampled test rows.
        confusion: Of published parts, for each fit the test rows of each class by the class they were called.
        all_rows: With `--dedupe`, the scores with the test rows that are also in the training part.
        imported: Where a score that was not computed here is from; such a result has no folds.
    """

    task: TaskRecord
    model: ModelRecord
    probe: ProbeRecord
    coverage: Coverage
    scores: Mapping[str, Score]
    labels: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    created_at: str = ""
    predictions: PredictionsRecord | None = None
    draws: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    curve: Mapping[str, object] = field(default_factory=dict)
    as_published: Mapping[str, Score] = field(default_factory=dict)
    gain: GainRecord | None = None
    permuted: Permuted | None = None
    intervals: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    confusion: tuple[tuple[tuple[int, ...], ...], ...] = ()
    all_rows: Mapping[str, Score] = field(default_factory=dict)
    imported: Mapping[str, object] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """How it was scored."""
        return self.probe.settings

    @property
    def test_train_ratio(self) -> float:
        """Test over training rows: as recorded, else that of one cross-validation with the folds that the scores have.

        The variance of a mean over folds goes by it, see `gene_eval.core.statistics.paired_tests.corrected_variance`.
        """
        if self.task.test_train_ratio is not None:
            return self.task.test_train_ratio
        return 1 / max(max((len(score.folds) for score in self.scores.values()), default=2) - 1, 1)

    def to_json(self) -> str:
        """The file's text: sorted keys, two spaces, a newline at the end.

        Raises:
            TypeError: a value in `options`, `params` or `convergence` is not JSON.
            ValueError: a probe param has the name of a field of `ProbeRecord`.
        """
        # What is read from an index is no dict, which `asdict` would leave as it is.
        labels = {label: dict(scores) for label, scores in self.labels.items()}
        probe = replace(self.probe, convergence=dict(self.probe.convergence))
        made = replace(self, scores=dict(self.scores), labels=labels, probe=probe, timing=dict(self.timing))
        content = asdict(made)
        fields_of_probe = content["probe"]
        beside = {"settings": fields_of_probe.pop("settings"), "params": fields_of_probe.pop("params")}
        for name, values in beside.items():
            if clash := sorted(fields_of_probe.keys() & values.keys()):
                msg = f"probe {name} may not be named {', '.join(clash)}"
                raise ValueError(msg)
            fields_of_probe.update(values)
        content["schema_version"] = SCHEMA_VERSION
        # What may be unknown or not there is left out then, as in files from before these fields.
        content["task"] = {name: value for name, value in content["task"].items() if value is not None}
        for name in OPTIONAL:
            if not content[name]:
                del content[name]
        return json.dumps(plain(content), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "TaskResult":
        """Read what `to_json` wrote, also with an earlier schema; fields it does not know are ignored.

        Raises:
            NewerSchemaError: Written by a later gene-bench.
            ResultError: Not JSON, or a field that is missing or of the wrong type.
        """
        content = parse(text)
        probe = content.get("probe")
        if isinstance(probe, dict):
            known = {each.name for each in (*fields(ProbeRecord), *fields(Settings))}
            content["probe"] = {**probe, "params": {key: value for key, value in probe.items() if key not in known}}
        result: TaskResult = read_record(cls, content)
        if not re.fullmatch(TASK_ID, result.task.id, re.ASCII):
            msg = f"field task.id is {result.task.id!r}, expected <source>_<task> or <source>_<task>/<label>"
            raise ResultError(msg)
        if result.task.target not in TARGETS:
            msg = f"field task.target is {result.task.target!r}, expected one of {', '.join(TARGETS)}"
            raise ResultError(msg)
        return result if "entities" in content["probe"] else _with_entities(result)


def _with_entities(result: TaskResult) -> TaskResult:
    """The result of a file from before the axis `entities`: what a run with `--common-genes` left out has a vector."""
    coverage = result.coverage
    if coverage.n_scored >= coverage.n_task - coverage.n_missing:
        return result
    return replace(result, probe=replace(result.probe, settings=replace(result.settings, entities="common")))


def defined(value: float) -> float | None:
    """None for NaN: what JSON, CSV and tables show for an undefined number."""
    return None if math.isnan(value) else value
