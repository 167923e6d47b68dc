"""Words of labels in texts about genes: which they are, which texts have them, and texts without them."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["SYNONYMS", "carries", "label_words", "masked", "stem"]

# Words that say nothing about a label in whose name they are.
GENERIC: Final = frozenset(
    "class classes domain protein proteins gene genes other others negative positive related process with from specific"
    " group groups type types level high without none mainly unknown predicted associated human".split()
)
ENDINGS: Final = (
    *("ations", "ation", "ions", "ion", "ings", "ing", "ies", "ial", "ical", "al", "ic", "ed", "es", "us", "um", "ia"),
    *("s", "e", "y", "a"),
)
SHORTEST_STEM: Final = 5
_FACTORS = ("transcription factor", "dna-binding", "homeobox", "forkhead", "zinc finger", "bhlh", "bzip", "t-box")
_GPCR = ("g protein-coupled", "gpcr", "olfactory receptor")
SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "tf": _FACTORS,
    "transcription factors": _FACTORS,
    "dosage-sensitive tfs": ("haploinsufficien", "dosage"),
    # Where a protein is.
    "nucleus": ("nuclear", "nucleoplasm", "chromatin"),
    "nucleoli": ("nucleol",),
    "nucleoli fibrillar center": ("nucleol",),
    "nucleoli rim": ("nucleol",),
    "nuclear speckles": ("splicing",),
    "plasma membrane": ("transmembrane", "cell surface", "receptor"),
    "vesicles": ("vesicul", "endosome", "lysosome", "exosome"),
    "cytosol": ("cytoplasm", "cytoplasmic"),
    "cell junctions": ("cadherin", "claudin", "desmosom", "gap junction", "tight junction"),
    # Which kind of protein.
    "gpcr": _GPCR,
    "g-protein coupled receptors": _GPCR,
    "enzymes": ("ligase", "oxidase", "hydrolase", "kinase", "phosphatase", "protease", "reductase", "synthase"),
    "transporters": ("solute carrier", "exchanger"),
    "cancer-related genes": ("cancer", "carcinoma", "leukemia", "oncogen", "tumor"),
    "disease related genes": ("disorder", "syndrome"),
    "predicted membrane proteins": ("receptor", "channel"),
    "predicted secreted proteins": ("extracellular",),
    # Modifications, ligands, domains: UniProt's keywords.
    "ubl conjugation": ("ubiquitin", "ubiquitinat", "sumo"),
    "isopeptide bond": ("ubiquitin", "sumo"),
    "phosphoprotein": ("phosphorylat",),
    "glycoprotein": ("glycosylat", "glycoprotein"),
    "gpi-anchor": ("glycosylphosphatidylinositol", "gpi-linked"),
    "myristate": ("myristoyl",),
    "palmitate": ("palmitoyl",),
    "prenylation": ("farnesyl", "geranylgeranyl"),
    "zymogen": ("proenzyme", "proprotein"),
    "metal-binding": ("zinc", "calcium-binding", "iron-binding"),
    "atp-binding": ("atpase", "kinase"),
    "gtp-binding": ("gtpase",),
    "heme": ("cytochrome", "hemoglobin"),
    "calcium": ("ef-hand", "cadherin"),
    "fad": ("flavin",),
    "flavoprotein": ("flavin",),
    "nad": ("nicotinamide", "nadh", "dehydrogenase"),
    "nadp": ("nicotinamide", "nadph"),
    "pyridoxal phosphate": ("aminotransferase",),
    "s-adenosyl-l-methionine": ("methyltransferase",),
    "ank repeat": ("ankyrin",),
    "tpr repeat": ("tetratricopeptide",),
    "wd repeat": ("wd repeat", "wd40"),
    "sh3 domain": ("sh3",),
    "egf-like domain": ("egf",),
    "immunoglobulin domain": ("ig-like",),
    # Pathways.
    "autophagy": ("autophagosom",),
    "cell cycle": ("cyclin", "kinetochore", "mitosis", "mitotic"),
    "chromatin organization": ("histone", "nucleosom"),
    "extracellular matrix organization": ("collagen", "integrin", "laminin"),
    "hemostasis": ("coagulation", "platelet"),
    "immune system": ("antigen", "chemokine", "cytokine", "interferon", "interleukin"),
    "metabolism of rna": ("splicing", "ribosom", "mrna", "trna"),
    "muscle contraction": ("myosin", "sarcomer"),
    "neuronal system": ("synap", "neurotransmitter"),
    "programmed cell death": ("apopto", "caspase"),
    "reproduction": ("meio", "sperm", "fertiliz"),
    "vesicle-mediated transport": ("endocyt", "exocyt", "golgi"),
}
"""Name of a label, in lower case, to further word beginnings and phrases that say it: synonyms, families."""


def stem(word: str) -> str:
    """A word without its ending, if five letters or more are left: the beginning of words with the same meaning.

    >>> stem("mitochondria"), stem("signaling"), stem("cell")
    ('mitochondr', 'signal', 'cell')
    """
    word = word.lower()
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def label_words(name: str) -> tuple[str, ...]:
    """Word beginnings and phrases that say a label: stems of its words, except generic ones, and synonyms.

    >>> label_words("Signal Transduction")
    ('signal', 'transduct')
    >>> "transcription factor" in label_words("tf")
    True
    """
    plain = re.sub(r"[_\s]+", " ", name).strip().lower()
    words = [word for word in re.findall(r"[a-z][a-z0-9-]{3,}", plain) if word not in GENERIC]
    return tuple(dict.fromkeys([*map(stem, words), *SYNONYMS.get(plain, ())]))


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    known = sorted(words, key=len, reverse=True)
    # Labels say "zinc-finger", texts "zinc finger"; "G-protein coupled" is "G protein-coupled".
    said = ["[- ]".join(map(re.escape, re.split("[- ]", word))) for word in known]
    return re.compile(r"\b(?:" + "|".join(said) + r")\w*", re.IGNORECASE) if known else None


def carries(texts: Sequence[str], words: Collection[str]) -> npt.NDArray[np.bool_]:
    """(n,) whether a text has a word that begins so, or a phrase."""
    pattern = _pattern(words)
    if pattern is None:
        return np.zeros(len(texts), dtype=bool)
    return np.array([pattern.search(text) is not None for text in texts], dtype=bool)


def masked(texts: Sequence[str], words: Collection[str]) -> list[str]:
    """Texts without the words that begin so.

    >>> masked(["A mitochondrial kinase of mitochondria."], ["mitochondr"])
    ['A kinase of .']
    """
    pattern = _pattern(words)
    return [" ".join((pattern.sub("", text) if pattern else text).split()) for text in texts]
