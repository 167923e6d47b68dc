"""Rows of a task from the files of the collection that published it; each has a form of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import SourceFormatError
from builders.readers.archives import read_text
from builders.readers.genome import Genome
from builders.readers.parquet import parquet_columns, read_parquet
from builders.readers.sequences import labelled, read_labelled_fasta, read_sequences, read_text_files
from builders.readers.tables import read_table
from builders.sources.geneb.collections import genome_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READERS", "read_geneb"]

Files = Mapping[str, Path]
"""What a file holds -> the file, of those that are there."""
PART_KEYS = ("train", "validation", "test")
_HEADING = re.compile(r"^[IVX]+\.\s", re.MULTILINE)
"""A line of iDHS-EL's files that heads a list: "II.  737 non-TIS ..." stands in the middle of the sequences."""


def _in_parts(files: Files, read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([read(files[part]).assign(split=part) for part in PART_KEYS if part in files])


def read_csv(path: Path, *, text: str = "sequence", sep: str = ",", split: bool = False) -> pd.DataFrame:
    """`sequence`, `label` and perhaps `split` of a table with a header; other columns do not matter."""
    columns = (text, "label", *(("split",) if split else ()))
    return read_table(path, columns, sep=sep).rename(columns={text: "sequence"})


def read_geneb(files: Files, key: str) -> pd.DataFrame:
    """The benchmark's own: `text` and `label` for each part, or one table with `split`."""
    if "all" in files:
        return read_csv(files["all"], text="text", split=True)
    return _in_parts(files, lambda path: read_csv(path, text="text"))


def read_gue(files: Files, key: str) -> pd.DataFrame:
    """One csv for each part."""
    return _in_parts(files, read_csv)


def read_nucleotide_transformer(files: Files, key: str) -> pd.DataFrame:
    """FASTA with labels in the headers; or `sequence` and `label` as parquet or tsv, of all tasks with their `task`."""

    def read(path: Path) -> pd.DataFrame:
        if path.suffix == ".parquet":
            wanted = ("sequence", "label", *({"task"} & set(parquet_columns(path))))
            table = read_parquet(path, dict.fromkeys(wanted, "string"))
        elif ".tsv" in path.suffixes:
            table = read_table(path, ("sequence", "label"), all_columns=True)
        else:
            table = read_labelled_fasta(path)
        if "task" in table:
            table = table[table["task"] == key]
        if table.empty:
            message = f"{path}: no row of the task {key!r}"
            raise SourceFormatError(message)
        return table[["sequence", "label"]]

    return _in_parts(files, read)


def read_plant_genomic_benchmark(files: Files, key: str) -> pd.DataFrame:
    """FASTA with labels in the headers."""
    return _in_parts(files, read_labelled_fasta)


def read_ipro_wael(files: Files, key: str) -> pd.DataFrame:
    """FASTA whose labels are in a file of their own, or are told by the file or by the order."""
    import pandas as pd

    if "halves" in files:
        sequences = read_sequences(files["halves"])
        half = len(sequences) // 2
        return pd.concat([labelled(sequences[:half], "1"), labelled(sequences[half:], "0")])
    if "1" in files:
        return pd.concat([labelled(read_sequences(files[label]), label) for label in ("1", "0")])
    if "all" in files:
        return _with_labels(files["all"], files["all_labels"])
    return pd.concat(
        [_with_labels(files[part], files[f"{part}_labels"]).assign(split=part) for part in ("train", "test")]
    )


def _with_labels(path: Path, labels: Path) -> pd.DataFrame:
    """Sequences with a file of numbers, "1.000000000000000000e+00" a line."""
    import pandas as pd

    sequences, cells = read_sequences(path), read_text(labels).split()
    if len(sequences) != len(cells):
        message = f"{path} has {len(sequences):,} sequences, but {labels} has {len(cells):,} labels; fetch both again"
        raise SourceFormatError(message)
    names = {cell: _whole(cell) for cell in set(cells)}
    if strange := sorted(cell for cell, name in names.items() if name is None):
        message = f"{labels}: label {strange[0]!r}; expected whole numbers"
        raise SourceFormatError(message)
    return pd.DataFrame({"sequence": sequences, "label": [names[cell] for cell in cells]})


def _whole(cell: str) -> str | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return str(int(value)) if value.is_integer() else None


def read_idna_abf(files: Files, key: str) -> pd.DataFrame:
    """Tab-separated `index`, `label`, `text`."""
    return _in_parts(files, lambda path: read_csv(path, text="text", sep="\t"))


def read_dhs(files: Files, key: str) -> pd.DataFrame:
    """Positives, then negatives: only the heading between the two lists tells them apart."""
    import pandas as pd

    path = files["all"]
    lists = _HEADING.split(read_text(path).replace("\r\n", "\n"))
    # A file may begin with the heading of its first list.
    lists = lists if lists[0].strip() else lists[1:]
    if len(lists) != 2:
        message = f"{path}: {len(lists)} lists of sequences, expected two with a heading such as 'II. ...' between them"
        raise SourceFormatError(message)
    # What follows a heading on its line is no sequence.
    bodies = [lists[0], lists[1].partition("\n")[2]]
    return pd.concat(
        [labelled(map(_body, body.split(">")[1:]), label) for body, label in zip(bodies, "10", strict=True)]
    )


def _body(record: str) -> str:
    return "".join(record.split("\n")[1:]).replace(" ", "")


def read_genomic_benchmarks(files: Files, key: str) -> pd.DataFrame:
    """Folders of text files for each class, or tables of coordinates in a genome."""
    import pandas as pd

    rows = []
    for what, path in files.items():
        part, _, name = what.partition("/")
        if part in PART_KEYS:
            sequences = read_text_files(path) if path.is_dir() else _at_coordinates(path, name, key, files)
            rows.append(labelled(sequences, name).assign(split=part))
    return pd.concat(rows)


def _at_coordinates(path: Path, name: str, key: str, files: Files) -> list[str]:
    table = read_table(path, ("region", "start", "end", "strand"), sep=",")
    numbers = table[["start", "end"]].apply(lambda cells: cells.str.fullmatch(r"\d+")).all(axis=1)
    if not numbers.all():
        row = int(numbers.argmin())
        start, end = table.loc[row, ["start", "end"]]
        message = f"{path}: row {row + 1} is from {start!r} to {end!r}; expected whole numbers"
        raise SourceFormatError(message)
    places = zip(table["region"], table["start"].astype(int), table["end"].astype(int), table["strand"], strict=True)
    return list(Genome(files[genome_of(key, name)]).regions(places))


READERS: dict[str, Callable[[Files, str], pd.DataFrame]] = {
    "gue": read_gue,
    "nucleotide_transformer": read_nucleotide_transformer,
    "nucleotide_transformer_revised": read_nucleotide_transformer,
    "plant_genomic_benchmark": read_plant_genomic_benchmark,
    "ipro_wael": read_ipro_wael,
    "genomic_benchmarks": read_genomic_benchmarks,
    "idna_abf": read_idna_abf,
    "idhs_el": read_dhs,
}
"""Collection -> what reads the files of one of its tasks; a missing one is read from GENEB's own dataset only."""
