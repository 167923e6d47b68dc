"""A gene's expression over tissues or cell types as its vector, for which no model was trained."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, Resolve
from model_adapters.errors import UnknownModelError, VectorsError, one_line, some
from model_adapters.files.table_model import DUPLICATES, Rows, TableModel, existing_file, files_sha256, name_of
from model_adapters.options import Option, choice, split_options

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

MAX_UNPACKED_BYTES = 1024**3
# What HPA's tables call the column of samples; a table may have several (Tissue, Cluster and Cell type).
SAMPLES = (
    *("Tissue", "Cell type", "Cell line", "Brain region", "Region", "Subregion", "Blood cell", "Immune cell"),
    *("Cancer", "Cluster", "Sample"),
)
# Normalised before raw, where a table has several: HPA from version 21; single cells from 25; 19 and 20; all; 18.
VALUES = ("nTPM", "nCPM", "NX", "pTPM", "TPM", "FPKM", "Value")
UNIT = "Unit"
IDENTIFIERS = ("Gene", "gene", "symbol", "gene_id", "ensembl_gene_id")
SYMBOLS = ("Gene name", "gene_name")
LAYOUT = (
    f"expected columns Gene, one of samples ({', '.join(SAMPLES)}) and one of values ({', '.join(VALUES)}), or a column"
    " Gene and one for each sample"
)


class ExpressionProfile(TableModel):
    """log(1 + TPM) of a gene in each tissue, from a table of HPA (one line for a gene in a tissue) or a wide one.

    Cell types, cell lines, brain regions, blood cells and cancers are read as tissues are, from the tables of HPA 18 to
    25. No value is made up for a tissue in which a gene was not measured: such tissues are left out, so that no gene
    is. `drop=genes` keeps all tissues and leaves those genes out instead.
    """

    adapter: ClassVar[str] = "expression"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="expression:FILE[,drop=tissues|genes,duplicates=average|current|refuse]",
        family="numeric profile",
        input="a gene x tissue table, long or wide: tsv or csv, plain, .gz or .zip",
        dimension="the table's tissues",
        source="rna_tissue_consensus.tsv of the Human Protein Atlas, or any such table",
        weights="get rna_tissue_consensus.tsv.zip from https://www.proteinatlas.org/about/download",
    )
    # Tasks whose labels the atlas computes from such tables.
    trained_on: ClassVar[tuple[str, ...]] = ("hpa_rna_*", "hpa_*_expression_cluster", "hpa_pathology_*")
    OPTIONS: ClassVar[Mapping[str, Option]] = {"drop": choice("tissues", "genes"), "duplicates": DUPLICATES}

    def __init__(self, path: str | Path, *, resolve: Resolve | None = None, **options: Any) -> None:
        """Name the file; it is hashed now and read by `table()`.

        Raises:
            UnknownModelError: there is no such file.
        """
        self.path = existing_file(Path(path).expanduser(), what="a gene x tissue table")
        name = name_of(self.adapter, self.path.name.partition(".")[0])
        super().__init__(name, where=self.path.name, resolve=resolve, options=options)
        self.revision = files_sha256([self.path])

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of a file, perhaps with options after it."""
        path, options = split_options(argument, cls.OPTIONS, adapter=cls.adapter)
        if not path:
            message = f"expression needs a table: {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(path, resolve=resolve, **options)

    def _read(self) -> Rows:
        table = _read_table(self.path)
        is_long = any(name in table.column_names for name in SAMPLES)
        profile = _long(table, where=self.where) if is_long else _wide(table, where=self.where)
        given = ~np.isnan(profile.values)
        if self._chosen.get("drop") == "genes":
            rows, columns = np.flatnonzero(given.all(axis=1)), np.arange(len(profile.tissues))
        else:
            rows, columns = np.arange(len(profile.names)), np.flatnonzero(given.all(axis=0))
        if not rows.size or not columns.size:
            message = f"{self.where}: no tissue has a value for every gene; " + (
                "no gene has one in every tissue either" if not rows.size else "keep the tissues with drop=genes"
            )
            raise VectorsError(message)
        kept = profile.values[np.ix_(rows, columns)]
        if (kept < 0).any():
            gene, tissue = np.argwhere(kept < 0)[0]
            found = f"{profile.names[rows[gene]]} has {kept[gene, tissue]:g} in {profile.tissues[columns[tissue]]}"
            message = f"{self.where}: {found}, expected TPM of 0 or more; is the table on a log scale already?"
            raise VectorsError(message)
        counts = {
            "tissues": len(columns),
            "tissues left out": len(profile.tissues) - len(columns),
            "genes left out": len(profile.names) - len(rows),
        }
        symbols = None if profile.symbols is None else [profile.symbols[row] for row in rows]
        return Rows([profile.names[row] for row in rows], np.log1p(kept), symbols, counts)


@dataclass(frozen=True)
class _Profile:
    """(genes, tissues) values, NaN where the table has none."""

    names: list[str]
    symbols: list[str] | None
    tissues: list[str]
    values: NDArray[np.float64]


def _read_table(path: Path) -> pa.Table:
    """Read a table whose cells are text, but for those of the columns that hold values."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    name, content = _unpack(path)
    separator = "," if name.lower().endswith(".csv") else "\t"
    try:
        header = content[: content.find(b"\n") + 1].decode("utf-8-sig").strip().replace('"', "").split(separator)
        texts = (header[0], UNIT, *SAMPLES, *IDENTIFIERS, *SYMBOLS)
        types = {column: pa.string() if column in texts else pa.float64() for column in header}
        is_long = any(column in SAMPLES for column in header)
        wanted = [column for column in header if column in (*texts, *VALUES)] if is_long else header
        return pa_csv.read_csv(
            pa.BufferReader(content),
            parse_options=pa_csv.ParseOptions(delimiter=separator),
            convert_options=pa_csv.ConvertOptions(
                column_types=types, include_columns=wanted, strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        message = f"{path.name} is not a readable gene x tissue table ({one_line(error)}); {LAYOUT}"
        raise VectorsError(message) from error


def _unpack(path: Path) -> tuple[str, bytes]:
    """Return name and content of a file, or of the one file in a zip or gzip, up to a bound."""
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                members = [
                    member for member in archive.namelist() if not member.endswith("/") and not _of_a_mac(member)
                ]
                if len(members) != 1:
                    message = f"{path.name} has {len(members)} files in it ({some(members)}), expected one table"
                    raise VectorsError(message)
                with archive.open(members[0]) as file:
                    name, content = members[0], file.read(MAX_UNPACKED_BYTES + 1)
        elif path.suffix.lower() == ".gz":
            with gzip.open(path) as packed:
                name, content = path.stem, packed.read(MAX_UNPACKED_BYTES + 1)
        else:
            with path.open("rb") as plain:
                name, content = path.name, plain.read(MAX_UNPACKED_BYTES + 1)
    # RuntimeError: zipfile's word for an encrypted member.
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        message = f"{path.name} cannot be unpacked ({one_line(error)}); fetch it again"
        raise VectorsError(message) from error
    if len(content) > MAX_UNPACKED_BYTES:
        message = f"{path.name} has more than {MAX_UNPACKED_BYTES:,} bytes; expected a table of some tens of MB"
        raise VectorsError(message)
    return name, content


def _of_a_mac(member: str) -> bool:
    """Whether a Mac added this to a zip."""
    return member.startswith("__MACOSX/") or member.rpartition("/")[2].startswith(("._", ".DS_Store"))


def _long(table: pa.Table, *, where: str) -> _Profile:
    gene = next((name for name in IDENTIFIERS if name in table.column_names), None)
    value = next((name for name in VALUES if name in table.column_names), None)
    if gene is None or value is None:
        message = f"{where} has columns {some(table.column_names, limit=8)}; {LAYOUT}"
        raise VectorsError(message)
    units = table.column(UNIT).unique().to_pylist() if UNIT in table.column_names else []
    if len(units) > 1:
        message = f"{where} has values in {some(map(str, units))}; keep the lines of one unit"
        raise VectorsError(message)
    rows, names = _coded(table.column(gene))
    columns, samples = _coded(_samples(table))
    values = np.full((len(names), len(samples)), np.nan)
    measured = table.column(value).to_numpy()
    cells = rows * len(samples) + columns
    values.reshape(-1)[cells] = measured
    if len(np.unique(cells)) != len(cells):
        gene_row, sample = divmod(int(np.flatnonzero(np.bincount(cells) > 1)[0]), len(samples))
        message = f"{where}: {names[gene_row]} has several lines for {samples[sample]}; keep one"
        raise VectorsError(message)
    symbol = next((name for name in SYMBOLS if name in table.column_names), None)
    if symbol is None:
        return _Profile(names, None, samples, values)
    first = np.unique(rows, return_index=True)[1]
    return _Profile(names, table.column(symbol).take(first).to_pylist(), samples, values)


def _samples(table: pa.Table) -> pa.ChunkedArray:
    """The column of samples; where there are several, each combination of their values is a sample."""
    import pyarrow.compute as pc

    columns = [table.column(name) for name in SAMPLES if name in table.column_names]
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, " - ")


def _coded(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    coded = column.combine_chunks().dictionary_encode()
    return coded.indices.to_numpy().astype(np.int64), coded.dictionary.to_pylist()


def _wide(table: pa.Table, *, where: str) -> _Profile:
    gene = next((name for name in IDENTIFIERS if name in table.column_names), table.column_names[0])
    symbol = next((name for name in SYMBOLS if name in table.column_names), None)
    tissues = [name for name in table.column_names if name not in (gene, symbol)]
    if not tissues or not table.num_rows:
        message = f"{where} has {table.num_rows} rows and columns {some(table.column_names, limit=8)}; {LAYOUT}"
        raise VectorsError(message)
    for tissue in tissues:
        if not str(table.schema.field(tissue).type).startswith("double"):
            message = f"{where}: column {tissue!r} holds text, expected numbers; {LAYOUT}"
            raise VectorsError(message)
    values = np.stack([table.column(tissue).to_numpy() for tissue in tissues], axis=1)
    symbols = None if symbol is None else table.column(symbol).to_pylist()
    return _Profile(table.column(gene).to_pylist(), symbols, tissues, values)
