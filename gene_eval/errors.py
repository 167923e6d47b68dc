"""What a user can get wrong; the command line prints each as one line.

ValueError
└── GeneBenchError      everything below; `except GeneBenchError` is enough
    ├── CardError       a card that results cannot be put into, or results that make no card
    ├── CoverageError   too few of a task's genes have a vector
    ├── ExportError     a folder that an export must not replace
    ├── FileError       a file that cannot be written
    ├── ResultError     a result or its predictions that cannot be read
    │   └── NewerSchemaError    a result file of a later gene-bench
    └── ReportError     results that no table can be made of
"""

__all__ = [
    "CardError",
    "CoverageError",
    "ExportError",
    "FileError",
    "GeneBenchError",
    "NewerSchemaError",
    "ReportError",
    "ResultError",
]


class GeneBenchError(ValueError):
    """Base of every error `gene_eval` raises for a user's input."""


class CardError(GeneBenchError):
    """A card's text cannot take results up, or the results are not of one model in one state."""


class CoverageError(GeneBenchError):
    """Genes of a task have no vector, more of them than the chosen rule allows."""


class ExportError(GeneBenchError):
    """Where an export should go is something that we did not write."""


class FileError(GeneBenchError):
    """A file cannot be written: no space, no permission, a folder in its place."""


class ResultError(GeneBenchError):
    """A result file, or the predictions beside it, is missing, damaged, or of another schema version."""


class NewerSchemaError(ResultError):
    """A result file was written by a later gene-bench than this one."""


class ReportError(GeneBenchError):
    """The results at hand cannot be put into one report."""
