"""TCRD: how far a protein has come as a drug target."""

from __future__ import annotations

from builders.base import GeneTaskBuilder
from builders.config import TaskConfig
from builders.raw_files import RawFile, Source

__all__ = ["TcrdBuilder"]

TCRD = Source(
    name="tcrd",
    title="Target Central Resource Database",
    homepage="https://pharos.nih.gov",
    version="3.1.4",
    # Of the repository that has the table.
    license="CC-BY-NC-4.0",
    license_url="https://creativecommons.org/licenses/by-nc/4.0/",
    redistributable=False,
    citation=(
        "Oprea TI et al. Unexplored therapeutic opportunities in the human genome. Nat Rev Drug Discov."
        " 2018;17(5):317-332."
    ),
    files={"levels": RawFile(names=("TCRD_3.1.4_TDL_families_Updated.txt",), url=None)},
)


class TcrdBuilder(GeneTaskBuilder):
    """Target development levels, by UniProt accession."""

    SOURCE = TCRD
    IDENTIFIERS = ("UniProt",)
    BUILDER_CONFIGS = [  # noqa: RUF012
        TaskConfig(
            name="tcrd_development_level",
            description=(
                "Target development level: Tclin (a drug acts by it), Tchem (a potent small molecule is known), Tbio"
                " (its biology is studied), Tdark (little is known)."
            ),
            target="multiclass",
            family="protein",
            labels=("Tdark", "Tbio", "Tchem", "Tclin"),
            column="TDL",
            from_annotation=True,
            ranked=False,
            on_request=True,
            made_by="the IDG consortium, about 2016, from drugs, ligands, antibodies and publications",
            bias="Tdark is defined by few publications, among others: a level is partly the publication count itself",
        )
    ]
