"""What identifiers are that stand for no human gene known to HGNC, and whether names are those of a mouse."""

import re
from collections.abc import Iterable

__all__ = ["MISSING_WORDS", "UNKNOWN", "looks_like_mouse", "why_unknown"]

MISSING_WORDS = frozenset(("nan", "na", "n/a", "#n/a", "<na>", "null", "none", "nil"))
UNKNOWN = "no name that HGNC knows"
MOUSE = "looks like a mouse or rat symbol"

_MONTH = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_ACCESSION = r"(?:[OPQ]\d[A-Z\d]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z\d]{2}\d){1,2})"
# RIKEN clones, predicted genes, H2-K1, mt-Nd1, and one capital followed by small letters; C1orf43 is human.
_MOUSE_SYMBOLS = (
    *(r"\d{7}[A-Z]\d{2}Rik", r"Gm\d+", r"H2-[A-Z][a-z]?\d*", r"mt-[A-Z][a-z0-9]+", r"RGD\d+"),
    r"(?!C[\dXY]+orf\d)[A-Z](?=[a-z0-9.-]*[a-z])[a-z0-9.-]*",
)
_FORMS: dict[str, tuple[str, ...]] = {
    "empty": (r"\s*",),
    "word for a missing value": (f"(?i:{'|'.join(map(re.escape, sorted(MISSING_WORDS)))})", r"-+", r"\?+"),
    "special token of a vocabulary": (r"<[^<>]+>", r"\[[A-Za-z_ ]+\]", r"(?i:pad|cls|eos|bos|mask|unk)_?token"),
    "spike-in control": (r"(?i:ERCC[-_. ].*)", r"(?i:SIRV\d+)", r"(?i:sequin.*)", r"(?i:spike[-_ ].*)"),
    "Ensembl transcript or protein id; needs a map to genes": (r"(?:9606\.)?ENS[TP]\d{11}(?:\.\d+)?",),
    "Ensembl id that HGNC does not list": (r"ENSG[\dR]\d{10}(?:\.\d+)?\S*",),
    "Ensembl id of another species": (r"(?:\d+\.)?ENS[A-Z]{3,4}[GTP]\d{11}(?:\.\d+)?", r"FBgn\d{7}", r"WBGene\d{8}"),
    "mouse or rat id; HGNC's ortholog columns map it on request": (r"(?i:MGI|RGD):\d+",),
    "protein of another species": (r"(?:(?:sp|tr)\|)?\S+_(?!HUMAN)[A-Z0-9]{2}[A-Z]{1,3}", r"(?!9606\.)\d+\.\w+\D\w*"),
    "UniProt entry name; use the accession": (r"[A-Z0-9]{1,10}_HUMAN",),
    "UniProt accession that HGNC does not list": (rf"(?:(?:sp|tr)\|)?{_ACCESSION}(?:[-|]\S+|_HUMAN)?",),
    "RefSeq accession; needs a map to genes": (r"[NX][MRPCGTW]_\d+(?:\.\d+)?",),
    "number that is not an Entrez id known to HGNC; a row number?": (r"\d+(?:\.0+)?",),
    "decimal number": (r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?",),
    "date": (
        *(rf"\d{{1,2}}[-/. ]{_MONTH}(?:[-/. ]\d{{2,4}})?", rf"{_MONTH}-\d{{1,2}}"),
        *(r"\d{4}-\d{2}-\d{2}.*", r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}"),
    ),
    "probe set of an array; needs a map to genes": (r"\d+(?:_[a-z])?_at", r"ILMN_\d+", r"A_\d+_P\d+"),
    "locus or clone without an approved symbol": (
        *(r"LOC\d+", r"KIAA\d+", r"FLJ\d+", r"MGC\d+", r"[A-Z]{1,2}\d{5,8}\.\d+"),
        r"(?:RP|CT[A-D]|GS|XX|KB|CH|LL|WI)[A-Z]*\d*-\w+(?:\.\d+)?",
    ),
    "several names in one cell": (r".+(?:///|[;,|]).+",),
    MOUSE: _MOUSE_SYMBOLS,
}
# The first kind that fits says what an identifier is.
_KINDS = {kind: re.compile("|".join(f"(?:{form})" for form in forms)) for kind, forms in _FORMS.items()}
_MOUSE = _KINDS[MOUSE]
_HUMAN = re.compile(r"[A-Z][A-Z0-9.-]*|C[\dXY]+orf\d+\w*")


def why_unknown(identifier: str) -> str:
    """What an identifier without a human gene is, as far as its form shows.

    >>> why_unknown("<pad>"), why_unknown("ERCC-00002"), why_unknown("Trp53")
    ('special token of a vocabulary', 'spike-in control', 'looks like a mouse or rat symbol')
    """
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(identifier)), UNKNOWN)


def looks_like_mouse(names: Iterable[str]) -> bool:
    """Whether most of the names that are symbols of either species are written as those of mouse and rat are.

    >>> looks_like_mouse(["Actb", "Trp53", "Gm10000", "H2-K1"]), looks_like_mouse(["ACTB", "C1orf43", "7157"])
    (True, False)
    """
    mouse = human = 0
    for name in names:
        mouse += _MOUSE.fullmatch(name) is not None
        human += _HUMAN.fullmatch(name) is not None
    return mouse > human
