"""The 100 tasks of GENEB (arXiv 2606.04525): which rows of which collection, in which category."""

from __future__ import annotations

from typing import NamedTuple

from builders.config import Category

__all__ = ["ROWS", "Row"]


class Row(NamedTuple):
    """A task as the benchmark names it.

    Args:
        collection: Key of `collections.COLLECTIONS`.
        key: What follows the collection in the name of the task.
        species: Whose sequences they are.
        classes: Their number.
        sizes: Rows of train, validation and test of the collection; 0 where there is no such part, None where the
            number is not known. Where the collection has no split, those of the one that is drawn.
    """

    collection: str
    key: str
    species: str
    classes: int
    sizes: tuple[int | None, int | None, int | None]


ROWS: dict[Category, tuple[Row, ...]] = {
    "histone_modification": (
        Row("nucleotide_transformer", "H3", "yeast", 2, (13468, 0, 1497)),
        Row("nucleotide_transformer", "H3K14ac", "yeast", 2, (29743, 0, 3305)),
        Row("nucleotide_transformer", "H3K36me3", "yeast", 2, (31392, 0, 3488)),
        Row("nucleotide_transformer", "H3K4me1", "yeast", 2, (28509, 0, 3168)),
        Row("nucleotide_transformer", "H3K4me2", "yeast", 2, (27614, 0, 3069)),
        Row("nucleotide_transformer", "H3K4me3", "yeast", 2, (33119, 0, 3680)),
        Row("nucleotide_transformer", "H3K79me3", "yeast", 2, (25953, 0, 2884)),
        Row("nucleotide_transformer", "H3K9ac", "yeast", 2, (25003, 0, 2779)),
        Row("nucleotide_transformer", "H4", "yeast", 2, (13140, 0, 1461)),
        Row("nucleotide_transformer", "H4ac", "yeast", 2, (30685, 0, 3410)),
        Row("nucleotide_transformer_revised", "H2AFZ", "human", 2, (30000, 0, 3000)),
        Row("nucleotide_transformer_revised", "H3K27ac", "human", 2, (30000, 0, 1616)),
        Row("nucleotide_transformer_revised", "H3K27me3", "human", 2, (30000, 0, 3000)),
        Row("nucleotide_transformer_revised", "H3K36me3", "human", 2, (30000, 0, 3000)),
        Row("nucleotide_transformer_revised", "H3K4me1", "human", 2, (30000, 0, 3000)),
        Row("nucleotide_transformer_revised", "H3K4me2", "human", 2, (30000, 0, 2138)),
        Row("nucleotide_transformer_revised", "H3K4me3", "human", 2, (30000, 0, 776)),
        Row("nucleotide_transformer_revised", "H3K9ac", "human", 2, (23274, 0, 1004)),
        Row("nucleotide_transformer_revised", "H3K9me3", "human", 2, (27438, 0, 850)),
        Row("nucleotide_transformer_revised", "H4K20me1", "human", 2, (30000, 0, 2270)),
        Row("gue", "emp_H3", "yeast", 2, (11971, 1497, 1497)),
        Row("gue", "emp_H3K14ac", "yeast", 2, (26438, 3305, 3305)),
        Row("gue", "emp_H3K36me3", "yeast", 2, (27904, 3488, 3488)),
        Row("gue", "emp_H3K4me1", "yeast", 2, (25341, 3168, 3168)),
        Row("gue", "emp_H3K4me2", "yeast", 2, (24545, 3069, 3069)),
        Row("gue", "emp_H3K4me3", "yeast", 2, (29439, 3680, 3680)),
        Row("gue", "emp_H3K79me3", "yeast", 2, (23069, 2884, 2884)),
        Row("gue", "emp_H3K9ac", "yeast", 2, (22224, 2779, 2779)),
        Row("gue", "emp_H4", "yeast", 2, (11679, 1461, 1461)),
        Row("gue", "emp_H4ac", "yeast", 2, (27275, 3410, 3410)),
    ),
    "promoter": (
        Row("nucleotide_transformer", "promoter_all", "human", 2, (53276, 0, 5920)),
        Row("nucleotide_transformer", "promoter_no_tata", "human", 2, (47767, 0, 5299)),
        Row("nucleotide_transformer", "promoter_tata", "human", 2, (5509, 0, 621)),
        Row("nucleotide_transformer_revised", "promoter_all", "human", 2, (30000, 0, 1584)),
        Row("nucleotide_transformer_revised", "promoter_no_tata", "human", 2, (30000, 0, 1372)),
        Row("nucleotide_transformer_revised", "promoter_tata", "human", 2, (5062, 0, 212)),
        Row("plant_genomic_benchmark", "pro_seq.m_esculenta", "plant", 2, (None, None, 812)),
        Row("ipro_wael", "Arabidopsis_NonTATA", "plant", 2, (8267, 0, 3543)),
        Row("ipro_wael", "Arabidopsis_TATA", "plant", 2, (3063, 0, 1313)),
        Row("ipro_wael", "B_amyloliquefaciens", "bacteria", 2, (1483, 0, 636)),
        Row("ipro_wael", "GM12878", "human", 2, (10992, 0, 2750)),
        Row("ipro_wael", "HUVEC", "human", 2, (11928, 0, 2982)),
        Row("ipro_wael", "Hela-S3", "human", 2, (11736, 0, 2936)),
        Row("ipro_wael", "NHEK", "human", 2, (8170, 0, 2044)),
        Row("ipro_wael", "R_capsulatus", "bacteria", 2, (7406, 0, 3175)),
        Row("genomic_benchmarks", "human_nontata_promoters", "human", 2, (27097, 0, 9034)),
        Row("gue", "prom_300_all", "human", 2, (47356, 5920, 5920)),
        Row("gue", "prom_300_notata", "human", 2, (42452, 5307, 5307)),
        Row("gue", "prom_300_tata", "human", 2, (4904, 613, 613)),
        Row("gue", "prom_core_all", "human", 2, (47356, 5920, 5920)),
        Row("gue", "prom_core_notata", "human", 2, (42452, 5307, 5307)),
        Row("gue", "prom_core_tata", "human", 2, (4904, 613, 613)),
    ),
    "enhancer": (
        Row("nucleotide_transformer", "enhancers", "human", 2, (14968, 0, 400)),
        Row("nucleotide_transformer", "enhancers_types", "human", 3, (14968, 0, 400)),
        Row("nucleotide_transformer_revised", "enhancers", "human", 2, (30000, 0, 3000)),
        Row("nucleotide_transformer_revised", "enhancers_types", "human", 3, (30000, 0, 3000)),
        Row("genomic_benchmarks", "drosophila_enhancers_stark", "fly", 2, (5184, 0, 1730)),
        Row("genomic_benchmarks", "dummy_mouse_enhancers_ensembl", "mouse", 2, (968, 0, 242)),
        Row("genomic_benchmarks", "human_enhancers_cohn", "human", 2, (20843, 0, 6948)),
        Row("genomic_benchmarks", "human_enhancers_ensembl", "human", 2, (123872, 0, 30970)),
    ),
    "dna_methylation": (
        Row("deep4mc", "A.thaliana_4mC", "A.thaliana", 2, (None, 0, 67157)),
        Row("deep4mc", "C.elegans_4mC", "C.elegans", 2, (None, 0, 36398)),
        Row("deep4mc", "D.melanogaster_4mC", "D.melanogaster", 2, (None, 0, 54200)),
        Row("deep4mc", "E.coli_4mC", "E.coli", 2, (8682, 0, 3721)),
        Row("deep4mc", "G.pickeringii_4mC", "G.pickeringii", 2, (24053, 0, 10309)),
        Row("deep4mc", "G.subterraneus_4mC", "G.subterraneus", 2, (63566, 0, 27243)),
        Row("idna_abf", "5mC", "human", 2, (2344, 0, 2344)),
        Row("idna_abf", "6mA", "human", 2, (18336, 0, 18334)),
    ),
    "splice_site": (
        Row("nucleotide_transformer_revised", "splice_sites_acceptors", "human", 2, (30000, 0, 3000)),
        Row("nucleotide_transformer_revised", "splice_sites_all", "human", 3, (30000, 0, 3000)),
        Row("nucleotide_transformer_revised", "splice_sites_donors", "human", 2, (30000, 0, 3000)),
        Row("nucleotide_transformer", "splice_sites_acceptors", "multi-species", 2, (19961, 0, 2218)),
        Row("nucleotide_transformer", "splice_sites_all", "multi-species", 3, (27000, 0, 3000)),
        Row("nucleotide_transformer", "splice_sites_donors", "multi-species", 2, (19775, 0, 2198)),
        Row("gue", "splice_reconstructed", "human", 3, (36496, 4562, 4562)),
    ),
    "lncrna": (
        Row("plant_genomic_benchmark", "lncrna.g_max", "plant", 2, (11430, None, 490)),
        Row("plant_genomic_benchmark", "lncrna.m_esculenta", "plant", 2, (4934, None, 360)),
        Row("plant_genomic_benchmark", "lncrna.s_bicolor", "plant", 2, (8654, None, 734)),
        Row("plant_genomic_benchmark", "lncrna.s_lycopersicum", "plant", 2, (7274, None, 1072)),
        Row("plant_genomic_benchmark", "lncrna.t_aestivum", "plant", 2, (11252, None, 1810)),
        Row("plant_genomic_benchmark", "lncrna.z_mays", "plant", 2, (8423, None, 1629)),
    ),
    "mouse_enhancer": (
        Row("gue", "mouse_0", "mouse", 2, (6478, 810, 810)),
        Row("gue", "mouse_1", "mouse", 2, (53952, 6745, 6745)),
        Row("gue", "mouse_2", "mouse", 2, (2620, 328, 328)),
        Row("gue", "mouse_3", "mouse", 2, (1904, 239, 239)),
        Row("gue", "mouse_4", "mouse", 2, (15064, 1883, 1883)),
    ),
    "tf_binding": (
        Row("gue", "human_tf_0", "human", 2, (32378, 1000, 1000)),
        Row("gue", "human_tf_1", "human", 2, (30672, 1000, 1000)),
        Row("gue", "human_tf_2", "human", 2, (19000, 1000, 1000)),
        Row("gue", "human_tf_3", "human", 2, (27294, 1000, 1000)),
        Row("gue", "human_tf_4", "human", 2, (19000, 1000, 1000)),
    ),
    "species": (
        Row("genomic_benchmarks", "demo_human_or_worm", "human, worm", 2, (75000, 0, 25000)),
        Row("gue", "fungi_species_20", "fungi", 25, (8000, 1000, 1000)),
        Row("gue", "virus_species_40", "virus", 20, (4000, 500, 500)),
    ),
    "regulatory": (
        Row("genomic_benchmarks", "human_ensembl_regulatory", "human", 3, (231348, 0, 57713)),
        Row("genomic_benchmarks", "human_ocr_ensembl", "human", 2, (139804, 0, 34952)),
    ),
    "virus_phage": (
        Row("gue", "phage_fragments", "virus", 2, (None, None, None)),
        Row("gue", "virus_covid", "virus", 9, (73335, 9168, 9168)),
    ),
    "coding": (Row("genomic_benchmarks", "demo_coding_vs_intergenomic_seqs", "human", 2, (75000, 0, 25000)),),
    "chromatin_accessibility": (Row("idhs_el", "DNase_I", "human", 2, (711, 0, 306)),),
}
