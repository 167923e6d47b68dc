"""What names of genes look like: the columns that hold them, row numbers that do not, and why one is unknown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

COLUMN_NAMES = (
    *("symbol", "symbols", "genesymbol", "genesymbols", "hgncsymbol", "approvedsymbol", "externalgenename"),
    *("gene", "genes", "genename", "genenames", "featurename", "feature", "features", "name", "names"),
    *("ensemblgeneid", "ensemblid", "ensemblids", "ensembl", "ensemblgene", "ensg", "geneid", "geneids"),
    *("entrez", "entrezid", "entrezids", "entrezgene", "entrezgeneid", "ncbi", "ncbigene", "ncbigeneid"),
    *("uniprot", "uniprotid", "uniprotids", "uniprotkb", "accession", "protein", "proteinid", "hgnc", "hgncid"),
    *("identifier", "identifiers", "id", "ids", "token", "tokens", "word", "words", "node", "nodes", "vocab"),
    *("key", "keys"),
)
"""What columns of gene identifiers are called, in lower case without separators; earlier ones win."""
INDEX_NAMES = ("", "index", "unnamed0", "level0", "indexlevel0", "rownames", "rowname", "rowid")
"""What pandas and R call the index of a frame: row numbers, or the genes."""
SPECIAL_TOKEN = re.compile(r"<[^<>]*>|\[[A-Z]+\]")
MISSING_WORDS = frozenset(("nan", "na", "null", "none", "n/a"))
FEW = 10
"""With fewer rows, numbers in sequence and lower case may be chance."""

_WHOLE = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"(\d+)\.0+")
_MOUSE = re.compile(r"[A-Z][a-z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*|\d{7}[A-Z]\d\dRik|H2-[A-Z]\w*")
_REASONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (SPECIAL_TOKEN.pattern, "a special token, not a gene"),
        (r"ERCC-\d+", "a spike-in, not a gene"),
        (r"ENS(MUS|RNO)[GTP]\d+.*", "a mouse or rat id; map it to the human ortholog"),
        (r"ENS[A-Z]{3}[GTP]\d+.*", "an Ensembl id of another species"),
        (r"ENST\d+.*", "a transcript; name its gene"),
        (r"(9606\.)?ENSP\d+.*", "a protein of Ensembl; name its gene"),
        (r"ENSG\d+.*", "an Ensembl gene without an HGNC symbol, or a retired id"),
        (r"N[MRP]_\d+.*", "a RefSeq accession; name its gene"),
        (r"rs\d+", "a variant, not a gene"),
        (r"LOC\d+", "a provisional name of NCBI"),
        (r"(RP|CT|AC|AL|AP|LL|XX)[A-Z]*\d+.*[.-]\d+.*", "a clone, not an approved symbol"),
        (
            r"\d{1,2}-[A-Za-z]{3}(-\d+)?|[A-Za-z]{3}-\d{1,2}|\d{4}-\d\d-\d\d.*",
            "a date that a spreadsheet made of a symbol",
        ),
        (r"[+-]?\d+(\.\d+)?", "a number that is not the Entrez id of a current gene"),
        (r".*[|/;,].*", "several names in one; keep one"),
        (r".*\s.*", "text, not an identifier"),
    )
)
_STATUS_REASONS = {"ambiguous": "ambiguous: it stands for several genes", "withdrawn": "withdrawn by HGNC"}


def normal(column: str) -> str:
    """Return a column's name in lower case without separators.

    >>> normal("Gene_Symbol"), normal("Unnamed: 0"), normal("__index_level_0__")
    ('genesymbol', 'unnamed0', 'indexlevel0')
    """
    return re.sub(r"[^a-z0-9]", "", column.lower())


def clean(identifier: object) -> str | None:
    """Return an identifier as text: without blanks around it, a whole number without `.0`; None if it is blank.

    >>> clean(" TP53 "), clean("7157.0"), clean(7157.0), clean("HLA.A"), clean(float("nan"))
    ('TP53', '7157', '7157', 'HLA.A', None)
    """
    if identifier is None or identifier != identifier:
        return None
    text = str(identifier).strip()
    decimal = _DECIMAL.fullmatch(text)
    return decimal[1] if decimal else text or None


def may_name_genes(column: str) -> bool:
    """Return whether a column has a name that columns of identifiers and indices have."""
    return normal(column) in COLUMN_NAMES or normal(column) in INDEX_NAMES


def may_be_whole(cell: str) -> bool:
    """Return whether a cell is a whole number, perhaps written with `.0`."""
    return bool(_WHOLE.fullmatch(cell) or _DECIMAL.fullmatch(cell))


def odd_names(columns: Sequence[str]) -> list[str]:
    """Return the columns whose names are not numbered, where most are: they may not be dimensions.

    >>> odd_names(["d0", "d1", "d2", "length"]), odd_names(["a", "b", "c1"])
    (['length'], [])
    """
    odd = [name for name in columns if not re.search(r"\d$", name)]
    return odd if len(columns) - len(odd) > 2 * len(odd) else []


def are_whole_numbers(names: Sequence[str | None]) -> bool:
    """Return whether every name that is not blank is a whole number."""
    there = [name for name in names if name is not None]
    return bool(there) and all(_WHOLE.fullmatch(name) for name in there)


def are_row_numbers(names: Sequence[str | None]) -> bool:
    """Return whether names count rows: 0 to n-1 or 1 to n in any order, or consecutive numbers in order.

    >>> are_row_numbers(["0", "1", "2"]), are_row_numbers(["3", "1", "2"]), are_row_numbers(["7157", "672"])
    (True, True, False)
    """
    if not are_whole_numbers(names) or any(name is None or len(name) > 18 for name in names):
        return False
    numbers = [int(str(name)) for name in names]
    in_order = len(numbers) > 2 and all(second - first == 1 for first, second in pairwise(numbers))
    low = min(numbers)
    return in_order or (low in (0, 1) and sorted(numbers) == list(range(low, low + len(numbers))))


def looks_like_mouse(name: str) -> bool:
    """Return whether a name is written like a mouse or rat symbol.

    >>> [looks_like_mouse(name) for name in ("Trp53", "Gm10000", "1700001C02Rik", "TP53", "C1orf112")]
    [True, True, True, False, False]
    """
    return bool(_MOUSE.fullmatch(name))


def likely_reason(name: str, status: str = "") -> str:
    """Say why an identifier has no symbol.

    >>> likely_reason("<pad>"), likely_reason("ENST00000269305"), likely_reason("XYZ", "ambiguous")
    ('a special token, not a gene', 'a transcript; name its gene', 'ambiguous: it stands for several genes')
    """
    if status in _STATUS_REASONS:
        return _STATUS_REASONS[status]
    for pattern, reason in _REASONS:
        if pattern.fullmatch(name):
            return reason
    if looks_like_mouse(name):
        return "written like a mouse symbol"
    return "no symbol, old symbol, alias or id of HGNC"
