"""What all tests share: Hugging Face caches of their own, and the folder of real source files."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

DATA_DIR_VARIABLE = "GENE_BENCH_DATA_DIR"
_REASON = f"needs the real source files: set {DATA_DIR_VARIABLE} to a folder <source>/<original file name>"
_CACHE = Path(tempfile.mkdtemp(prefix="gene-bench-tests-"))

# At import, not in a fixture: datasets and huggingface_hub read these once, when a test module first imports them.
for _name in [name for name in os.environ if name.startswith(("HF_", "HUGGING_FACE_", "HUGGINGFACE_"))]:
    del os.environ[_name]
os.environ["HF_HOME"] = str(_CACHE)
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
_DATA_DIR = os.environ.pop(DATA_DIR_VARIABLE, None)


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
