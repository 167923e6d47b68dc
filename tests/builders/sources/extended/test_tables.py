"""Sources that are tables of values: constraint, dosage, druggability, age, half-life, disease areas, location."""

import lzma
from collections import Counter

import pytest

from builders import BUILDERS, load, select
from builders.errors import SourceFormatError
from builders.raw_files import RawFiles
from gene_eval.publishing.export import are_open


def test_constraint(build, labels):
    head = "gene\ttranscript\toe_lof_upper\tgene_id"
    rows = [f"WRONG{i}\tENST{i}\t0.{i + 10}\tENSG{i:011}" for i in range(10)]
    # A retired id beside a former symbol; no value; a gene name of two transcripts that disagree.
    rows += ["OLD20\tENST\t1.5\tENSG00000099999", "GENE21\tENST\tNA\tENSG00000000021"]
    rows += ["GENE30\tENST\t0.3\tENSG00000000030", "GENE30\tENST\t0.4\tENSG00000099998"]
    built = build("gnomad_constraint", {"gnomad/lof_metrics.by_gene.tsv.gz": [head, *rows]})
    assert labels(built) == {f"GENE{i}": pytest.approx((i + 10) / 100) for i in range(10)} | {"GENE20": 1.5}
    assert (built.audit.conflicts_dropped, built.audit.notes) == (1, ["left out, as they have no value: 1 rows"])


def test_dosage_grades(build, labels, counts):
    head = "track name='ClinGen Gene Curation Haploinsufficiency Scores' db=hg38"
    scores = ["0", "3", "30"] * 6 + ["40"] * 2
    rows = [head, *(f"chr1\t{i}\t{i + 1}\tGENE{i}\t{score}" for i, score in enumerate(scores))]
    built = build("clingen_haploinsufficiency", {"clingen/ClinGen_haploinsufficiency_gene_GRCh38.bed": rows})
    assert counts(built) == {"no_evidence": 6, "sufficient_evidence": 6, "autosomal_recessive": 6}
    assert built.dataset.features["label"].names == ["no_evidence", "sufficient_evidence", "autosomal_recessive"]
    assert built.audit.labels_dropped == {"unlikely": 2}


def test_a_grade_that_is_none(build):
    rows = ["chr1\t1\t2\tGENE1\t3", "chr1\t1\t2\tGENE2\tNot yet evaluated"]
    with pytest.raises(
        SourceFormatError, match=r"line 2 is not 'chromosome, start, end, gene, score' with a score of 0"
    ):
        build("clingen_haploinsufficiency", {"clingen/ClinGen_haploinsufficiency_gene_GRCh38.bed": rows})


def test_development_levels(build, labels):
    levels = ("Tdark", "Tbio", "Tchem", "Tclin")
    rows = ["TCRD ID\tTDL\tIDG_Family\tIDG_Family_Extended\tName\tUniProt"]
    rows += [f"{i}\t{levels[i % 4]}\t\t\tX_HUMAN\tP{10000 + i}" for i in range(24)]
    # The published file has line ends of Windows.
    files = {"tcrd/TCRD_3.1.4_TDL_families_Updated.txt": [f"{row}\r" for row in rows]}
    built = build("tcrd_development_level", files)
    assert labels(built) == {f"GENE{i}": levels[i % 4] for i in range(24)}
    assert tuple(built.dataset.features["label"].names) == levels


def test_tiers(build, labels):
    tiers = ("Tier 1", "Tier 2", "Tier 3A", "Tier 3B")
    rows = ["ensembl_gene_id,druggability_tier,hgnc_names,description"]
    rows += [f'ENSG{i:011},{tiers[i % 4]},WRONG,"a, b [Source:HGNC]"' for i in range(24)]
    built = build("finan2017_druggability_tier", {"finan2017/druggability_finan_et_al_2017.csv": rows})
    assert labels(built) == {f"GENE{i}": tiers[i % 4] for i in range(24)}


def test_age_goes_by_entrez_id(build, write_raw, labels):
    strata = [("WRONG", 100 + i, f"P{i}", 1 + i % 3) for i in range(30)]
    strata += [("GENE0", 100, "P0", 1), ("GENE1", 101, "P1", 9), ("GENE2", 0, "P2", 3)]
    text = "\n".join(["GeneID,Entrez,Entry,Phylostrata", *(",".join(map(str, row)) for row in strata)])
    write_raw("phylostrata/TPPG17.csv.xz", lzma.compress(text.encode()))
    built = build("phylostrata_gene_age", {})
    # GENE1 has two ages.
    assert labels(built) == {f"GENE{i}": str(1 + i % 3) for i in range(30) if i != 1}
    assert built.dataset.features["label"].names == ["1", "2", "3"]
    assert built.audit.samples["unmapped"] == ["0"]


def test_half_life(build, labels):
    rows = ["ensembl_gene_id\texternal_gene_name\thuman_PC1", *(f"ENSG{i:011}\tX\t{i - 5}.25" for i in range(12))]
    built = build("saluki_mrna_half_life", {"saluki/all_HLs_human_PC1.txt": rows})
    assert labels(built) == {f"GENE{i}": float(f"{i - 5}.25") for i in range(12)}


def test_disease_areas(build, labels):
    def row(i, disease):
        return f"ENSP{i}\tGENE{i}\t{disease}\tname\tGHR\tCURATED\t5"

    rows = [row(i, "DOID:863") for i in range(6)] + [row(i, "DOID:1287") for i in range(4, 10)]
    # The root, a single disease, ICD-10, and a gene with nothing else.
    rows += [row(0, "DOID:4"), row(0, "DOID:12858"), row(0, "ICD10:G"), row(40, "DOID:4")]
    built = build("diseases_area", {"diseases/human_disease_knowledge_full.tsv.gz": rows})
    found = labels(built)
    assert found == {f"GENE{i}": {"nervous system"} for i in range(4)} | {
        f"GENE{i}": {"nervous system", "cardiovascular system"} for i in (4, 5)
    } | {f"GENE{i}": {"cardiovascular system"} for i in range(6, 10)}
    assert built.audit.notes == [
        "16 rows of 11 genes; 4 are about other terms than an area, and 1 genes have no area and are left out"
    ]


def test_areas_need_the_full_table(build):
    row = "ENSP1\tGENE1\tDOID:12858\tHuntington's disease\tGHR\tCURATED\t5"
    with pytest.raises(SourceFormatError, match=r"no row is about DOID:1287, .*; expected the full knowledge table"):
        build("diseases_area", {"diseases/human_disease_knowledge_full.tsv.gz": [row] * 10})


@pytest.mark.parametrize("is_topic", [False, True])
def test_plasma_membrane_as_a_main_location(build, labels, is_topic):
    places = ["Cytosol", "Plasma membrane", "Nucleoplasm, Plasma membrane", "Cytosol;Plasma membrane"] * 6
    if is_topic:
        rows = ["Gene\tGene name\tMain location\tAdditional location"]
        rows += [f"ENSG{i:011}\tX\t{place.replace(', ', ';')}\tPlasma membrane" for i, place in enumerate(places)]
        files = {"hpa/subcellular_location.tsv": rows}
    else:
        rows = ["Gene\tEnsembl\tSubcellular main location", *(f"X\tENSG{i:011}\t{p}" for i, p in enumerate(places))]
        files = {"hpa/proteinatlas.tsv": [*rows, f"X\tENSG{30:011}\t"]}
    found = labels(build("hpa_plasma_membrane", files))
    assert found == {f"GENE{i}": "plasma_membrane" if i % 4 else "elsewhere" for i in range(24)}


@pytest.mark.real_data
def test_real_constraint_and_dosage(real, counts):
    built = real("gnomad_constraint")
    assert built.audit.rows_read == 19704 - 507
    assert (built.audit.n, built.audit.conflicts_dropped) == (18662, 68)
    assert counts(real("clingen_haploinsufficiency")) == {
        "autosomal_recessive": 727,
        "sufficient_evidence": 412,
        "no_evidence": 310,
        "little_evidence": 136,
        "unlikely": 34,
        "emerging_evidence": 13,
    }


@pytest.mark.real_data
def test_real_druggability(real, counts):
    built = real("tcrd_development_level")
    assert built.audit.rows_read == 10760 + 7583 + 1241 + 602
    # 19,545 symbols, of which ten have two levels.
    assert (built.audit.n, built.audit.conflicts_dropped) == (19545 - 10, 10)
    assert counts(built) == {"Tbio": 10610, "Tdark": 7090, "Tchem": 1234, "Tclin": 601}
    built = real("finan2017_druggability_tier")
    assert (built.audit.rows_read, built.audit.n) == (1427 + 682 + 870 + 1500, 4401)


@pytest.mark.real_data
def test_real_age_and_half_life(real):
    built = real("phylostrata_gene_age")
    # 16,677 of 16,734 Entrez ids map; 13 genes have two ages.
    assert (built.audit.rows_read, built.audit.identifiers["entrez"]) == (17318, 16677)
    assert (built.audit.n, built.audit.conflicts_dropped) == (16677 - 13, 13)
    assert len(built.dataset.features["label"].names) == 16
    built = real("saluki_mrna_half_life")
    assert (built.audit.rows_read, built.audit.n) == (13921, 13913)
    assert (min(built.dataset["label"]), max(built.dataset["label"])) == (
        pytest.approx(-17.2, abs=0.05),
        pytest.approx(18.2, abs=0.05),
    )


@pytest.mark.real_data
def test_real_disease_areas(real, counts):
    built = real("diseases_area")
    assert built.audit.n == 2259
    assert Counter(counts(built)).most_common(3) == [
        ("nervous system", 760),
        ("metabolism", 430),
        ("cellular proliferation", 364),
    ]
    assert built.audit.labels_dropped == {"reproductive system": 13, "respiratory system": 22, "urinary system": 18}


def test_what_may_be_published():
    # As the sources stated their terms when they were read; of others, `LICENCES` decides.
    names = {"bagel", "gene_lists", "gnomad", "clingen", "surfaceome", "tcrd", "finan2017", "phylostrata", "saluki"}
    names |= {"housekeeping", "imprinted", "diseases", "go"}
    closed = {"gnomad", "tcrd", "finan2017", "housekeeping", "imprinted"}
    assert {name for name in names if not are_open([name])} == closed
    licences = {builder.SOURCE.name: builder.SOURCE.license for builder in BUILDERS}
    assert {name for name in names if licences[name] == "unknown"} == {"gnomad", "housekeeping", "imprinted"}
    assert all(builder.SOURCE.citation for builder in BUILDERS if builder.SOURCE.name in names)


def test_terms_that_are_not_everybodys_are_named_to_be_built(hgnc, data_dir):
    closed = {"tcrd_development_level", "finan2017_druggability_tier"}
    assert closed & set(select([], sequences=False)) == set()
    assert set(select([*closed], sequences=False)) == closed
    assert closed <= set(select([]))
    with pytest.raises(Exception, match=r"no TCRD_3\.1\.4_TDL_families_Updated\.txt in"):
        load("tcrd_development_level", RawFiles(data_dir), rebuild=True)
