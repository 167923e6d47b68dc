"""What the tests of these sources share: sixty genes, and builds of hand-written and of real files."""

from collections import Counter
from collections.abc import Callable

import pytest

from builders import Built, RawFiles, load

N = 60


@pytest.fixture
def hgnc(write_hgnc) -> None:
    """GENE0 to GENE59, protein-coding; RNA0 to RNA9, not; of GENE1 and GENE2, TWIN was a symbol."""
    genes = [
        {
            "symbol": f"GENE{i}",
            "locus_group": "protein-coding gene",
            "entrez_id": str(100 + i),
            "ensembl_gene_id": f"ENSG{i:011}",
            "uniprot_ids": f"P{10000 + i}" if i != 59 else "",
            "prev_symbol": f"OLD{i}|TWIN" if i in (1, 2) else f"OLD{i}",
        }
        for i in range(N)
    ]
    write_hgnc([*genes, *({"symbol": f"RNA{i}", "locus_group": "non-coding RNA"} for i in range(10))])


@pytest.fixture
def build(hgnc, write_raw, data_dir, tmp_path) -> Callable[..., Built]:
    """Writes raw files, named `source/file`, and builds a task."""

    def build(name: str, files: dict[str, list[str]]) -> Built:
        for file, lines in files.items():
            write_raw(file, "\n".join(lines))
        return load(name, RawFiles(data_dir), cache_dir=tmp_path / "cache")

    return build


@pytest.fixture(scope="session")
def real_files(raw_dir) -> RawFiles:
    """Each real file is parsed once."""
    return RawFiles(raw_dir)


@pytest.fixture
def real(real_files, tmp_path) -> Callable[[str], Built]:
    """Builds a task of the real files."""
    return lambda name: load(name, real_files, cache_dir=tmp_path / "cache")


@pytest.fixture
def labels() -> Callable[[Built], dict[str, object]]:
    """Symbol -> name of its class, names of its labels, or its number."""

    def labels(built: Built) -> dict[str, object]:
        feature, cells = built.dataset.features["label"], built.dataset["label"][:]
        names = getattr(getattr(feature, "feature", feature), "names", None)
        named = [
            cell if names is None else {names[i] for i in cell} if isinstance(cell, list) else names[cell]
            for cell in cells
        ]
        return dict(zip(built.dataset["symbol"], named, strict=True))

    return labels


@pytest.fixture
def counts(labels) -> Callable[[Built], Counter[str]]:
    """Name of a class or label -> its number of genes."""

    def counts(built: Built) -> Counter[str]:
        cells = labels(built).values()
        return Counter(name for cell in cells for name in (cell if isinstance(cell, set) else [cell]))

    return counts
