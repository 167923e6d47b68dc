"""The forms in which gene identifiers are written: accessions with prefixes and versions, dates, names changed by R."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

__all__ = ["Accession", "accessions", "r_name", "spreadsheet_dates", "split_pair", "without_number"]

Accession = Literal["hgnc", "ensembl", "entrez", "uniprot", "ortholog"]

# https://www.uniprot.org/help/accession_numbers
_UNIPROT = r"[OPQ]\d[A-Z\d]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z\d]{2}\d){1,2}"
# All are matched against upper-case text. The group is what HGNC lists.
_ACCESSIONS: dict[Accession, re.Pattern[str]] = {
    "hgnc": re.compile(r"(?:HGNC:)+(\d+)"),
    # ENSGR is how Ensembl once named the copies on Y of pseudoautosomal genes.
    "ensembl": re.compile(r"(?:ENSEMBL:)?ENSG([\dR]\d{10})(?:\.\d+)?(?:_PAR_Y)?"),
    # One missing id makes pandas write the column as decimals: 8086.0.
    "entrez": re.compile(r"(?:(?:HSA|NCBIGENE|ENTREZ(?:GENE)?|GENE_?ID):)?(\d+)(?:\.0+)?"),
    "uniprot": re.compile(
        rf"(?:UNIPROT(?:KB)?:)?(?:(?:SP|TR)\|)?({_UNIPROT})(?:[-.]\d+)?(?:_HUMAN|\|[A-Z\d]+_HUMAN|\|)?"
    ),
    "ortholog": re.compile(r"((?:MGI|RGD):\d+)"),
}
_WRITTEN: dict[Accession, str] = {"hgnc": "HGNC:{}", "ensembl": "ENSG{}"}
_ENSEMBL = r"ENSG[\dR]\d{10}(?:\.\d+)?"
_PAIRS = (re.compile(rf"(?P<symbol>\S+)[_|](?P<id>{_ENSEMBL})"), re.compile(rf"(?P<id>{_ENSEMBL})[_|](?P<symbol>\S+)"))
# R keeps letters, digits, dot and underscore of a name, and a name has to begin with a letter.
_NOT_IN_R = re.compile(r"[^A-Za-z0-9._]")
# One digit: CAND1.11 is another gene, not the twelfth CAND1 of a list.
_NUMBERED = re.compile(r"(\S+)\.[1-9]")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# A spreadsheet takes SEPT2 for the second of September: month and number are left, and the symbol began with one of:
_DATE_PREFIXES = {"mar": ("MARCH", "MARC"), "sep": ("SEPT", "SEP"), "oct": ("OCT",), "dec": ("DEC",)}
_DAY_MONTH = re.compile(r"(?P<day>\d{1,2})[-/. ](?P<month>[A-Za-z]{3})(?:[-/. ]\d{2}(?:\d{2})?)?")
_MONTH_DAY = re.compile(r"(?P<month>[A-Za-z]{3})-(?P<day>\d{1,2})")
_ISO = re.compile(r"\d{4}-(?P<month>\d{2})-(?P<day>\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_NUMBERS = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.]\d{2}(?:\d{2})?")
_DAY_NUMBER = re.compile(r"(\d{5})(?:\.0+)?")
# Day numbers count from here; of other years than these nobody has typed a gene into a spreadsheet.
_DAY_ZERO = date(1899, 12, 30)
_YEARS = range(1995, 2036)


def accessions(identifier: str, *, bare: Accession = "entrez") -> Iterator[tuple[Accession, str]]:
    """Kinds of accession that an identifier may be, each with the form that HGNC lists.

    Args:
        identifier: As it was given.
        bare: What a number without a prefix is: an Entrez id, or an HGNC id.

    >>> dict(accessions("ENSGR0000182378.15")), dict(accessions("8086.0")), dict(accessions("8086", bare="hgnc"))
    ({'ensembl': 'ENSG00000182378'}, {'entrez': '8086'}, {'hgnc': 'HGNC:8086'})
    >>> dict(accessions("sp|Q16613|AANA_HUMAN")), dict(accessions("hsa:51146")), dict(accessions("HGNC:HGNC:5"))
    ({'uniprot': 'Q16613'}, {'entrez': '51146'}, {'hgnc': 'HGNC:5'})
    """
    upper = identifier.upper()
    for kind, pattern in _ACCESSIONS.items():
        if match := pattern.fullmatch(upper):
            number = match[1].replace("R", "0") if kind == "ensembl" else match[1]
            found: Accession = bare if kind == "entrez" and upper[0].isdigit() else kind
            yield found, _WRITTEN.get(found, "{}").format(number)


def split_pair(identifier: str) -> tuple[str, str] | None:
    """Ensembl id and symbol of an identifier that has both, as the vocabularies of scGPT and exports of counts do.

    >>> split_pair("DEC1_ENSG00000134107"), split_pair("ENSG00000134107.5|DEC1"), split_pair("ENSA")
    (('ENSG00000134107', 'DEC1'), ('ENSG00000134107.5', 'DEC1'), None)
    """
    for pattern in _PAIRS:
        if match := pattern.fullmatch(identifier):
            return match["id"], match["symbol"]
    return None


def r_name(symbol: str) -> str:
    """What R's `make.names` turns a symbol into.

    >>> r_name("HLA-A"), r_name("7SK"), r_name("TP53")
    ('HLA.A', 'X7SK', 'TP53')
    """
    name = _NOT_IN_R.sub(".", symbol)
    return name if name[:1].isalpha() else f"X{name}"


def without_number(identifier: str) -> str | None:
    """The name to which R's `make.unique` has added a number; None if there is none.

    >>> without_number("TBCE.1"), without_number("TBCE")
    ('TBCE', None)
    """
    match = _NUMBERED.fullmatch(identifier)
    return match[1] if match else None


def spreadsheet_dates(identifier: str) -> list[list[str]]:
    """Symbols that a spreadsheet may have taken for this date, for each way to read it.

    Args:
        identifier: `2-Sep`, `Sep-02`, `2-Sep-21`, `2021-09-02`, `02/09/2021` (two ways to read), or a day number
            (44441). What R makes of them is read too: `X2.Sep`.

    >>> spreadsheet_dates("2-Sep"), spreadsheet_dates("03/09/2021"), spreadsheet_dates("44441")
    ([['SEPT2', 'SEP2']], [['SEPT3', 'SEP3'], ['MARCH9', 'MARC9']], [['SEPT2', 'SEP2']])
    """
    return [
        [f"{prefix}{day}" for prefix in _DATE_PREFIXES[month]]
        for day, month in _days_and_months(identifier)
        if month in _DATE_PREFIXES
    ]


def _days_and_months(identifier: str) -> Iterator[tuple[int, str]]:
    # R makes X2.Sep of 2-Sep.
    identifier = identifier[1:] if re.match(r"X\d", identifier) else identifier
    if match := _DAY_MONTH.fullmatch(identifier) or _MONTH_DAY.fullmatch(identifier):
        yield int(match["day"]), match["month"].lower()
    elif match := _ISO.fullmatch(identifier):
        yield from _valid(int(match["day"]), int(match["month"]))
    elif match := _NUMBERS.fullmatch(identifier):
        # Europeans write the day first, Americans the month.
        yield from dict.fromkeys([*_valid(int(match[1]), int(match[2])), *_valid(int(match[2]), int(match[1]))])
    elif match := _DAY_NUMBER.fullmatch(identifier):
        day = _DAY_ZERO + timedelta(days=int(match[1]))
        if day.year in _YEARS:
            yield from _valid(day.day, day.month)


def _valid(day: int, month: int) -> Iterator[tuple[int, str]]:
    if 1 <= month <= len(_MONTHS):
        yield day, _MONTHS[month - 1]
