"""What all tests share: Hugging Face caches of their own, and the folder of real source files."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

DATA_DIR_VARIABLE = "GENE_BENCH_DATA_DIR"
_KEPT_VARIABLE = "GENE_BENCH_TESTS_DATA_DIR"
_REASON = f"needs the real source files: set {DATA_DIR_VARIABLE} to a folder <source>/<original file name>"
_CACHE = Path(tempfile.mkdtemp(prefix="gene-bench-tests-"))

# At import, not in a fixture: datasets and huggingface_hub read these once, when a test module first imports them.
for _name in [name for name in os.environ if name.startswith(("HF_", "HUGGING_FACE_", "HUGGINGFACE_"))]:
    del os.environ[_name]
os.environ["HF_HOME"] = str(_CACHE)
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Out of sight of what is tested, and yet handed on to the processes that pytest-xdist starts.
if DATA_DIR_VARIABLE in os.environ:
    os.environ[_KEPT_VARIABLE] = os.environ.pop(DATA_DIR_VARIABLE)
_DATA_DIR = os.environ.get(_KEPT_VARIABLE)
if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker takes one core; read when NumPy and torch are first imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_unconfigure() -> None:
    shutil.rmtree(_CACHE, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _DATA_DIR is None:
        for item in items:
            if item.get_closest_marker("real_data"):
                item.add_marker(pytest.mark.skip(reason=_REASON))


@pytest.fixture(scope="session")
def raw_dir() -> Path:
    """Real source files, laid out as `--data-dir` wants them."""
    if _DATA_DIR is None:
        pytest.skip(_REASON)
    return Path(_DATA_DIR).resolve()


@pytest.fixture(scope="session")
def repo() -> Path:
    """Root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def no_gene_table_of_another_test(request: pytest.FixtureRequest) -> None:
    """Without a data directory, identifiers are resolved by the gene table that was built last: not that of toys."""
    if "toy_dir" not in request.fixturenames:
        for table in ("genes", "gene_covariates"):
            shutil.rmtree(_CACHE / "datasets" / "gene-bench" / table, ignore_errors=True)


N_TOY = 50


@pytest.fixture(scope="session")
def toy_genes() -> list[tuple[str, str]]:
    """(symbol, Ensembl id) of every gene in `toy_dir`."""
    return [(f"TOY{i}", f"ENSG{i:011d}") for i in range(1, N_TOY + 1)]


@pytest.fixture
def toy_dir(tmp_path: Path, toy_genes: list[tuple[str, str]]) -> Path:
    """Raw files of several sources over 50 made-up genes, in the layout of their publishers."""
    import pandas as pd

    symbols = [symbol for symbol, _ in toy_genes]
    texts = {
        "hgnc/hgnc_complete_set.txt": [
            "hgnc_id\tsymbol\tname\tlocus_group\tstatus\tlocation\talias_symbol\tprev_symbol\tgene_group\tentrez_id"
            "\tensembl_gene_id\tuniprot_ids",
            *(
                f"HGNC:{i}\t{symbol}\ttoy gene {i}\tprotein-coding gene\tApproved\t{i % 20 + 1}p1\t\tOLD{i}\t\t{i}"
                f"\t{ensembl}\t"
                for i, (symbol, ensembl) in enumerate(toy_genes, start=1)
            ),
        ],
        "ncbi_gene/gene_summary.gz": [
            "#tax_id\tGeneID\tSource\tSummary",
            *(f"9606\t{i}\tRefSeq\tWord{i % 7} and word{i % 5}." for i in range(1, N_TOY + 1)),
        ],
        "reactome/ReactomePathways.gmt": [
            "\t".join(["Alpha (first)", "R-HSA-1", *symbols[:30]]),
            "\t".join(["Part of beta", "R-HSA-3", *symbols[20:]]),
            "\t".join(["Beta", "R-HSA-2", symbols[0]]),
            "\t".join(["Part of alpha", "R-HSA-4", symbols[1]]),
        ],
        "reactome/ReactomePathwaysRelation.txt": ["R-HSA-2\tR-HSA-3", "R-HSA-1\tR-HSA-4"],
        "humantfs/DatabaseExtract_v_1.01.csv": [
            ",Ensembl ID,HGNC symbol,Is TF?",
            *(f"{i},{ensembl},{symbol},{'Yes' if i % 3 else 'No'}" for i, (symbol, ensembl) in enumerate(toy_genes)),
        ],
    }
    for split, start in (("train", 1), ("valid", 5), ("test", 9)):
        pairs = [(a, b) for step in range(start, start + 4) for a, b in zip(symbols, symbols[step:], strict=False)]
        texts[f"gene2vec/predictionData/{split}_text.txt"] = [" ".join(pair) for pair in pairs]
        texts[f"gene2vec/predictionData/{split}_label.txt"] = [
            str((int(a[3:]) + int(b[3:])) // 3 % 2) for a, b in pairs
        ]
    folder = tmp_path / "toy"
    for name, lines in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    tables = {
        "associationByOverallDirect": pd.DataFrame(
            [(ensembl, f"EFO_{j}", (i * j % 10) / 10) for i, (_, ensembl) in enumerate(toy_genes) for j in (1, 2, 3)],
            columns=["targetId", "diseaseId", "score"],
        ),
        "diseases": pd.DataFrame(
            [(f"EFO_{j}", f"disease {j}", f"About disease {j}.") for j in (1, 2, 3)],
            columns=["id", "name", "description"],
        ),
    }
    for name, table in tables.items():
        path = folder / "opentargets" / name / "part-0.parquet"
        path.parent.mkdir(parents=True)
        table.to_parquet(path, index=False)
    return folder


@pytest.fixture
def families_dir(toy_dir: Path) -> Path:
    """The toy files, with families of three neighbours, publications and lengths."""
    (toy_dir / "families").mkdir()
    lines = ["symbol\tfamily", *(f"TOY{i}\tF{(i - 1) // 3}" for i in range(1, 51))]
    (toy_dir / "families/mine.tsv").write_text("\n".join(lines) + "\n")
    lines = ["GeneID\tn_pubmed", *(f"{i}\t{i * i}" for i in range(1, 41))]
    (toy_dir / "ncbi_gene/gene2pubmed_human_counts.tsv").write_text("\n".join(lines) + "\n")
    lines = ["ensembl\tlength\tgccontent", *(f"ENSG{i:011d}\t{100 + i}\t0.{i:02d}" for i in range(1, 31))]
    (toy_dir / "gene_properties").mkdir()
    (toy_dir / "gene_properties/gene_length_gc.tsv").write_text("\n".join(lines) + "\n")
    return toy_dir
