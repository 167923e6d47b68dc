"""A task that one published table makes: all there is to say of it is data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import TaskDataError
from builders.raw_files import LICENCES, RawFile, Source
from builders.sources.extended.background import CODING, against_others

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Origin", "TableBuilder", "TableTask", "builder_of_table"]

KEY = "table"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a table was published as, and the terms; see `Source`.

    Args:
        title: Name for readers.
        version: Release of the table.
        license: SPDX id, or "unknown" where the publisher states none: such rows are not exported.
        license_url: Where the terms are stated. Default: the text of the licence, or the homepage.
        redistributable: Whether the terms let us publish rows. Default: what the licence says.
        homepage: Where a reader learns more. Default: the address at the end of the citation.
    """

    title: str
    version: str
    license: str
    license_url: str = ""
    redistributable: bool | None = None
    homepage: str = ""


@dataclass(kw_only=True)
class TableTask(TaskConfig):
    """A task whose labels are a column of a table, or whose positives are the genes of a list.

    Its name begins with that of the source and "_": `saluki_mrna_half_life` is read from `DIR/saluki`. `target` need
    not be said: two labels are "binary", more "multiclass", and a column without labels is of numbers, "regression".

    Args:
        origin: What the table was published as.
        citation: How to cite it, with its address at the end.
        file: Where to fetch the table, or its name where it cannot be fetched by a plain GET.
        genes: Column of identifiers, and perhaps one of a second identifier, tried where the first has no symbol.
        column: Column of the labels. None: the table is a list; its genes have the second label, others the first.
        others: Of a list, HGNC's locus groups that the others are taken from; see `against_others`.
        names: Names of all columns, of a file without a header line.
        separator: What is between cells. Default: a comma in `.csv`, else a tab.
    """

    origin: Origin
    citation: str
    file: str | RawFile
    genes: tuple[str, ...]
    others: tuple[str, ...] = (CODING,)
    names: tuple[str, ...] = ()
    separator: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target == "binary" and len(self.labels or ()) != 2:
            self.target = "multiclass" if self.labels else "regression"

    def row_fields(self) -> dict[str, Any]:
        """The fields that decide over rows: not what is told of the table, which its sha256 stands for."""
        told = ("origin", "citation", "file")
        return {name: value for name, value in super().row_fields().items() if name not in told}

    def validate(self) -> None:
        """Check that the fields fit each other.

        Raises:
            TaskDataError: The name has no source, `genes` is no tuple, it is not known whether the licence lets rows be
                published, or a list has no names for its genes and for the others.
        """
        super().validate()
        if isinstance(self.genes, str):
            message = f"{self.name}: genes is {self.genes!r}; expected a tuple of columns: genes=({self.genes!r},)"
            raise TaskDataError(message)
        origin = self.origin
        if origin.license not in (*LICENCES, "unknown") and origin.redistributable is None:
            message = (
                f"{self.name}: licence {origin.license!r} is not one of {', '.join(LICENCES)}; expected one of them,"
                " or redistributable=True or False beside it"
            )
            raise TaskDataError(message)
        if "_" not in self.name:
            message = f"task name {self.name!r}; expected the name of the source first, such as source_task"
            raise TaskDataError(message)
        if self.column is None and self.target != "binary":
            message = f"{self.name}: no column of labels, so the table is a list; expected labels=(others, listed)"
            raise TaskDataError(message)

    @property
    def cell_separator(self) -> str:
        """What is between cells."""
        name = self.file if isinstance(self.file, str) else self.file.names[0]
        return self.separator or ("," if ".csv" in name else "\t")

    def table_source(self) -> Source:
        """The source that publishes the table."""
        file, origin = self.file, self.origin
        if isinstance(file, str):
            file = RawFile(names=(file.rpartition("/")[2],), url=file if "://" in file else None)
        last = self.citation.rpartition(" ")[2]
        homepage = origin.homepage or (last if "://" in last else file.url or "")
        return Source(
            name=self.name.partition("_")[0],
            title=origin.title,
            homepage=homepage,
            version=origin.version,
            license=origin.license,
            license_url=origin.license_url or (homepage if origin.license == "unknown" else ""),
            redistributable=origin.redistributable,
            citation=self.citation,
            files={KEY: file},
        )


class TableBuilder(GeneTaskBuilder):
    """Reads the table of a `TableTask`."""

    SOURCE = Source(name="", title="", files={})
    BUILDER_CONFIGS: ClassVar[list[Any]] = []

    def rows(self, config: TableTask) -> pd.DataFrame:  # noqa: D102
        if config.column is not None:
            return super().rows(config)
        table = self.read_columns(KEY, self.IDENTIFIERS)
        listed, *second = (table[name].str.strip().tolist() for name in self.IDENTIFIERS)
        also = second[0] if second else []
        rows = against_others(self, listed, config.labels or (), also_named=also, locus_groups=config.others)
        return rows.assign(symbol_alt=[*also, *rows["symbol"][len(listed) :]]) if also else rows


def builder_of_table(task: TableTask) -> type[TableBuilder]:
    """The builder of a task."""
    source = task.table_source()
    name = "".join(map(str.capitalize, source.name.split("_")))
    facts = {
        "__doc__": f"The table of {source.title}.",
        "__module__": __name__,
        "SOURCE": source,
        "BUILDER_CONFIGS": [task],
        "IDENTIFIERS": task.genes,
        "COLUMNS": task.names,
        "SEPARATOR": task.cell_separator,
    }
    return type(f"{name}Builder", (TableBuilder,), facts)
