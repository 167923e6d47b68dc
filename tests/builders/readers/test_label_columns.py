"""Sources that are one table: rows without code."""

import pytest

from builders import GeneTaskBuilder, RawFile, Source, TaskConfig
from builders.errors import SourceFormatError, TaskCodeError


class TableBuilder(GeneTaskBuilder):
    """A class and a number for each gene."""

    SOURCE = Source(name="table", title="Table", files={"table": RawFile(("table.csv",), url=None)})
    IDENTIFIERS = ("ensembl", "name")
    SEPARATOR = ","
    BUILDER_CONFIGS = [
        TaskConfig("table_kind", target="multiclass", column="kind"),
        TaskConfig("table_number", target="regression", column="number"),
    ]


class EmptyBuilder(GeneTaskBuilder):
    """Neither columns nor code."""

    SOURCE = TableBuilder.SOURCE
    BUILDER_CONFIGS = [TaskConfig("empty_kind", target="multiclass", column="kind")]


@pytest.fixture
def rows(write_hgnc, write_raw, data_dir, tmp_path):
    write_hgnc([{"symbol": "NA", "ensembl_gene_id": "ENSG00000000001"}, {"symbol": "B"}])

    def rows(name, lines, builder=TableBuilder):
        write_raw("table/table.csv", "\n".join(["ensembl,name,kind,number", *lines]))
        made = builder(name, data_dir=data_dir, cache_dir=tmp_path / "cache")
        return made.source_rows(), made

    return rows


LINES = ["ENSG00000000001,NA,x,1.5", ",B,NA,-2e-3", "ENSG00000000009,NA, y ,NaN", "nan,B,,"]


def test_columns_become_rows(rows):
    table, made = rows("table_kind", LINES)
    assert table.to_numpy().tolist() == [["ENSG00000000001", "NA", "x"], ["ENSG00000000009", "NA", "y"]]
    assert made.audit.notes == ["left out, as they have no value: 2 rows"]
    # The second identifier decides where the first is unknown; NA is a gene.
    assert made.resolve(table)["symbol"].tolist() == ["NA", "NA"]
    table, made = rows("table_number", LINES)
    assert table["label"].tolist() == [1.5, -0.002]


def test_a_number_that_is_none(rows):
    with pytest.raises(SourceFormatError, match=r"table\.csv: row 3: 'number' is '<5'; expected a number"):
        rows("table_number", [LINES[0], ",B,x,<5"])


def test_neither_columns_nor_code(rows):
    with pytest.raises(TaskCodeError, match=r"EmptyBuilder has neither rows\(\) nor IDENTIFIERS"):
        rows("empty_kind", LINES, EmptyBuilder)
