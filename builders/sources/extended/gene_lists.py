"""The gene lists that D. MacArthur's laboratory collected, one label each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GeneListsBuilder"]

_URL = "https://raw.githubusercontent.com/macarthur-lab/gene_lists/master/lists"
# Label -> its file.
_LISTS = {
    "autosomal_dominant": "all_ad",
    "autosomal_recessive": "all_ar",
    "clinvar_pathogenic": "clinvar_path_likelypath",
    "drug_target": "fda_approved_drug_targets",
    "gpcr": "gpcr_union",
    "haploinsufficient": "clingen_level3_genes_2018_09_13",
    "lof_tolerant": "homozygous_lof_tolerant_twohit",
    "olfactory_receptor": "olfactory_receptors",
}
_UNIVERSE = "universe"
GENE_LISTS = Source(
    name="gene_lists",
    title="MacArthur laboratory gene lists",
    homepage="https://github.com/macarthur-lab/gene_lists",
    version="2018",
    # The collection says "licensed for redistribution", and names no licence that has a name.
    license="other",
    license_url="https://github.com/macarthur-lab/gene_lists#readme",
    redistributable=True,
    citation=(
        "MacArthur DG. gene_lists, 2018. Dominant and recessive: Blekhman R et al. Curr Biol. 2008;18(12):883-889 and"
        " Berg JS et al. Genet Med. 2013;15(1):36-44. Haploinsufficient: Rehm HL et al. N Engl J Med."
        " 2015;372(23):2235-2242. ClinVar: Landrum MJ et al. Nucleic Acids Res. 2014;42(D1):D980-D985. GPCR: IUPHAR and"
        " UniProt. Drug targets: Wishart DS et al. Nucleic Acids Res. 2018;46(D1):D1074-D1082. Olfactory receptors:"
        " Mainland JD et al. Sci Data. 2015;2:150002. Loss-of-function tolerant: Lek M et al. Nature."
        " 2016;536(7616):285-291. Universe: HGNC."
    ),
    files={
        label: RawFile(names=(f"{name}.tsv",), url=f"{_URL}/{name}.tsv")
        for label, name in {**_LISTS, _UNIVERSE: _UNIVERSE}.items()
    },
)


class GeneListsBuilder(GeneTaskBuilder):
    """A gene of the universe of 2015, or of any list, has the labels of the lists that name it; most have none."""

    SOURCE = GENE_LISTS
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="gene_lists_membership",
            description=(
                "Lists that name the gene: haploinsufficient, dominant and recessive disease, ClinVar, drug target,"
                " GPCR, olfactory receptor, loss of function tolerated; over all protein-coding genes."
            ),
            target="multilabel",
            family="genomic",
            duplicates="union",
            from_annotation=True,
            made_by="the laboratory of D. MacArthur, from one publication or database for each list",
            bias=(
                "disease and drug lists name genes that have been studied; GPCR and olfactory receptors are families,"
                " so that a relative's label gives theirs away"
            ),
        )
    ]

    def rows(self, config: TaskConfig) -> pd.DataFrame:  # noqa: D102
        import pandas as pd

        rows = []
        for key in self.SOURCE.files:
            label = () if key == _UNIVERSE else (key,)
            rows += [(gene, label) for gene in self.read(key, ("gene",), header=False)["gene"]]
        return pd.DataFrame(rows, columns=["symbol", "label"])
