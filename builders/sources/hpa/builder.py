"""The Human Protein Atlas: one task per column of its main table, v18 to v25, as far as a version has the column."""

from __future__ import annotations

import dataclasses
import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.errors import MissingFileError, SourceFormatError
from builders.raw_files import RawFile, Source
from builders.readers.columns import require_columns
from builders.readers.tables import read_table
from builders.sources.hpa.releases import GENE, Column, columns_of, read_atlas, release_of, split_column
from builders.sources.hpa.tasks import MAIN_LOCATION, TASKS
from builders.symbols import HGNC

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HpaBuilder"]

HPA = Source(
    name="hpa",
    title="Human Protein Atlas",
    homepage="https://v23.proteinatlas.org/about/download",
    version="23",
    releases="18 to 25, as table or JSON",
    # Version 24 and later are under CC-BY-SA-4.0.
    license="CC-BY-SA-3.0",
    license_url="https://v23.proteinatlas.org/about/licence",
    redistributable=True,
    citation="Uhlén M et al. Tissue-based map of the human proteome. Science. 2015;347(6220):1260419.",
    files={
        "atlas": RawFile(
            names=(
                *("proteinatlas.tsv", "proteinatlas.tsv.zip", "proteinatlas.tsv.gz"),
                *("proteinatlas.json", "proteinatlas.json.gz", "proteinatlas.json.zip"),
            ),
            url="https://v23.proteinatlas.org/download/proteinatlas.tsv.zip",
        ),
        # Used where a folder has them and its main table does not have the column; a download brings the main table.
        "pathology": RawFile(names=("pathology.tsv", "pathology.tsv.zip"), url=None, optional=True),
        "subcellular": RawFile(
            names=("subcellular_location.tsv", "subcellular_location.tsv.zip", "subcellular_location.tsv.gz"),
            url=None,
            optional=True,
        ),
    },
)
ENSEMBL_ID = r"ENSG\d{11}"
# "Unmapped" is what the column Chromosome says of a gene that is not in the assembly.
NOT_MEASURED = ("", "NA", "Unmapped")
# v18 separates locations by a line break.
SEPARATOR = re.compile(r"[,;]|<br>")
P_VALUE = r"\s*\(\d+(?:\.\d+)?(?:e[+-]?\d+)?\)$"
SURFACE = "Plasma membrane"
ANSWERS = {"yes": "ccd", "no": "not_ccd"}
STRENGTH = r"^(?:potential|validated) (?=prognostic)"
# The main table has one class for both directions of an unprognostic gene.
OUTCOMES = {
    "prognostic - favorable": "prognostic favorable",
    "prognostic - unfavorable": "prognostic unfavorable",
    "unprognostic - favorable": "unprognostic",
    "unprognostic - unfavorable": "unprognostic",
}


class HpaBuilder(GeneTaskBuilder):
    """A cell of the main table is a label; an empty one means "not measured" and gives no row."""

    SOURCE = HPA
    RULES_VERSION = 1
    BUILDER_CONFIGS = [*TASKS]  # noqa: RUF012

    def inputs(self, config: TaskConfig) -> list[tuple[Source, str]]:
        """The one HPA file that the labels are read from, and HGNC."""
        return [(HPA, self._file(config)), (HGNC, "complete_set")]

    @classmethod
    def variants(cls, config: TaskConfig) -> list[TaskConfig]:
        """The config, and what it is with a release whose column means something else: another version."""
        versions = dict.fromkeys(column.version or config.version for column in columns_of(config))
        return [dataclasses.replace(config, version=version) for version in versions]

    def choose_variant(self, config: TaskConfig) -> TaskConfig:
        """The version that the files at hand make."""
        if len(self.variants(config)) == 1 or self._file(config) != "atlas":
            return config
        column = self._column(config)
        version = column.version if column is not None else None
        return dataclasses.replace(config, version=version) if version else config

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        key = self._file(config)
        cells = {"atlas": self._atlas, "pathology": self._pathology, "subcellular": self._subcellular}[key](config)
        if key != "atlas":
            name, main = self.path(key).name, HPA.files["atlas"].names[0]
            self.audit.notes.append(f"labels are from {name}: there is no {main} with '{config.column}'")
        values = cells["cell"].str.strip()
        unnamed, empty = cells["Gene"].str.fullmatch(ENSEMBL_ID), values.isin(NOT_MEASURED)
        if unnamed.any():
            self.audit.notes.append(f"left out, as their gene name is an Ensembl id: {unnamed.sum():,} rows")
        if (empty & ~unnamed).any():
            self.audit.notes.append(f"left out, as they have no value: {(empty & ~unnamed).sum():,} rows")
        cells = cells[~unnamed & ~empty].assign(cell=values)
        labels = self._labels(cells["cell"], config)
        # HGNC does not know a few of HPA's Ensembl ids, but the gene name beside them.
        return pd.DataFrame({"symbol": cells["Ensembl"], "symbol_alt": cells["Gene"], "label": labels})

    def _file(self, config: TaskConfig) -> str:
        topic = config.files[-1]
        if topic == "atlas" or self.raw.path(HPA, topic) is None:
            return "atlas"
        try:
            return "atlas" if config.column in self._table() else topic
        except MissingFileError:
            return topic

    def _table(self) -> pd.DataFrame:
        path = self.raw.path(HPA, "atlas")
        assert path is not None
        table: pd.DataFrame = self.raw.once((path, "atlas"), lambda: read_atlas(path))
        return table

    def _column(self, config: TaskConfig) -> Column | None:
        names = set(self._table())
        return next((column for column in columns_of(config) if column.name in names), None)

    def _atlas(self, config: TaskConfig) -> pd.DataFrame:
        table, path = self._table(), self.path("atlas")
        names = table.columns.tolist()
        column = self._column(config)
        for each in columns_of(config):
            # The reader numbers the repeats of a name.
            if any(name.startswith(f"{each.name}#") for name in names):
                message = f"{path}: column '{each.name}' appears more than once in the header"
                raise SourceFormatError(message)
        if column is None:
            raise SourceFormatError(self._no_column(path, config, names))
        if column.note:
            self.audit.notes.append(f"version {column.version}, from the column '{column.name}': {column.note}")
        return table[[*GENE, column.name]].rename(columns={column.name: "cell"})

    def _no_column(self, path: Path, config: TaskConfig, names: list[str]) -> str:
        wanted = " or ".join(f"'{column.name}'" for column in columns_of(config))
        near = ", ".join(map(repr, difflib.get_close_matches(str(config.column), names, n=3, cutoff=0)))
        release = release_of(names)
        found = f"in this version, which looks like {release}," if release else "in this version,"
        other = "".join(f", or add {HPA.files[key].names[0]}" for key in config.files if key != "atlas")
        return (
            f"{path}: no column {wanted} {found} whose {len(names)} columns include {near}{split_column(config)};"
            f" get version {HPA.version} from {HPA.files['atlas'].url}{other}"
        )

    def _pathology(self, config: TaskConfig) -> pd.DataFrame:
        path, cancer = self.path("pathology"), str(config.column).partition(" - ")[2].lower()
        table: pd.DataFrame = self.raw.once((path, "outcomes"), lambda: _outcomes(path))
        rows = table[table["Cancer"] == cancer]
        if rows.empty:
            message = f"{path}: no row is about {cancer}; the cancers are {', '.join(sorted(set(table['Cancer'])))}"
            raise SourceFormatError(message)
        return rows

    def _subcellular(self, config: TaskConfig) -> pd.DataFrame:
        import pandas as pd

        table = self.read("subcellular", ("Gene", "Gene name", "Main location", "Additional location"))
        cells = table["Main location"]
        if config.column != MAIN_LOCATION:
            cells = cells + ";" + table["Additional location"]
        return pd.DataFrame({"Ensembl": table["Gene"], "Gene": table["Gene name"], "cell": cells.str.strip(";")})

    def _labels(self, cells: pd.Series, config: TaskConfig) -> pd.Series:
        import pandas as pd

        if config.target == "multilabel":
            return cells.map(lambda cell: tuple(part.strip() for part in SEPARATOR.split(cell) if part.strip()))
        if config.column == MAIN_LOCATION:
            elsewhere, there = config.labels or ()
            places = cells.map(lambda cell: [part.strip() for part in SEPARATOR.split(cell)])
            return places.map(lambda names: there if SURFACE in names else elsewhere)
        if config.target == "multiclass":
            # v23 ends some clusters with a semicolon; a p-value in brackets is not part of a prognosis.
            cells = cells.str.rstrip("; ").str.replace(P_VALUE, "", regex=True)
            return cells.str.replace(STRENGTH, "", regex=True).str.replace("favourable", "favorable")
        binary = config.target == "binary"
        labels = cells.str.lower().map(ANSWERS) if binary else pd.to_numeric(cells, errors="coerce")
        wrong = cells[labels.isna()]
        if len(wrong):
            row, expected = wrong.index[0] + 2, "Yes or No" if binary else "a number"
            message = f"{self.path('atlas')}: row {row}: '{config.column}' is {wrong.iloc[0]!r}; expected {expected}"
            raise SourceFormatError(message)
        return labels


def _outcomes(path: Path) -> pd.DataFrame:
    """Gene, cancer and its class in the main table's words, from the four p-value columns of `pathology.tsv`."""
    import pandas as pd

    table = read_table(path, ("Gene", "Gene name", "Cancer"), all_columns=True)
    # v18 to v20 spell it "favourable".
    table = table.rename(columns=lambda name: name.replace("favourable", "favorable"))
    require_columns(path, list(OUTCOMES), table.columns.tolist())
    filled = table[list(OUTCOMES)] != ""
    twice = filled.sum(axis=1) > 1
    if twice.any():
        message = f"{path}: row {twice.to_numpy().argmax() + 2} has a p-value in more than one of {', '.join(OUTCOMES)}"
        raise SourceFormatError(message)
    cells = pd.Series("", index=table.index)
    for name, outcome in OUTCOMES.items():
        cells[filled[name]] = outcome
    table = table.rename(columns={"Gene": "Ensembl", "Gene name": "Gene"})
    return table[[*GENE]].assign(Cancer=table["Cancer"].str.lower(), cell=cells)
