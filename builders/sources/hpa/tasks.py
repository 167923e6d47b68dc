"""The tasks of the Human Protein Atlas: one per column of its main table, named as the column is."""

from builders.config import Family, Target, TaskConfig

__all__ = ["MAIN_LOCATION", "TASKS"]

MAIN_LOCATION = "Subcellular main location"

# Column family -> what the RNA is compared over; family of the tasks; paper size of specificity and distribution;
# paper size of the score (None: the paper has no such task).
_RNA: dict[str, tuple[str, Family, int, int | None]] = {
    "tissue": ("tissues", "localization", 19784, 4653),
    "single cell type": ("single cell types", "localization", 19761, 4798),
    "cancer": ("cancer types", "biological_process", 19588, 2084),
    "brain regional": ("regions of the human brain", "localization", 19784, 595),
    "blood cell": ("blood cell types", "localization", 19784, 2238),
    "blood lineage": ("blood cell lineages", "localization", 19784, 3351),
    "cell line": ("cell lines", "localization", 19784, 2171),
    "mouse brain regional": ("regions of the mouse brain", "localization", 16655, None),
    "pig brain regional": ("regions of the pig brain", "localization", 16595, None),
}
_CLUSTERS = {"Blood": 12697, "Brain": 17590, "Tissue": 18355, "Cell line": 19167, "Single cell": 19016}
_CANCERS = (
    "Breast cancer", "Cervical cancer", "Colorectal cancer", "Endometrial cancer", "Glioma", "Head and neck cancer",
    "Liver cancer", "Lung cancer", "Melanoma", "Ovarian cancer", "Pancreatic cancer", "Prostate cancer", "Renal cancer",
    "Stomach cancer", "Testis cancer", "Thyroid cancer", "Urothelial cancer",
)  # fmt: skip


def _task(name: str, column: str, target: Target, family: Family, description: str, **fields: object) -> TaskConfig:
    # Rows of one gene (two Ensembl ids for one symbol) unite their labels, or must agree on a single one.
    duplicates = "union" if target == "multilabel" else "agree"
    common = {"name": f"hpa_{name}", "description": description, "target": target, "family": family, "column": column}
    defaults = {"paper_name": column, "files": ("atlas",), "duplicates": duplicates}
    return TaskConfig(**common, **(defaults | fields))  # type: ignore[arg-type]


def _snake(name: str) -> str:
    return name.lower().replace(" ", "_")


def _rna(name: str) -> list[TaskConfig]:
    where, family, size, score_size = _RNA[name]
    kind, spread = f"RNA {name} specificity", f"RNA {name} distribution"
    about = f"How specific the gene's RNA is over {where}: enriched, group enriched, enhanced, low or not detected."
    tasks = [_task(_snake(kind), kind, "multiclass", family, about, paper_size=size)]
    about = f"In how many {where} the gene's RNA is detected: all, many, some, a single one or none."
    tasks.append(_task(_snake(spread), spread, "multiclass", family, about, paper_size=size))
    if score_size is not None:
        score = f"{kind} score"
        about = f"HPA's specificity score over {where}, over the genes whose RNA is enriched or group enriched."
        tasks.append(_task(_snake(score), score, "regression", family, about, paper_size=score_size))
    return tasks


def _cluster(name: str) -> TaskConfig:
    column = f"{name} expression cluster"
    about = f"Cluster that the gene falls into by its RNA profile over {name.lower()} samples."
    return _task(_snake(column), column, "multiclass", "localization", about, paper_size=_CLUSTERS[name])


def _pathology(cancer: str) -> TaskConfig:
    column = f"Pathology prognostics - {cancer}"
    about = (
        f"Whether high RNA is prognostic of longer survival in {cancer.lower()} (favorable), of shorter, or neither."
    )
    files = ("atlas", "pathology")
    return _task(f"pathology_{_snake(cancer)}", column, "multiclass", "biological_process", about, files=files)


TASKS: tuple[TaskConfig, ...] = (
    _task(
        "chromosome", "Chromosome", "multiclass", "genomic",
        "Chromosome that the gene lies on.", paper_size=19784,
        no_splits={"chromosome": "its labels are the chromosomes"},
    ),
    _task(
        "protein_class", "Protein class", "multilabel", "genomic",
        "Protein classes that the gene's product belongs to, such as enzymes or plasma proteins.", paper_size=19784,
        from_annotation=True,
    ),
    _task(
        "subcellular_location", "Subcellular location", "multilabel", "localization",
        "Main and additional locations in the cell at which antibodies stain the protein.", paper_size=13039,
        figure2_family="genomic", files=("atlas", "subcellular"),
    ),
    _task(
        "plasma_membrane", MAIN_LOCATION, "binary", "localization",
        "Whether the plasma membrane is a main location at which antibodies stain the protein (1) or not (0), over the"
        " proteins located.",
        labels=("elsewhere", "plasma_membrane"), files=("atlas", "subcellular"), paper_name=None,
        made_by="the Human Protein Atlas, from immunofluorescence of a few cell lines",
        bias="proteins of other cell types, and those without an antibody, have no row; secreted proteins are rare",
    ),
    _task(
        "biological_process", "Biological process", "multilabel", "biological_process",
        "UniProt keywords for the processes that the protein takes part in, over the proteins with any.",
        paper_size=10796, from_annotation=True,
    ),
    _task(
        "molecular_function", "Molecular function", "multilabel", "biological_process",
        "UniProt keywords for the protein's molecular functions, over the proteins with any.", paper_size=10991,
        figure2_family="genomic", from_annotation=True,
    ),
    _task(
        "disease_involvement", "Disease involvement", "multilabel", "biological_process",
        "Diseases and disease-related gene classes that the gene is assigned to, over the genes with any.",
        paper_size=5837, from_annotation=True,
    ),
    _task(
        "rna_tissue_cell_type_enrichment", "RNA tissue cell type enrichment", "multilabel", "localization",
        "Cell types of tissues ('Liver - Hepatocytes') in which bulk RNA predicts the gene to be enriched.",
        paper_size=13957,
    ),
    _task(
        "secretome_location", "Secretome location", "multiclass", "biological_process",
        "Where the product of a gene predicted to be secreted goes: blood, matrix, brain, digestive system and others.",
        paper_size=2767,
    ),
    _task(
        "secretome_function", "Secretome function", "multiclass", "biological_process",
        "Functional class of the product of a gene predicted to be secreted.", paper_size=2736,
    ),
    _task(
        "ccd_protein", "CCD Protein", "binary", "biological_process",
        "Whether the protein's level depends on the cell cycle in U-2 OS cells (1) or not (0), over those tested.",
        labels=("not_ccd", "ccd"), paper_size=1429,
    ),
    _task(
        "ccd_transcript", "CCD Transcript", "binary", "biological_process",
        "Whether the RNA level depends on the cell cycle in U-2 OS cells (1) or not (0), over those tested.",
        labels=("not_ccd", "ccd"), paper_size=1631,
    ),
    _task(
        "interactions", "Interactions", "regression", "regulatory",
        "Number of protein-protein interactions of the gene's product.", paper_size=11348,
    ),
    _task(
        "blood_concentration_im", "Blood concentration - Conc. blood IM [pg/L]", "regression", "localization",
        "Concentration of the protein in blood by immunoassay, in pg/L as published (not log-transformed).",
        paper_name="Blood concentration - Conc. blood IM", paper_size=438,
    ),
    *(_cluster(name) for name in _CLUSTERS),
    *(task for name in _RNA for task in _rna(name)),
    *(_pathology(cancer) for cancer in _CANCERS),
)  # fmt: skip
