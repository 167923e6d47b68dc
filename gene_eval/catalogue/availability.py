"""What this machine has of each task: built tables and raw files. Nothing is built, downloaded or hashed here."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders import DATASET_NAME, RawFiles, TableConfig, TaskConfig, builder_of
from builders.audit import AUDIT_FILE
from builders.base import GeneTaskBuilder
from builders.cache import MANIFEST
from builders.errors import BuilderError

__all__ = ["Availability", "availability", "datasets_cache", "shadowing"]


@dataclass(frozen=True, slots=True)
class Availability:
    """What this machine has of a task or table.

    Args:
        name: Its id.
        n: Rows of the build that was used last; None if it was never built by the present rules.
        missing: Raw files that the data directory lacks; None without a data directory, where they are downloaded.
        is_open: Whether the terms of its source let rows be published.
    """

    name: str
    n: int | None
    missing: tuple[str, ...] | None
    is_open: bool

    @property
    def is_built(self) -> bool:
        """Whether it loads without any raw file."""
        return self.n is not None

    @property
    def is_buildable(self) -> bool | None:
        """Whether the data directory has its raw files; None where there is none."""
        return None if self.missing is None else not self.missing


def availability(name: str, raw: RawFiles) -> Availability:
    """Look for a task or table in the cache and in the data directory.

    Raises:
        UnknownTaskError: There is no such config.
    """
    builder = builder_of(name)
    config = builder.builder_configs[name]
    missing = None if raw.data_dir is None and not builder.PACKAGED else tuple(_missing(builder, config, raw))
    return Availability(name, _built_rows(builder, config), missing, bool(builder.SOURCE.redistributable))


def datasets_cache() -> Path:
    """Root of the datasets cache, found as `datasets` does, which takes a second to import."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(os.environ.get("HF_DATASETS_CACHE") or Path(home) / "datasets").expanduser()


def shadowing(folder: Path) -> Iterator[str]:
    """Names in a folder that `load_dataset` and `evaluate.load` would load instead of what was built."""
    for name in (DATASET_NAME, "gene_probe", "gene_probe_compare"):
        if (folder / name).is_dir():
            yield name


def _missing(builder: type[GeneTaskBuilder], config: Any, raw: RawFiles) -> Iterator[str]:
    if builder.PACKAGED:
        return
    # Not made in full: that would hash every file.
    made = builder.__new__(builder)
    made.raw, made.config = raw, config
    try:
        inputs = made.inputs(config)
    except BuilderError as error:
        yield str(error)
        return
    for source, key in inputs:
        file = source.files[key]
        places = [(raw.data_dir or Path()) / source.name / name for name in file.names]
        if not file.optional and not any(place.exists() for place in places):
            yield f"{source.name}/{' or '.join(file.names[:2])}"


def _built_rows(builder: type[GeneTaskBuilder], config: TaskConfig | TableConfig) -> int | None:
    """Rows of the latest build, by the audit beside it."""
    times: list[tuple[float, int]] = []
    for variant in builder.variants(config):
        for manifest in (datasets_cache() / DATASET_NAME / config.name / variant.version).glob(f"*/{MANIFEST}"):
            try:
                if json.loads(manifest.read_text(encoding="utf-8"))["rules"] == builder.rules():
                    audit = json.loads(manifest.with_name(AUDIT_FILE).read_text(encoding="utf-8"))
                    times.append((manifest.parent.stat().st_mtime, int(audit["n"])))
            except (OSError, ValueError, KeyError):
                # Damaged, or being replaced: `load` will say which.
                continue
    return max(times)[1] if times else None
