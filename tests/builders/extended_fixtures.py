"""Raw files of the sources beyond the paper over the 60 made-up genes of `rule_fixtures`."""

from collections.abc import Iterable

from builders.sources.extended.tables import TABLES

GENES = range(1, 61)


def mixed(i: int) -> str:
    """An identifier of gene i: its symbol, mostly, a former one, an alias, or the symbol in another case."""
    return {3: f"OLD{i}", 5: f"NICK{i}", 7: f"gene{i}"}.get(i % 11, f"GENE{i}")


def lines(rows: Iterable[Iterable[object]], sep: str = "\t") -> str:
    return "\n".join(sep.join(map(str, row)) for row in rows)


def extended() -> dict[str, str]:
    """Path below the data directory -> content."""
    named = [(mixed(i),) for i in GENES]
    lists = ("all_ad", "all_ar", "clinvar_path_likelypath", "fda_approved_drug_targets", "gpcr_union")
    lists += ("clingen_level3_genes_2018_09_13", "homozygous_lof_tolerant_twohit", "olfactory_receptors")
    tables: dict[str, list[Iterable[object]]] = {
        "bagel/CEGv2.txt": [("GENE",), *named[:25], ("BOTH",)],
        "bagel/NEGv1.txt": [("GENE",), *named[24:50], named[30], ("NOBODY",)],
        **{f"gene_lists/{name}.tsv": named[k : 30 + 3 * k] for k, name in enumerate(lists)},
        "gene_lists/universe.tsv": named[4:],
        "gnomad/lof_metrics.by_gene.tsv.gz": [
            ("gene", "gene_id", "oe_lof_upper"),
            *((mixed(i), f"ENSG{i if i % 7 else 7000:011}", "NA" if i % 9 == 0 else i / 40) for i in GENES),
        ],
        "clingen/ClinGen_haploinsufficiency_gene_GRCh38.bed": [
            ("track name='x'",),
            *(("chr1", i, i + 1, mixed(i), (0, 1, 2, 3, 30, 40)[i % 6 if i < 50 else 0]) for i in GENES),
        ],
        "surfaceome/surfy_surfaceome_only.tsv": [
            ("UniProt accession", "UniProt gene"),
            *((f"P{10000 + i}" if i % 9 else "A00000", mixed(i)) for i in GENES if i % 4),
        ],
        "tcrd/TCRD_3.1.4_TDL_families_Updated.txt": [
            ("TDL", "UniProt"),
            *((("Tdark", "Tbio", "Tchem", "Tclin")[i % 4], f"P{10000 + i}") for i in GENES),
            ("Tbio", "Q20004"),
        ],
        "saluki/all_HLs_human_PC1.txt": [
            ("ensembl_gene_id", "human_PC1"),
            *((f"ENSG{i:011}", i - 30.5) for i in GENES),
            ("ENSG00000099999", 0),
        ],
        "housekeeping/HK_genes_2col.txt": [(f"{name} ", "NM_1") for (name,) in [*named[:15], ("BOTH",)]],
        "imprinted/imprinted_genes_information.txt": [("gene", "chr"), *((name, 1) for (name,) in named[:12])],
        "diseases/human_disease_knowledge_full.tsv.gz": [
            ("P", mixed(i), disease, "x", "GHR", "CURATED", 5)
            for i in GENES
            for k, disease in enumerate(("DOID:863", "DOID:17", "DOID:4", "DOID:28"))
            if i % (k + 2) == 0
        ],
    }
    files = {name: lines(rows) for name, rows in tables.items()}
    files["finan2017/druggability_finan_et_al_2017.csv"] = lines(
        [("ensembl_gene_id", "druggability_tier"), *((f"ENSG{i:011}", f"Tier {1 + i % 3}") for i in GENES)], ","
    )
    ages = [("Entrez", "Phylostrata"), *((i, 1 + i % 4) for i in GENES), (5, 2), (6, 9), (0, 1)]
    files["phylostrata/TPPG17.csv"] = lines(ages, ",")
    return files | _of_tables(files) | _go()


def _of_tables(written: Iterable[str]) -> dict[str, str]:
    """A table for each task of one table that has none here, made from what the task says of it."""
    found = {}
    for task in TABLES:
        (file,) = task.table_source().files.values()
        paths = [f"{task.table_source().name}/{name}" for name in file.names]
        if set(paths) & set(written):
            continue
        cells: list[object] = [*(task.cells or task.labels or [i / 8 for i in GENES])]
        header = [*task.genes, *([task.column] if task.column else [])]
        columns = list(task.names) or header
        rows = [
            {**dict.fromkeys(task.genes, mixed(i)), task.column: cells[i % len(cells)]}
            for i in (GENES if task.column else GENES[:20])
        ]
        table = [[row.get(name, "") for name in columns] for row in rows]
        found[paths[0]] = lines([*([] if task.names else [columns]), *table], task.cell_separator)
    return found


def _go() -> dict[str, str]:
    roots = {"P": "biological_process", "F": "molecular_function", "C": "cellular_component"}
    ontology = []
    for k, (letter, aspect) in enumerate(roots.items()):
        for j in range(4):
            slim = "subset: goslim_generic\n" if j < 3 else ""
            above = f"is_a: GO:{k}{j - 1}\n" if j % 2 else ""
            ontology.append(
                f"[Term]\nid: GO:{k}{j}\nname: {letter}{j}\nnamespace: {aspect}\nalt_id: GO:9{k}{j}\n{slim}{above}"
            )
    codes = ("IDA", "TAS", "IEA", "ND", "IMP")
    older, later = ["!Generated: 2019-01-14"], ["#tax_id\tGeneID\tGO_ID\tEvidence\tCategory"]
    categories = {"P": "Process", "F": "Function", "C": "Component"}
    for i in GENES:
        for k, letter in enumerate(roots):
            term, qualifier = f"GO:{k}{(i + k) % 4}", "NOT" if i % 19 == 0 else ""
            cells = ("U", f"P{10000 + i}", mixed(i), qualifier, term, "R", codes[i % 5], "", letter, "", "", "protein")
            older.append(lines([(*cells, "taxon:9606", "2019", "X")]))
            later.append(lines([(9606, i, f"GO:9{k}{i % 4}", codes[i % 2], categories[letter])]))
    return {
        "go/go.obo": "format-version: 1.2\n\n" + "\n".join(ontology),
        "go/goa_human.gaf": "\n".join(older),
        "go/gene2go": "\n".join(later),
    }
