"""A user's own task, a table in memory or a file of one: the same rules as for a source, without a cache."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders.base import GeneTaskBuilder
from builders.catalog import Built, cached
from builders.config import ENTITY_COLUMNS, Entity, Target, TaskConfig, entity_keys
from builders.errors import MissingFileError, TaskDataError
from builders.folds import GeneGroups
from builders.raw_files import RawFiles, Source
from builders.readers.archives import read_text
from builders.readers.tables import read_table
from builders.sequences.tables import build_sequence_table
from builders.symbols import HGNC, SymbolResolver
from builders.text import some

if TYPE_CHECKING:
    import datasets
    import pandas as pd

__all__ = ["build_table", "offline_resolver"]

KEYS = {key for keys in ENTITY_COLUMNS.values() for key in keys}
TRUTH = {"true": "1", "false": "0"}
USER = Source(name="user", title="Your table", files={})
EXPECTED = "expected `label` and `symbol` (or `symbol_a` and `symbol_b`, `symbol` and `disease_id`, or `sequence`)"


def offline_resolver(raw: RawFiles) -> Callable[[], SymbolResolver] | None:
    """A function that makes a resolver from what is on this machine, which takes a second; None without anything.

    HGNC's file in the data directory, or without one the gene table that was built last: nothing is downloaded.
    """
    if raw.data_dir is None:
        genes = cached("genes")
        return None if genes is None else lambda: SymbolResolver.from_genes(genes.dataset)
    try:
        path = raw.path(HGNC, "complete_set")
    except MissingFileError:
        return None
    assert path is not None
    # Under the key of the builders, who may have made it already.
    return lambda: raw.once((path, "resolver"), lambda: SymbolResolver.from_hgnc(path))


def build_table(name: str, table: Any, raw: RawFiles) -> Built:
    """Make a task of a table.

    Args:
        name: Task id.
        table: Frame or Dataset, or the path of a csv or tsv file (`.gz` too), with `label` and an entity: `symbol`, or
            the one other column of texts, or the index of a frame, with gene identifiers of any kind; `symbol_a` and
            `symbol_b`; `symbol` and `disease_id`; or `sequence` or `text`, see `build_sequence_table`. A column `fold`
            is taken as it is. Labels that are all 0 and 1, or true and false, are binary (1 is positive), lists
            multi-label, other numbers with a fraction regression, everything else classes; the classes of a
            `ClassLabel` keep their names and order.
        raw: Where HGNC's complete set is, to resolve identifiers; without it they are taken as they are.

    Raises:
        MissingFileError: There is no such file.
        SourceFormatError: The file is no table.
        TaskDataError: There is no entity column or no `label`, or the rows make no task.
    """
    frame, names = (_read_file(table), None) if isinstance(table, str | Path) else _read(table)
    if {"sequence", "text"} & set(frame) and not {"symbol", "symbol_a"} & set(frame):
        if names is not None:
            frame = frame.assign(label=[_name(label, names) for label in frame["label"]])
        return build_sequence_table(name, frame)
    if isinstance(table, str | Path):
        frame = _typed(frame)
    entity, rows = _with_entity(name, frame)
    target, labels = _target(rows["label"], names)
    rows = rows.assign(label=_label_names(rows["label"], target, names))
    config = TaskConfig(
        name=name,
        version="1.0.0",
        description=f"The user's table {name}.",
        target=target,
        entity=entity,
        family="user",
        labels=labels,
        duplicates="union" if target == "multilabel" else "agree",
    )
    make_resolver = offline_resolver(raw)
    if make_resolver is None:
        # Without HGNC there is no whole gene table either; the starter's genes come with the package.
        config.gene_table = "starter_genes"
    builder = _builder(config, rows, raw, make_resolver)
    dataset, audit = builder.build_in_memory()
    if "fold" in rows:
        dataset = _with_folds(name, dataset, builder, rows)
    return Built(config, dataset, audit, built=True)


def built_groups() -> GeneGroups:
    """Families and chromosomes of the table of covariates that was built last: nothing is read or downloaded."""
    table = cached("gene_covariates")
    columns = {} if table is None else {name: table.dataset[name][:] for name in table.dataset.column_names}
    found = {
        name: dict(zip(columns["symbol"], columns[name], strict=True))
        for name in ("family", "chromosome")
        if name in columns
    }
    reason = "no gene_covariates with it was built; build that table, or give a data directory"
    absent = {name: reason for name in ("family", "chromosome") if name not in found}
    return GeneGroups(found.get("family"), found.get("chromosome"), absent)


def _builder(
    config: TaskConfig, frame: pd.DataFrame, raw: RawFiles, make_resolver: Callable[[], SymbolResolver] | None
) -> GeneTaskBuilder:
    class TableBuilder(GeneTaskBuilder):
        """The rows of one table."""

        SOURCE = USER
        BUILDER_CONFIGS = [config]  # noqa: RUF012
        PACKAGED = make_resolver is None

        def inputs(self, config: TaskConfig) -> list[tuple[Source, str]]:
            # Where a resolver was made from HGNC's file, folds depend on that file too.
            return [(HGNC, "complete_set")] if raw.data_dir is not None and make_resolver is not None else []

        def resolver(self) -> SymbolResolver:
            assert make_resolver is not None
            return make_resolver()

        def gene_groups(self) -> GeneGroups:
            return super().gene_groups() if raw.data_dir is not None else built_groups()

        def rows(self, config: TaskConfig) -> pd.DataFrame:
            return frame

    return TableBuilder(config.name, raw=raw)


def _read(table: Any) -> tuple[pd.DataFrame, list[str] | None]:
    """The table as a frame, and the names of its classes where a `ClassLabel` has them."""
    import pandas as pd

    if hasattr(table, "column_names"):
        feature = table.features.get("label")
        names = getattr(getattr(feature, "feature", feature), "names", None)
        return table.with_format(None).to_pandas(), names
    if callable(getattr(table, "to_pandas", None)) and not isinstance(table, pd.DataFrame):
        return table.to_pandas(), None
    return table.copy(), None


def _read_file(table: str | Path) -> pd.DataFrame:
    """All columns as texts, None where a cell is empty: "NA" may be a gene, or a class."""
    import pandas as pd

    path = Path(table).expanduser()
    if not path.is_file():
        message = f"no file {path}; {EXPECTED}"
        raise MissingFileError(message)
    head = read_text(path).partition("\n")[0]
    # Spreadsheets write ";" where the comma is the decimal sign.
    sep = next((each for each in ("\t", ",", ";") if each in head), ",")
    rows = read_table(path, ("label",), sep=sep, all_columns=True)
    return rows.apply(lambda cells: pd.Series([cell or None for cell in cells], dtype=object))


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns that are numbers as numbers, but for those of identifiers; labels of true and false as 1 and 0."""
    import pandas as pd

    labels = [cell and TRUTH.get(cell.lower(), cell) for cell in rows["label"]]
    rows = rows.assign(label=pd.Series(labels, rows.index, dtype=object))
    numbers = {name: _numbers(rows[name]) for name in rows.columns if name not in KEYS}
    if not set(rows.columns) - set(numbers) and all(numbers.values()):
        # Identifiers may be numbers too, such as Entrez ids.
        numbers = {name: numbers[name] for name in ("label", "fold") if name in numbers}
    return rows.assign(**{name: pd.Series(found, rows.index, dtype=object) for name, found in numbers.items() if found})


def _numbers(cells: pd.Series) -> list[int | float | None]:
    """Whole numbers, or else all numbers with a fraction; empty where a cell is neither a number nor missing."""
    try:
        values = [None if cell is None else float(cell) for cell in cells]
    except ValueError:
        return []
    if not all(value is None or math.isfinite(value) for value in values):
        return []
    is_whole = all(
        value is None or str(cell).strip("+-").isdecimal() for value, cell in zip(values, cells, strict=True)
    )
    return [int(value) if is_whole and value is not None else value for value in values]


def _with_entity(name: str, frame: pd.DataFrame) -> tuple[Entity, pd.DataFrame]:
    """Kind of entity, and the rows under its columns, without those that lack a value."""
    import pandas as pd

    if "label" not in frame:
        message = f"{name}: no column 'label'; it has {some(map(str, frame.columns)) or 'none'}; {EXPECTED}"
        raise TaskDataError(message)
    for entity, keys in sorted(ENTITY_COLUMNS.items(), key=lambda item: -len(item[1])):
        if entity != "sequence" and set(keys) <= set(frame.columns):
            break
    else:
        entity, keys = "gene", ("symbol",)
        texts = [
            column
            for column in frame.columns
            if column not in ("label", "fold") and pd.api.types.is_string_dtype(frame[column])
        ]
        if len(texts) == 1:
            frame = frame.rename(columns={texts[0]: "symbol"})
        elif not texts and pd.api.types.is_string_dtype(frame.index):
            frame = frame.assign(symbol=frame.index)
        else:
            found = f"several columns of texts ({some(map(str, texts))})" if texts else "no column of genes"
            message = f"{name}: {found}; {EXPECTED}"
            raise TaskDataError(message)
    rows = frame[[*keys, "label", *(["fold"] if "fold" in frame else [])]]
    present = rows[list(keys)].notna().all(axis=1) & rows["label"].map(_is_given)
    rows = rows[present].reset_index(drop=True)
    return entity, rows.assign(**{key: rows[key].astype(str).astype(object) for key in keys})


def _is_given(label: Any) -> bool:
    return label is not None and not (isinstance(label, float) and label != label)


def _target(labels: pd.Series, names: list[str] | None) -> tuple[Target, tuple[str, ...] | None]:
    """Kind of task by its labels, and the class names where their order matters."""
    values = labels.tolist()
    if any(_is_list(value) for value in values[:1]):
        return "multilabel", tuple(names) if names else None
    if names is not None:
        return ("binary" if len(names) == 2 else "multiclass"), tuple(names)
    if all(isinstance(value, bool | int | float) and value in (0, 1) for value in values):
        return "binary", ("0", "1")
    if all(isinstance(value, float) for value in values) and any(value != int(value) for value in values):
        return "regression", None
    return "multiclass", None


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset) or getattr(value, "ndim", 0) == 1


def _label_names(labels: pd.Series, target: Target, names: Sequence[str] | None) -> list[Any]:
    if target == "regression":
        return [float(value) for value in labels]
    if target == "multilabel":
        return [tuple(_name(value, names) for value in cell) for cell in labels]
    if target == "binary" and names is None:
        return [str(int(value)) for value in labels]
    return [_name(value, names) for value in labels]


def _name(value: Any, names: Sequence[str] | None) -> str:
    return str(value) if names is None else names[int(value)]


def _with_folds(name: str, dataset: Any, builder: GeneTaskBuilder, rows: pd.DataFrame) -> datasets.Dataset:
    """The dataset with the user's own folds."""
    import datasets

    keys = list(ENTITY_COLUMNS[builder.config.entity])
    resolved = builder.resolve(rows)
    if builder.config.entity == "gene_pair":
        resolved = builder.unordered(resolved, keys)
    given: dict[str, int] = {}
    for key, fold in zip(
        entity_keys(resolved[column].tolist() for column in keys), resolved["fold"].tolist(), strict=True
    ):
        if not 0 <= int(fold) < 128 or given.setdefault(key, int(fold)) != int(fold):
            message = (
                f"{name}: fold of {key.replace(chr(9), '/')} is {fold}; expected one number, 0 to 127, for each entity"
            )
            raise TaskDataError(message)
    folds = [given[key] for key in entity_keys(dataset[column][:] for column in keys)]
    columns = {column: dataset[column][:] for column in dataset.column_names} | {"fold": folds}
    return datasets.Dataset.from_dict(columns, features=dataset.features)
