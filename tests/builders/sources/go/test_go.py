"""The Gene Ontology: ontology, annotations, slim terms by evidence, and the genes annotated since."""

import gzip
import re
from collections import Counter

import pytest

from builders import RawFiles, load, subtasks
from builders.errors import SourceFormatError, TaskDataError
from builders.readers.obo import read_obo

OBO = """format-version: 1.2
data-version: releases/2019-01-27

[Term]
id: GO:0008150
name: biological_process
namespace: biological_process
subset: goslim_generic

[Term]
id: GO:0000010
name: transport
namespace: biological_process
alt_id: GO:0000011
subset: goslim_generic
subset: goslim_yeast
is_a: GO:0008150 ! biological_process

[Term]
id: GO:0000020
name: cell cycle
namespace: biological_process
subset: goslim_generic
is_a: GO:0008150 {source="X"} ! biological_process

[Term]
id: GO:0000030
name: ion transport
namespace: biological_process
is_a: GO:0000010 ! transport

[Term]
id: GO:0000040
name: spindle assembly
namespace: biological_process
is_a: GO:0008150 ! biological_process
relationship: part_of GO:0000020 ! cell cycle

[Term]
id: GO:0000050
name: regulation of transport
namespace: biological_process
is_a: GO:0008150 ! biological_process
relationship: regulates GO:0000010 ! transport

[Term]
id: GO:0000060
name: carrier activity
namespace: molecular_function
subset: goslim_generic
relationship: part_of GO:0000030 ! ion transport

[Term]
id: GO:0000070
name: gone
namespace: biological_process
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""
UPWARDS = frozenset(("is_a", "part_of"))


@pytest.fixture
def ontology(tmp_path):
    path = tmp_path / "go.obo"
    path.write_text(OBO)
    return read_obo(path)


def test_ontology(ontology):
    assert (ontology.version, len(ontology.terms), ontology.n_obsolete) == ("releases/2019-01-27", 7, 1)
    assert ontology.term("GO:0000011").name == "transport"
    assert ontology.term("GO:0000070") is None
    assert ontology.terms["GO:0000010"].subsets == {"goslim_generic", "goslim_yeast"}
    assert ontology.terms["GO:0000020"].parents == [("is_a", "GO:0008150")]
    assert ontology.above("GO:0000040", UPWARDS) == {"GO:0000040", "GO:0000020", "GO:0008150"}
    assert ontology.above("GO:0000050", UPWARDS) == {"GO:0000050", "GO:0008150"}


def test_what_is_no_ontology(tmp_path):
    path = tmp_path / "go.obo"
    path.write_text("<html>not found</html>")
    with pytest.raises(SourceFormatError, match=r"go\.obo: no term; expected an OBO file, as http"):
        read_obo(path)
    path.write_text(OBO.replace("id: GO:0000020\n", ""))
    with pytest.raises(SourceFormatError, match=r"go\.obo: term 3 has no id"):
        read_obo(path)


def gaf(
    i: int, term: str, evidence: str = "IDA", *, qualifier: str = "", aspect: str = "P", taxon: str = "9606"
) -> str:
    return "\t".join(
        ["UniProtKB", f"P{10000 + i}", f"GENE{i}", qualifier, term, "PMID:1", evidence, "", aspect, "a name", "",
         "protein", f"taxon:{taxon}", "20190112", "UniProt", "", ""]
    )  # fmt: skip


GAF = [
    "!gaf-version: 2.1",
    "!Generated: 2019-01-14 09:47",
    *(gaf(i, "GO:0000030") for i in range(6)),
    *(gaf(i, "GO:0000040", "TAS") for i in range(4, 10)),
    *(gaf(i, "GO:0000011", "IEA") for i in range(10, 16)),
    # Of no process in the slim: the root, what only regulates one, a function, an obsolete term, "no data".
    gaf(20, "GO:0008150"),
    gaf(21, "GO:0000050"),
    gaf(22, "GO:0000060", aspect="F"),
    gaf(23, "GO:0000070"),
    gaf(24, "GO:0000010", "ND"),
    gaf(25, "GO:0000010", qualifier="NOT|contributes_to"),
    gaf(26, "GO:0000010", taxon="10090|taxon:9606"),
]
TRANSPORT = {f"GENE{i}": {"transport"} for i in range(6)}


@pytest.fixture
def build(write_hgnc, write_raw, data_dir, tmp_path):
    write_hgnc([{"symbol": f"GENE{i}", "uniprot_ids": f"P{10000 + i}", "entrez_id": str(100 + i)} for i in range(60)])
    write_raw("go/go.obo.gz", gzip.compress(OBO.encode()))

    def build(name, annotations=GAF, later=()):
        write_raw("go/goa_human.gaf.gz", "\n".join(annotations))
        write_raw("go/gene2go.gz", "\n".join(later))
        return load(name, RawFiles(data_dir), cache_dir=tmp_path / "cache")

    return build


def labels(built):
    names = built.dataset.features["label"].feature.names
    cells = [{names[i] for i in cell} for cell in built.dataset["label"]]
    return dict(zip(built.dataset["symbol"], cells, strict=True))


def test_slim_terms_by_evidence(build):
    cycle = {f"GENE{i}": {"cell cycle"} for i in range(6, 10)}
    both = {f"GENE{i}": {"transport", "cell cycle"} for i in (4, 5)}
    built = build("go_slim_process")
    assert labels(built) == TRANSPORT | cycle | both
    assert built.audit.notes == [
        "goa_human.gaf.gz of 2019-01-14: 1 annotations with NOT are left out",
        "goa_human.gaf.gz: of 22 annotations of the aspect, 7 have other evidence, 1 a term that the ontology lacks,"
        " and 2 no slim term above",
    ]
    assert labels(build("go_slim_process_experimental")) == TRANSPORT
    electronic = {f"GENE{i}": {"transport"} for i in range(10, 16)}
    assert labels(build("go_slim_process_all")) == TRANSPORT | cycle | both | electronic


LATER = [
    "#tax_id\tGeneID\tGO_ID\tEvidence\tQualifier\tGO_term\tPubMed\tCategory",
    # Known before, known since, known only by homology, denied, of another species, newer than the ontology.
    *(f"9606\t{100 + i}\tGO:0000040\tIMP\tinvolved_in\tx\t1\tProcess" for i in range(4, 6)),
    *(f"9606\t{100 + i}\tGO:0000030\tIMP\tinvolved_in\tx\t1\tProcess" for i in range(30, 40)),
    "9606\t140\tGO:0000010\tISS\tinvolved_in\tx\t1\tProcess",
    "9606\t141\tGO:0000010\tIMP\tNOT involved_in\tx\t1\tProcess",
    "10090\t142\tGO:0000010\tIMP\tinvolved_in\tx\t1\tProcess",
    "9606\t143\tGO:0000099\tIMP\tinvolved_in\tx\t1\tProcess",
]


def test_genes_annotated_since_are_the_test(build):
    built = build("go_newly_annotated_process", later=LATER)
    new = {f"GENE{i}": {"transport"} for i in range(30, 40)}
    # GENE4 and GENE5 were known: what has been found of them since is not taken.
    assert labels(built) == TRANSPORT | new
    parts = dict(zip(built.dataset["symbol"], built.dataset["split"], strict=True))
    assert parts == dict.fromkeys(TRANSPORT, "train") | dict.fromkeys(new, "test")
    assert built.dataset["split"][:] == ["train"] * 6 + ["test"] * 10
    assert built.audit.notes[-1] == (
        "train has 6 entities, test 10; 2 rows of test are about entities of train and are left out"
    )
    assert "gene2go.gz: 1 with NOT left out" in built.audit.notes
    (label,) = subtasks(built, "transport")
    assert label.dataset["split"][:] == built.dataset["split"][:]


def test_parts_as_load_dataset_gives_them(build, data_dir, tmp_path):
    from builders import builder_of

    build("go_newly_annotated_process", later=LATER)
    made = builder_of("go_newly_annotated_process")(
        "go_newly_annotated_process", data_dir=data_dir, cache_dir=tmp_path / "cache"
    )
    parts = made.as_dataset()
    assert {name: len(part) for name, part in parts.items()} == {"train": 6, "test": 10}


def test_without_qualifiers_it_is_said(build):
    later = ["\t".join(line.split("\t")[:4] + line.split("\t")[7:]) for line in LATER]
    built = build("go_newly_annotated_process", later=later)
    assert "gene2go.gz: it has no qualifiers, so that NOT counts as yes" in built.audit.notes
    assert "GENE41" in labels(built)


def test_nothing_has_been_found_since(build):
    with pytest.raises(TaskDataError, match="6 entities to train on and 0 to test on; expected some of both"):
        build("go_newly_annotated_process", later=LATER[:3])


def test_annotations_of_a_mouse(build):
    with pytest.raises(SourceFormatError, match=r"goa_human\.gaf\.gz: no annotation is of taxon 9606; expected goa"):
        build("go_slim_process", annotations=[gaf(1, "GO:0000010", taxon="10090")])
    with pytest.raises(SourceFormatError, match=r"line 1 is no annotation of GAF 2 \(3 cells\): 'a"):
        build("go_slim_process", annotations=["a\tb\tc"])


@pytest.mark.real_data
def test_real_ontology_and_annotations(raw_dir, tmp_path):
    ontology = read_obo(raw_dir / "go" / "go.obo.gz")
    assert (len(ontology.terms), ontology.n_obsolete) == (47347 - 2334, 2334)
    parents = Counter(relation for term in ontology.terms.values() for relation, _ in term.parents)
    # Three more is_a of the file are between relations.
    assert (parents["is_a"], parents["part_of"]) == (77192 - 3, 7942)
    raw = RawFiles(raw_dir)
    built = load("go_slim_process", raw, cache_dir=tmp_path / "cache")
    assert "goa_human.gaf.gz of 2019-01-14: 1,187 annotations with NOT are left out" in built.audit.notes
    # An independent way: parents by regular expression, and the terms of one gene by hand.
    text = gzip.decompress((raw_dir / "go" / "go.obo.gz").read_bytes()).decode()
    stanzas = {re.search(r"^id: (\S+)", each, re.MULTILINE)[1]: each for each in text.split("[Term]\n")[1:]}

    def slims(term: str) -> set[str]:
        above, seen = [term], set()
        while above:
            seen.add(one := above.pop())
            above += re.findall(r"^(?:is_a|relationship: part_of):? ?(GO:\d+)", stanzas[one], re.MULTILINE)
        return {
            re.search(r"^name: (.+)", stanzas[each], re.MULTILINE)[1]
            for each in seen
            if "subset: goslim_generic" in stanzas[each] and "namespace: biological_process" in stanzas[each]
        }

    wanted: set[str] = set()
    for line in gzip.decompress((raw_dir / "go" / "goa_human.gaf.gz").read_bytes()).decode().splitlines():
        cells = line.split("\t")
        if line[0] != "!" and cells[1] == "P38398" and cells[8] == "P" and cells[6] not in ("IEA", "ND"):
            wanted |= slims(cells[4]) if "NOT" not in cells[3] else set()
    assert labels(built)["BRCA1"] == (wanted - {"biological_process"}) - set(built.audit.labels_dropped)


@pytest.mark.real_data
def test_real_genes_annotated_since(raw_dir, tmp_path):
    built = load("go_newly_annotated_process", RawFiles(raw_dir), cache_dir=tmp_path / "cache")
    assert Counter(built.dataset["split"][:]) == {"train": 6962, "test": 1143}
