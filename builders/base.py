"""The base of every builder: a task is one `TaskConfig`; a builder adds `rows()` and nothing else."""

import contextlib
import hashlib
import inspect
import os
import shutil
import sys
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
from datasets.builder import Key
from datasets.utils._filelock import FileLock

from builders import audit, folds, labels, raw_files, symbols
from builders.audit import Audit
from builders.errors import TaskDataError, UnknownTaskError
from builders.folds import N_FOLDS, assign_folds
from builders.labels import Duplicates, Target, drop_rare, encode, one_row_per_entity
from builders.raw_files import RawFiles, Source
from builders.readers import tables
from builders.readers.columns import require_columns
from builders.readers.tables import read_table
from builders.symbols import ALL_STEPS, HGNC, HGNC_COLUMNS, Status, SymbolResolver

__all__ = ["DATASET_NAME", "ENTITY_COLUMNS", "GeneTaskBuilder", "TableConfig", "TaskConfig"]

DATASET_NAME = "gene-bench"
Entity = Literal["gene", "gene_pair", "gene_disease", "sequence"]
Family = Literal["genomic", "regulatory", "localization", "biological_process", "protein"]
ENTITY_COLUMNS: dict[Entity, tuple[str, ...]] = {
    "gene": ("symbol",),
    "gene_pair": ("symbol_a", "symbol_b"),
    "gene_disease": ("symbol", "disease_id"),
    "sequence": ("sequence_id",),
}


@dataclass
class _Config(datasets.BuilderConfig):  # type: ignore[misc]  # datasets ships no types
    version: str | datasets.Version | None = "1.0.0"
    license: str = ""
    source: str = ""
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.version = datasets.Version(str(self.version))


@dataclass
class TaskConfig(_Config):
    """Everything there is to say about a task; published tasks are never edited, a fix is a new version.

    Args:
        name: Task id, `<source>_<task>` in snake case.
        version: Version of the task's meaning: raise it when rows or labels would differ for the same input.
        description: What a label says about a gene, in one sentence.
        target: "binary", "multiclass", "multilabel" or "regression".
        entity: What a row is about; its columns are `ENTITY_COLUMNS[entity]`.
        family: Family of the paper's tables S1 to S5.
        figure2_family: Family in the paper's Figure 2 and Table 1, where it differs.
        labels: Names where their order matters: (negative, positive) of a binary task.
        column: Column, file or set of the source that holds the labels.
        files: Keys of the source's files that the task needs. Default: all.
        duplicates: What becomes of several rows of one entity: "agree" or "union" (see `one_row_per_entity`).
        gene_table: Config that holds the genes of this task, whose vectors are scored.
        ranked: Whether the task counts in a ranking (the embedded starter tasks do not).
        paper_name: Name in arXiv 2412.04075, if the task is from there.
        paper_size: Its number of entities there.
        license: Licence of the rows. Default: the source's.
        source: Set by the builder.
    """

    target: Target = "binary"
    entity: Entity = "gene"
    family: Family = "biological_process"
    figure2_family: Family | None = None
    labels: tuple[str, ...] | None = None
    column: str | None = None
    duplicates: Duplicates = "agree"
    gene_table: str = "genes"
    ranked: bool = True
    paper_name: str | None = None
    paper_size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.figure2_family = self.figure2_family or self.family


@dataclass
class TableConfig(_Config):
    """A table that tasks refer to (the genes), not a task.

    Args:
        name: Config name.
        version: Version of the columns' meaning.
        description: What a row is.
        features: Columns and their types; one that `rows()` leaves out, for want of its source, is not in the table.
        files: Keys of the source's files that the table needs. Default: all.
        license: Licence of the rows. Default: the source's.
        source: Set by the builder.
    """

    features: datasets.Features | None = None


class GeneTaskBuilder(datasets.ArrowBasedBuilder):  # type: ignore[misc]  # datasets ships no types
    """Turns the raw files of one source into tasks with the columns `symbol` (or the entity's), `label` and `fold`.

    A subclass sets `SOURCE` and `BUILDER_CONFIGS` and writes `rows()`. Identifiers, duplicates, rare labels, label
    numbers and folds are done here, the same way for all. The dataset's hash covers the code and the sha256 of every
    input, so a changed file or rule is a new dataset.

    Args:
        config_name: Task id (or table name).
        data_dir: Folder with raw files, see `RawFiles`.
        cache_dir: Root of the datasets cache. Default: that of `datasets`.
        raw: Raw files shared with other builders of the same run, instead of `data_dir`.

    Raises:
        UnknownTaskError: The source has no such config.
        MissingFileError: A raw file is not there.
    """

    SOURCE: ClassVar[Source]
    BUILDER_CONFIGS: ClassVar[list[_Config]]
    BUILDER_CONFIG_CLASS = TaskConfig
    # Whether the raw files come with the package, so that a build needs neither a folder nor a network.
    PACKAGED: ClassVar[bool] = False
    # How identifiers may be resolved; see `SymbolResolver.resolve`.
    RESOLVE_BY: ClassVar[tuple[Status, ...]] = ALL_STEPS

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for config in cls.BUILDER_CONFIGS:
            config.source = cls.SOURCE.name
            config.license = config.license or cls.SOURCE.license

    def __init__(
        self,
        config_name: str,
        *,
        data_dir: str | Path | None = None,
        cache_dir: str | Path | None = None,
        raw: RawFiles | None = None,
    ) -> None:
        if config_name not in self.builder_configs:
            message = f"{self.SOURCE.title} has no task '{config_name}'; it has {', '.join(self.builder_configs)}"
            raise UnknownTaskError(message)
        self.raw = raw or RawFiles(data_dir, cache_dir=cache_dir)
        self.audit = Audit(paper_n=getattr(self.builder_configs[config_name], "paper_size", None))
        self._paths: dict[tuple[str, str], Path | None] = {}
        for origin, key in self.inputs(self.builder_configs[config_name]):
            path = self.locate(origin, key)
            self._paths[origin.name, key] = path
            if path is not None:
                # A download has a name of the cache's own.
                names = origin.files[key].names
                name = next((name for name in names if path.as_posix().endswith(f"/{name}")), names[0])
                self.audit.inputs[f"{origin.name}/{name}"] = self.raw.sha256(path)
        super().__init__(
            cache_dir=str(cache_dir) if cache_dir else None,
            dataset_name=DATASET_NAME,
            config_name=config_name,
            hash=self._fingerprint(self.builder_configs[config_name]),
        )

    @abstractmethod
    def rows(self, config: Any) -> pd.DataFrame:
        """Read the labels of one task from the raw files.

        Returns:
            The entity's columns with identifiers as the source has them, and `label`: a name (binary, multiclass), a
            collection of names (multilabel) or a number. A column `<entity column>_alt` may hold a second identifier,
            tried where the first is unknown. A missing value is a missing row. For a `TableConfig`: the table itself.
        """

    def inputs(self, config: Any) -> list[tuple[Source, str]]:
        """Raw files that a config needs: its own, and HGNC to resolve identifiers."""
        own = [(self.SOURCE, key) for key in config.files or self.SOURCE.files]
        hgnc = (HGNC, "complete_set")
        return own if hgnc in own or self.PACKAGED else [*own, hgnc]

    def locate(self, origin: Source, key: str) -> Path | None:
        """Path of a raw file; None for an optional one that is not there."""
        return self.raw.path(origin, key)

    def path(self, key: str, origin: Source | None = None) -> Path:
        """Path of a required raw file of this config."""
        found = self._paths[(origin or self.SOURCE).name, key]
        assert found is not None, key
        return found

    def read(self, key: str, columns: tuple[str, ...], **options: Any) -> pd.DataFrame:
        """Columns of a raw table as strings; see `read_table`. A table is parsed once per run, for all its columns."""
        return self.table(self.path(key), columns, **options)[list(columns)]

    def table(self, path: Path, columns: tuple[str, ...], **options: Any) -> pd.DataFrame:
        """The whole table, with at least these columns."""
        frame: pd.DataFrame = self.raw.once(
            (path, *sorted(options.items())), lambda: read_table(path, columns, all_columns=True, **options)
        )
        require_columns(path, columns, frame.columns.tolist())
        return frame

    def hgnc(self, *columns: str) -> pd.DataFrame:
        """HGNC's complete set with the columns of `HGNC_COLUMNS` and these."""
        return self.table(self.path("complete_set", HGNC), (*HGNC_COLUMNS, *columns))

    def resolver(self) -> SymbolResolver:
        """The resolver over HGNC's complete set, made once per run."""
        made: SymbolResolver = self.raw.once(
            (self.path("complete_set", HGNC), "resolver"), lambda: SymbolResolver(self.hgnc())
        )
        return made

    def finish(self, config: TaskConfig) -> tuple[pa.Table, datasets.Features]:
        """Everything between `rows()` and the dataset: identifiers, duplicates, rare labels, numbers, folds."""
        keys = list(ENTITY_COLUMNS[config.entity])
        rows = self.rows(config).reset_index(drop=True)
        self.audit.rows_read = len(rows)
        if not self.PACKAGED:
            rows = self._resolve(rows, [key for key in keys if key.startswith("symbol")])
        if config.entity == "gene_pair":
            rows = self._unordered(rows, keys)
        if config.target == "multilabel":
            rows = rows.assign(label=rows["label"].map(lambda cell: tuple(sorted(set(cell)))))
        rows = one_row_per_entity(rows, keys, config.duplicates, self.audit)
        rows = drop_rare(rows, config.target, self.audit)
        self.audit.n = len(rows)
        if len(rows) < N_FOLDS:
            message = (
                f"{config.name}: {len(rows)} entities left, but {N_FOLDS} folds need {N_FOLDS} ({self.audit.summary()})"
            )
            raise TaskDataError(message)
        values, names = encode(rows, config.target, config.labels, config.name)
        stratify = values if config.target in ("binary", "multiclass") else None
        columns: dict[str, Any] = {key: rows[key].tolist() for key in keys}
        entities = ["\t".join(key) for key in zip(*columns.values(), strict=True)]
        features = datasets.Features({key: datasets.Value("string") for key in keys})
        label = datasets.ClassLabel(names=names) if names else datasets.Value("float64")
        features["label"] = datasets.List(label) if config.target == "multilabel" else label
        features["fold"] = datasets.Value("int8")
        columns |= {"label": values, "fold": assign_folds(entities, stratify)}
        return pa.table(columns, schema=features.arrow_schema), features

    def _resolve(self, rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        found = []
        for key in keys:
            resolution = self.resolver().resolve(rows[key].tolist(), by=self.RESOLVE_BY)
            if f"{key}_alt" in rows:
                resolution = resolution.or_else(
                    self.resolver().resolve(rows[f"{key}_alt"].tolist(), by=self.RESOLVE_BY)
                )
            found.append(resolution)
            rows = rows.assign(**{key: pd.Series(resolution.symbols, dtype=object)})
        if found:
            self.audit.add_resolution(sum(found[1:], start=found[0]))
        known = rows[keys].notna().all(axis=1)
        self.audit.rows_unmapped = int((~known).sum())
        return rows[known]

    def _unordered(self, rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        # (a, b) and (b, a) say the same. Left in, the order can give the label away: in Gene2vec 62 % of the related
        # pairs and half of the others stand in alphabetical order.
        pairs = np.sort(rows[keys].to_numpy(dtype=object), axis=1)
        rows = rows.assign(**dict(zip(keys, pairs.T, strict=True)))
        same = rows[keys[0]] == rows[keys[1]]
        if same.any():
            self.audit.notes.append(f"{int(same.sum())} rows pair a gene with itself and are left out")
        return rows[~same]

    def _fingerprint(self, config: _Config) -> str:
        module = sys.modules[type(self).__module__]
        shared = {module, audit, folds, labels, raw_files, symbols, tables, sys.modules[__name__]}
        # What the builder's module imports decides over its rows as well: a reader of pickles, of sequences.
        members = [value for value in vars(module).values() if inspect.isfunction(value) or inspect.isclass(value)]
        shared |= {sys.modules[value.__module__] for value in members if value.__module__.startswith("builders.")}
        code = [inspect.getsource(part) for part in sorted(shared, key=lambda part: part.__name__)]
        parts = [*code, repr(config), *(f"{name}={digest}" for name, digest in sorted(self.audit.inputs.items()))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _info(self) -> datasets.DatasetInfo:
        source = self.SOURCE
        return datasets.DatasetInfo(
            description=self.config.description,
            citation=source.citation,
            homepage=source.homepage,
            license=self.config.license,
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        # The sha256 of the inputs takes the place of what the download manager would record.
        dl_manager.record_checksums = False
        if isinstance(self.config, TableConfig):
            rows = self.rows(self.config)
            declared = self.config.features or {}
            features = datasets.Features({name: kind for name, kind in declared.items() if name in rows})
            table = pa.Table.from_pandas(rows, schema=features.arrow_schema, preserve_index=False)
            self.audit.n = self.audit.rows_read = len(table)
        else:
            table, features = self.finish(self.config)
        self.info.features = features
        self.info.download_checksums = {name: {"checksum": sha} for name, sha in self.audit.inputs.items()}
        self.info.description = f"{self.config.description}\n\n{self.audit.summary()}"
        return [datasets.SplitGenerator(name=datasets.Split.TRAIN, gen_kwargs={"table": table})]

    def _generate_tables(self, table: pa.Table) -> Iterator[tuple[Key, pa.Table]]:
        yield Key(0, 0), table

    def _download_and_prepare(self, dl_manager: Any, verification_mode: Any, **options: Any) -> None:
        super()._download_and_prepare(dl_manager, verification_mode, **options)
        self.audit.write(Path(self._output_dir))

    def prepare(self) -> bool:
        """Build the dataset unless the cache has it; make it the one that `load_dataset("gene-bench", ...)` finds.

        Returns:
            Whether it was built now.
        """
        folder = Path(self.cache_dir)
        cached = (folder / datasets.config.DATASET_INFO_FILENAME).is_file()
        for stale in folder.parent.glob("*.incomplete"):
            # Left by a killed build (a live one holds its lock); load_dataset would look for a dataset_info.json in it.
            lock = FileLock(f"{stale.with_suffix('')}_builder.lock", timeout=0)
            with contextlib.suppress(TimeoutError), lock:
                shutil.rmtree(stale)
        self.download_and_prepare()
        if cached:
            self.audit = Audit.read(folder)
        os.utime(folder)  # load_dataset takes the hash that was modified last
        return not cached
