"""Errors of the builders. Each message is one line: what was given, what was expected, what to do.

BuilderError (ValueError)
├── UnknownTaskError     there is no config of that name, or a pattern matches none
├── UnknownGeneError     neither HGNC nor the source knows a gene of that name
├── MissingFileError     a raw file is not where it was expected, and was not downloaded
├── SourceFileError      a raw file cannot be read: truncated, wrong checksum, unsafe archive, not UTF-8
├── SourceFormatError    a raw file can be read, but its columns or cells are not the expected ones
├── TaskDataError        rows do not make a task: constant labels, fewer genes than folds, cells of the wrong type
├── TaskCodeError        a builder's own code raised something else; file and line are named
└── CacheError           the datasets cache cannot be written: read-only, full, without locks
"""

__all__ = [
    "BuilderError",
    "CacheError",
    "MissingFileError",
    "SourceFileError",
    "SourceFormatError",
    "TaskCodeError",
    "TaskDataError",
    "UnknownGeneError",
    "UnknownTaskError",
]


class BuilderError(ValueError):
    """Base of everything that this package raises on purpose."""


class UnknownTaskError(BuilderError):
    """No config has this name."""


class UnknownGeneError(BuilderError):
    """No gene has this name."""


class MissingFileError(BuilderError):
    """A raw file is missing; the message says where it was expected and where to get it."""


class SourceFileError(BuilderError):
    """A raw file cannot be read, or is not the file that was pinned."""


class SourceFormatError(BuilderError):
    """A raw file does not have the expected columns or cells."""


class TaskDataError(BuilderError):
    """The rows of a source do not make a task that can be cross-validated."""


class TaskCodeError(BuilderError):
    """The code of a builder, often a user's own, failed; the traceback stays in `__cause__`."""


class CacheError(BuilderError):
    """The datasets cache cannot be written; the message says where it is, why and what to do."""
