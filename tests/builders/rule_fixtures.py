"""Raw files of every source over 60 made-up genes, with something to decide for the rules of frame and sources."""

import pickle
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from builders import BUILDERS
from builders.sources.hpa.builder import OUTCOMES
from builders.sources.hpa.tasks import MAIN_LOCATION
from tests.builders.extended_fixtures import extended
from tests.builders.graph_fixtures import graph_files

N = 60
GENES = range(1, N + 1)


def symbol(i: int) -> str:
    return f"GENE{i}"


def ensembl(i: int) -> str:
    return f"ENSG{i:011}"


def accession(i: int) -> str:
    return f"P{10000 + i}"


def mixed(i: int) -> str:
    """An identifier of gene i: its symbol, mostly, a former one, an alias, or the symbol in another case."""
    return {3: f"OLD{i}", 5: f"NICK{i}", 7: symbol(i).lower()}.get(i % 11, symbol(i))


def tsv(lines: Iterable[Iterable[object]], sep: str = "\t") -> str:
    return "\n".join(sep.join(map(str, line)) for line in lines) + "\n"


def hgnc() -> str:
    columns = (
        *("hgnc_id", "symbol", "name", "locus_group", "status", "location", "alias_symbol", "prev_symbol"),
        *("gene_group", "entrez_id", "ensembl_gene_id", "uniprot_ids"),
    )
    groups = ("protein-coding gene", "non-coding RNA", "pseudogene", "other")
    rows: list[tuple[object, ...]] = [columns]
    for i in GENES:
        hla = f"major histocompatibility complex, class {'I' * (1 + i % 2)}, {i}" if i <= 20 else f"gene number {i}"
        alias = f"NICK{i}|BOTH" if i <= 2 else f"NICK{i}"
        where = ("17p13.1", "Xq28", "mitochondria", "Xp22.33 and Yp11.2")[i % 4]
        former = f"OLD{i}|MARCH{i}" if i < 10 else f"OLD{i}"
        group = "kinases|receptors" if i % 3 else ""
        ids = (i, ensembl(i), f"{accession(i)}|Q{20000 + i}")
        rows.append((f"HGNC:{i}", symbol(i), hla, groups[i % 4], "Approved", where, alias, former, group, *ids))
    rows.append(("HGNC:999", "GONE1~withdrawn", "entry withdrawn", "", "Entry Withdrawn", *[""] * 7))
    return tsv(rows)


def cell(target: str, i: int) -> str:
    """Something in the column of a task of the Human Protein Atlas."""
    kinds = {
        "regression": f"{i % 13}.5",
        "binary": "Yes" if i % 3 else "no",
        "multiclass": f"class {'abc'[i % 3]};",
        "location": ("Cytosol", "Plasma membrane", "Vesicles, Plasma membrane")[i % 3],
        "multilabel": ("Nucleoplasm, Cytosol", "Cytosol<br>Vesicles", "Nucleoplasm;Rare")[i % 3 if i > 2 else 2],
    }
    return "" if i % 17 == 0 else kinds[target]


def hpa() -> dict[str, str]:
    (builder,) = (builder for builder in BUILDERS if builder.SOURCE.name == "hpa")
    # Those of glioma are in a file of their own.
    tasks = {task.column: task.target for task in builder.BUILDER_CONFIGS if "Glioma" not in task.column}
    # A yes or no that is read off a location.
    tasks[MAIN_LOCATION] = "location"
    atlas: list[list[object]] = [["Gene", "Ensembl", *tasks]]
    atlas += [[symbol(i), ensembl(i), *(cell(target, i) for target in tasks.values())] for i in GENES]
    atlas += [["GENE1", "ENSG00000009999", *(cell(target, 1) for target in tasks.values())]]
    atlas += [["ENSG00000008888", "ENSG00000008888", *(cell(target, 1) for target in tasks.values())]]
    pathology: list[list[object]] = [["Gene", "Gene name", "Cancer", *OUTCOMES]]
    pathology += [
        [ensembl(i), symbol(i), "glioma", *("0.01" if j == i % 4 else "" for j in range(len(OUTCOMES)))] for i in GENES
    ]
    return {"proteinatlas.tsv": tsv(atlas), "pathology.tsv": tsv(pathology)}


def uniprot() -> dict[str, str]:
    categories = (
        *("PTM", "Ligand", "Domain", "Biological process", "Molecular function", "Cellular component", "Disease"),
        "Technical term",
    )
    words: list[tuple[str, ...]] = [("Keyword ID", "Name", "Category")]
    for c, category in enumerate(categories):
        words += [(f"KW-9{c}{k}0", f"{category} word {k}", category) for k in range(3)]
    words += [("KW-0863", "Zinc-finger", "Ligand")]
    entries: list[tuple[str, ...]] = [("Entry", "Gene Names (primary)", "Keyword ID", "Sequence")]
    for i in GENES:
        ids = [f"KW-9{c}{k}0" for c in range(len(categories)) for k in range(3) if (i + c) % (k + 2) == 0]
        ids += ["KW-0863"] if i % 2 else []
        names = f"{mixed(i)}; GENE{N - i + 1}" if i % 13 == 0 else mixed(i)
        entries.append((accession(i) if i % 9 else f"A{10000 + i}", names, "; ".join(ids), "MKT" + "A" * i))
    return {"keywords_all.tsv": tsv(words), "uniprotkb_human_reviewed.tsv": tsv(entries)}


def reactome() -> dict[str, str]:
    sets = {
        ("Alpha", "R-HSA-1"): [mixed(i) for i in range(1, 36)],
        ("Beta", "R-HSA-2"): ["GENE1", "BOTH", "NOBODY"],
        ("Part of beta", "R-HSA-3"): [mixed(i) for i in range(20, N + 1)],
        ("Rare", "R-HSA-4"): ["GENE1", "GENE2"],
        ("Part of rare", "R-HSA-5"): ["GENE3"],
        ("Orphan", "R-HSA-6"): ["GENE7"],
        ("Of mice", "R-MMU-1"): ["GENE8"],
    }
    relations = [("R-HSA-2", "R-HSA-3"), ("R-HSA-1", "R-HSA-7"), ("R-HSA-4", "R-HSA-5"), ("R-MMU-1", "R-MMU-2")]
    gmt = tsv((name, pathway, *genes) for (name, pathway), genes in sets.items())
    return {"ReactomePathways.gmt": gmt, "ReactomePathwaysRelation.txt": tsv(relations)}


def humantfs() -> str:
    rows: list[tuple[object, ...]] = [("", "Ensembl ID", "HGNC symbol", "Is TF?")]
    rows += [(i, ensembl(i) if i % 4 else "ENSG00000007777", mixed(i), "Yes" if i % 3 else "No") for i in GENES]
    # Twice with one answer, twice with two, withdrawn.
    rows += [(61, ensembl(2), "GENE2", "Yes"), (62, ensembl(5), "GENE5", "No"), (63, "", "GONE1", "Yes")]
    return tsv(rows, sep=",")


def gene2vec() -> dict[str, str]:
    files = {}
    for split, step in (("train", 1), ("valid", 2), ("test", 3)):
        pairs = [(mixed(i), symbol(i + step)) for i in range(1, N - step)] + [
            ("GENE4", f"GENE{4 + 1}"),
            ("OLD6", "GENE6"),
        ]
        files[f"{split}_text.txt"] = tsv(pairs, sep=" ")
        files[f"{split}_label.txt"] = tsv([(len(a + b) * i) % 3 % 2] for i, (a, b) in enumerate(pairs))
    return files


def geneb() -> dict[str, str]:
    """Each task as one table; those that no collection splits as the collection has them, for the rule that splits."""
    (builder,) = (builder for builder in BUILDERS if builder.SOURCE.name == "geneb")
    files = {}
    for task in builder.BUILDER_CONFIGS:
        classes = len(task.labels or "0123")
        rows = [("text", "label", "split")]
        for i in range(12 * classes):
            text = "".join("ACGTacgtN"[(i * i * k + len(task.name)) % 9] for k in range(12 + i % 3))
            rows.append((text, str(i % classes), ("train", "dev", "test", "train")[i // classes % 4]))
        files[f"{task.upstream_id}.csv"] = tsv(rows, sep=",")
    sequences = [f"ACGT{'ACGT'[i % 4] * (i % 9)}{'CA' * i}" for i in GENES]
    records = "".join(f">misc_ppid_{i}\n{text}\n" for i, text in enumerate(sequences))
    half = records.index(">misc_ppid_20\n")
    files["../dhs/Data-S1.txt"] = f"{records[:half]}II.\t40 others\n{records[half:]}"
    files["../ipro_wael/Arabidopsis nonTATA/data.fasta"] = records
    for name in ("iDHS-EL_DNase_I", "iPro-WAEL_Promoter_Arabidopsis_NonTATA"):
        del files[f"{name}.csv"]
    return files


def write_raw_files(folder: Path) -> None:
    texts = {"hgnc/hgnc_complete_set.txt": hgnc(), "humantfs/DatabaseExtract_v_1.01.csv": humantfs()}
    summaries = [("#tax_id", "GeneID", "Source", "Summary"), (10090, 1, "RefSeq", "Of mice.")]
    summaries += [(9606, i, "RefSeq", f' A "quoted" word {i}.') for i in range(1, N, 2)]
    texts["ncbi_gene/gene_summary.gz"] = tsv(summaries)
    bases = ("ACGT" * 3, "ACGTR", "acg")
    texts["ensembl/Homo_sapiens.GRCh38.cds.all.fa"] = "".join(
        f">ENST{i:011}.1 cds chromosome:GRCh38:1:1:9:1 gene:{ensembl(1 + i % N)}.2 gene_biotype:x\n{bases[i % 3]}\n"
        for i in range(90)
    )
    for source, files in (("hpa", hpa()), ("uniprot", uniprot()), ("reactome", reactome()), ("geneb", geneb())):
        texts |= {f"{source}/{name}": text for name, text in files.items()}
    texts |= {f"gene2vec/predictionData/{name}": text for name, text in gene2vec().items()}
    texts |= graph_files(N)
    texts |= extended()
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (builder,) = (builder for builder in BUILDERS if builder.SOURCE.name == "genecorpus")
    lists: dict[str, dict[str, list[str]]] = {}
    for task in builder.BUILDER_CONFIGS:
        # Two neighbouring lists share two genes.
        starts = dict(zip(task.labels, (1, 25), strict=True)) | {"no_methylation": 1, "lys4_only": 17, "bivalent": 33}
        for name in task.labels:
            key = task.files[-1 if name == "lys4_only" else 0]
            length = 18 if name in ("no_methylation", "lys4_only", "bivalent") else 26
            lists.setdefault(key, {})[name] = [ensembl(i) for i in range(starts[name], starts[name] + length)]
    for key, content in lists.items():
        path = folder / "genecorpus" / builder.SOURCE.files[key].names[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(content))
    scores = [(ensembl(i), f"EFO_{j}", i * j % 10 / 10) for i in GENES for j in (1, 2, 3)]
    for name, columns, rows in (
        ("associationByOverallDirect", ("targetId", "diseaseId", "score"), [*scores, ("ENSG1", "EFO_1", 0.5)]),
        ("diseases", ("id", "name", "description"), [("EFO_2", "two", None), ("EFO_1", "one", "The first.")]),
    ):
        path = folder / "opentargets" / name / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))), path)
