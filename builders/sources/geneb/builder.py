"""GENEB: 100 tasks on DNA sequences in 13 categories, as its dataset or its collections publish them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import MissingFileError
from builders.raw_files import Source
from builders.sequences.builder import SequenceTaskBuilder
from builders.sequences.config import SequenceConfig
from builders.sources.geneb.collections import COLLECTIONS, GENEB, genome_of
from builders.sources.geneb.layouts import READERS, read_geneb
from builders.sources.geneb.tasks import TASKS
from builders.text import some

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GenebBuilder"]


@dataclass(frozen=True)
class _Layout:
    """Files that together are a task: what each holds -> its key in the source."""

    source: Source
    files: dict[str, str]

    def is_optional(self, what: str) -> bool:
        return self.source.files[self.files[what]].optional

    def names(self, what: str) -> str:
        return f"{self.source.name}/{self.source.files[self.files[what]].names[0]}"


class GenebBuilder(SequenceTaskBuilder):
    """Rows and parts are as published; a validation part is kept, although GENEB drops it.

    The files of GENEB's own dataset count first, then those of the task's collection. Without a data directory GENEB's
    are downloaded.
    """

    SOURCE = GENEB
    RULES_VERSION = 1
    BUILDER_CONFIGS = TASKS

    @classmethod
    def folders(cls, config: SequenceConfig) -> tuple[str, ...]:
        """GENEB's, and that of the task's collection."""
        return (GENEB.name, COLLECTIONS[config.collection].source.name)

    def inputs(self, config: SequenceConfig) -> list[tuple[Source, str]]:  # noqa: D102
        self._layout = self._choose(config)
        return [(self._layout.source, key) for key in self._layout.files.values()]

    def _choose(self, config: SequenceConfig) -> _Layout:
        """The first layout whose files are all there.

        Raises:
            MissingFileError: There is none; the message says which part is missing, if another one is there.
        """
        layouts = list(_layouts(config))
        if self.raw.data_dir is None:
            return layouts[0]
        half: str | None = None
        for layout in layouts:
            there = {what: path for what in layout.files if (path := self._local(layout, what)) is not None}
            missing = [what for what in layout.files if what not in there and not layout.is_optional(what)]
            lacking = _half_there(config, layout, there, missing) if missing else _without_genome(config, there)
            if lacking is None:
                return layout
            if there and half is None:
                half = lacking
        if half is not None:
            raise MissingFileError(half)
        wanted = some([f"{layout.names(what)}" for layout in layouts for what in layout.files], limit=6)
        message = f"{config.name}: none of its files is in {self.raw.data_dir}; expected {wanted}"
        raise MissingFileError(message)

    def _local(self, layout: _Layout, what: str) -> Path | None:
        try:
            return self.raw.path(layout.source, layout.files[what])
        except MissingFileError:
            return None

    def rows(self, config: SequenceConfig) -> pd.DataFrame:  # noqa: D102
        layout = self._layout
        found = {what: self._paths[layout.source.name, key] for what, key in layout.files.items()}
        files = {what: path for what, path in found.items() if path is not None}
        assert config.column is not None
        if layout.source is GENEB:
            return _with_class_names(read_geneb(files, config.column), config.labels)
        return READERS[config.collection](files, config.column)


def _layouts(config: SequenceConfig) -> Iterator[_Layout]:
    name = config.upstream_id
    yield _Layout(GENEB, {part: f"{name}/{part}" for part in ("train", "test")})
    yield _Layout(GENEB, {"all": f"{name}/all"})
    collection, key = COLLECTIONS[config.collection], config.column
    assert key is not None
    if holds := collection.holds[key]:
        files = {what: f"{key}/{what}" for what in holds}
        if config.collection == "genomic_benchmarks":
            files |= {each: each for each in (genome_of(key, what.rpartition("/")[2]) for what in holds)}
        yield _Layout(collection.source, files)


def _half_there(config: SequenceConfig, layout: _Layout, there: dict[str, Path], missing: list[str]) -> str:
    file = layout.source.files[layout.files[missing[0]]]
    has = some([f"{what} ({path})" for what, path in there.items()], limit=3)
    where = file.url or layout.source.homepage
    return (
        f"{config.name}: half of it is there: it has {has}, but {some(missing)} is missing; put"
        f" {layout.names(missing[0])} into the data directory, from {where}"
    )


def _without_genome(config: SequenceConfig, there: dict[str, Path]) -> str | None:
    """What is missing for the classes of Genomic Benchmarks that are given as coordinates; None if nothing is."""
    assert config.column is not None
    for what, path in there.items():
        _, is_class, name = what.partition("/")
        if is_class and path.is_file() and (genome := genome_of(config.column, name)) not in there:
            return (
                f"{config.name}: {path} has coordinates only, and the genome is missing: put {genome}, unpacked, into"
                f" {path.parents[2]}/genomes (see metadata.yaml beside it for where it is)"
            )
    return None


def _with_class_names(rows: pd.DataFrame, names: tuple[str, ...] | None) -> pd.DataFrame:
    """Rows with the names of classes that GENEB's files number."""
    if names is None:
        return rows
    numbered = {str(number): name for number, name in enumerate(names)}
    return rows.assign(label=rows["label"].map(lambda label: numbered.get(label, label)))
