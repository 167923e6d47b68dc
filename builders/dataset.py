"""A table as a `datasets` builder writes it: Arrow files and `dataset_info.json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.compute
from datasets.builder import Key

from builders.config import DATASET_NAME, Config
from builders.folds.parts import SPLIT

__all__ = ["Content", "parts_of", "write_content"]


@dataclass(frozen=True)
class Content:
    """Rows with what a dataset says about itself; `info.features` are the types of the columns."""

    table: pa.Table
    info: datasets.DatasetInfo


def parts_of(dataset: datasets.Dataset) -> datasets.DatasetDict:
    """The rows as `load_dataset` gives them: split by split where there is a column `split`, else all as "train"."""
    bounds = _bounds(dataset.data.table)
    if len(bounds) == 1:
        return datasets.DatasetDict({name: dataset for name in bounds})
    parts = {}
    for name, (start, length) in bounds.items():
        parts[name] = dataset.select(range(start, start + length))
        # As `load_dataset` names it; a selection keeps the name of what it was taken from.
        parts[name]._split = datasets.NamedSplit(name)
    return datasets.DatasetDict(parts)


def _bounds(table: pa.Table) -> dict[str, tuple[int, int]]:
    """Split -> its first row and number of rows."""
    if SPLIT not in table.column_names:
        return {"train": (0, len(table))}
    runs = pa.compute.run_end_encode(table[SPLIT].combine_chunks())
    names, ends = runs.values.to_pylist(), runs.run_ends.to_pylist()
    return {name: (start, end - start) for name, start, end in zip(names, [0, *ends], ends, strict=False)}


class _ContentBuilder(datasets.ArrowBasedBuilder):  # type: ignore[misc]  # datasets ships no types
    """Writes a table that is in memory."""

    def __init__(self, content: Content, **options: Any) -> None:
        self._content = content
        super().__init__(**options)

    def _info(self) -> datasets.DatasetInfo:
        return self._content.info

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        # The sha256 of the inputs takes the place of what the download manager would record.
        dl_manager.record_checksums = False
        table = self._content.table
        return [
            datasets.SplitGenerator(name=name, gen_kwargs={"table": table.slice(*bounds)})
            for name, bounds in _bounds(table).items()
        ]

    def _generate_tables(self, table: pa.Table) -> Iterator[tuple[Key, pa.Table]]:
        yield Key(0, 0), table


def write_content(content: Content, config: Config, folder: Path) -> Path:
    """Write a table below an empty folder, with the locks of `datasets` beside it.

    Returns:
        The folder of the files.

    Raises:
        OSError: The files cannot be written.
    """
    # With named configs `datasets` ignores VERSION: the version comes with the config.
    builder = _ContentBuilder(
        content,
        cache_dir=str(folder),
        dataset_name=DATASET_NAME,
        config_name=config.name,
        version=config.version,
        hash="content",
    )
    try:
        builder.download_and_prepare()
    except datasets.exceptions.DatasetGenerationError as error:
        # A full disk is its cause, or the cause of its cause.
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, OSError):
                raise cause from error
            cause = cause.__cause__ or cause.__context__
        raise
    return Path(builder.cache_dir)
