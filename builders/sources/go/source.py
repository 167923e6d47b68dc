"""The Gene Ontology as a source: its files and terms of use."""

from builders.raw_files import RawFile, Source

__all__ = ["GO"]

_GENE2GO = ("gene2go.gz", "gene2go", "gene2go_human_2022-09.tsv.gz")
GO = Source(
    name="go",
    title="Gene Ontology",
    homepage="https://geneontology.org",
    version="latest",
    releases="go.obo since 2019; GAF 2.1 and 2.2, or NCBI's gene2go with or without qualifiers",
    license="CC-BY-4.0",
    license_url="https://geneontology.org/docs/go-citation-policy/",
    redistributable=True,
    citation=(
        "Ashburner M et al. Gene Ontology: tool for the unification of biology. Nat Genet. 2000;25(1):25-29."
        " The Gene Ontology Consortium. The Gene Ontology knowledgebase in 2023. Genetics. 2023;224(1):iyad031."
        " doi:10.1093/genetics/iyad031"
    ),
    files={
        "ontology": RawFile(names=("go.obo", "go.obo.gz"), url="https://purl.obolibrary.org/obo/go.obo"),
        "annotations": RawFile(
            names=("goa_human.gaf", "goa_human.gaf.gz", *_GENE2GO),
            url="https://current.geneontology.org/annotations/goa_human.gaf.gz",
        ),
        # A download of today and the older annotations are years apart, so that both must be chosen by hand.
        "later": RawFile(names=_GENE2GO, url=None),
    },
)
