"""`gene-bench doctor`: what this installation finds, what it cannot build, and what stands in its way."""

import argparse
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from builders import DATASET_NAME, BuilderError, RawFiles, TaskConfig, builder_of, configs
from builders.raw_files import DATA_DIR_VARIABLE
from builders.user_builders import one_line_failures
from gene_eval import __version__
from gene_eval.catalogue.availability import Availability, availability, datasets_cache, shadowing
from gene_eval.cli.output import DONE, SOME_FAILED
from gene_eval.text import count, say, some

__all__ = ["doctor"]

PACKAGES = ("datasets", "evaluate", "huggingface_hub", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "torch")
OFFLINE = "HF_HUB_OFFLINE"
GENES = "genes"


def doctor(arguments: argparse.Namespace) -> int:
    """Print facts by subject on stdout, and what should be fixed on stderr; status 1 if something should."""
    try:
        raw = RawFiles(arguments.data_dir)
    except BuilderError as error:
        say(f"to fix: {error}")
        return SOME_FAILED
    found = [availability(name, raw) for name in configs()]
    for subject, lines in (
        ("versions", _versions()),
        ("devices", _devices()),
        ("caches", _caches(found)),
        ("data", _data(found, raw)),
        ("network", _network()),
    ):
        for number, line in enumerate(lines):
            print(f"{'' if number else subject:<10} {line}")
    problems = list(_problems(found))
    for line in problems:
        say(f"to fix: {line}")
    if not problems:
        say("nothing to fix; next: gene-bench tasks --built")
    return SOME_FAILED if problems else DONE


def _versions() -> Iterator[str]:
    yield f"gene-bench {__version__}, in {Path(__file__).resolve().parents[2]}"
    yield f"Python {platform.python_version()}, {platform.platform()}"
    for name in PACKAGES:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} is not installed"


def _devices() -> Iterator[str]:
    import torch

    yield f"cpu, {count(torch.get_num_threads(), 'thread')} of {os.cpu_count()} cores"
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        yield f"cuda:{number} {properties.name}, {properties.total_memory / 1e9:.0f} GB"
    if torch.backends.mps.is_available():
        yield "mps"


def _caches(found: list[Availability]) -> Iterator[str]:
    root = datasets_cache()
    built = [each.name for each in found if each.is_built]
    yield f"datasets: {root} ({_free(root)}); {len(built)} of {len(found)} tasks and tables built"
    modules = _modules_cache()
    registered = sorted({path.parents[1].name.partition("--")[2] for path in modules.rglob("gene_probe*.py")})
    yield f"evaluate modules: {modules}; registered: {', '.join(registered) or 'none'}"


def _free(folder: Path) -> str:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    writable = "" if os.access(there, os.W_OK) else "cannot be written, "
    return f"{writable}{shutil.disk_usage(there).free / 1e9:.0f} GB free"


def _modules_cache() -> Path:
    from evaluate.config import HF_MODULES_CACHE

    return Path(HF_MODULES_CACHE) / "evaluate_modules" / "metrics"


def _data(found: list[Availability], raw: RawFiles) -> Iterator[str]:
    if raw.data_dir is None:
        yield f"no data directory (--data-dir, {DATA_DIR_VARIABLE}): raw files are downloaded from their sources"
        return
    by_source: dict[str, list[Availability]] = {}
    for each in found:
        by_source.setdefault(builder_of(each.name).SOURCE.name, []).append(each)
    yield f"{raw.data_dir}"
    reasons = _unbuildable(found, raw)
    for source, members in by_source.items():
        failing = [each.name for each in members if each.name in reasons]
        ready = [each for each in members if each.is_buildable and each.name not in reasons]
        missing = dict.fromkeys(name for each in members for name in each.missing or ())
        yield f"{source}: {len(ready)} of {len(members)} can be built"
        if missing:
            yield f"    not there: {some(list(missing), limit=3)}"
        if failing:
            yield f"    cannot be built: {some(failing, limit=3)}; {reasons[failing[0]]}"


def _network() -> Iterator[str]:
    if os.environ.get(OFFLINE):
        yield f"{OFFLINE}={os.environ[OFFLINE]}: the Hub is never asked"
    else:
        yield f"{OFFLINE} is not set: without a network, load_dataset and evaluate.load wait a minute for the Hub first"
    yield f"HF_HOME={os.environ.get('HF_HOME', '')}" if os.environ.get("HF_HOME") else "HF_HOME is not set"


def _problems(found: list[Availability]) -> Iterator[str]:
    here = Path.cwd()
    for name in shadowing(here):
        call = "load_dataset" if name == DATASET_NAME else "evaluate.load"
        yield f"{here / name} is what {call}('{name}') takes in this folder; start Python in another one"
    for module in ("gene_eval", "builders", "model_adapters"):
        loaded = Path(str(getattr(sys.modules.get(module), "__file__", ""))).resolve()
        if (here / module).is_dir() and (here / module) != loaded.parent:
            yield f"{here / module} is what Python imports in this folder, not the installed {module}"
    genes = next(each for each in found if each.name == GENES)
    if genes.missing and not genes.is_built:
        yield f"the gene table cannot be built: {some(genes.missing)} not there, and encoders need it"


def _unbuildable(found: list[Availability], raw: RawFiles) -> dict[str, str]:
    """Tasks whose raw files are there but give no rows, because this release of a source lacks a column, say."""
    reasons: dict[str, str] = {}
    for each in found:
        if each.is_buildable and not each.is_built:
            builder = builder_of(each.name)
            try:
                with one_line_failures(each.name, builder):
                    made = builder(each.name, raw=raw)
                    made.source_rows() if isinstance(made.config, TaskConfig) else made.rows(made.config)
            except BuilderError as error:
                reasons[each.name] = str(error)
    return reasons
