"""What the builder tests share: a small HGNC table and folders of raw files, made on the spot."""

from collections.abc import Callable
from pathlib import Path

import pytest

COLUMNS = (
    "hgnc_id", "symbol", "name", "locus_group", "locus_type", "status", "location", "alias_symbol", "prev_symbol",
    "gene_group", "entrez_id", "ensembl_gene_id", "uniprot_ids", "mgd_id", "rgd_id",
    "date_symbol_changed", "date_modified",
)  # fmt: skip
WriteHgnc = Callable[[list[dict[str, str]]], Path]


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """An empty data directory."""
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


@pytest.fixture
def write_raw(data_dir) -> Callable[[str, str | bytes], Path]:
    """Writes a raw file: `write_raw("reactome/ReactomePathways.gmt", text)`."""

    def write(name: str, content: str | bytes) -> Path:
        path = data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def write_hgnc(write_raw) -> WriteHgnc:
    """Writes HGNC's complete set from rows of the columns that matter; the others are empty, the status Approved."""

    def write(rows: list[dict[str, str]]) -> Path:
        full = [{"hgnc_id": f"HGNC:{9000 + i}", "status": "Approved", **row} for i, row in enumerate(rows)]
        lines = ["\t".join(COLUMNS), *("\t".join(row.get(name, "") for name in COLUMNS) for row in full)]
        return write_raw("hgnc/hgnc_complete_set.txt", "\n".join(lines) + "\n")

    return write
