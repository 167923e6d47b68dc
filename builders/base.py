"""The base of every builder: a task is one `TaskConfig`; a builder adds `rows()` and nothing else."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from builders import cache
from builders.audit import Audit
from builders.config import ENTITY_COLUMNS, TableConfig, TaskConfig
from builders.errors import MissingFileError, TaskCodeError, TaskDataError, UnknownTaskError
from builders.folds import FOLD_SCHEME, N_FOLDS, GeneGroups, fold_columns
from builders.folds.families import FAMILIES, PFAM
from builders.folds.genes import read_gene_groups
from builders.folds.parts import in_parts, one_part_each
from builders.labels import check_rows, drop_rare, encode, one_row_per_entity, task_rows, task_table
from builders.raw_files import RawFiles, Source
from builders.readers.columns import require_columns
from builders.readers.label_columns import labelled_rows
from builders.readers.tables import read_table
from builders.symbols import ALL_STEPS, HGNC, HGNC_COLUMNS, HGNC_RENAMED, Resolution, Status, SymbolResolver
from builders.text import some

if TYPE_CHECKING:
    import datasets
    import pandas as pd

    from builders.dataset import Content

__all__ = ["FRAME_VERSION", "GeneTaskBuilder", "TableConfig", "TaskConfig"]

FRAME_VERSION = 3
"""Version of the rules that all builders share: readers, symbols, labels.

Raise it when rows would differ for the same input; folds have `FOLD_SCHEME`, a source has `RULES_VERSION`. If you
forget, a test that compares rows kept in the repository fails."""


class GeneTaskBuilder:
    """Turns the raw files of one source into tasks with the columns `symbol` (or the entity's), `label` and `fold`.

    A subclass sets `SOURCE` and `BUILDER_CONFIGS`, and writes `rows()` or sets `IDENTIFIERS`. Identifiers, duplicates,
    rare labels, label numbers and folds are done here, the same way for all. The dataset's hash covers the versions of
    the rules and the sha256 of every input, so a changed file or rule is a new dataset; for a builder from outside this
    package, it covers the source of its file.

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
    BUILDER_CONFIGS: ClassVar[list[Any]]
    # Version of what `rows()` does: raise it when rows would differ for the same input.
    RULES_VERSION: ClassVar[int] = 1
    # Whether the raw files come with the package, so that a build needs neither a folder nor a network.
    PACKAGED: ClassVar[bool] = False
    # Columns of a source that is one table: identifiers, and perhaps a second one; how its cells are separated; the
    # names of all, where the file has no header line.
    IDENTIFIERS: ClassVar[tuple[str, ...]] = ()
    SEPARATOR: ClassVar[str] = "\t"
    COLUMNS: ClassVar[tuple[str, ...]] = ()
    # How identifiers may be resolved; see `SymbolResolver.resolve`.
    RESOLVE_BY: ClassVar[tuple[Status, ...]] = ALL_STEPS
    builder_configs: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for config in cls.BUILDER_CONFIGS:
            config.validate()
            config.source = cls.SOURCE.name
            config.license = config.license or cls.SOURCE.license
        cls.builder_configs = {config.name: config for config in cls.BUILDER_CONFIGS}

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
        self.config: Any = self.builder_configs[config_name]
        self.raw = raw or RawFiles(data_dir, cache_dir=cache_dir)
        self.audit = Audit(paper_n=getattr(self.config, "paper_size", None))
        self._paths: dict[tuple[str, str], Path | None] = {}
        for origin, key in (*self.inputs(self.config), *self._fold_inputs()):
            path = self.locate(origin, key)
            self._paths[origin.name, key] = path
            if path is not None:
                # A download has a name of the cache's own.
                names = origin.files[key].names
                name = next((name for name in names if path.as_posix().endswith(f"/{name}")), names[0])
                self.audit.inputs[f"{origin.name}/{name}"] = self.raw.sha256(path)
        self.config = self.choose_variant(self.config)
        self.cache_dir = cache.entry_folder(self.config, self._fingerprint(), cache_dir=cache_dir)
        self._entry: cache.Entry | None = None

    @classmethod
    def folders(cls, config: Any) -> tuple[str, ...]:
        """Folders of a data directory of which each may hold the files of a config."""
        return (cls.SOURCE.name,)

    @classmethod
    def column_origins(cls, config: Any) -> dict[str, Source]:
        """Column -> its source, where the columns of a table come from several; empty where rows are of one piece."""
        return {}

    def rows(self, config: Any) -> pd.DataFrame:
        """Read the labels of one task from the raw files; by default, from `config.column` beside `IDENTIFIERS`.

        Returns:
            The entity's columns with identifiers as the source has them, and `label`: a name (binary, multiclass), a
            collection of names (multilabel) or a number. A column `<entity column>_alt` may hold a second identifier,
            tried where the first is unknown, and `split` the part ("train" or "test") of a task that comes in parts. A
            missing value is a missing row. For a `TableConfig`: the table itself.
        """
        if not self.IDENTIFIERS:
            message = f"{type(self).__name__} has neither rows() nor IDENTIFIERS, the columns that name genes"
            raise TaskCodeError(message)
        if not config.column:
            message = f"{config.name}: its config names no column; set column to that of the labels"
            raise TaskCodeError(message)
        key = (config.files or tuple(self.SOURCE.files))[0]
        table = self.read_columns(key, (*self.IDENTIFIERS, config.column))
        return labelled_rows(table, self.IDENTIFIERS, config, path=self.path(key), audit=self.audit)

    def inputs(self, config: Any) -> list[tuple[Source, str]]:
        """Raw files that a config needs: its own, and HGNC to resolve identifiers."""
        needed = [(self.SOURCE, key) for key in config.files or self.SOURCE.files]
        hgnc = (HGNC, "complete_set")
        return needed if hgnc in needed or self.PACKAGED else [*needed, hgnc]

    def _fold_inputs(self) -> list[tuple[Source, str]]:
        """Optional files that folds are made from, for a task about genes."""
        is_about_genes = isinstance(self.config, TaskConfig) and self.config.entity != "sequence"
        if self.PACKAGED or not is_about_genes or (HGNC, "complete_set") not in self.inputs(self.config):
            return []
        return [PFAM, (FAMILIES, "tables")]

    def gene_groups(self) -> GeneGroups:
        """Families and chromosomes of genes, as far as the raw files at hand give them."""
        if not self._fold_inputs():
            return GeneGroups(
                absent=dict.fromkeys(
                    ("family", "chromosome"), "this source gives neither families nor chromosomes of genes"
                )
            )
        domains, tables = (self._paths[origin.name, key] for origin, key in self._fold_inputs())
        groups: GeneGroups = self.raw.once(
            ("gene groups", self.path("complete_set", HGNC), domains, tables),
            lambda: read_gene_groups(self.hgnc(), self.resolver(), domains=domains, tables=tables),
        )
        return groups

    @classmethod
    def variants(cls, config: Any) -> list[Any]:
        """The config, then its other versions, for releases of the source in which the labels mean something else."""
        return [config]

    def choose_variant(self, config: Any) -> Any:
        """The one of `variants` that the raw files at hand make."""
        return config

    def locate(self, origin: Source, key: str) -> Path | None:
        """Path of a raw file; None for an optional one that is not there.

        A builder from outside this package may also use the copy that the gene table was built from.
        """
        try:
            return self.raw.path(origin, key)
        except MissingFileError:
            kept = self.raw.kept(origin, key) if self._code_sha256() else None
            if kept is None:
                raise
            return kept

    def path(self, key: str, origin: Source | None = None) -> Path:
        """Path of a required raw file of this config."""
        found = self._paths[(origin or self.SOURCE).name, key]
        assert found is not None, key
        return found

    def read(self, key: str, columns: tuple[str, ...], **options: Any) -> pd.DataFrame:
        """Columns of a raw table as strings; see `read_table`. A table is parsed once per run, for all its columns."""
        return self.table(self.path(key), columns, **options)[list(columns)]

    def read_columns(self, key: str, columns: tuple[str, ...]) -> pd.DataFrame:
        """Columns of a raw table whose form `SEPARATOR` and `COLUMNS` describe."""
        if not self.COLUMNS:
            return self.read(key, columns, sep=self.SEPARATOR)
        require_columns(self.path(key), columns, list(self.COLUMNS))
        return self.read(key, self.COLUMNS, sep=self.SEPARATOR, header=False)[list(columns)]

    def table(self, path: Path, columns: tuple[str, ...], **options: Any) -> pd.DataFrame:
        """All columns of a table, which must have at least these."""
        frame: pd.DataFrame = self.raw.once(
            (path, *sorted(options.items())), lambda: read_table(path, columns, all_columns=True, **options)
        )
        require_columns(path, columns, frame.columns.tolist())
        return frame

    def hgnc(self, *columns: str) -> pd.DataFrame:
        """HGNC's complete set with the columns of `HGNC_COLUMNS` and these."""
        return self.table(self.path("complete_set", HGNC), (*HGNC_COLUMNS, *columns), renamed=HGNC_RENAMED)

    def resolver(self) -> SymbolResolver:
        """Resolver over this config's HGNC file."""
        resolver: SymbolResolver = self.raw.once(
            (self.path("complete_set", HGNC), "resolver"), lambda: SymbolResolver(self.hgnc())
        )
        return resolver

    @property
    def symbol_columns(self) -> list[str]:
        """Entity columns that hold genes."""
        return [key for key in ENTITY_COLUMNS[self.config.entity] if key.startswith("symbol")]

    def source_rows(self) -> pd.DataFrame:
        """What `rows()` returns for a task, checked.

        Raises:
            TaskDataError: It is not a frame with the entity's columns and labels of the target's type.
        """
        rows = self.rows(self.config)
        try:
            return check_rows(rows, ENTITY_COLUMNS[self.config.entity], self.config.target)
        except TaskDataError as error:
            code = getattr(inspect.unwrap(type(self).rows), "__code__", None)
            line = f" ({Path(code.co_filename).name}, line {code.co_firstlineno})" if code else ""
            message = f"{self.config.name}: {error}{line}"
            raise TaskDataError(message) from error

    def resolutions(self, rows: pd.DataFrame) -> dict[str, Resolution]:
        """What became of the identifiers: gene column -> one match per row, of the second identifier where it won."""
        found = {}
        for key in [] if self.PACKAGED else self.symbol_columns:
            found[key] = self.resolver().resolve(rows[key].tolist(), by=self.RESOLVE_BY)
            if f"{key}_alt" in rows:
                second = self.resolver().resolve(rows[f"{key}_alt"].tolist(), by=self.RESOLVE_BY)
                found[key] = found[key].or_else(second)
        return found

    def prepare(self) -> bool:
        """Build the dataset unless the cache has it; make it the one that `load_dataset("gene-bench", ...)` finds.

        Returns:
            Whether it was built now.

        Raises:
            CacheError: The cache lacks it and cannot be written.
        """
        self._entry, built = cache.find_entry(self.cache_dir), False
        if self._entry is None:
            self._entry, built = cache.make_entry(self.cache_dir, self.config, self.rules(), self._build_content)
        self.audit = self._entry.audit
        cache.mark_latest(self.cache_dir)
        return built

    def download_and_prepare(self) -> None:
        """Build the dataset unless the cache has it, as a builder of `datasets` does."""
        self.prepare()

    @property
    def dataset(self) -> datasets.Dataset:
        """All rows, built if need be."""
        if self._entry is None:
            self.prepare()
        assert self._entry is not None
        return self._entry.dataset

    def as_dataset(self, split: str | None = None) -> Any:
        """The rows of a split, by default a `DatasetDict` of all; built if need be. Most tasks have only "train"."""
        from builders.dataset import parts_of

        parts = parts_of(self.dataset)
        if split is not None and split not in parts:
            message = f"{self.config.name} has no split '{split}'; it has {', '.join(map(repr, parts))}"
            raise UnknownTaskError(message)
        return parts if split is None else parts[split]

    @property
    def info(self) -> datasets.DatasetInfo:
        """What the dataset says about itself; built if need be."""
        return self.dataset.info

    @classmethod
    def rules(cls) -> str:
        """Versions of everything that rows depend on, besides config and raw files."""
        code = cls._code_sha256()
        return f"frame {FRAME_VERSION}, folds {FOLD_SCHEME}, rules {cls.RULES_VERSION}" + (code and f", code {code}")

    @classmethod
    def _code_sha256(cls) -> str:
        """Hash of the files that define a builder from outside this package; empty for those inside."""
        modules = {
            each.__module__: each for each in cls.__mro__ if not each.__module__.startswith(("builders.", "builtins"))
        }
        digest = hashlib.sha256()
        for name, member in sorted(modules.items()):
            module = sys.modules[name]
            if compiled := getattr(module, "__source_sha256__", None):
                digest.update(str(compiled).encode())
            elif (file := getattr(module, "__file__", None)) and Path(file).is_file():
                digest.update(Path(file).read_bytes())
            else:
                digest.update(_source(member))
        return digest.hexdigest() if modules else ""

    def _fingerprint(self) -> str:
        parts = {"rules": self.rules(), "config": self.config.row_fields(), "inputs": self.audit.inputs}
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()

    def _build_content(self) -> tuple[Content, Audit]:
        import datasets

        from builders.dataset import Content

        table, features = self._build_task() if isinstance(self.config, TaskConfig) else self._build_table()
        info = datasets.DatasetInfo(
            description=f"{self.config.description}\n\n{self.audit.summary()}",
            citation=self.SOURCE.citation,
            homepage=self.SOURCE.homepage,
            license=self.config.license,
            features=features,
            download_checksums={name: {"checksum": digest} for name, digest in self.audit.inputs.items()},
        )
        return Content(table, info), self.audit

    def build_in_memory(self) -> tuple[datasets.Dataset, Audit]:
        """The dataset and its audit without the cache, for rows that are in memory already."""
        import datasets

        content, audit = self._build_content()
        return datasets.Dataset(content.table, info=content.info), audit

    def _build_table(self) -> tuple[Any, datasets.Features]:
        import datasets
        import pyarrow as pa

        rows = self.rows(self.config)
        declared = self.config.features or {}
        features = datasets.Features({name: _feature(kind) for name, kind in declared.items() if name in rows})
        table = pa.Table.from_pandas(rows, schema=features.arrow_schema, preserve_index=False)
        self.audit.n = len(table)
        self.audit.rows_read = self.audit.rows_read or len(table)
        return table, features

    def _build_task(self) -> tuple[Any, datasets.Features]:
        """Everything between `rows()` and the dataset: identifiers, duplicates, rare labels, label numbers, folds."""
        config, keys = self.config, list(ENTITY_COLUMNS[self.config.entity])
        rows = self.source_rows()
        self.audit.rows_read = len(rows)
        rows = self.resolve(rows)
        if config.entity == "gene_pair":
            rows = self.unordered(rows, keys)
        rows, parts = one_part_each(rows, keys, self.audit)
        rows = one_row_per_entity(rows, keys, config.duplicates, self.audit)
        rows = drop_rare(rows, config.target, self.audit)
        self.audit.n = len(rows)
        if len(rows) < N_FOLDS:
            message = (
                f"{config.name}: {len(rows)} entities left, but {N_FOLDS} folds need {N_FOLDS} ({self.audit.summary()})"
            )
            raise TaskDataError(message)
        values, names = encode(rows, config.target, config.labels, config.name)
        if absent := [label for label in config.labels or () if label not in (names or ())]:
            self.audit.notes.append(f"no row is left with the label {some(absent)}")
        of_task = task_rows({key: rows[key].tolist() for key in keys}, values, names, config)
        columns = fold_columns(of_task, config.entity, self.gene_groups(), without=config.no_splits)
        self.audit.splits, self.audit.no_splits = dict(columns.facts), dict(columns.absent)
        return in_parts(*task_table(of_task, values, names, config, columns), keys, parts)

    def resolve(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows whose identifiers all have current symbols, under these; the audit counts the others."""
        import pandas as pd

        found = self.resolutions(rows)
        if not found:
            return rows
        first, *others = found.values()
        self.audit.add_resolution(sum(others, start=first))
        rows = rows.assign(**{key: pd.Series(match.symbols, dtype=object) for key, match in found.items()})
        known = rows[list(found)].notna().all(axis=1)
        self.audit.rows_unmapped = int((~known).sum())
        return rows[known]

    def unordered(self, rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
        """Gene pairs in alphabetical order, without those of a gene with itself."""
        import numpy as np

        # (a, b) and (b, a) say the same. Left in, the order can give the label away: in Gene2vec 62 % of the related
        # pairs and half of the others stand in alphabetical order.
        pairs = np.sort(rows[list(keys)].to_numpy(dtype=object), axis=1)
        rows = rows.assign(**dict(zip(keys, pairs.T, strict=True)))
        same = rows[keys[0]] == rows[keys[1]]
        if same.any():
            self.audit.notes.append(f"{int(same.sum())} rows pair a gene with itself and are left out")
        return rows[~same]


def _source(member: type) -> bytes:
    """Source of a class that was typed into a session, not read from a file."""
    try:
        return inspect.getsource(member).encode()
    except (OSError, TypeError) as error:
        message = (
            f"the source of {member.__name__}, on which its rows depend, cannot be read; put the class into a file"
        )
        raise TaskCodeError(message) from error


def _feature(kind: Any) -> Any:
    """A type of `datasets`, from its name or a list of one name."""
    import datasets

    if isinstance(kind, list):
        return datasets.List(_feature(kind[0]))
    return datasets.Value(kind) if isinstance(kind, str) else kind
