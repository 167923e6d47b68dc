"""What a user can get wrong; the command line prints each as one line.

ValueError
└── GeneBenchError        everything below; `except gene_eval.GeneBenchError` is enough
    ├── BuilderError      tasks and raw files, see `builders.errors`
    ├── AdapterError      models and vectors, see `model_adapters.errors`
    ├── ProbeError        arrays that cannot be scored, see `gene_eval.core.errors`
    ├── CardError         a card that results cannot be put into, or results that do not make a card
    ├── ClusterError      a Dask scheduler, or a file that describes a cluster
    │   └── SchedulerLostError    the scheduler went away in the middle of a run
    ├── CoverageError     too few of a task's genes have a vector
    ├── ExportError       a folder that an export must not replace
    ├── FileError         a file that cannot be written
    ├── ResultError       a result or its predictions that cannot be read
    │   └── NewerSchemaError    a result file of a later gene-bench
    ├── ReportError       results that cannot be put into one table
    └── PushError         what can keep a push from the Hub, see `push_scripts.errors`
"""

from builders.errors import BuilderError
from gene_eval.core.errors import ProbeError
from gene_eval.text import printable
from model_adapters.errors import AdapterError

__all__ = [
    "CardError",
    "ClusterError",
    "CoverageError",
    "ExportError",
    "FileError",
    "GeneBenchError",
    "NewerSchemaError",
    "ReportError",
    "ResultError",
    "SchedulerLostError",
]


class GeneBenchError(ValueError):
    """Base of every error that gene-bench raises for a user's input."""

    # Without a layout of its own, so that it can become the base of errors that had ValueError as their base.
    __slots__ = ()

    def __str__(self) -> str:
        """Return the message on one line, whatever names and cells of a user's file are in it."""
        return printable(super().__str__())


for _error in (BuilderError, AdapterError, ProbeError):
    # The lower packages work without gene_eval and may not import it. Whoever can name GeneBenchError has imported
    # this module, so that from then on theirs are caught by it too.
    _error.__bases__ = (GeneBenchError,)


class CardError(GeneBenchError):
    """Results cannot be added to a card's text, or they are not those of one model in one state."""


class ClusterError(GeneBenchError):
    """A Dask scheduler cannot be reached or was lost, or a file does not describe a cluster."""


class SchedulerLostError(ClusterError):
    """The scheduler went away, or was started again, in the middle of a run."""


class CoverageError(GeneBenchError):
    """More genes of a task lack a vector than the chosen rule allows."""


class ExportError(GeneBenchError):
    """The place of an export holds something that we did not write."""


class FileError(GeneBenchError):
    """A file cannot be written: no space, no permission, a folder in its place."""


class ResultError(GeneBenchError):
    """A result file, or the predictions beside it, is missing, damaged, or of another schema version."""


class NewerSchemaError(ResultError):
    """A result file was written by a later gene-bench than this one."""


class ReportError(GeneBenchError):
    """The results at hand cannot be put into one report."""
