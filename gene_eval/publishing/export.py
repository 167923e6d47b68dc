"""Writes built tasks as a Hub dataset repository on disk: parquet per config; a card with configs, terms, citations."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from string import Template

import datasets
import yaml
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCardData

from builders import (
    BUILDERS,
    DATASET_NAME,
    BuilderError,
    Built,
    RawFiles,
    Source,
    TaskConfig,
    builder_of,
    load,
    select,
)
from builders.dataset import parts_of
from builders.folds.families import FAMILIES
from builders.folds.parts import SPLIT
from builders.sources.covariates import COVARIATES, STRING
from builders.sources.geneb.collections import COLLECTIONS
from builders.sources.genes.builder import NCBI_GENE
from builders.sources.genes.ensembl import ENSEMBL
from gene_eval.errors import ExportError, FileError

__all__ = ["CARD", "DATA_FILE", "EVAL_FILE", "Collection", "are_open", "collect", "export", "opened", "redistributable"]

CARD = "README.md"
EVAL_FILE = "eval.yaml"
DESCRIPTION = (
    "Curated properties of human genes, to measure by linear probes with cross-validation on fixed folds what the gene "
    "vectors of foundation models know."
)
DATA_FILE = "train-00000-of-00001.parquet"
# A task in parts has these as splits.
DATA_FILES = {split: DATA_FILE.replace("train", split) for split in ("train", "validation", "test")}
_COLLECTED = (collection.source for collection in COLLECTIONS.values())
_FURTHER = (NCBI_GENE, ENSEMBL, FAMILIES, COVARIATES, STRING, *_COLLECTED)
SOURCES = {source.name: source for source in (*_FURTHER, *(builder.SOURCE for builder in BUILDERS))}


@dataclass(frozen=True)
class Collection:
    """Tasks and tables that were asked for.

    Args:
        items: What may be published.
        left_out: What may not, because a source does not state that rows may be redistributed.
        failed: Reason -> names of what could not be built.
    """

    items: Sequence[Built]
    left_out: Sequence[Built]
    failed: Mapping[str, Sequence[str]]


def collect(patterns: Sequence[str], data_dir: Path | None = None, *, log: Callable[[str], None] = print) -> Collection:
    """Load tasks and tables, building what is not in the cache.

    Args:
        patterns: Names or globs; none means all but the tasks about sequences.
        data_dir: Folder with raw files; see `builders.RawFiles`.
        log: Takes a line for each of them.

    Raises:
        UnknownTaskError: A pattern matches nothing.
    """
    raw = RawFiles(data_dir)
    items: list[Built] = []
    failed: dict[str, list[str]] = {}
    names = select(patterns, tables=True, sequences=False)
    for number, name in enumerate(names, start=1):
        log(f"[{number}/{len(names)}] {name}")
        try:
            items.append(load(name, raw))
        except BuilderError as error:
            failed.setdefault(str(error), []).append(name)
    return Collection(*opened(items), failed)


def opened(items: Iterable[Built]) -> tuple[list[Built], list[Built]]:
    """What may be published, where tables lack the columns that may not be; and what may not be published at all."""
    found = [(item, item if redistributable(item) else _open_columns(item)) for item in items]
    return [open_ for _, open_ in found if open_ is not None], [item for item, open_ in found if open_ is None]


def _open_columns(item: Built) -> Built | None:
    """A table of several sources, without the columns and files of those that do not state their terms."""
    origins = builder_of(item.config.name).column_origins(item.config)
    closed = [name for name in item.dataset.column_names if name in origins and not origins[name].redistributable]
    inputs = {file: sha256 for file, sha256 in item.audit.inputs.items() if are_open([file.partition("/")[0]])}
    left_out = {file.partition("/")[0] for file in item.audit.inputs.keys() - inputs.keys()}
    if not origins or left_out - {origins[name].name for name in closed}:
        return None
    config = copy(item.config)
    # The rows are those of the source of the symbols.
    config.source = origins["symbol"].name
    if closed:
        titles = ", ".join(dict.fromkeys(origins[name].title for name in closed))
        config.description += (
            f" Without {', '.join(closed)}: the terms of {titles} do not state that rows may be redistributed."
        )
    audit = replace(item.audit, inputs=inputs)
    return replace(item, config=config, dataset=item.dataset.remove_columns(closed), audit=audit)


def redistributable(built: Built) -> bool:
    """Whether the terms of every source of a config let us publish rows made from it."""
    return are_open([built.config.source, *_input_sources(built)])


def are_open(sources: Iterable[str]) -> bool:
    """Whether the terms of all sources with these names let us publish rows; users judge their own sources."""
    return all(SOURCES[name].redistributable for name in sources if name in SOURCES)


def export(
    items: Sequence[Built], folder: Path, *, left_out: Sequence[Built] = (), repo_id: str = DATASET_NAME
) -> Path:
    """Write `folder/gene-bench`, ready for `load_dataset(path, config)` and for the Hub; what was there is replaced.

    Args:
        items: Tasks and tables, at least one.
        folder: Where the repository folder goes.
        left_out: What the card names as left out, because its rows may not be redistributed.
        repo_id: What the card tells readers to load.

    Returns:
        Path of the repository folder.

    Raises:
        ExportError: `folder/gene-bench` holds something other than an export.
        FileError: It cannot be written; what was there stays.
    """
    target = folder / DATASET_NAME
    ours = (CARD, EVAL_FILE, *DATA_FILES.values())
    strange = [path for path in target.rglob("*") if path.is_file() and path.name not in ours]
    if strange or target.is_file():
        message = (
            f"{target} is not an earlier export ({(strange or [target])[0]}) and is left alone; choose another folder"
        )
        raise ExportError(message)
    texts = {CARD: _card(items, left_out, repo_id), EVAL_FILE: _eval_yaml(items)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Written beside it and then moved, so that a reader never sees half of it.
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{DATASET_NAME}-") as scratch:
            made = Path(scratch) / DATASET_NAME
            for item in items:
                (made / item.config.name).mkdir(parents=True)
                for split, part in parts_of(item.dataset).items():
                    part.to_parquet(made / item.config.name / DATA_FILES[split])
            for name, text in texts.items():
                (made / name).write_text(text, encoding="utf-8")
            if target.exists():
                target.rename(Path(scratch) / "replaced")
            made.rename(target)
    except OSError as error:
        message = f"cannot write {target}: {error.strerror or error}"
        raise FileError(message) from error
    return target


def _sources(items: Sequence[Built]) -> list[Source]:
    """Where rows come from, each source once: the config's own first, then the others that gave it a file."""
    names = [name for item in items for name in (item.config.source, *_input_sources(item))]
    # A user's own builder is in no list of ours.
    known = SOURCES | {item.config.source: builder_of(item.config.name).SOURCE for item in items}
    return [known[name] for name in dict.fromkeys(names)]


def _input_sources(item: Built) -> list[str]:
    # Sorted here and below: the audit of a build and the same audit read from the cache differ in order.
    return [name.partition("/")[0] for name in sorted(item.audit.inputs)]


def _eval_yaml(items: Sequence[Built]) -> str:
    """What makes a dataset a Benchmark on the Hub: its ranked tasks, or where there are none, the example tasks."""
    tasks = [(item.config, item.dataset) for item in items if isinstance(item.config, TaskConfig)]
    tasks = [(config, dataset) for config, dataset in tasks if config.ranked] or tasks
    content = {
        "name": DATASET_NAME,
        "description": DESCRIPTION,
        "evaluation_framework": DATASET_NAME,
        "tasks": [
            {"id": config.name, "config": config.name, "split": _scored_split(dataset)} for config, dataset in tasks
        ],
    }
    return str(yaml.safe_dump(content, sort_keys=False, width=120))


def _scored_split(dataset: datasets.Dataset) -> str:
    return "test" if SPLIT in dataset.column_names else "train"


def _card(items: Sequence[Built], left_out: Sequence[Built], repo_id: str) -> str:
    sources = _sources(items)
    data = DatasetCardData(
        pretty_name=DATASET_NAME,
        language=["en"],
        license=_license(sources),
        tags=["biology", "genes", "benchmark", "embeddings"],
    )
    infos = {item.config.name: _info(item) for item in items}
    DatasetInfosDict(infos).to_dataset_card_data(data)
    configs = {
        name: {
            "data_files": [{"split": split, "path": f"{name}/{split}-*.parquet"} for split in info.splits or ["train"]]
        }
        for name, info in infos.items()
    }
    MetadataConfigs(configs).to_dataset_card_data(data)
    tasks = [item for item in items if isinstance(item.config, TaskConfig)]
    text = Template(
        files("gene_eval.publishing").joinpath("templates/dataset_card.md").read_text(encoding="utf-8")
    ).substitute(
        repo=repo_id,
        example=(tasks or items)[0].config.name,
        tasks="\n".join(_task_rows(tasks)) or "None.",
        tables="\n".join(_table_lines(items)) or "None.",
        sources="\n".join(_source_line(source) for source in sources),
        left_out="\n".join(_left_out_line(item) for item in left_out) or "Nothing.",
        audits="\n".join(_audit_lines(item) for item in items),
    )
    return f"---\n{data.to_yaml(line_break=chr(10))}\n---\n{text}"


def _info(item: Built):  # type: ignore[no-untyped-def]  # datasets ships no types
    info = item.dataset.info.copy()
    info.config_name = item.config.name
    return info


def _license(sources: Sequence[Source]) -> str:
    """The Hub's id of the licence if all sources have the same, else "other": the card lists them one by one."""
    names = {source.license.lower() for source in sources}
    return names.pop() if len(names) == 1 else "other"


def _task_rows(tasks: Sequence[Built]) -> list[str]:
    rows = ["| config | target | entity | family | n | what a label says |", "| --- | --- | --- | --- | --- | --- |"]
    for item in tasks:
        config = item.config
        assert isinstance(config, TaskConfig)
        cells = (config.name, config.target, config.entity, config.family, f"{len(item.dataset):,}", config.description)
        rows.append(f"| {' | '.join(cells)} |")
    return rows if tasks else []


def _table_lines(items: Sequence[Built]) -> list[str]:
    tables = [item for item in items if not isinstance(item.config, TaskConfig)]
    return [f"- `{item.config.name}` ({len(item.dataset):,} rows): {item.config.description}" for item in tables]


def _source_line(source: Source) -> str:
    terms = f"[{source.license}]({source.license_url})"
    return f"- [{source.title}]({source.homepage}), version {source.version}, {terms}. {source.citation}"


def _left_out_line(item: Built) -> str:
    closed = [source for source in _sources([item]) if not source.redistributable]
    titles = ", ".join(f"[{source.title}]({source.license_url or source.homepage})" for source in closed)
    return f"- `{item.config.name}`: the terms of {titles} do not state that rows may be redistributed."


def _audit_lines(item: Built) -> str:
    audit = item.audit
    lines = [f"- `{item.config.name}` {item.config.version}: {audit.summary()}."]
    if audit.labels_dropped:
        dropped = ", ".join(f"{label} ({count})" for label, count in sorted(audit.labels_dropped.items()))
        lines.append(f"  Rare labels dropped: {dropped}.")
    lines += [f"  {note}." for note in (audit.splits_summary(), *audit.notes) if note]
    lines += [f"  No folds by {scheme}: {reason}." for scheme, reason in audit.no_splits.items()]
    lines.append(f"  Inputs: {', '.join(f'{name} sha256 {digest}' for name, digest in sorted(audit.inputs.items()))}.")
    return "\n".join(lines)
