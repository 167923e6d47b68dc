"""Raw files of graphs and of Genen's tasks over the made-up genes of `rule_fixtures`."""


def graph_files(n: int) -> dict[str, str]:
    """Path below the data directory -> content, for genes GENE1..GENEn with Ensembl, Entrez and UniProt ids."""
    symbols = [f"GENE{i}" for i in range(1, n + 1)]
    pairs = [(i, i + step) for step in (1, 3) for i in range(1, n - 4)]
    proteins = [f"9606.ENSP{i}" for i in range(1, n + 1)]
    links = [
        f"{proteins[a - 1]} {proteins[b - 1]} {100 * (a % 7) + 150}" for a, b in [*pairs, *((b, a) for a, b in pairs)]
    ]
    info = [f'{protein}\t{symbol}\t9\ta "quoted" note' for protein, symbol in zip(proteins, symbols, strict=True)]
    huri = [f"ENSG{a:011}\tENSG{b:011}" for a, b in [*pairs, (1, 1), (1, 99999)]]
    terms = [
        f"[Term]\nid: GO:{i:07}\nname: term {i}\nnamespace: cellular_component\n"
        f'def: "What {i} is." [x]\n' + (f"is_a: GO:{i // 2:07} ! parent\n" if i > 1 else "")
        for i in range(1, 31)
    ]
    terms += ["[Term]\nid: GO:0000099\nname: old\nis_obsolete: true\n"]
    gaf = [
        "\t".join(
            [
                *("UniProtKB", f"P{10000 + i}", f"GENE{i}", "NOT" if i % 10 == 0 else "", f"GO:{1 + i % 30:07}", "x"),
                *("IEA" if i % 2 else "IDA", "", "C", "", "", "protein", "taxon:9606", "2019", "UniProt", "", ""),
            ]
        )
        for i in range(1, n + 1)
    ]
    labels = ("gata4_direct", "gata4_indirect", "tbx5_direct", "tbx5_indirect", "housekeeping_genes")

    def litgene(one: str, other: str) -> str:
        rows = [f'{symbol},{one if i % 3 else other},"A, text",{i % 3}' for i, symbol in enumerate(symbols)]
        return _lines("Gene name,StrLabel,Summary,Label", *rows, f"GENE2,{other},x,1", f"GENE1,{other},x,1")

    targets = [f"{symbol},{labels[(i + j) % 5]},x,0" for i, symbol in enumerate(symbols) for j in (0, 1, 2)]
    solubility = [f"{symbol},{'Membrane' if i % 2 else 'Soluble'}" for i, symbol in enumerate(symbols)]
    places = [f"{symbol},place {i % 3}" for i, symbol in enumerate(symbols)]
    conservation = [f"{symbol},{'NA' if i % 9 == 0 else i / 60}" for i, symbol in enumerate(symbols)]
    locations = [f"P{10000 + i},{'Nucleus' if i % 2 else 'Cell.membrane'}," for i in range(1, n + 1)]
    fasta = [f">P{10000 + i} Nucleus-{'MSU'[i % 3]}{' test' if i % 5 == 0 else ''}\nMKT" for i in range(1, n + 1)]
    return {
        "string/9606.protein.links.v12.0.txt.gz": _lines("protein1 protein2 combined_score", *links),
        "string/9606.protein.info.v12.0.txt.gz": _lines("#string_protein_id\tpreferred_name\tsize\tannotation", *info),
        "huri/HuRI.tsv": _lines(*huri),
        "biogrid/biogrid_human_entrez.tsv": _lines("entrezID_A\tentrezID_B", *(f"{a}\t{b}" for a, b in pairs)),
        "go/go.obo": "format-version: 1.2\n\n" + "\n".join(terms),
        "go/goa_human.gaf": _lines("!gaf-version: 2.1", *gaf),
        "litgene/DosageSensitivity.csv": litgene("DosageSensitive", "DosageInsensitive"),
        "litgene/BivalentVsLys4.csv": litgene("Bivalent", "Lys4Only"),
        "litgene/BivalentVsNonMethylated.csv": litgene("Bivalent", "None"),
        "litgene/Tf_range.csv": litgene("Long_range", "Short_range"),
        "litgene/TF_target_type.csv": _lines("Gene name,StrLabel,Summary,Label", *targets),
        "genellm/solubility.csv": _lines("GeneSymbol,Solubility", *solubility),
        "genellm/subcellular_location.csv": _lines("GeneSymbol,Subcellular_location", *places),
        "genellm/phastcons.csv": _lines("GeneSymbol,Conservation", "NA,0.5", *conservation),
        "deeploc/deeploc_annotations.csv": _lines("identifier,label,set", *locations),
        "deeploc/deeploc_test_set.fasta": _lines(*fasta),
    }  # fmt: skip


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
