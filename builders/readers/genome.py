"""Sequences at coordinates of a genome, read through the index of its FASTA file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from builders.errors import SourceFileError, SourceFormatError
from builders.readers.archives import read_text
from builders.sequences.repeats import reverse_complement
from builders.text import did_you_mean

__all__ = ["Genome"]

GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class _Contig:
    """Where a contig lies in the file; a line of the format that `samtools faidx` writes."""

    length: int
    offset: int
    bases: int
    width: int


class Genome:
    """A FASTA file of which regions are read: its index is `FILE.fai`, or made by one pass over the file.

    Args:
        path: FASTA file, not packed: of a gzip file no region can be read.

    Raises:
        SourceFileError: The file is packed or cannot be read.
        SourceFormatError: The index is not one, or lines of a contig differ in length.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        index = path.with_name(f"{path.name}.fai")
        try:
            with path.open("rb") as file:
                if file.read(2) == GZIP:
                    message = f"{path}: packed, so no region can be read from it; unpack it (gunzip)"
                    raise SourceFileError(message)
                if not index.exists():
                    file.seek(0)
                    self._contigs = dict(self._scan(file))
        except OSError as error:
            message = f"{path}: cannot be read ({error.strerror or error})"
            raise SourceFileError(message) from error
        if index.exists():
            self._contigs = dict(_read_index(index))
        # Ensembl's transcripts have a version, which coordinates lack.
        self._unversioned = {name.partition(".")[0]: name for name in self._contigs}

    def regions(self, places: Iterable[tuple[str, int, int, str]]) -> Iterator[str]:
        """Sequence of each place: contig, start (from 0), end (not included) and strand, "-" for the other one.

        A contig is found with or without "chr" before its name, and a transcript without its version.

        Raises:
            SourceFormatError: There is no such contig, or it is shorter than that.
        """
        with self.path.open("rb") as file:
            for name, start, end, strand in places:
                contig = self._contigs[self._name(name)]
                if not 0 <= start <= end <= contig.length:
                    message = f"{self.path}: {name} has {contig.length:,} bases, not {start:,} to {end:,} as asked for"
                    raise SourceFormatError(message)
                bases = self._read(file, contig, start, end).upper()
                yield reverse_complement(bases) if strand == "-" else bases

    def _name(self, name: str) -> str:
        bare = name.removeprefix("chr")
        for each in (name, bare, f"chr{name}", {"M": "MT"}.get(bare, bare)):
            if each in self._contigs:
                return each
        if name in self._unversioned:
            return self._unversioned[name]
        message = f"{self.path}: no contig {name!r} among {len(self._contigs):,}{did_you_mean(name, self._contigs)}"
        raise SourceFormatError(message)

    def _read(self, file: IO[bytes], contig: _Contig, start: int, end: int) -> str:
        if start == end:
            return ""
        first, last = (contig.offset + at // contig.bases * contig.width + at % contig.bases for at in (start, end - 1))
        file.seek(first)
        return file.read(last + 1 - first).replace(b"\n", b"").replace(b"\r", b"").decode("ascii")

    def _scan(self, file: IO[bytes]) -> Iterator[tuple[str, _Contig]]:
        name, length, offset, bases, width, short = "", 0, 0, 0, 0, False
        at = 0
        for line in file:
            at += len(line)
            if line.startswith(b">"):
                if name:
                    yield name, _Contig(length, offset, max(bases, 1), width)
                name = (line[1:].split() or [b""])[0].decode()
                length, offset, bases, width, short = 0, at, 0, 0, False
                continue
            here = len(line.rstrip(b"\r\n"))
            if not name or (here and short):
                what = "lines of a contig differ in length" if name else "does not begin with '>'"
                message = f"{self.path}: {what} ({name or line[:20]!r}); expected FASTA with lines of one length"
                raise SourceFormatError(message)
            bases, width = (bases, width) if bases else (here, len(line))
            short = here < bases
            if here > bases:
                message = f"{self.path}: lines of a contig differ in length ({name}); expected lines of one length"
                raise SourceFormatError(message)
            length += here
        if name:
            yield name, _Contig(length, offset, max(bases, 1), width)


def _read_index(path: Path) -> Iterator[tuple[str, _Contig]]:
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name, *numbers = line.split("\t")
        try:
            length, offset, bases, width = (int(cell) for cell in numbers[:4])
        except ValueError:
            message = f"{path}: line {number} is not one of a FASTA index; expected name, length, offset, bases, width"
            raise SourceFormatError(message) from None
        yield name, _Contig(length, offset, max(bases, 1), width)
