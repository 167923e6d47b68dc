"""Vectors that somebody else computed: a file with one vector for each gene."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from model_adapters.base import AdapterInfo, Resolve
from model_adapters.errors import UnknownModelError, one_line, some
from model_adapters.files.formats import PLAIN_EXTENSIONS, extension_of, format_of, stem_of
from model_adapters.files.layout import Rows
from model_adapters.files.table_model import COLUMNS, DUPLICATES, FILE, ID, IDS, TableModel, existing_file, files_sha256
from model_adapters.options import Option, split_options, word

KEY = word("NAME")
GENERIC = ("embedding", "embeddings", "vectors", "gene_embeddings", "emb", "data", "X")
"""Names of files that say nothing about the model; the name of a folder of its own does."""
BESIDE = re.compile(r"\..*|(.*\.)?genes\.(tsv|txt|csv)|metadata\.json", re.IGNORECASE)
SECOND = (".json", ".jsonl", ".txt", ".bin", ".model")
"""Files that count as vectors only where a folder has no others: lists, notes and settings have such names too."""


class PrecomputedVectors(TableModel):
    """A file of vectors as a model; `files/formats.py` has the table of formats.

    What names the genes and which columns are dimensions is found by name and content, and said in `reading`. Of a
    folder, the one file of vectors in it is read; a `metadata.json` there may give `model_id` and `revision`.
    Identifiers are taken as they are, unless `resolve` maps them to symbols.
    """

    adapter: ClassVar[str] = "precomputed"
    version: ClassVar[str] = "3"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="FILE[,id=COLUMN,columns=PATTERN,ids=entrez,key=NAME,genes=FILE,duplicates=average|current|refuse]",
        family="precomputed",
        input=f"a file of vectors: {', '.join(PLAIN_EXTENSIONS)}; .gz and .zip of text",
        dimension="the file's",
        source="your file",
    )
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "duplicates": DUPLICATES,
        "id": ID,
        "columns": COLUMNS,
        "ids": IDS,
        "key": KEY,
        "genes": FILE,
    }

    def __init__(self, path: str | Path, *, resolve: Resolve | None = None, **options: Any) -> None:
        """Name the file; it is hashed now and read by `table()`.

        Raises:
            UnknownModelError: there is no such file, its extension is not one of `FORMATS`, an array has no list of
                genes, or an option is not for this kind of file.
        """
        given = Path(path).expanduser()
        self.path = file_in(given) if given.is_dir() else given
        self._format = format_of(self.path)
        unknown = options.keys() - {"duplicates", *self._format.options}
        if unknown:
            message = f"{self.path.name}: {min(unknown)}= is not for {extension_of(self.path)} files; leave it out"
            raise UnknownModelError(message)
        self._files = [existing_file(self.path, what="a file of vectors")]
        facts = _metadata(self.path.with_name("metadata.json")) if given.is_dir() or self._format.listed else {}
        if (beside := self._list(options.get("genes"))) is not None:
            self._files.append(beside)
        stem = stem_of(self.path)
        folder = given.resolve().name if given.is_dir() else stem
        super().__init__(
            facts.get("model_id") or (folder if stem in GENERIC else stem),
            where=self.path.name,
            resolve=resolve,
            options=options,
        )
        self.revision = facts.get("revision") or files_sha256(self._files)

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of a file, perhaps with options after it."""
        path, options = split_options(argument, cls.OPTIONS, adapter=cls.adapter)
        if not path:
            message = f"precomputed needs a file: precomputed:<file>, one of {', '.join(PLAIN_EXTENSIONS)}"
            raise UnknownModelError(message)
        return cls(path, resolve=resolve, **options)

    def _list(self, asked: Path | None) -> Path | None:
        """Return the list of genes that the vectors depend on, None if they have their names with them."""
        if asked is not None or not self._format.listed:
            return asked
        from model_adapters.files.readers import arrays

        if extension_of(self.path) == ".npy":
            return None if arrays.has_names_inside(self.path) else arrays.gene_list_of(self.path)
        if extension_of(self.path) == ".npz" and arrays.has_names_inside(self.path):
            return None
        return arrays.list_beside(self.path)

    def _read(self) -> Rows:
        return self._format.read(self.path, self._ask())


def is_file_of_vectors(spec: str) -> bool:
    """Return whether a MODEL string that names no adapter means a file of vectors, perhaps with options.

    >>> is_file_of_vectors("mine.npz,key=layer_3"), is_file_of_vectors("org/name")
    (True, False)
    """
    path = Path(re.sub(r"(,[a-z_]+=[^,]*)+$", "", spec)).expanduser()
    return path.is_file() or bool(extension_of(path))


def vector_files(folder: Path) -> list[Path]:
    """Return the files of vectors in a folder; lists of genes and metadata beside them do not count."""
    named = [path for path in sorted(folder.iterdir()) if path.is_file() and not BESIDE.fullmatch(path.name)]
    found = [path for path in named if extension_of(path)]
    return [path for path in found if extension_of(path) not in SECOND] or found


def file_in(folder: Path) -> Path:
    """Return the one file of vectors in a folder.

    Raises:
        UnknownModelError: there is none, or there are several.
    """
    found = vector_files(folder)
    if len(found) != 1:
        there = some((path.name for path in found), limit=5) or "none"
        message = f"{folder} has {len(found)} files of vectors ({there}); name the file"
        raise UnknownModelError(message)
    return found[0]


def _metadata(path: Path) -> dict[str, str]:
    """Return the `model_id` and `revision` of a metadata.json, if there is one and it has them."""
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{path} is not JSON ({one_line(error)}); fix or remove it"
        raise UnknownModelError(message) from error
    known = {name: facts[name] for name in ("model_id", "revision") if isinstance(facts, dict) and facts.get(name)}
    wrong = [name for name, value in known.items() if not isinstance(value, str)]
    if wrong:
        message = f"{path}: {wrong[0]} is {known[wrong[0]]!r}, expected a string"
        raise UnknownModelError(message)
    return known
