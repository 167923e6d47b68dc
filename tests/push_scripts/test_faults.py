"""What a push says and leaves behind when the Hub, the way there or the permissions fail."""

import json
import logging

import pytest

REPO = "genes/bench"
PUSH = ("push", "data", REPO, "starter_is_tf", "--yes")
COMMIT = "POST /api/datasets/genes/bench/commit/*"


@pytest.fixture(params=["new", "existing"])
def repo(request, hub):
    """Whether the repository is there before; returns a function that asserts that it is as it was."""
    made = hub.create("dataset", REPO, {"README.md": "# Mine\n"}) if request.param == "existing" else None
    before = made and (dict(made.refs), made.files())

    def unchanged():
        if made is None:
            return hub.repos == {}
        return (dict(made.refs), made.files()) == before

    return unchanged


def only_line(result):
    status, out, err = result
    lines = [line for line in err.splitlines() if not line.startswith("[1/1]")]
    assert status == 2
    assert len(lines) == 1, lines
    return lines[0]


def test_no_token(hub, gene_bench, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    status, out, err = gene_bench(*PUSH)
    # The plan comes first, then what is missing.
    assert out.startswith(f"push to the dataset {REPO}\n  {hub.url}/datasets/{REPO}, not compared with what is there")
    assert "starter_is_tf/train-00000-of-00001.parquet" in out
    line = only_line((status, out, err))
    assert line == "gene-bench: no Hub token on this machine; log in with: hf auth login (or set HF_TOKEN)"
    assert hub.requests == []


def test_a_token_that_the_hub_does_not_know(hub, gene_bench, token):
    hub.tokens.clear()
    line = only_line(gene_bench(*PUSH))
    assert "does not accept the token (401); log in with: hf auth login" in line
    assert hub.requests[-1] == "GET /api/whoami-v2"


def test_no_permission(hub, gene_bench, repo):
    hub.tokens = {token: ("mallory", []) for token in hub.tokens}
    line = only_line(gene_bench(*PUSH))
    assert line == (
        f"gene-bench: nothing was pushed to {REPO}: mallory's token may not do that (403); use one that may write there"
    )
    assert repo()


def test_somebody_creates_the_repository_meanwhile(hub, gene_bench):
    hub.fail("POST /api/repos/create", 409)
    assert "it changed in the meantime (409); look at the new plan and push again" in only_line(gene_bench(*PUSH))


@pytest.mark.parametrize("status", [409, 412])
def test_somebody_commits_meanwhile(hub, gene_bench, repo, status):
    hub.fail(COMMIT, status)
    line = only_line(gene_bench(*PUSH))
    assert f"it changed in the meantime ({status}); look at the new plan and push again" in line
    assert repo()


def test_a_commit_between_plan_and_push_is_seen_by_the_hub(hub, gene_bench, monkeypatch):
    from fake_hub import Commit

    from push_scripts.hub import Hub

    there = hub.create("dataset", REPO)
    push = Hub.push

    def after_somebody_else(self, plan):
        parent = there.refs["main"]
        there.add("main", Commit(there.commits[parent].files, parent, "theirs"))
        return push(self, plan)

    monkeypatch.setattr(Hub, "push", after_somebody_else)
    assert "it changed in the meantime (412)" in only_line(gene_bench(*PUSH))
    assert there.log == ["theirs", "initial commit"]


@pytest.mark.parametrize(
    "request_", ["GET /api/whoami-v2", "GET */tree/*", "POST */preupload/*", "PUT /lfs/*", COMMIT, "POST */batch"]
)
def test_too_many_requests_are_waited_for_as_long_as_the_hub_says(hub, gene_bench, client, request_):
    hub.create("dataset", REPO)
    hub.fail(request_, 429, times=2, headers={"Retry-After": "7"})
    status, _, _ = gene_bench(*PUSH)
    assert status == 0
    # The library adds a second of its own.
    assert [wait for wait in client if wait >= 7] in ([7, 7], [8.0, 8.0])
    assert "starter_is_tf/train-00000-of-00001.parquet" in hub.repo("dataset", REPO).files()


HOURLY = "You have exceeded the rate limit for repository commits (128 per hour). You can retry this action in 1 hour."


def test_the_wait_is_read_from_the_present_form_of_the_answer(hub, gene_bench, client):
    hub.fail(COMMIT, 429, times=2, headers={"RateLimit": '"api";r=0;t=3'})
    status, _, err = gene_bench(*PUSH)
    assert status == 0
    assert client == [3, 3]
    assert err.count("the Hub asks to wait 3 s before more requests") == 2


def test_a_wait_of_an_hour_is_said_in_the_words_of_the_hub(hub, gene_bench, client, repo):
    hub.fail(COMMIT, 429, headers={"RateLimit": '"api";r=0;t=3600'}, body=json.dumps({"error": HOURLY}).encode())
    line = only_line(gene_bench(*PUSH))
    assert line.endswith(f": {HOURLY.rstrip('.')}; too many requests (429); try again in 3600 s")
    assert client == []
    assert repo()


def test_a_wait_that_is_too_long_is_said(hub, gene_bench, client, repo):
    hub.fail(COMMIT, 429, headers={"Retry-After": "3600"})
    assert only_line(gene_bench(*PUSH)).endswith("too many requests (429); try again in 3600 s")
    assert client == []
    assert repo()


def test_too_many_requests_for_ever(hub, gene_bench, client, repo):
    hub.fail(COMMIT, 429, times=99, headers={"Retry-After": "7"})
    status, _, err = gene_bench(*PUSH)
    assert (status, client) == (2, [7, 7, 7, 7])
    assert err.splitlines()[-1].endswith("too many requests (429); try again in 7 s")
    assert repo()


@pytest.mark.parametrize("request_", ["POST */preupload/*", "PUT /lfs/*", "POST */batch", COMMIT])
def test_a_server_error_that_stays(hub, gene_bench, repo, request_):
    hub.fail(request_, 500, times=99)
    line = only_line(gene_bench(*PUSH))
    assert line.startswith(f"gene-bench: nothing was pushed to {REPO}: {hub.url} answered 500 (")
    assert line.endswith("; try again later")
    assert repo()


def test_a_server_error_that_passes_during_an_upload(hub, gene_bench):
    hub.fail("PUT /lfs/*", 500, times=2)
    assert gene_bench(*PUSH)[0] == 0


def test_an_answer_that_is_no_json(hub, gene_bench, repo):
    hub.fail("POST /api/validate-yaml", 500, body=b"<html>oops</html>")
    assert only_line(gene_bench(*PUSH)).endswith("its answer is not JSON")
    assert repo()


@pytest.mark.parametrize("request_", ["PUT /lfs/*", COMMIT])
def test_a_connection_that_drops_in_mid_upload(hub, gene_bench, repo, request_):
    hub.fail(request_, 0, times=99)
    line = only_line(gene_bench(*PUSH))
    assert f"the connection to {hub.url} failed (" in line
    assert line.endswith("; try again")
    assert repo()


def test_a_connection_that_drops_once_in_mid_upload(hub, gene_bench):
    hub.fail("PUT /lfs/*", 0)
    assert gene_bench(*PUSH)[0] == 0


@pytest.mark.parametrize("status", [0, 500])
def test_a_commit_whose_answer_is_lost_counts(hub, gene_bench, repo, status):
    hub.fail(COMMIT, status, after=True)
    code, _, err = gene_bench(*PUSH)
    assert code == 0
    assert "the Hub's answer got lost, but the commit is there" in err
    assert len(hub.repo("dataset", REPO).log) == 2


def test_interrupting_leaves_no_new_repository(hub, gene_bench, monkeypatch, repo):
    from huggingface_hub import HfApi

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(HfApi, "create_commit", interrupt)
    status, _, err = gene_bench(*PUSH)
    assert (status, err.splitlines()[-1]) == (1, "gene-bench: stopped; what was finished is saved")
    assert repo()


def test_a_new_repository_that_cannot_be_removed_is_named(hub, gene_bench):
    hub.fail(COMMIT, 500, times=99)
    hub.fail("DELETE /api/repos/delete", 403)
    _, _, err = gene_bench(*PUSH)
    assert f"the new, empty dataset {REPO} could not be removed again: " in err


def test_the_token_is_in_no_message_log_or_file(hub, gene_bench, token, caplog, repo):
    caplog.set_level(logging.DEBUG, logger="push_scripts")
    # A server that repeats what it was sent.
    hub.fail(COMMIT, 400, body=json.dumps({"error": f"bad header Bearer {token}"}).encode(), times=9)
    line = only_line(gene_bench(*PUSH))
    assert "bad header Bearer ***" in line
    assert token not in caplog.text
    assert repo()


def test_a_file_that_holds_the_token_is_not_sent(hub, gene_bench, token, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f"<p>{token}</p>")
    line = only_line(gene_bench("push", "leaderboard", "genes/board", "--page", page, "--yes"))
    assert line == "gene-bench: nothing was sent: index.html holds your Hub token; take it out of that file"
    assert hub.writes == []


def test_offline_is_said(hub, gene_bench, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    line = only_line(gene_bench(*PUSH))
    assert line == "gene-bench: nothing was pushed to the Hub: HF_HUB_OFFLINE is set; unset it to push"
    assert hub.requests == []


def test_no_hub(hub, gene_bench):
    hub.shutdown()
    hub.server_close()
    assert f"the connection to {hub.url} failed (" in only_line(gene_bench(*PUSH))
