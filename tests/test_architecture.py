"""What holds the packages together: imports run one way, public names are listed, imports are cheap, versions agree."""

import ast
import configparser
import importlib
import inspect
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gene_eval

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("builders", "gene_eval", "model_adapters", "push_scripts")
MAX_LINES = 450
MAX_MODULES = 16

# Room (and all below it) -> which of our modules it may import; the longest matching key counts.
_LEAVES = ("gene_eval.errors", "gene_eval.files", "gene_eval.text")
_LOWER = ("builders", "model_adapters", "gene_eval.__version__", *_LEAVES)
ARROWS: dict[str, tuple[str, ...]] = {
    "builders": ("builders",),
    "model_adapters": ("model_adapters",),
    # The front door: what is public is loaded from the rooms when it is first used.
    "gene_eval": ("gene_eval",),
    "gene_eval.core": ("gene_eval.core",),
    # It adopts the errors of the lower packages, whose errors modules import nothing.
    "gene_eval.errors": ("builders.errors", "gene_eval.core.errors", "gene_eval.text", "model_adapters.errors"),
    "gene_eval.files": ("gene_eval.errors",),
    "gene_eval.text": (),
    "gene_eval.lossless": ("gene_eval.metrics.storage",),
    "gene_eval.metrics": (*_LEAVES, "gene_eval.core", "gene_eval.metrics"),
    "gene_eval.comparisons": ("gene_eval.comparisons", "gene_eval.core", "gene_eval.metrics.storage"),
    "gene_eval.results": (*_LEAVES, "gene_eval.core", "gene_eval.results"),
    "gene_eval.analysis": (*_LEAVES, "gene_eval.core", "gene_eval.results", "gene_eval.analysis"),
    "gene_eval.reporting": (
        *(*_LEAVES, "gene_eval.core", "gene_eval.results", "gene_eval.analysis"),
        *("gene_eval.__version__", "gene_eval.reporting"),
    ),
    "gene_eval.publishing": (
        *_LOWER,
        *("gene_eval.core", "gene_eval.results", "gene_eval.analysis", "gene_eval.publishing"),
    ),
    "gene_eval.catalogue": (*_LOWER, "gene_eval.catalogue"),
    "gene_eval.running": (
        *(*_LOWER, "gene_eval.core", "gene_eval.results", "gene_eval.analysis", "gene_eval.reporting"),
        *("gene_eval.catalogue", "gene_eval.running"),
    ),
    "gene_eval.studying": (
        *(*_LOWER, "gene_eval.core", "gene_eval.results", "gene_eval.reporting"),
        *("gene_eval.running", "gene_eval.studying"),
    ),
    "gene_eval.documentation": (
        *("builders", "model_adapters", "gene_eval.cli", "gene_eval.results", "gene_eval.documentation"),
    ),
    "gene_eval.cli": ("builders", "gene_eval", "model_adapters"),
    "push_scripts": ("gene_eval", "push_scripts"),
}
# Packages that may import these besides the standard library, and nothing else from outside.
OUTSIDE: dict[str, tuple[str, ...]] = {
    "builders": ("datasets", "numpy", "pandas", "pyarrow"),
    "builders.raw_files": ("datasets", "pooch"),
    # OBO has escapes, modifiers and inverse relations, which are better read by a library.
    "builders.readers.obo": ("datasets", "numpy", "obonet", "pandas", "pyarrow"),
    "gene_eval.core": ("numpy", "scipy", "sklearn", "threadpoolctl", "torch", "torch_geometric"),
    "gene_eval.errors": (),
    "gene_eval.files": (),
    "gene_eval.text": ("tqdm",),
    "gene_eval.results": ("numpy", "pandas", "pyarrow"),
    # Which knows where the user wants caches.
    "gene_eval.results.index": ("huggingface_hub", "pyarrow"),
}
# A Space's app runs on the Hub only, with packages that we do not depend on.
NOT_OURS_TO_RUN = {"gene_eval.comparisons.gene_probe_compare.app", "gene_eval.metrics.gene_probe.app"}


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {_module_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def imports_of(source: str, module: str, *, is_package: bool) -> Iterator[str]:
    """Full dotted names of everything imported anywhere in the source, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.args[0] if node.args else None, ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"import_module", "__import__"}:
                yield str(node.args[0].value)  # type: ignore[attr-defined]


def _within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def _rule(rules: dict[str, tuple[str, ...]], module: str) -> tuple[str, ...] | None:
    keys = [key for key in rules if _within(module, (key,))]
    return rules[max(keys, key=len)] if keys else None


def wrong_imports(source: str, module: str, *, is_package: bool = False) -> list[str]:
    wrong = []
    for name in imports_of(source, module, is_package=is_package):
        top = name.split(".")[0]
        allowed = _rule(ARROWS if top in PACKAGES else OUTSIDE, module)
        if allowed is not None and top not in sys.stdlib_module_names and not _within(name, allowed):
            wrong.append(f"{module} imports {name}")
    return wrong


@pytest.mark.parametrize("module", SOURCES)
def test_imports_run_one_way(module: str) -> None:
    path = SOURCES[module]
    assert wrong_imports(path.read_text(encoding="utf-8"), module, is_package=path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("builders.sources.hpa", "import gene_eval.core.probe", "gene_eval.core.probe"),
        ("builders.sources.hpa", "import sklearn", "sklearn"),
        (
            "builders.sources.hpa",
            "def rows():\n    from model_adapters.base import embed",
            "model_adapters.base.embed",
        ),
        ("builders.sources.hpa", "import importlib\nimportlib.import_module('gene_eval')", "gene_eval"),
        ("model_adapters.base", "from builders import BUILDERS", "builders.BUILDERS"),
        ("gene_eval.core.probe", "from gene_eval import results", "gene_eval.results"),
        ("gene_eval.core.probe", "from ..results import load", "gene_eval.results.load"),
        ("gene_eval.core.probe", "import datasets", "datasets"),
        ("gene_eval.results.store", "from gene_eval.analysis import tables", "gene_eval.analysis.tables"),
        ("push_scripts.push", "import builders", "builders"),
        (
            "gene_eval.metrics.gene_probe.gene_probe",
            "from gene_eval.running.runner import run",
            "gene_eval.running.runner.run",
        ),
        ("gene_eval.running.runner", "import push_scripts", "push_scripts"),
    ],
)
def test_a_wrong_import_is_caught(module: str, source: str, found: str) -> None:
    assert wrong_imports(source, module) == [f"{module} imports {found}"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "builders.sources.hpa",
            "import json\nimport numpy as np\nfrom datasets import Features\nfrom builders.base import X",
        ),
        ("gene_eval.core.probe", "from .metrics import METRICS\nfrom gene_eval.core import metrics\nimport torch"),
        ("gene_eval.results.store", "import json\nfrom gene_eval.errors import ResultError"),
        ("gene_eval.running.runner", "import builders\nimport model_adapters\nfrom gene_eval.core.probe import probe"),
    ],
)
def test_a_right_import_is_let_through(module: str, source: str) -> None:
    assert wrong_imports(source, module) == []


def test_core_loads_torch_only_when_a_solver_needs_it() -> None:
    script = "import sys, gene_eval.core, gene_eval.core.probe, gene_eval.core.metrics; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "statement",
    [
        "import gene_eval",
        "import gene_eval.cli",
        "import gene_eval.cli, sys; sys.argv[1:] = ['--help']; sys.exit(gene_eval.cli.main())",
        "import gene_eval.cli; gene_eval.cli.main(['tasks'])",
        "import gene_eval.cli; gene_eval.cli.main(['models'])",
    ],
)
def test_importing_and_help_are_cheap(statement: str) -> None:
    script = f"""
import atexit, sys, time
def report():
    heavy = {{"torch", "datasets", "transformers", "sklearn", "pandas"}} & sys.modules.keys()
    print(sorted(heavy), time.process_time(), file=sys.stderr)
atexit.register(report)
{statement}
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    heavy, seconds = done.stderr.strip().splitlines()[-1].rsplit(" ", 1)
    assert heavy == "[]"
    # Processor time, not the clock, so that the bound also holds on a busy machine. The adapters load NumPy.
    assert float(seconds) < (0.9 if "models" in statement else 0.5)


def _importable(module: str) -> ModuleType:
    return importlib.import_module(module)


@pytest.mark.parametrize("module", [name for name, path in SOURCES.items() if path.name == "__init__.py"])
def test_all_is_what_a_package_offers(module: str) -> None:
    package = _importable(module)
    offered = {
        name for name in dir(package) if not name.startswith("_") and not inspect.ismodule(getattr(package, name))
    }
    assert {name for name in package.__all__ if not name.startswith("_")} == offered
    assert len(set(package.__all__)) == len(package.__all__)


@pytest.mark.parametrize("module", sorted(SOURCES.keys() - NOT_OURS_TO_RUN))
def test_all_names_exist(module: str) -> None:
    loaded = _importable(module)
    assert [name for name in getattr(loaded, "__all__", []) if not hasattr(loaded, name)] == []


def test_files_can_be_read_in_one_sitting() -> None:
    paths = [path for folder in (*PACKAGES, "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {name: length for name, length in lengths.items() if length >= MAX_LINES} == {}


def test_folders_have_one_subject() -> None:
    folders = Counter(str(path.parent.relative_to(ROOT)) for path in SOURCES.values() if path.name != "__init__.py")
    assert {folder: count for folder, count in folders.items() if count > MAX_MODULES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_one_version() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["metadata"]["version"] == "attr: gene_eval.__version__"
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert cited is not None
    assert newest[1] == cited[1] == gene_eval.__version__


def test_every_dependency_is_pinned() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = setup["options"]["install_requires"] + "".join(setup["options.extras_require"].values())
    names = {_normal(line) for line in wanted.splitlines() if line.strip()}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {_normal(line) for line in lines if "==" in line}
    assert names - pinned == set()


def _normal(requirement: str) -> str:
    return re.split(r"[ =<>~!]", requirement.strip())[0].lower().replace("_", "-")
