"""Sources that are lists of genes: BAGEL, MacArthur's lists, SURFY, housekeeping and imprinted genes."""

from collections import Counter

import pytest

from builders.errors import SourceFormatError


def test_core_essential(build, labels):
    head = "GENE\tHGNC_ID\tENTREZ_ID"
    built = build(
        "bagel_core_essential",
        {
            "bagel/CEGv2.txt": [head, *(f"OLD{i}\tHGNC:{9000 + i}\t{100 + i}" for i in range(3, 9)), "TWIN\t\t"],
            # Twice the same, as in the published file, and one that is in both lists.
            "bagel/NEGv1.txt": [head, *(f"GENE{i}\t\t" for i in [*range(20, 26), 25, 8])],
        },
    )
    assert labels(built) == {f"GENE{i}": "core_essential" for i in range(3, 8)} | {
        f"GENE{i}": "non_essential" for i in range(20, 26)
    }
    assert built.dataset.features["label"].names == ["non_essential", "core_essential"]
    audit = built.audit
    assert (audit.rows_read, audit.duplicates_collapsed, audit.conflicts_dropped, audit.rows_unmapped) == (15, 1, 1, 1)
    assert audit.samples["ambiguous"] == ["TWIN: GENE1, GENE2"]


def test_lists_are_labels_over_the_universe(build, labels):
    names = ("all_ad", "all_ar", "clinvar_path_likelypath", "fda_approved_drug_targets", "gpcr_union")
    names += ("clingen_level3_genes_2018_09_13", "homozygous_lof_tolerant_twohit", "olfactory_receptors")
    # The lists have no header line, and no line break at their end.
    files = {f"gene_lists/{name}.tsv": [f"GENE{i}" for i in range(k, k + 6)] for k, name in enumerate(names)}
    files["gene_lists/universe.tsv"] = [f"GENE{i}" for i in range(2, 50)]
    built = build("gene_lists_membership", files)
    found = labels(built)
    assert len(found) == 50
    assert found["GENE0"] == {"autosomal_dominant"}
    assert found["GENE2"] == {"autosomal_dominant", "autosomal_recessive", "clinvar_pathogenic"}
    assert found["GENE12"] == {"olfactory_receptor"}
    assert found["GENE40"] == set()


def test_others_of_a_list_are_genes_that_it_cannot_mean(build, labels):
    rows = ["UniProt name\tUniProt accession\tUniProt gene\tSurfaceome Label"]
    rows += [f"X{i}_HUMAN\tP{10000 + i}\tWRONG\tsurface" for i in range(10, 20)]
    built = build(
        "surfaceome_is_surface", {"surfaceome/surfy_surfaceome_only.tsv": [*rows, "Y\tQ99999\tOLD20\tsurface"]}
    )
    found = labels(built)
    assert {gene for gene, label in found.items() if label == "surface"} == {f"GENE{i}" for i in range(10, 20)}
    # A gene without a protein was not classified, an RNA gene neither; of GENE20 the accession is unknown.
    assert len(found) == 58
    assert "GENE20" not in found
    assert "GENE59" not in found
    assert built.audit.samples["unmapped"] == ["Q99999"]
    assert built.audit.notes == [
        "the source lists 11 rows, all surface; not_surface are the 48 approved genes (protein-coding gene) that none"
        " of them may stand for"
    ]


def test_housekeeping(build, labels):
    # Trailing blanks, a second tab, a symbol that stands for two genes, and one in another case.
    lines = [*(f"GENE{i} \tNM_{i}" for i in range(10, 16)), "OLD16 \t\tNM_16", "TWIN\tNM_1", "gene17 \tNM_17"]
    found = labels(build("housekeeping_is_housekeeping", {"housekeeping/HK_genes_2col.txt": lines}))
    assert {gene for gene, label in found.items() if label == "housekeeping"} == {f"GENE{i}" for i in range(10, 17)}
    assert not {"GENE1", "GENE2", "GENE17"} & found.keys()
    assert len(found) == 60 - 3


def test_imprinted(build, labels):
    head = "gene\tchr\tideogram\tcomplement\tstart\tstop\tname"
    genes = [*(f"GENE{i}" for i in range(5, 10)), "RNA1", "GENE5", "IDDM8"]
    lines = [head, *(f"{gene}\t1\t1p1\t+\t1\t2\tsome (name)" for gene in genes)]
    built = build("imprinted_is_imprinted", {"imprinted/imprinted_genes_information.txt": lines})
    found = labels(built)
    assert Counter(found.values()) == {"imprinted": 6, "not_known": 64}
    assert (found["RNA1"], found["RNA2"]) == ("imprinted", "not_known")
    assert (built.audit.duplicates_collapsed, built.audit.samples["unmapped"]) == (1, ["IDDM8"])


def test_a_list_of_another_layout(build):
    with pytest.raises(SourceFormatError, match=r"CEGv2\.txt: no column 'GENE'; the file has 1 columns: Symbol"):
        build("bagel_core_essential", {"bagel/CEGv2.txt": ["Symbol", "A"], "bagel/NEGv1.txt": ["GENE", "B"]})


@pytest.mark.real_data
def test_real_bagel(real, counts):
    built = real("bagel_core_essential")
    # Of 684 and 926 distinct symbols: QARS is ambiguous, PRAMEF3 and SPHAR are unknown.
    assert counts(built) == {"core_essential": 683, "non_essential": 924}
    audit = built.audit
    assert (audit.rows_read, audit.rows_unmapped, audit.duplicates_collapsed) == (684 + 927, 3, 1)


@pytest.mark.real_data
def test_real_lists(real, counts):
    built = real("gene_lists_membership")
    # Every symbol of a list maps, but for QARS in ClinVar's.
    assert counts(built) == {
        "gpcr": 759,
        "olfactory_receptor": 371,
        "haploinsufficient": 294,
        "clinvar_pathogenic": 3078 - 1,
        "drug_target": 385,
        "autosomal_dominant": 709,
        "autosomal_recessive": 1183,
        "lof_tolerant": 330,
    }
    assert built.audit.rows_read == 759 + 371 + 294 + 3078 + 385 + 709 + 1183 + 330 + 19194
    assert built.audit.n == 19166


@pytest.mark.real_data
def test_real_surface(real, counts):
    built = real("surfaceome_is_surface")
    # 2,794 accessions are those of 2,790 genes; two more (olfactory receptors) are of several genes each.
    assert counts(built)["surface"] == 2790
    assert (built.audit.identifiers["ambiguous"], built.audit.identifiers["unmapped"]) == (2, 90)
    assert counts(real("hpa_plasma_membrane")) == {"plasma_membrane": 1464, "elsewhere": 11467}


@pytest.mark.real_data
def test_real_housekeeping_and_imprinted(real, counts):
    built = real("housekeeping_is_housekeeping")
    assert counts(built)["housekeeping"] == 3768
    assert "lists 3,782 rows" in built.audit.notes[0]
    built = real("imprinted_is_imprinted")
    assert counts(built)["imprinted"] == 274
    assert "lists 291 rows" in built.audit.notes[0]
    assert len(built.audit.samples["unmapped"]) == 282 - 274
