"""What a user can get wrong; the command line prints each as one line.

ValueError
└── GeneBenchError      everything below; `except GeneBenchError` is enough
    ├── SelectionError  a task, model or option that names nothing we have
    ├── CoverageError   too few of a task's genes have a vector
    ├── ResultError     a result file that cannot be read or written
    └── ReportError     results that no table can be made of
"""

__all__ = ["CoverageError", "GeneBenchError", "ReportError", "ResultError", "SelectionError"]


class GeneBenchError(ValueError):
    """Base of every error `gene_eval` raises for a user's input."""


class SelectionError(GeneBenchError):
    """A task, model or option was asked for that does not exist."""


class CoverageError(GeneBenchError):
    """Genes of a task have no vector, more of them than the chosen rule allows."""


class ResultError(GeneBenchError):
    """A result file is missing, damaged, of another schema version, or cannot be written."""


class ReportError(GeneBenchError):
    """The results at hand cannot be put into one report."""
