"""Puts the metric and the comparison where `evaluate.load("gene_probe")` finds them without the Hub."""

import hashlib
import os
import time
from pathlib import Path
from typing import Final

from gene_eval.errors import FileError
from gene_eval.files import atomic_write

__all__ = ["register_comparison", "register_metric"]

METRIC: Final = Path(__file__).parent / "gene_probe" / "gene_probe.py"
COMPARISON: Final = Path(__file__).parents[1] / "comparisons" / "gene_probe_compare" / "gene_probe_compare.py"


def register_metric() -> Path:
    """Install the metric module in the modules cache of `evaluate`, and say where.

    `evaluate` looks there for a bare name when the Hub has none or cannot be reached, and takes the version with the
    newest modification time, which this call gives to ours. `HF_MODULES_CACHE` and `HF_HOME` are respected.

    Returns:
        Path of the installed `gene_probe.py`.

    Raises:
        FileError: It is not there yet, and the cache cannot be written.
    """
    return _register(METRIC, "metric")


def register_comparison() -> Path:
    """Install the comparison module likewise: `evaluate.load("gene_probe_compare")`."""
    return _register(COMPARISON, "comparison")


def _register(module: Path, kind: str) -> Path:
    # Imported here: evaluate loads datasets, for which nobody who only imports this module should wait.
    from evaluate import config
    from evaluate.loading import init_dynamic_modules

    try:
        return _install(module, kind, Path(init_dynamic_modules()))
    except OSError as error:
        message = (
            f"{config.HF_MODULES_CACHE}: the cache of evaluate modules cannot be written"
            f" ({error.strerror or error}); set HF_HOME or HF_MODULES_CACHE to a folder that can be"
        )
        raise FileError(message) from error


def _install(module: Path, kind: str, modules: Path) -> Path:
    body = module.read_bytes()
    # evaluate looks for cached modules of every kind in the folder "metrics".
    metrics = modules / "metrics"
    version = metrics / f"evaluate-{kind}--{module.stem}" / hashlib.sha256(body).hexdigest()
    version.mkdir(parents=True, exist_ok=True)
    for package in (metrics, version.parent, version):
        if not (package / "__init__.py").exists():
            (package / "__init__.py").touch()
    installed = version / module.name
    if not installed.is_file() or installed.read_bytes() != body:
        atomic_write(installed, body)
    others = [path.stat().st_mtime_ns for path in version.parent.glob(f"*/{module.name}") if path != installed]
    latest = max(others, default=0)
    if installed.stat().st_mtime_ns <= latest:
        # Not simply now: a file system's clock ticks in milliseconds, and another version may have a later time.
        stamp = max(time.time_ns(), latest + 1_000_000)
        os.utime(installed, ns=(stamp, stamp))
    return installed
