"""Builds every task that a folder of raw files allows, in a fresh cache; prints seconds, peak memory and files read.

python benchmarks/build_sources.py --data-dir DIR
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import datasets

from builders import BuilderError, RawFiles, configs, load
from builders.readers import tables


def main() -> None:
    """Build, and print a line per source and a total."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    raw = RawFiles(parser.parse_args().data_dir)
    datasets.disable_progress_bars()
    read = _count_reads()
    seconds: Counter[str] = Counter()
    built: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as cache:
        for name, config in configs().items():
            began = time.perf_counter()
            try:
                load(name, raw, cache_dir=cache)
                built[config.source] += 1
            except BuilderError:
                missing[config.source] += 1
            seconds[config.source] += time.perf_counter() - began
    print(f"{'source':12} {'built':>6} {'not':>4} {'seconds':>8}")
    for name in seconds:
        print(f"{name:12} {built[name]:6} {missing[name]:4} {seconds[name]:8.1f}")
    # Linux counts in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(
        f"{'all':12} {built.total():6} {missing.total():4} {seconds.total():8.1f}   peak memory {peak / 2**30:.2f} GiB"
    )
    again = [f"{path.name} ({count})" for path, count in read.items() if count > 1]
    print(f"files unpacked: {len(read)}; more than once: {', '.join(again) or 'none'}")


def _count_reads() -> Counter[Path]:
    counts: Counter[Path] = Counter()
    original = tables.read_bytes

    def counted(path: Path, **options: int) -> bytes:
        counts[path] += 1
        return original(path, **options)

    # Everything that parses a text file goes through this function, by whatever name it was imported.
    for module in [module for name, module in sys.modules.items() if name.startswith("builders.")]:
        if getattr(module, "read_bytes", None) is original:
            vars(module)["read_bytes"] = counted
    return counts


if __name__ == "__main__":
    main()
