"""Vectors that somebody else computed: a file with one vector for each gene."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from model_adapters.base import AdapterInfo, Resolve
from model_adapters.errors import UnknownModelError, one_line
from model_adapters.files.arrays import gene_list_of, read_array, read_h5ad, read_word2vec
from model_adapters.files.table_model import DUPLICATES, FILE, Rows, TableModel, existing_file, files_sha256
from model_adapters.files.tables import read_csv, read_parquet
from model_adapters.options import Option, split_options, word

KEY = word("NAME")


@dataclass(frozen=True)
class Reader:
    """What reads a kind of file.

    Args:
        read: takes the path, then what `options` were given, by name.
        options: those that this kind of file has.
        listed: whether the genes are in another file, which `read` takes second.
    """

    read: Callable[..., Rows]
    options: tuple[str, ...] = ()
    listed: bool = False


READERS: dict[str, Reader] = {
    ".parquet": Reader(read_parquet),
    ".csv": Reader(read_csv),
    ".tsv": Reader(read_csv),
    ".npz": Reader(read_array, ("key",), listed=True),
    ".npy": Reader(read_array, listed=True),
    ".txt": Reader(read_word2vec),
    ".vec": Reader(read_word2vec),
    ".h5ad": Reader(read_h5ad, ("key",)),
}
"""Extension of a file of vectors -> what reads it; `.txt` and `.vec` are word2vec text."""


class PrecomputedVectors(TableModel):
    """A file of vectors as a model.

    A table has a column `symbol`, and either `embedding` (lists of numbers; other columns are ignored) or one column
    for each dimension (then every other column must be numeric). `.npz` and `.npy` have a list of genes beside them
    (see `gene_list_of`), and perhaps a `metadata.json` whose `model_id` and `revision` are taken. Identifiers are taken
    as they are, unless `resolve` maps them to symbols.
    """

    adapter: ClassVar[str] = "precomputed"
    version: ClassVar[str] = "2"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="FILE[,duplicates=average|current|refuse] (key=NAME for npz and h5ad, genes=FILE for npz and npy)",
        family="precomputed",
        input=f"a file of vectors: {', '.join(READERS)}",
        dimension="the file's",
        source="your file",
    )
    OPTIONS: ClassVar[Mapping[str, Option]] = {"duplicates": DUPLICATES, "key": KEY, "genes": FILE}

    def __init__(self, path: str | Path, *, resolve: Resolve | None = None, **options: Any) -> None:
        """Name the file; it is hashed now and read by `table()`.

        Raises:
            UnknownModelError: there is no such file, its extension is not one of `READERS`, an array has no list of
                genes, or an option is not for this kind of file.
        """
        self.path = Path(path).expanduser()
        self._reader = _reader_of(self.path)
        unknown = options.keys() - {"duplicates", *self._reader.options, *(["genes"] if self._reader.listed else [])}
        if unknown:
            message = f"{self.path.name}: {min(unknown)}= is not for {self.path.suffix} files; leave it out"
            raise UnknownModelError(message)
        self._files = [existing_file(self.path, what="a file of vectors")]
        facts: Mapping[str, str] = {}
        if self._reader.listed:
            self._files.append(options.get("genes") or gene_list_of(self.path))
            facts = _metadata(self.path.with_name("metadata.json"))
        name = facts.get("model_id", self.path.stem)
        super().__init__(name, where=self.path.name, resolve=resolve, options=options)
        self.revision = facts.get("revision") or files_sha256(self._files)

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of a file, perhaps with options after it."""
        path, options = split_options(argument, cls.OPTIONS, adapter=cls.adapter)
        if not path:
            message = f"precomputed needs a file: precomputed:<file>, one of {', '.join(READERS)}"
            raise UnknownModelError(message)
        return cls(path, resolve=resolve, **options)

    def _read(self) -> Rows:
        options = {name: self._chosen[name] for name in self._reader.options if name in self._chosen}
        return self._reader.read(*self._files, **options)


def is_file_of_vectors(spec: str) -> bool:
    """Return whether a MODEL string, which names no adapter, is meant as a file of vectors, perhaps with options.

    >>> is_file_of_vectors("mine.npz,key=layer_3"), is_file_of_vectors("org/name")
    (True, False)
    """
    path = Path(re.sub(r"(,[a-z_]+=[^,]*)+$", "", spec)).expanduser()
    return path.is_file() or path.suffix.lower() in READERS


def _reader_of(path: Path) -> Reader:
    if path.suffix.lower() not in READERS:
        kind = path.suffix or "a file without extension"
        message = f"{path.name}: vectors are not read from {kind}, expected {', '.join(READERS)}"
        raise UnknownModelError(message)
    return READERS[path.suffix.lower()]


def _metadata(path: Path) -> dict[str, str]:
    """Return the `model_id` and `revision` of a metadata.json, if it is there and has them."""
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{path} is not JSON ({one_line(error)}); mend it or take it away"
        raise UnknownModelError(message) from error
    known = {name: facts[name] for name in ("model_id", "revision") if isinstance(facts, dict) and facts.get(name)}
    wrong = [name for name, value in known.items() if not isinstance(value, str)]
    if wrong:
        message = f"{path}: {wrong[0]} is {known[wrong[0]]!r}, expected a string"
        raise UnknownModelError(message)
    return known
