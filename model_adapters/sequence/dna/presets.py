"""DNA models by name: those of GENEB's table (arXiv 2606.04525) that transformers loads, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from model_adapters.errors import UnknownModelError, did_you_mean
from model_adapters.sequence.dna.reading import Reading

BASES_OF_TOKEN = {"bases": 1, "3-mers": 3, "6-mers": 6, "BPE": 3}
"""Bases of a token; for byte pairs, few enough that a window is sure to fit: their mean is above four."""
LONGEST_WINDOW = 12_000
"""Most bases read at once, even by models that could read a chromosome: memory grows with the window."""
ENDS = 2
"""Tokens that tokenizers put around a sequence."""


class Preset(NamedTuple):
    """A model of the Hub.

    Args:
        title: Name in GENEB's table.
        hub_id: Where it is.
        revision: Commit that is loaded.
        architecture: Class of transformers, or of the model's own code.
        tokens: What a token is: "BPE", "6-mers", "3-mers" or "bases".
        max_tokens: Most tokens that it takes; None where its configuration names no limit.
        dim: Length of a vector.
        millions: Parameters, in millions.
        runs_code: Whether model or tokenizer is code that comes with the weights and runs only on request.
    """

    title: str
    hub_id: str
    revision: str
    architecture: str
    tokens: str
    max_tokens: int | None
    dim: int
    millions: int
    runs_code: bool

    @property
    def name(self) -> str:
        """Name after `dna:`.

        >>> find_preset("GROVER").name
        'grover'
        """
        return self.title.lower()

    @property
    def reading(self) -> Reading:
        """How it is read unless a MODEL string says otherwise.

        >>> find_preset("dnabert-2").reading.window, find_preset("nt-v2-50m-ms").reading.window
        (1530, 12000)
        """
        size = BASES_OF_TOKEN[self.tokens]
        window = LONGEST_WINDOW if self.max_tokens is None else min(LONGEST_WINDOW, (self.max_tokens - ENDS) * size)
        # GENERator's tokenizer reads whole 6-mers only; those of the Nucleotide Transformers read what is left by base.
        multiple = size if self.title.startswith("GENERator") else 1
        return Reading(window=window - window % size, multiple=multiple)

    @property
    def command(self) -> str:
        """MODEL.

        >>> find_preset("dnabert-2").command
        'dna:dnabert-2,trust_remote_code=yes'
        """
        return f"dna:{self.name}" + (",trust_remote_code=yes" if self.runs_code else "")


_TABLE = """
METAGENE-1              Llama     BPE    512     4096  7000  files
    metagene-ai/METAGENE-1@ad8a1e0ee62b85058bfc05d823d8e8d4759edc48
GenomeOcean-4B          Mistral   BPE    10240   3072  4000  files
    DOEJGI/GenomeOcean-4B@2bed2fc3ed47c5f6955ba3e64563512c9b338dfb
GENERator-Eukaryote-3B  Llama     6-mers 16384   3072  3000  code
    GenerTeam/GENERator-eukaryote-3b-base@7515b17659f092997335226c3fb6aafd06c0add9
NT-2.5B-MS              ESM       6-mers 1000    2560  2500  files
    InstaDeepAI/nucleotide-transformer-2.5b-multi-species@b746b125aacd1b0970c05a32fd71ba726754542e
LucaOne                 LucaOne   bases  4096    2560  2000  code
    LucaGroup/LucaOne-default-step36M@f0d2807eb097a1507b911022d979b502cd62b74c
GENERator-Eukaryote-1.2B Llama     6-mers 16384   2048  1200  code
    GenerTeam/GENERator-eukaryote-1.2b-base@5e872c94264891f9adf59d8ea64e426bb68badb5
Omni-DNA-1B             OLMo      BPE    250     2048  1000  code
    zehui127/Omni-DNA-1B@0ea9d54e356b4e7354dc40e2d980e9ebcb2ccfd5
Agro-NT-1B              ESM       6-mers 1024    1500  1000  files
    InstaDeepAI/agro-nucleotide-transformer-1b@b0e1ea1f53a2bf5bb29f8eab7a7e553bf06c1ab1
eccDNAMamba             Mamba     BPE    none    768   537   code
    eccDNAMamba/eccDNAMamba-1M@36d95a3f783fa93640ce9e070ebde3f0ebed175d
GenomeOcean-500M        Mistral   BPE    1024    1536  500   files
    DOEJGI/GenomeOcean-500M@0d9f453925aca9c278505cf0103b6b4311092052
GENA-LM-Large-T2T       BERT      BPE    512     1024  336   code
    AIRI-Institute/gena-lm-bert-large-t2t@f997a8a7c1ba5feb6d11de46354a41c51ffe9660
Omni-DNA-300M           OLMo      BPE    250     1024  300   code
    zehui127/Omni-DNA-300M@23587a0177a1f00d18b7079a2e81150b80e63f1c
BioFM-265M              Mistral   bases  6144    640   265   code
    m42-health/BioFM-265M@52218bbdd383c123f6ced585c9cf2f62ae1fbb17
NT-v2-250M-MS           ESM       6-mers 2048    768   250   code
    InstaDeepAI/nucleotide-transformer-v2-250m-multi-species@c0f0359229f36ff6bc3a021247eefe0a9c344bd1
PlantCaduceus           Caduceus  bases  none    2048  225   code
    kuleshov-group/PlantCaduceus_l32@e624c13c3d35415348b854c87a218893b23564f7
OmniNA-220M             Llama     BPE    none    1024  220   files
    XLS/OmniNA-220m@64ea6ce7b250fc611773215ddcdd1ecca232de67
GPT2-Gene-Multi-v2      GPT-2     BPE    256     768   200   files
    dnagpt/gpt2_gene_multi_v2_ft@b74ac7de9a489e936f612ded2036e01a33eec743
GPT2-Gene-v1            GPT-2     BPE    256     768   200   files
    dnagpt/gpt2_gene_v1@ffcc7a4135ec0439800ee95fdc413706685136e8
DNABERT-S               BERT      BPE    512     768   117   code
    zhihan1996/DNABERT-S@00e47f96cdea35e4b6f5df89e5419cbe47d490c6
DNABERT-2               BERT      BPE    512     768   117   code
    zhihan1996/DNABERT-2-117M@7bce263b15377fc15361f52cfab88f8b586abda0
GENA-LM-T2T-Multi       BERT      BPE    512     768   110   code
    AIRI-Institute/gena-lm-bert-base-t2t-multi@4633e5a1ada905bb7afee6877d71cc12578a95a5
GENA-LM                 BERT      BPE    512     768   110   code
    AIRI-Institute/gena-lm-bert-base@416f055300346a5830ca49438daf5f4e136ed9a8
NT-v2-100M-MS           ESM       6-mers 2048    512   100   code
    InstaDeepAI/nucleotide-transformer-v2-100m-multi-species@f34324c6fde36a4f635f0f1f06cac5d25acd6798
GROVER                  BERT      BPE    512     768   87    files
    PoetschLab/GROVER@6b223110f0d6963e849f55bc2a2f3cff0e38c7a4
HyenaDNA-Large-1M       Hyena     bases  1000002 256   55    code
    LongSafari/hyenadna-large-1m-seqlen-hf@0a629abf9c7f85b4ec9aa6a1aefa3adcf1907446
NT-v2-50M-3mer-MS       ESM       3-mers 2048    512   50    code
    InstaDeepAI/nucleotide-transformer-v2-50m-3mer-multi-species@ff82eaf931e483feeb6bf7ecf03f1febe6b2fe76
NT-v2-50M-MS            ESM       6-mers 2048    512   50    code
    InstaDeepAI/nucleotide-transformer-v2-50m-multi-species@81b29e5786726d891dbf929404ef20adca5b36f1
HyenaDNA-Medium-160k    Hyena     bases  160002  256   14    code
    LongSafari/hyenadna-medium-160k-seqlen-hf@7ebf71773d22c0ede2cc55cb2be15ee8c289e1ce
Caduceus-PS-131k        Caduceus  bases  131072  512   8     code
    kuleshov-group/caduceus-ps_seqlen-131k_d_model-256_n_layer-16@d89eeb853136ea64da7feb3d0c8e909771b17ae6
Caduceus-PH-1k          Caduceus  bases  1024    256   2     code
    kuleshov-group/caduceus-ph_seqlen-1k_d_model-256_n_layer-4_lr-8e-3@9865108985311772704c2ece0bac082153a6167b
"""
"""Title, architecture, tokens, limit of tokens, dimension, millions of parameters, what is loaded, and from where."""


def _presets() -> Iterator[Preset]:
    words = iter(_TABLE.split())
    for title, architecture, tokens, limit, dim, millions, loaded, place in zip(*[words] * 8, strict=True):
        hub_id, _, revision = place.partition("@")
        yield Preset(
            title=title,
            hub_id=hub_id,
            revision=revision,
            architecture=architecture,
            tokens=tokens,
            max_tokens=None if limit == "none" else int(limit),
            dim=int(dim),
            millions=int(millions),
            runs_code=loaded == "code",
        )


PRESETS = tuple(_presets())
NOT_LOADED = {
    "Evo-1-131k": "its code returns logits, not layers",
    "DNA-GPT-3B-M": "its weights are on Google Drive, in a form of their own",
    "SPACE": "it predicts profiles of 131,072 bases and needs its authors' package",
    "Enformer": "it predicts profiles of 196,608 bases and needs the package enformer-pytorch",
    "Genomics-FM": "its weights are on Google Drive, in a form of their own",
    "DNA-GPT-0.1B-H": "its weights are on Google Drive, in a form of their own",
    "MutBERT": "it reads probabilities of bases, not tokens",
    "DeepGene": "its weights are on Google Drive and read a graph of the sequence",
    "JanusDNA-72-w": "its weights are at Harvard Dataverse and need its authors' package",
    "JanusDNA-72-wo": "its weights are at Harvard Dataverse and need its authors' package",
}
"""Models of the table that transformers does not load -> why."""


def find_preset(name: str) -> Preset | None:
    """Return the preset of a name, in any case; None if there is none.

    Raises:
        UnknownModelError: The model is in GENEB's table, but transformers does not load it; or the name is close to
            that of a preset.
    """
    known = {preset.name: preset for preset in PRESETS}
    wanted = name.lower()
    if wanted in known:
        return known[wanted]
    for title, reason in NOT_LOADED.items():
        if wanted == title.lower():
            message = (
                f"dna:{name}: transformers does not load {title}: {reason}; embed with it and pass the file of vectors"
            )
            raise UnknownModelError(message)
    if hint := did_you_mean(wanted, known):
        message = f"dna has no model {name!r}{hint}"
        raise UnknownModelError(message)
    return None
