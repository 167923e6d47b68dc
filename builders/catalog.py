"""The one list of sources, and the way from a task id to its rows."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builders import cache
from builders.audit import Audit
from builders.base import GeneTaskBuilder
from builders.config import TableConfig, TaskConfig
from builders.errors import BuilderError, TaskDataError, UnknownTaskError
from builders.raw_files import RawFiles
from builders.sources.covariates import CovariatesBuilder
from builders.sources.extended.bagel import BagelBuilder
from builders.sources.extended.clingen import ClinGenBuilder
from builders.sources.extended.diseases import DiseasesBuilder
from builders.sources.extended.gene_lists import GeneListsBuilder
from builders.sources.extended.housekeeping import HousekeepingBuilder
from builders.sources.extended.one_table import builder_of_table
from builders.sources.extended.surfaceome import SurfaceomeBuilder
from builders.sources.extended.tables import TABLES
from builders.sources.gene2vec import Gene2vecBuilder
from builders.sources.geneb.builder import GenebBuilder
from builders.sources.genecorpus import GenecorpusBuilder
from builders.sources.genen.deeploc import DeeplocBuilder
from builders.sources.genen.tasks import GenellmBuilder, LitgeneBuilder
from builders.sources.genes.builder import GenesBuilder
from builders.sources.go.builder import GoBuilder
from builders.sources.graphs.go import GoGraphBuilder
from builders.sources.graphs.interactions import BiogridBuilder, HuriBuilder
from builders.sources.graphs.string import StringBuilder
from builders.sources.hgnc import HgncBuilder
from builders.sources.hpa.builder import HpaBuilder
from builders.sources.humantfs import HumanTfsBuilder
from builders.sources.opentargets import OpenTargetsBuilder
from builders.sources.reactome import ReactomeBuilder
from builders.sources.starter.builder import StarterBuilder
from builders.sources.uniprot import UniProtBuilder
from builders.text import did_you_mean
from builders.user_builders import import_builder, is_builder_spec, one_line_failures

if TYPE_CHECKING:
    import datasets

__all__ = ["BUILDERS", "Built", "builder_of", "cached", "configs", "load", "select"]

BUILDERS: tuple[type[GeneTaskBuilder], ...] = (
    GenesBuilder,
    ReactomeBuilder,
    HumanTfsBuilder,
    HgncBuilder,
    HpaBuilder,
    Gene2vecBuilder,
    OpenTargetsBuilder,
    UniProtBuilder,
    GenecorpusBuilder,
    LitgeneBuilder,
    GenellmBuilder,
    DeeplocBuilder,
    CovariatesBuilder,
    BagelBuilder,
    GeneListsBuilder,
    ClinGenBuilder,
    SurfaceomeBuilder,
    HousekeepingBuilder,
    DiseasesBuilder,
    *map(builder_of_table, TABLES),
    StringBuilder,
    HuriBuilder,
    BiogridBuilder,
    GoGraphBuilder,
    GoBuilder,
    GenebBuilder,
    StarterBuilder,
)


@dataclass(frozen=True)
class Built:
    """A task or table that is ready to use.

    Args:
        config: What it is.
        dataset: Its rows.
        audit: How they came about.
        built: Whether it was made now; False if the cache had it.
    """

    config: TaskConfig | TableConfig
    dataset: datasets.Dataset
    audit: Audit
    built: bool


_user_builders: dict[str, type[GeneTaskBuilder]] = {}
"""Builders of the user's files by `file.py:Class`, for as long as the process lives."""


def configs() -> dict[str, TaskConfig | TableConfig]:
    """Every config of every source by name, in the order of `BUILDERS`; the user's own come last.

    Raises:
        TaskDataError: Two of ours have the same name.
    """
    ours = [config for builder in BUILDERS for config in builder.BUILDER_CONFIGS]
    named = {config.name: config for config in ours}
    if len(named) < len(ours):
        twice = next(config.name for config in ours if named[config.name] is not config)
        message = f"two tasks are named {twice}; give each task a name of its own"
        raise TaskDataError(message)
    return named | {config.name: config for builder in _user_builders.values() for config in builder.BUILDER_CONFIGS}


def builder_of(name: str) -> type[GeneTaskBuilder]:
    """The builder that makes a config.

    Raises:
        UnknownTaskError: There is none; the message suggests the nearest name.
        TaskCodeError: It is `file.py:Class`, and the file cannot be run.
    """
    if is_builder_spec(name):
        _add(name)
    for builder in (*BUILDERS, *_user_builders.values()):
        if name in builder.builder_configs:
            return builder
    raise UnknownTaskError(_unknown(name, list(configs())))


def select(patterns: Sequence[str], *, tables: bool = False, sequences: bool = True) -> list[str]:
    """Names of the tasks (and, if asked for, tables) that match any of the patterns, in catalogue order.

    Args:
        patterns: Names or globs such as `reactome_*`, or a user's own builder as `file.py:Class`; none means all.
        tables: Whether tables such as `genes` count.
        sequences: Whether, without a pattern, tasks about sequences count (a hundred, each with files of its own), and
            those that are built on request only.

    Raises:
        UnknownTaskError: A pattern matches nothing; the message suggests the nearest name.
        BuilderError: A user's file cannot be run, or its task has a name that is taken.
    """
    patterns = [name for pattern in patterns for name in (_add(pattern) if is_builder_spec(pattern) else [pattern])]
    names = [
        name
        for name, config in configs().items()
        if (sequences or patterns or not _is_on_request(config) if isinstance(config, TaskConfig) else tables)
    ]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise UnknownTaskError(_unknown(pattern, names))
    return [name for name in names if not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def load(
    name: str, raw: RawFiles | None = None, *, cache_dir: str | Path | None = None, rebuild: bool = False
) -> Built:
    """Rows of a task or table: built from raw files, or what an earlier build left in the cache.

    With a data directory the cache is used only if it holds what these very files give. Without one, or where it has
    no folder of the source, the latest build of this version is taken, and only where there is none are the files
    downloaded.

    Args:
        name: Config name.
        raw: Raw files, shared between the builds of a run. Default: a new `RawFiles()`.
        cache_dir: Root of the datasets cache. Default: that of `datasets`.
        rebuild: Whether to go by the raw files even without a data directory, downloading what is not there.

    Raises:
        BuilderError: Unknown name, or the rows cannot be built.
    """
    builder, raw = builder_of(name), raw or RawFiles(cache_dir=cache_dir)
    folders = builder.folders(builder.builder_configs[name])
    is_elsewhere = raw.data_dir is None or not any((raw.data_dir / folder).is_dir() for folder in folders)
    if is_elsewhere and not builder.PACKAGED and not rebuild:
        found = cached(name, cache_dir=cache_dir)
        if found is not None:
            return found
    with one_line_failures(name, builder):
        made = builder(name, raw=raw, cache_dir=cache_dir)
        built = made.prepare()
    return Built(made.config, made.dataset, made.audit, built)


def cached(name: str, *, cache_dir: str | Path | None = None) -> Built | None:
    """The latest build of this version of a task or table that the cache has; None, and no download, if there is none.

    A build counts only if it was made by the present rules; that of a user's builder, only if its code is the same.

    Raises:
        UnknownTaskError: There is no such config.
    """
    builder = builder_of(name)
    for config in builder.variants(builder.builder_configs[name]):
        entry = cache.latest_entry(config, builder.rules(), cache_dir=cache_dir)
        if entry is not None:
            return Built(config, entry.dataset, entry.audit, built=False)
    return None


def _add(spec: str) -> list[str]:
    """Take a user's builder into the catalogue, in place of one of the same file and name, and list its configs."""
    builder = import_builder(spec)
    file, _, name = spec.partition(":")
    key = f"{Path(file).expanduser().resolve()}:{name}"
    if builder is not _user_builders.get(key):
        replaced = _user_builders[key].builder_configs if key in _user_builders else {}
        if taken := sorted(name for name in builder.builder_configs if name in configs() and name not in replaced):
            message = f"{spec}: the task name '{taken[0]}' is taken; choose another"
            raise BuilderError(message)
        _user_builders[key] = builder
    return list(builder.builder_configs)


def _is_on_request(config: TaskConfig) -> bool:
    return config.on_request or config.entity == "sequence"


def _unknown(name: str, names: list[str]) -> str:
    hint = did_you_mean(name, names) or ";"
    return f"no task matches '{name}'{hint} `gene-bench tasks` lists all {len(names)}"
