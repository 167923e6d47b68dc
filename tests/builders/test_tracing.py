"""Why a gene is in a task or not: each step of the way, on rows that were written for it."""

import pandas as pd
import pytest

from builders import GeneTaskBuilder, RawFile, RawFiles, Source, TaskConfig, assign_folds, catalog, trace
from builders.errors import MissingFileError, UnknownGeneError, UnknownTaskError
from builders.tracing import Identifier


class TracedBuilder(GeneTaskBuilder):
    """Two identifiers a row, and one config per kind of label."""

    SOURCE = Source(name="traced", title="Traced", files={"t": RawFile(names=("t.tsv",), url=None)})
    BUILDER_CONFIGS = [
        TaskConfig("traced_kind", target="multiclass", column="kind"),
        TaskConfig("traced_sets", target="multilabel", column="sets", duplicates="union"),
        TaskConfig("traced_pairs", target="binary", entity="gene_pair", column="kind"),
    ]

    def rows(self, config):
        table = self.read("t", ("id", "name", "kind", "sets"))
        if config.entity == "gene_pair":
            return pd.DataFrame({"symbol_a": table["id"], "symbol_b": "GENE30", "label": table["kind"]})
        label = table["sets"].str.split(";") if config.column == "sets" else table["kind"]
        return pd.DataFrame({"symbol": table["id"], "symbol_alt": table["name"], "label": label})


GENES = [
    {
        "symbol": f"GENE{i}",
        "prev_symbol": f"OLD{i}",
        "ensembl_gene_id": f"ENSG{i:011}",
        "alias_symbol": "BOTH" if i < 2 else "",
    }
    for i in range(40)
]
LINES = [
    *(f"ENSG{i:011}\tGENE{i}\t{'ab'[i % 2]}\tx;y" for i in range(5, 25)),
    "ENSG99999999999\tOLD1\ta\tz",
    "GENE2\tGENE2\tb\tx",
    "OLD2\tGENE2\ta\tz",
    "GENE3\tGENE3\trare\tx",
    "BOTH\tBOTH\ta\tx",
    "OLD24\t\ta\ty",
]


@pytest.fixture
def why(write_hgnc, write_raw, data_dir, monkeypatch):
    write_hgnc([*GENES, {"symbol": "GONE~withdrawn", "status": "Entry Withdrawn"}])
    write_raw("traced/t.tsv", "\n".join(["id\tname\tkind\tsets", *LINES, ""]))
    monkeypatch.setattr(catalog, "BUILDERS", (TracedBuilder,))
    return lambda gene, task="traced_kind", **options: trace(gene, task, RawFiles(data_dir), **options)


def test_a_gene_by_its_second_identifier(why):
    found = why("GENE1")
    assert (found.symbol, found.status, found.rows_read) == ("GENE1", "current", 2)
    # The other row has a name that could mean this gene.
    row = found.source_rows[0]
    assert (row.number, row.label) == (20, "a")
    assert [(each.column, each.text, each.status, each.symbol) for each in row.identifiers] == [
        ("symbol", "ENSG99999999999", "unmapped", None),
        ("symbol_alt", "OLD1", "previous", "GENE1"),
    ]
    (task,) = found.task_rows
    assert (dict(task.entity), task.label) == ({"symbol": "GENE1"}, "a")
    assert found.verdict == "in the task, with 1 row"


@pytest.mark.parametrize("name", ["OLD24", "ENSG00000000024", "gene24"])
def test_any_name_of_the_gene(why, name):
    found = why(name)
    assert (found.symbol, found.rows_read, found.duplicates, found.n_entities) == ("GENE24", 2, 1, 1)


def test_the_fold_is_that_of_the_task(why, data_dir):
    dataset = catalog.load("traced_kind", RawFiles(data_dir)).dataset
    names = dataset.features["label"].int2str(list(dataset["label"]))
    folds = dict(zip(dataset["symbol"], assign_folds(list(dataset["symbol"]), names).tolist(), strict=True))
    assert why("GENE7").task_rows[0].folds == {"fold": folds["GENE7"]}


def test_conflict(why):
    found = why("GENE2")
    assert (found.rows_read, found.conflicts, found.n_entities) == (2, 1, 0)
    assert [row.label for row in found.source_rows] == ["b", "a"]
    assert found.verdict == "not in the task: its rows disagree on the label"


def test_a_class_that_is_too_rare(why):
    found = why("GENE3")
    assert dict(found.labels_dropped) == {"rare": 1}
    assert found.verdict == "not in the task: its class is too rare (rare)"


def test_labels_of_a_multilabel_task_are_united_and_the_rare_one_is_dropped(why):
    found = why("GENE2", "traced_sets")
    assert (found.duplicates, found.conflicts, dict(found.labels_dropped)) == (1, 0, {"z": 2})
    assert found.task_rows[0].label == ("x",)


def test_a_name_of_several_genes(why):
    found = why("BOTH")
    assert (found.symbol, found.status, found.candidates) == (None, "ambiguous", ("GENE0", "GENE1"))
    assert found.source_rows[0].identifiers[0] == Identifier("symbol", "BOTH", "ambiguous", None, ("GENE0", "GENE1"))
    assert found.verdict == "not in the task: the name stands for several genes (GENE0, GENE1)"
    # Seen from one of the genes that it could mean, the row names it too.
    assert why("GENE0").rows_read == 1


def test_a_gene_that_the_source_does_not_name(why):
    assert why("GENE39").verdict == "not in the task: no row of the source with a label names it"
    assert why("GONE").status == "withdrawn"


def test_pairs_are_counted_and_the_first_are_listed(why):
    found = why("GENE30", "traced_pairs", limit=3)
    assert (found.rows_read, found.n_entities) == (len(LINES), 20)
    assert (len(found.source_rows), len(found.task_rows)) == (3, 3)
    assert dict(found.task_rows[0].entity) == {"symbol_a": "GENE10", "symbol_b": "GENE30"}


def test_unknown_names(why):
    with pytest.raises(UnknownGeneError, match=r"^no gene 'GENE3X' in HGNC or Traced; did you mean GENE3"):
        why("GENE3X")
    with pytest.raises(
        UnknownGeneError, match=r"^no gene 'Genex' in HGNC or Traced \(looks like a mouse or rat symbol\); "
    ):
        why("Genex")
    with pytest.raises(UnknownTaskError, match="did you mean 'traced_kind'"):
        why("GENE1", "traced_kinds")


def test_without_raw_files(why):
    with pytest.raises(MissingFileError, match=r"Traced: t\.tsv cannot be downloaded by itself"):
        trace("GENE1", "traced_kind", RawFiles())


def test_packaged_genes():
    found = trace("TP53", "starter_is_tf")
    assert (found.symbol, found.rows_read, found.task_rows[0].label) == ("TP53", 1, "tf")
    with pytest.raises(UnknownGeneError, match=r"^no gene 'tp53' in gene-bench starter; did you mean TP53"):
        trace("tp53", "starter_is_tf")
