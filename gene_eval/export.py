"""Writes built tasks as a Hub dataset repository on disk: parquet per config, and a card with configs, licences, citations."""

import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCardData

from builders import DATASET_NAME, Built, Source, TaskConfig, builder_of

__all__ = ["export", "redistributable"]

DATA_FILE = "train-00000-of-00001.parquet"


def redistributable(built: Built) -> bool:
    """Whether the terms of a config's source let us publish rows made from it."""
    return builder_of(built.config.name).SOURCE.redistributable


def export(items: Sequence[Built], folder: Path) -> Path:
    """Write `folder/gene-bench`, ready for `load_dataset(path, config)` and for the Hub; what was there is replaced.

    Args:
        items: Tasks and tables, at least one.
        folder: Where the repository folder goes.

    Returns:
        Path of the repository folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / DATASET_NAME
    # Written beside and then moved, so that a reader never sees half of it.
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{DATASET_NAME}-") as scratch:
        made = Path(scratch) / DATASET_NAME
        for item in items:
            path = made / item.config.name / DATA_FILE
            path.parent.mkdir(parents=True)
            item.dataset.to_parquet(path)
        (made / "README.md").write_text(_card(items), encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "replaced")
        made.rename(target)
    return target


def _card(items: Sequence[Built]) -> str:
    sources = {item.config.source: builder_of(item.config.name).SOURCE for item in items}
    data = DatasetCardData(
        pretty_name=DATASET_NAME,
        language=["en"],
        license=_license(list(sources.values())),
        tags=["biology", "genes", "benchmark", "embeddings"],
    )
    infos = {item.config.name: _info(item) for item in items}
    DatasetInfosDict(infos).to_dataset_card_data(data)
    configs = {name: {"data_files": [{"split": "train", "path": f"{name}/train-*.parquet"}]} for name in infos}
    MetadataConfigs(configs).to_dataset_card_data(data)
    tasks = [item for item in items if isinstance(item.config, TaskConfig)]
    text = Template(files("gene_eval").joinpath("templates/dataset_card.md").read_text(encoding="utf-8")).substitute(
        example=(tasks or items)[0].config.name,
        tasks="\n".join(_task_rows(tasks)) or "None.",
        tables="\n".join(_table_lines(items)) or "None.",
        sources="\n".join(_source_lines(source) for source in sources.values()),
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


def _source_lines(source: Source) -> str:
    return f"- [{source.title}]({source.homepage}), version {source.version}, [{source.license}]({source.license_url}). {source.citation}"


def _audit_lines(item: Built) -> str:
    audit = item.audit
    lines = [f"- `{item.config.name}` {item.config.version}: {audit.summary()}."]
    if audit.labels_dropped:
        dropped = ", ".join(f"{label} ({count})" for label, count in audit.labels_dropped.items())
        lines.append(f"  Rare labels dropped: {dropped}.")
    lines += [f"  {note}." for note in audit.notes]
    lines.append(f"  Inputs: {', '.join(f'{name} sha256 {digest}' for name, digest in audit.inputs.items())}.")
    return "\n".join(lines)
