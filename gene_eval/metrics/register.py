"""Puts the metric and the comparison where `evaluate.load("gene_probe")` finds them without the Hub."""

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Final

__all__ = ["register_comparison", "register_metric"]

METRIC: Final = Path(__file__).parent / "gene_probe" / "gene_probe.py"
COMPARISON: Final = Path(__file__).parents[1] / "comparisons" / "gene_probe_compare" / "gene_probe_compare.py"


def register_metric() -> Path:
    """Install the metric module in the modules cache of `evaluate`, and say where.

    `evaluate` looks there for a bare name when the Hub has none or cannot be reached, and takes the version with the
    newest modification time, which this call gives to ours. `HF_MODULES_CACHE` and `HF_HOME` are respected.

    Returns:
        Path of the installed `gene_probe.py`.
    """
    return _register(METRIC, "metric")


def register_comparison() -> Path:
    """Install the comparison module likewise: `evaluate.load("gene_probe_compare")`."""
    return _register(COMPARISON, "comparison")


def _register(module: Path, kind: str) -> Path:
    # evaluate brings datasets with it, which nobody who only imports this module should wait for.
    from evaluate.loading import init_dynamic_modules

    body = module.read_bytes()
    # evaluate looks for cached modules of every kind in the folder "metrics".
    metrics = Path(init_dynamic_modules()) / "metrics"
    version = metrics / f"evaluate-{kind}--{module.stem}" / hashlib.sha256(body).hexdigest()
    version.mkdir(parents=True, exist_ok=True)
    for package in (metrics, version.parent, version):
        (package / "__init__.py").touch()
    installed = version / module.name
    if not installed.is_file() or installed.read_bytes() != body:
        _write_atomically(installed, body)
    # Not simply now: a file system's clock ticks in milliseconds, and another version may bear a time ahead of ours.
    latest = max(path.stat().st_mtime_ns for path in version.parent.glob(f"*/{module.name}"))
    stamp = max(time.time_ns(), latest + 1_000_000)
    os.utime(installed, ns=(stamp, stamp))
    return installed


def _write_atomically(path: Path, body: bytes) -> None:
    """A run that loads the module meanwhile sees the old file or the whole new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
    Path(name).replace(path)
