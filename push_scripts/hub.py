"""The Hub as a push needs it: who am I, what is there, one commit; every failure becomes one line without the token."""

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar, cast

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]  # among its lazy exports

from push_scripts.errors import ConflictError, HubError, NotAllowedError, PushError, RepoIdError
from push_scripts.plan import Plan, Remote, RemoteFile

__all__ = ["Hub", "check_repo_id"]

REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
LOG_IN = "log in with: hf auth login (or set HF_TOKEN)"
# What huggingface_hub raises where no answer came: OSError, and the base error of its HTTP library, whichever that is.
NO_ANSWER = cast("tuple[type[Exception], ...]", HfHubHTTPError.__bases__)
NO_CONNECTION: tuple[type[Exception], ...] = (*NO_ANSWER, RuntimeError)
LONGEST_WAIT, MOST_TRIES = 300, 5
LONGEST_REASON = 200

T = TypeVar("T")


def check_repo_id(repo_id: str) -> None:
    """Refuse what is not `owner/name`.

    Raises:
        RepoIdError: It is something else.
    """
    if not REPO_ID.fullmatch(repo_id):
        owner_missing = "/" not in repo_id
        message = (
            f"REPO_ID {repo_id!r} {'has no owner' if owner_missing else 'is no repository id'}; expected owner/name"
        )
        raise RepoIdError(message)


class Hub:
    """One logged-in user's view of the Hub.

    Args:
        log: Takes lines for the user while a push waits.

    Raises:
        NotAllowedError: There is no token, or the Hub does not know it.
        HubError: The Hub cannot be reached.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        token = get_token()
        if not token:
            message = f"no Hub token on this machine; {LOG_IN}"
            raise NotAllowedError(message)
        self._token = token
        self._api = HfApi(token=self._token, library_name="gene-bench")
        self._log = log
        self.user = "this user"
        with self._errors("the Hub"):
            self.user = str(self._with_waits(self._api.whoami)["name"])

    def remote(self, repo_id: str, repo_type: str, *, pull_request: str | None = None) -> Remote:
        """List a repository, or our open pull request to it.

        Args:
            repo_id: `owner/name`.
            repo_type: "dataset", "model" or "space".
            pull_request: Title of the pull request; None pushes to the main branch.

        Raises:
            PushError: A pull request is to be made to a repository that does not exist, or the Hub cannot be asked.
        """
        with self._errors(repo_id):
            revision, number = "main", None
            head = self._head(repo_id, repo_type, revision)
            if pull_request is not None:
                if head is None:
                    message = f"there is no {repo_type} {repo_id} to open a pull request to; check the name"
                    raise PushError(message)
                number = self._own_pull_request(repo_id, repo_type, pull_request)
                revision = f"refs/pr/{number}" if number else revision
                head = self._head(repo_id, repo_type, revision)
            files = self._files(repo_id, repo_type, head) if head else {}
        prefix = "" if repo_type == "model" else f"{repo_type}s/"
        url = f"{self._api.endpoint}/{prefix}{repo_id}"
        return Remote(repo_id, repo_type, url, self.user, head, files, revision, number)

    def read(self, remote: Remote, path: str) -> bytes:
        """The bytes of a file at the commit that was looked at."""
        # A folder of its own: nothing of a push is to be left in the cache.
        with self._errors(remote.repo_id), tempfile.TemporaryDirectory(prefix="gene-bench-push-") as folder:
            found = self._with_waits(
                lambda: self._api.hf_hub_download(
                    remote.repo_id, path, repo_type=remote.repo_type, revision=remote.head, local_dir=folder
                )
            )
            return Path(found).read_bytes()

    def push(self, plan: Plan) -> str:
        """Make the one commit of a plan.

        A repository that did not exist is created, and removed again if the commit does not come about.

        Returns:
            Address of the commit or of the pull request.

        Raises:
            ConflictError: The repository changed since it was looked at.
            NotAllowedError: The token may not write there.
            HubError: The Hub or the connection failed, and the commit is not there.
        """
        self._refuse_token(plan)
        remote, parent = plan.remote, plan.remote.head
        is_new, committed = remote.head is None, False
        if is_new:
            self._create(plan)
        try:
            if is_new:
                with self._errors(remote.repo_id):
                    parent = self._head(remote.repo_id, remote.repo_type, "main")
            url = self._commit(plan, parent)
            committed = True
            return url
        finally:
            if is_new and not committed:
                self._remove_new(remote, parent)

    def _create(self, plan: Plan) -> None:
        remote, sdk = plan.remote, plan.content.space_sdk
        with self._errors(remote.repo_id):
            self._with_waits(lambda: self._api.create_repo(remote.repo_id, repo_type=remote.repo_type, space_sdk=sdk))

    def _commit(self, plan: Plan, parent: str | None) -> str:
        remote = plan.remote
        # Made once: after a wait, what was uploaded already is not sent again.
        operations = [
            CommitOperationDelete(change.path)
            if change.kind == "delete"
            else CommitOperationAdd(change.path, cast("bytes | Path", change.data))
            for change in plan.to_do
        ]
        try:
            with self._errors(remote.repo_id):
                made = self._with_waits(
                    lambda: self._api.create_commit(
                        remote.repo_id,
                        operations,
                        commit_message=plan.content.title,
                        repo_type=remote.repo_type,
                        revision=remote.revision,
                        create_pr=remote.pull_request == 0,
                        parent_commit=parent,
                    )
                )
        except HubError:
            # The answer may have been lost behind a commit that was made.
            if self._has_landed(plan):
                self._log("the Hub's answer got lost, but the commit is there")
                return remote.url
            raise
        return str(made.pr_url or made.commit_url)

    def _has_landed(self, plan: Plan) -> bool:
        title = plan.content.title if plan.remote.pull_request is not None else None
        try:
            now = self.remote(plan.remote.repo_id, plan.remote.repo_type, pull_request=title)
        except PushError:
            return False
        return all(change.is_in(now) for change in plan.to_do)

    def _remove_new(self, remote: Remote, initial: str | None) -> None:
        """Take back a repository that this push created, if it is still as empty as it was then."""
        name = f"{remote.repo_type} {remote.repo_id}"
        try:
            with self._errors(remote.repo_id):
                if initial is None or self._head(remote.repo_id, remote.repo_type, "main") != initial:
                    self._log(f"the new {name} was left as it is")
                    return
                self._api.delete_repo(remote.repo_id, repo_type=remote.repo_type)
        except PushError as error:
            self._log(f"the new, empty {name} could not be removed again: {error}")

    def _head(self, repo_id: str, repo_type: str, revision: str) -> str | None:
        try:
            info = self._with_waits(lambda: self._api.repo_info(repo_id, repo_type=repo_type, revision=revision))
        except RepositoryNotFoundError:
            return None
        return info.sha

    def _files(self, repo_id: str, repo_type: str, revision: str) -> dict[str, RemoteFile]:
        tree = self._with_waits(
            lambda: list(self._api.list_repo_tree(repo_id, repo_type=repo_type, revision=revision, recursive=True))
        )
        files = [entry for entry in tree if isinstance(entry, RepoFile)]
        return {
            file.path: RemoteFile(file.size, file.lfs.sha256 if file.lfs else file.blob_id, file.lfs is not None)
            for file in files
        }

    def _own_pull_request(self, repo_id: str, repo_type: str, title: str) -> int:
        """Number of the open pull request that an earlier push made; 0 if there is none."""
        found = self._with_waits(
            lambda: list(
                self._api.get_repo_discussions(
                    repo_id,
                    repo_type=repo_type,
                    author=self.user,
                    discussion_type="pull_request",
                    discussion_status="open",
                )
            )
        )
        return max((each.num for each in found if each.title == title and each.author == self.user), default=0)

    def _with_waits(self, call: Callable[[], T]) -> T:
        """Call again after a "too many requests", when the Hub says so; the library does so for uploads only."""
        for attempt in range(1, MOST_TRIES + 1):
            try:
                return call()
            except HfHubHTTPError as error:
                wait = _retry_after(error)
                if wait is None or wait > LONGEST_WAIT or attempt == MOST_TRIES:
                    raise
                self._log(f"the Hub asks to wait {wait} s before more requests")
                time.sleep(wait)
        raise AssertionError

    def _refuse_token(self, plan: Plan) -> None:
        for change in plan.to_do:
            data = change.data.read_bytes() if isinstance(change.data, Path) else change.data or b""
            if self._token.encode() in data:
                message = f"nothing was sent: {change.path} holds your Hub token; take it out of that file"
                raise NotAllowedError(message)

    @contextmanager
    def _errors(self, repo_id: str) -> Iterator[None]:
        """Translate what the library raises into one line."""
        try:
            yield
        except PushError:
            raise
        except HfHubHTTPError as error:
            raise self._explained(error, repo_id) from None
        except OfflineModeIsEnabled:
            message = f"nothing was pushed to {repo_id}: HF_HUB_OFFLINE is set; unset it to push"
            raise HubError(message) from None
        except ValueError as error:
            reason = "its answer is not JSON" if isinstance(error, JSONDecodeError) else str(error)
            message = f"nothing was pushed to {repo_id}: {self._host}: {self._clean(reason)}"
            raise HubError(message) from None
        # A failed upload is wrapped in a RuntimeError.
        except NO_CONNECTION as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, HfHubHTTPError):
                cause = cause.__cause__
            if cause is not None:
                raise self._explained(cause, repo_id) from None
            first = error.__cause__ or error
            reason = self._clean(f"{type(first).__name__}: {first}")
            message = f"nothing was pushed to {repo_id}: the connection to {self._host} failed ({reason}); try again"
            raise HubError(message) from None

    def _explained(self, error: HfHubHTTPError, repo_id: str) -> PushError:
        status = error.response.status_code
        what = f"nothing was pushed to {repo_id}"
        if status == HTTPStatus.UNAUTHORIZED:
            return NotAllowedError(f"{what}: {self._host} does not accept the token (401); {LOG_IN}")
        if status == HTTPStatus.FORBIDDEN:
            return NotAllowedError(f"{what}: {self.user}'s token may not do that (403); use one that may write there")
        if status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
            return ConflictError(f"{what}: it changed in the meantime ({status}); look at the new plan and push again")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = _retry_after(error)
            when = "later" if wait is None else f"in {wait} s"
            said = self._clean(error.server_message or "").rstrip(".")
            return HubError(f"{what}: {said + '; ' if said else ''}too many requests (429); try again {when}")
        reason = self._clean(error.server_message or error.response.reason_phrase or "no reason given")
        return HubError(f"{what}: {self._host} answered {status} ({reason}); try again later")

    @property
    def _host(self) -> str:
        return self._api.endpoint

    def _clean(self, text: str) -> str:
        """One line without the token, in case a server repeats what it was sent."""
        line = " ".join(text.replace(self._token, "***").split())
        return re.sub(r"hf_\w{6,}", "hf_***", line)[:LONGEST_REASON]


def _retry_after(error: HfHubHTTPError) -> int | None:
    """Seconds to wait after a "too many requests", None where the Hub does not say it (or it is something else)."""
    if error.response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    headers = error.response.headers
    text = headers.get("Retry-After", "")
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return int(text)
    limit = parse_ratelimit_headers(headers)
    return limit.reset_in_seconds if limit is not None and limit.remaining == 0 else None
