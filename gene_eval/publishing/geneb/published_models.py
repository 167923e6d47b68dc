"""The forty models whose scores GENEB published: their names there, and how many parameters it says they have."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["PARAMETERS", "TITLES", "parameters_of"]

_TABLE = """
METAGENE-1                                           METAGENE-1                 7000000000
evo-1-131k-base                                      Evo-1-131k                 7000000000
GenomeOcean-4B                                       GenomeOcean-4B             4000000000
GENERator-eukaryote-3b-base                          GENERator-Eukaryote-3B     3000000000
dna_gpt3b_m                                          DNA-GPT-3B-M               3000000000
nucleotide-transformer-2.5b-multi-species            NT-2.5B-MS                 2500000000
LucaOne-default-step36M                              LucaOne                    2000000000
GENERator-eukaryote-1.2b-base                        GENERator-Eukaryote-1.2B   1200000000
Omni-DNA-1B                                          Omni-DNA-1B                1000000000
agro-nucleotide-transformer-1b                       Agro-NT-1B                 1000000000
space                                                SPACE                      588750000
eccdnamamba_weights                                  eccDNAMamba                1000000000
GenomeOcean-500M                                     GenomeOcean-500M           500000000
gena-lm-bert-large-t2t                               GENA-LM-Large-T2T          336000000
Omni-DNA-300M                                        Omni-DNA-300M              300000000
BioFM-265M                                           BioFM-265M                 265000000
enformer-official-rough                              Enformer                   250000000
nucleotide-transformer-v2-250m-multi-species         NT-v2-250M-MS              250000000
PlantCaduceus_l32                                    PlantCaduceus              225000000
OmniNA-220m                                          OmniNA-220M                220000000
gpt2_gene_multi_v2_ft                                GPT2-Gene-Multi-v2         200000000
gpt2_gene_v1                                         GPT2-Gene-v1               200000000
genomics-fm                                          Genomics-FM                120000000
DNABERT-S                                            DNABERT-S                  117070082
dnabert2-no-flashattention                           DNABERT-2                  117000000
gena-lm-bert-base-t2t-multi                          GENA-LM-T2T-Multi          110000000
gena-lm-bert-base                                    GENA-LM                    110000000
dna_gpt0.1b_h                                        DNA-GPT-0.1B-H             100000000
nucleotide-transformer-v2-100m-multi-species         NT-v2-100M-MS              100000000
GROVER                                               GROVER                     87101793
MutBERT                                              MutBERT                    86000000
deepgene                                             DeepGene                   85000000
hyenadna-large-1m-seqlen-hf                          HyenaDNA-Large-1M          54600000
nucleotide-transformer-v2-50m-3mer-multi-species     NT-v2-50M-3mer-MS          50000000
nucleotide-transformer-v2-50m-multi-species          NT-v2-50M-MS               50000000
hyenadna-medium-160k-seqlen-hf                       HyenaDNA-Medium-160k       14200000
caduceus-ps_seqlen-131k_d_model-256_n_layer-16       Caduceus-PS-131k           1930000
JanusDNA_72_w                                        JanusDNA-72-w              1980000
JanusDNA_72_wo                                       JanusDNA-72-wo             1980000
caduceus-ph_seqlen-1k_d_model-256_n_layer-4_lr-8e-3  Caduceus-PH-1k             1930000
"""
"""Name in GENEB's files, title in the paper, parameters by GENEB's metadata."""

_ROWS = [line.split() for line in _TABLE.strip().splitlines()]
TITLES: Mapping[str, str] = {name: title for name, title, _ in _ROWS}
PARAMETERS: Mapping[str, int] = {name: int(number) for name, _, number in _ROWS}
_BY_NAME = {name.lower(): int(number) for name, title, number in _ROWS for name in (name, title)}


def parameters_of(model_id: str) -> int | None:
    """Parameters of a model that GENEB scored, by its name there, its title or the last part of its Hub id.

    >>> parameters_of("InstaDeepAI/nucleotide-transformer-v2-50m-multi-species"), parameters_of("kmer")
    (50000000, None)
    """
    return _BY_NAME.get(model_id.partition(":")[0].rpartition("/")[2].lower())
