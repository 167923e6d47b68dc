"""A source is added by what CONTRIBUTING shows, as it stands: no other line is written."""

import re
from pathlib import Path

import pytest

from builders import BUILDERS, RawFiles, catalog
from builders.errors import SourceFormatError, TaskDataError
from builders.raw_files import LICENCES, RawFile, Source
from builders.sources.extended import tables
from builders.sources.extended.one_table import Origin, TableTask, builder_of_table

CONTRIBUTING = Path(__file__).parents[4] / "CONTRIBUTING.md"
HEAD = ["Gene", "Ensembl", "Category", "Peptides"]


@pytest.fixture
def entry() -> str:
    """The entry that CONTRIBUTING shows."""
    found = re.findall(
        r"^   ```python\n(.*?)^   ```", CONTRIBUTING.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (text,) = (each for each in found if "TableTask(" in each)
    return re.sub(r"^   ", "", text, flags=re.MULTILINE)


@pytest.fixture
def make(hgnc, write_raw, data_dir, tmp_path):
    """Writes the table of a task and builds it."""

    def make(task: TableTask, rows: list[list[str]], sep: str = "\t"):
        source = task.table_source()
        write_raw(f"{source.name}/{source.files['table'].names[0]}", "\n".join(map(sep.join, rows)))
        builder = builder_of_table(task)(task.name, raw=RawFiles(data_dir), cache_dir=tmp_path / "cache")
        builder.prepare()
        return builder

    return make


def task_of(**fields: object) -> TableTask:
    """A task of the table `x_y`, with what a test is about."""
    told = {"name": "x_y", "origin": Origin(title="X", version="1", license="MIT"), "citation": "X.", "file": "x.tsv"}
    return TableTask(**{**told, "genes": ("Gene",), **fields})  # type: ignore[arg-type]


def found(builder) -> dict[str, object]:
    """Symbol -> name of its class, or number."""
    table, names = builder.dataset, getattr(builder.dataset.features["label"], "names", None)
    labels = [names[cell] if names else cell for cell in table["label"]]
    return dict(zip(table["symbol"], labels, strict=True))


def test_an_entry_is_all_there_is_to_write(entry, make):
    assert len(entry.splitlines()) < 14
    source = Path(tables.__file__).read_text(encoding="utf-8")
    assert source.endswith("    ),\n)\n")
    names: dict[str, object] = {}
    exec(compile(source.removesuffix(")\n") + entry + ",)\n", "tables.py", "exec"), names)
    *others, task = names["TABLES"]  # type: ignore[misc]
    assert [each.name for each in others] == [each.name for each in tables.TABLES]

    cells = ["Intracellular"] * 10 + ["Secreted to blood", "Secreted to gut"] * 5 + ["Not determined"] * 3 + [""]
    rows = [[f"GENE{i}", f"ENSG{i:011}", cell, "7"] for i, cell in enumerate(cells)]
    rows += [["OLD30", "ENSG00000099999", "Intracellular", "1"], ["TWIN", "", "Intracellular", "1"]]
    rows += [["NOBODY", "", "Intracellular", "1"], ["GENE0", "", "Secreted to gut", "1"]]
    builder = make(task, [HEAD, *rows])
    assert builder.config.target == "binary"
    assert builder.dataset.features["label"].names == ["inside", "secreted"]
    assert found(builder) == {f"GENE{i}": "inside" if i < 10 or i == 30 else "secreted" for i in [*range(1, 20), 30]}
    audit = builder.audit
    assert (audit.rows_read, audit.rows_unmapped, audit.conflicts_dropped, audit.n) == (24, 2, 1, 20)
    assert audit.losses() == [
        "ambiguous: TWIN: GENE1, GENE2",
        "unmapped: NOBODY",
        "conflicts: GENE0",
        "left out, as they have no value: 1 rows",
        "left out, as 'Category' has no label of theirs: 3 rows, Not determined (3)",
    ]
    said = builder.SOURCE
    assert (said.name, said.homepage, said.redistributable) == ("example", "https://doi.org/10.1000/example", True)
    assert (said.license_url, said.files["table"].url) == (
        LICENCES["CC-BY-4.0"][0],
        "https://example.org/secreted_v3.tsv",
    )


def test_a_list_without_a_header_is_set_against_the_other_genes(make):
    task = task_of(genes=("Gene", "Entrez"), names=("Entrez", "Gene"), labels=("other", "listed"), file="x.csv")
    rows = [[str(100 + i), f"GENE{i}"] for i in range(10)] + [["110", "UNKNOWN"], ["", "TWIN"], ["", "RNA3"]]
    builder = make(task, rows, ",")
    labels = found(builder)
    assert {gene for gene, label in labels.items() if label == "listed"} == {f"GENE{i}" for i in range(11)} | {"RNA3"}
    assert len(labels) == 60 + 1
    assert builder.audit.losses()[0] == "ambiguous: TWIN: GENE1, GENE2"


def test_what_the_labels_are_says_the_target(make):
    assert task_of(column="c").target == "regression"
    assert task_of(column="c", labels=("a", "b")).target == "binary"
    assert task_of(column="c", cells={"1": "a", "2": "b", "3": "c", "4": "a"}).target == "multiclass"
    builder = make(task_of(column="v"), [["Gene", "v"], *([f"GENE{i}", str(i / 4)] for i in range(8))])
    assert found(builder) == {f"GENE{i}": i / 4 for i in range(8)}


def test_what_does_not_fit_is_one_line(make):
    with pytest.raises(TaskDataError, match=r"^task name 'secreted'; expected the name of the source first"):
        task_of(name="secreted", column="c").validate()
    with pytest.raises(TaskDataError, match=r"^x_y: no column of labels, so the table is a list; expected labels="):
        task_of().validate()
    with pytest.raises(TaskDataError, match=r"^x_y: .*genes=\('Gene',\)$"):
        task_of(genes="Gene", column="c").validate()
    unknown = Origin(title="X", version="1", license="CC BY 4.0")
    with pytest.raises(TaskDataError, match=r"^x_y: licence 'CC BY 4.0' is not one of .*; expected one of them, or"):
        task_of(origin=unknown, column="c").validate()
    with pytest.raises(SourceFormatError, match=r"^x_y: no cell of 'c' is one of yes, no; it holds Yes, No$"):
        make(task_of(column="c", cells={"yes": "a", "no": "b"}), [["Gene", "c"], ["GENE1", "Yes"], ["GENE2", "No"]])


def test_a_source_has_the_same_terms_wherever_it_is_named():
    # An entry whose name begins as another source's would change what is exported of that one.
    terms = {(each.SOURCE.name, each.SOURCE.license, each.SOURCE.redistributable) for each in BUILDERS}
    assert len(terms) == len({name for name, *_ in terms})


@pytest.mark.parametrize(
    ("licence", "said", "is_open"),
    [
        ("CC0-1.0", None, True),
        ("CC-BY-NC-4.0", None, False),
        ("CC-BY-4.0", False, False),
        ("unknown", None, False),
        ("cc by 4.0", None, False),
        ("other", True, True),
    ],
)
def test_a_licence_says_whether_rows_may_be_published(licence, said, is_open):
    source = Source(name="x", title="X", files={"t": RawFile(("t",), None)}, license=licence, redistributable=said)
    assert source.redistributable is is_open
    assert source.license_url == LICENCES.get(licence, ("",))[0]


def test_two_tasks_of_one_name_are_refused(monkeypatch):
    twice = task_of(name="humantfs_is_tf", column="c")
    monkeypatch.setattr("builders.catalog.BUILDERS", (*catalog.BUILDERS, builder_of_table(twice)))
    with pytest.raises(TaskDataError, match=r"^two tasks are named humantfs_is_tf"):
        catalog.configs()


def test_a_label_that_no_row_has_is_told(make):
    rows = [[f"GENE{i}", "", "low" if i % 2 else "high", ""] for i in range(1, 31)]
    builder = make(task_of(column="Category", labels=("low", "high", "top")), [HEAD, *rows])
    assert builder.dataset.features["label"].names == ["low", "high"]
    assert "no row is left with the label top" in builder.audit.notes
