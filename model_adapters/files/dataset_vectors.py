"""Vectors in a dataset, on the Hugging Face Hub or in a folder that `datasets` reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from model_adapters.base import AdapterInfo, Resolve
from model_adapters.errors import UnknownModelError, one_line, some
from model_adapters.files.layout import Rows, rows_of_sheet
from model_adapters.files.sheets import ArrowSheet
from model_adapters.files.table_model import COLUMNS, DUPLICATES, ID, IDS, TableModel, files_sha256
from model_adapters.options import Option, split_options, word

if TYPE_CHECKING:
    from datasets import Dataset

# What `save_to_disk` writes.
SAVED = ("state.json", "dataset_dict.json")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class DatasetVectors(TableModel):
    """A dataset with a column of identifiers, and one of lists or one numeric column for each dimension.

    Its revision is the commit that the rows are from, or the sha256 of a folder's files.
    """

    adapter: ClassVar[str] = "dataset"
    version: ClassVar[str] = "2"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="dataset:HUB_ID[@REVISION] or dataset:FOLDER"
        "[,config=NAME,split=NAME,id=COLUMN,columns=PATTERN,ids=entrez,duplicates=average|current|refuse]",
        family="precomputed",
        input="a dataset with symbol and embedding, or symbol and numeric columns",
        dimension="the dataset's",
        source="Hugging Face Hub, or a local folder",
    )
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "config": word("NAME"),
        "split": word("NAME"),
        "id": ID,
        "columns": COLUMNS,
        "ids": IDS,
        "duplicates": DUPLICATES,
    }

    def __init__(self, name_or_path: str, *, resolve: Resolve | None = None, **options: Any) -> None:
        """Name the dataset; it is loaded when `table()` or `revision` is first asked for."""
        folder = Path(name_or_path).expanduser()
        self._folder = folder if folder.is_dir() else None
        self._name, _, self._asked = (str(folder), "", "") if self._folder else name_or_path.partition("@")
        if not self._folder and not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", self._name):
            message = f"{name_or_path!r} is neither a folder here nor a Hub id (org/name)"
            raise UnknownModelError(message)
        name = folder.resolve().name if self._folder else self._name
        super().__init__(name, where=name, resolve=resolve, options=options)

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of `org/name`, `org/name@revision` or a folder, perhaps with options after it."""
        name, options = split_options(argument, cls.OPTIONS, adapter=cls.adapter)
        if not name:
            message = f"dataset needs a name: {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(name, resolve=resolve, **options)

    @property
    def revision(self) -> str | None:  # type: ignore[override]  # the commit is known once the dataset is loaded
        """Commit on the Hub, or sha256 of the files."""
        if self._folder is not None:
            return files_sha256(sorted(path for path in self._folder.rglob("*") if path.is_file()))
        return _commit_of(self._dataset) or self._asked or None

    @cached_property
    def _dataset(self) -> Dataset:
        from datasets import DatasetDict, load_dataset, load_from_disk
        from datasets.exceptions import DatasetsError

        try:
            if self._folder is not None and any((self._folder / name).is_file() for name in SAVED):
                loaded = load_from_disk(self._name)
            else:
                loaded = load_dataset(self._name, self._chosen.get("config"), revision=self._asked or None)
        # IndexError: what load_from_disk raises for a dataset without rows.
        except (DatasetsError, OSError, ValueError, IndexError) as error:
            message = (
                f"dataset {self._name!r} cannot be loaded ({one_line(error)}); expected a Hub id that you may read, "
                "or a folder: dataset:/path/to/folder"
            )
            raise UnknownModelError(message) from error
        splits = loaded if isinstance(loaded, DatasetDict) else {"train": loaded}
        split = self._chosen.get("split", next(iter(splits)) if len(splits) == 1 else "")
        if split not in splits:
            message = f"dataset {self._name!r} has the splits {some(splits, limit=8)}; choose one with split=NAME"
            raise UnknownModelError(message)
        found = _commit_of(splits[split])
        if found and found != self._asked and _COMMIT.fullmatch(self._asked):
            # Without network, datasets takes whichever commit it has.
            message = f"dataset {self._name!r}: commit {self._asked} is not on this machine, only {found} is; go online"
            raise UnknownModelError(message)
        return splits[split]

    def _read(self) -> Rows:
        return rows_of_sheet(ArrowSheet(self._dataset.with_format("arrow")[:]), self._ask())


def _commit_of(dataset: Dataset) -> str | None:
    """Return the commit of a dataset of the Hub: `datasets` keeps each in a folder of its name."""
    folders = (part for file in dataset.cache_files for part in Path(file["filename"]).parts)
    return next(filter(_COMMIT.fullmatch, folders), None)
