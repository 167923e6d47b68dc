"""Tasks that are one published table each; docs/tasks.md is made from what stands here."""

from builders.raw_files import RawFile
from builders.sources.extended.background import CODING
from builders.sources.extended.one_table import Origin, TableTask

__all__ = ["TABLES"]

TABLES = (
    TableTask(
        name="gnomad_constraint",
        description=(
            "LOEUF: upper bound of observed over expected loss-of-function variants; low where losing the gene harms."
        ),
        family="genomic",
        # Pages that copy the table name different terms.
        origin=Origin(
            title="gnomAD constraint",
            version="2.1.1",
            license="unknown",
            license_url="https://gnomad.broadinstitute.org/policies",
            homepage="https://gnomad.broadinstitute.org/downloads#v2-constraint",
        ),
        citation=(
            "Karczewski KJ et al. The mutational constraint spectrum quantified from variation in 141,456 humans."
            " Nature. 2020;581(7809):434-443."
        ),
        file=RawFile(
            names=("gnomad.v2.1.1.lof_metrics.by_gene.txt.bgz", "lof_metrics.by_gene.tsv.gz"),
            url=(
                "https://storage.googleapis.com/gcp-public-data--gnomad/release/2.1.1/constraint/"
                "gnomad.v2.1.1.lof_metrics.by_gene.txt.bgz"
            ),
        ),
        # Ensembl ids of GRCh37, of which some are retired; the symbol beside them is known to HGNC. A gene for which
        # too few variants are expected has no value.
        genes=("gene_id", "gene"),
        column="oe_lof_upper",
        made_by="the gnomAD consortium, from variants in 125,748 exomes and a model of mutation rates",
        bias="the interval is wider for short genes, so that length alone tells part of it",
    ),
    TableTask(
        name="tcrd_development_level",
        description=(
            "Target development level: Tclin (a drug acts by it), Tchem (a potent small molecule is known), Tbio"
            " (its biology is studied), Tdark (little is known)."
        ),
        family="protein",
        # The licence is that of the repository that has the table.
        origin=Origin(
            title="Target Central Resource Database",
            version="3.1.4",
            license="CC-BY-NC-4.0",
            homepage="https://pharos.nih.gov",
        ),
        citation=(
            "Oprea TI et al. Unexplored therapeutic opportunities in the human genome. Nat Rev Drug Discov."
            " 2018;17(5):317-332."
        ),
        file="TCRD_3.1.4_TDL_families_Updated.txt",
        genes=("UniProt",),
        column="TDL",
        labels=("Tdark", "Tbio", "Tchem", "Tclin"),
        from_annotation=True,
        ranked=False,
        on_request=True,
        made_by="the IDG consortium, about 2016, from drugs, ligands, antibodies and publications",
        bias="Tdark is defined by few publications, among others: a level is partly the publication count itself",
    ),
    TableTask(
        name="finan2017_druggability_tier",
        description=(
            "Tier of the druggable gene: 1 target of a drug or candidate, 2 binds drug-like molecules or is much"
            " like a target, 3A and 3B secreted, extracellular or of a druggable family, less like a target."
        ),
        family="protein",
        # The licence is that of the repository that has the table.
        origin=Origin(title="The druggable genome", version="2017", license="CC-BY-NC-SA-4.0"),
        citation=(
            "Finan C et al. The druggable genome and support for target identification and validation in drug"
            " development. Sci Transl Med. 2017;9(383):eaag1166. https://doi.org/10.1126/scitranslmed.aag1166"
        ),
        file="druggability_finan_et_al_2017.csv",
        genes=("ensembl_gene_id",),
        column="druggability_tier",
        target="multiclass",
        ranked=False,
        on_request=True,
        made_by="Finan and colleagues, from ChEMBL, sequence similarity to drug targets and GO locations",
        bias="tiers 2 and 3 are defined by similarity to targets, which a family lookup knows",
    ),
    TableTask(
        name="phylostrata_gene_age",
        description="Phylostratum in which the gene arose, from 1 (all living organisms) to 16 (human only).",
        family="genomic",
        # The licence is that of the repository that has the table.
        origin=Origin(title="Phylostrata of human genes", version="2017", license="GPL-3.0"),
        citation=(
            "Trigos AS et al. Altered interactions between unicellular and multicellular genes drive hallmarks of"
            " transformation in a diverse range of solid tumors. PNAS. 2017;114(24):6406-6411."
            " https://doi.org/10.1073/pnas.1617743114"
        ),
        file=RawFile(names=("TPPG17.csv.xz", "TPPG17.csv"), url=None),
        # The symbols of the table are those of 2017.
        genes=("Entrez",),
        column="Phylostrata",
        labels=tuple(str(number) for number in range(1, 17)),
        made_by="Trigos and colleagues, from the most distant species with an ortholog",
        bias="genes of a family mostly have one age; young genes are short and little studied",
    ),
    TableTask(
        name="saluki_mrna_half_life",
        # No time, but higher is more stable.
        description="Stability of the mRNA: first principal component of its half-lives in human cells (no unit).",
        family="regulatory",
        origin=Origin(title="mRNA half-lives of Saluki", version="2022", license="Apache-2.0"),
        citation=(
            "Agarwal V, Kelley DR. The genetic and biochemical determinants of mRNA degradation rates in mammals."
            " Genome Biol. 2022;23(1):245. https://doi.org/10.1186/s13059-022-02811-x"
        ),
        file="all_HLs_human_PC1.txt",
        genes=("ensembl_gene_id",),
        column="human_PC1",
        made_by="Agarwal and Kelley, from published datasets of human cells",
        bias="only expressed genes have a value; codons and transcript length tell part of it",
    ),
    TableTask(
        name="imprinted_is_imprinted",
        description="Whether the gene is imprinted, predicted ones included (1), or not known to be (0).",
        family="regulatory",
        origin=Origin(
            title="Imprinted genes of geneimprint and Otago",
            version="2015",
            license="unknown",
            license_url="https://www.geneimprint.com/",
            homepage="https://www.geneimprint.com/site/genes-by-species.Homo+sapiens",
        ),
        citation=(
            "Jirtle RL. geneimprint.com. Morison IM et al. A census of mammalian imprinting. Trends Genet."
            " 2005;21(8):457-465."
        ),
        file="imprinted_genes_information.txt",
        genes=("gene",),
        labels=("not_known", "imprinted"),
        others=(CODING, "non-coding RNA"),
        from_annotation=True,
        made_by="the curators of geneimprint and of the Otago catalogue, from publications and one prediction",
        bias="imprinted genes lie in clusters, so that neighbours on a chromosome tend to share the label",
    ),
)
