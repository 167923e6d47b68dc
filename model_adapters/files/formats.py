"""The table of formats: which files of vectors are read, by what, and with which options; docs/models.md shows it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from model_adapters.errors import UnknownModelError
from model_adapters.files.layout import Ask, Rows

READERS = "model_adapters.files.readers"
TABLE = ("id", "columns", "ids")
ARRAYS = ("key", "id", "ids", "genes")


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Args:
        extensions: Endings of its name; the first is the usual one.
        reader: `module.function` below `files/readers`, imported when it is used.
        holds: What is in it, for the documentation.
        options: Options that it has besides `duplicates`.
        listed: Whether the genes may be listed in a file beside it.
    """

    extensions: tuple[str, ...]
    reader: str
    holds: str
    options: tuple[str, ...]
    listed: bool = False

    def read(self, path: Path, ask: Ask) -> Rows:
        """Read a file.

        Raises:
            VectorsError: it does not hold vectors of genes.
        """
        module, function = self.reader.split(".")
        rows: Rows = getattr(import_module(f"{READERS}.{module}"), function)(path, ask)
        return rows


def _packed(*extensions: str) -> tuple[str, ...]:
    return tuple(f"{one}{pack}" for one in extensions for pack in ("", ".gz", ".zip"))


FORMATS: tuple[Format, ...] = (
    Format(
        (".parquet",),
        "columnar.read_parquet",
        "a table: a column of identifiers (a pandas index too), and a column of lists or one for each dimension",
        TABLE,
    ),
    Format(
        _packed(".csv", ".tsv", ".tab"),
        "delimited.read_delimited",
        "the same as text; commas, semicolons, tabs or blanks, decimal points or commas, with or without a header",
        TABLE,
    ),
    Format((".feather", ".arrow", ".ipc"), "columnar.read_arrow", "the same as Arrow", TABLE),
    Format(
        _packed(".jsonl", ".ndjson"), "columnar.read_json_lines", "a gene and its vector on each line, as JSON", TABLE
    ),
    Format(
        _packed(".json"),
        "json_files.read_json",
        "gene -> list of numbers; or an array of vectors and a list of genes; or records",
        ("key", "id", "columns", "ids"),
    ),
    Format(
        (".pkl", ".pickle"),
        "pickles.read_pickle",
        "a dict of gene -> list or NumPy array (GenePT), or arrays and names; nothing in it is run, and an object of "
        "pandas or gensim is refused with the line that converts it",
        ("key", "id", "ids"),
    ),
    Format(
        (".pt", ".pth"),
        "tensors.read_torch",
        "gene -> tensor (ESM-2 tables of UCE, SATURN, State), or a tensor and a list of genes",
        ARRAYS,
        listed=True,
    ),
    Format(
        (".safetensors",),
        "tensors.read_safetensors",
        "a tensor for each gene, or one with genes beside it",
        ARRAYS,
        listed=True,
    ),
    Format(
        (".npz", ".npy"),
        "arrays.read_array",
        "an array of genes x dimensions, and an array of names in it or a list beside it: `NAME.genes.tsv` or "
        "`genes.tsv` (`.txt` too); a `metadata.json` there may name `model_id` and `revision`",
        ARRAYS,
        listed=True,
    ),
    Format(
        (".txt", ".vec"), "word2vec.read_text", "word2vec text, with or without a first line `n d`; or a table", TABLE
    ),
    Format((".bin",), "word2vec.read_binary", "word2vec's binary format", ("ids",)),
    Format(
        (".kv", ".model"),
        "pickles.read_pickle",
        "refused with the line that converts it: gensim's files are programs",
        ("key", "id", "ids"),
    ),
    Format(
        (".h5ad",),
        "hdf5.read_h5ad",
        "an array in `varm` (genes are variables) or `obsm` (observations), or `X`; names in the index or in a column "
        "such as `gene_symbols`",
        ("key", "id", "ids"),
    ),
)
EXTENSIONS = tuple(extension for each in FORMATS for extension in each.extensions)
PLAIN_EXTENSIONS = tuple(one for one in EXTENSIONS if not one.endswith((".gz", ".zip")))


def extension_of(path: Path) -> str:
    """Return the extension that decides the format, `.csv.gz` as a whole; empty if we read no such files.

    >>> extension_of(Path("a.b.csv.GZ")), extension_of(Path("table.zip")), extension_of(Path("a.xlsx"))
    ('.csv.gz', '.zip', '')
    """
    name = path.name.lower()
    found = [extension for extension in (*EXTENSIONS, ".zip") if name.endswith(extension) and name != extension]
    return max(found, key=len, default="")


def format_of(path: Path) -> Format:
    """Return the format of a file by its name; a `.zip` of any name holds one table of text.

    Raises:
        UnknownModelError: vectors are not read from such files.
    """
    extension = extension_of(path)
    if not extension:
        kind = path.suffix or "a file without extension"
        message = f"{path.name}: vectors are not read from {kind}, expected {', '.join(PLAIN_EXTENSIONS)}"
        raise UnknownModelError(message)
    if extension == ".zip":
        extension = ".csv.zip"
    return next(each for each in FORMATS if extension in each.extensions)


def stem_of(path: Path) -> str:
    """Return the name of a file without its extension.

    >>> stem_of(Path("genes.v2.tsv.gz")), stem_of(Path("model.npz"))
    ('genes.v2', 'model')
    """
    return path.name[: len(path.name) - len(extension_of(path) or path.suffix)]


def formats_table() -> list[tuple[str, str, str]]:
    """Return extensions, content and options of each format, for the documentation."""
    return [
        (
            ", ".join(f"`{one}`" for one in each.extensions if one in PLAIN_EXTENSIONS),
            each.holds,
            ", ".join(f"`{option}=`" for option in each.options),
        )
        for each in FORMATS
    ]
