"""What can keep a push from the Hub; the command line prints each as one line.

GeneBenchError
└── PushError              everything below
    ├── RepoIdError        not `owner/name`
    ├── NotAllowedError    no token, one that the Hub refuses, or one without the permission
    ├── ConflictError      the repository changed between plan and push
    └── HubError           the Hub or the way to it failed; the repository is as it was
"""

from gene_eval.errors import GeneBenchError

__all__ = ["ConflictError", "HubError", "NotAllowedError", "PushError", "RepoIdError"]


class PushError(GeneBenchError):
    """Base of every error of `gene-bench push`."""


class RepoIdError(PushError):
    """A repository id is not of the form `owner/name`."""


class NotAllowedError(PushError):
    """There is no token, or the Hub refuses what it is to be used for."""


class ConflictError(PushError):
    """Somebody else changed the repository in the meantime."""


class HubError(PushError):
    """The Hub answered with an error, or not at all."""
