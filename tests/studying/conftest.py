"""Toy genes with a graph: interactions between neighbours in number, and an ontology of five terms."""

import pytest

OBO = """format-version: 1.2

[Term]
id: GO:1
name: cell
namespace: cellular_component
""" + "".join(
    f'\n[Term]\nid: GO:{i}\nname: {name}\nnamespace: molecular_function\ndef: "{name} is word{i}." [x]\nis_a: GO:1\n'
    for i, name in enumerate(["of threes", "of fours", "of fives", "dimming lights"], start=2)
)


@pytest.fixture
def graph_dir(toy_dir):
    """`toy_dir` with HuRI, go.obo and a GAF file; genes that are no TF have the term GO:2."""
    huri = [f"ENSG{i:011}\tENSG{i + step:011}" for step in (1, 3) for i in range(1, 46)]
    gaf = []
    for i in range(1, 51):
        for term, every in (("GO:2", 3), ("GO:3", 4), ("GO:4", 5)):
            if (i - 1) % every == 0:
                cells = ["UniProtKB", f"Q{i}", f"TOY{i}", "", term, "x", "IDA", "", "F", "", "", "protein"]
                gaf.append("\t".join([*cells, "taxon:9606", "1", "UniProt", "", ""]))
    for name, lines in (("huri/HuRI.tsv", huri), ("go/go.obo", [OBO]), ("go/goa_human.gaf", gaf)):
        path = toy_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return toy_dir
