"""`gene-bench push`: shows the plan, and carries it out with `--yes`."""

import argparse
import logging
import tempfile
from pathlib import Path

import datasets
from huggingface_hub import get_token
from huggingface_hub.utils.tqdm import disable_progress_bars

import gene_eval
from gene_eval.publishing.cards import benchmark
from gene_eval.publishing.export import collect
from gene_eval.reporting.page.render import render
from gene_eval.results.store import load_folder
from gene_eval.text import say
from push_scripts import contents
from push_scripts.errors import PushError
from push_scripts.hub import Hub, check_repo_id
from push_scripts.plan import Content, make_plan, unknown

__all__ = ["push"]

DONE = 0


def push(arguments: argparse.Namespace) -> int:
    """Print what a push would do; with `--yes` do it, in one commit.

    Raises:
        PushError: See `push_scripts.errors`.
    """
    check_repo_id(arguments.repo_id)
    # The library reports retries with the address of each upload, which is signed and nobody else's business.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    disable_progress_bars()
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory(prefix="gene-bench-push-") as folder:
        content = _CONTENTS[arguments.what](arguments, Path(folder))
        # The plan first: who has no token yet sees what it would be for.
        if not get_token():
            print(make_plan(content, unknown(arguments.repo_id, content.repo_type), lambda _: b""))
        hub = Hub(say)
        title = content.title if content.repo_type == "model" else None
        remote = hub.remote(arguments.repo_id, content.repo_type, pull_request=title)
        plan = make_plan(content, remote, lambda path: hub.read(remote, path))
        print(plan)
        if not plan.to_do:
            say("nothing was sent: everything is there already")
        elif not arguments.yes:
            say("nothing was sent yet; to push, give the same command with --yes")
        else:
            print(hub.push(plan))
    return DONE


def _data(arguments: argparse.Namespace, folder: Path) -> Content:
    return contents.data(arguments.repo_id, collect(arguments.patterns, arguments.data_dir, log=say), folder)


def _metric(arguments: argparse.Namespace, _folder: Path) -> Content:
    return contents.metric(arguments.repo_id)


def _results(arguments: argparse.Namespace, _folder: Path) -> Content:
    found = load_folder(arguments.results)
    if not arguments.create_pr:
        return contents.results_dataset(found)
    model = contents.which_model(found.results, arguments.repo_id, arguments.model)
    return contents.model_results(found, model, benchmark(arguments.dataset))


def _leaderboard(arguments: argparse.Namespace, _folder: Path) -> Content:
    if arguments.page is not None:
        if not arguments.page.is_file():
            message = f"no file {arguments.page}; make it with: gene-bench report DIR --format html -o FILE"
            raise PushError(message)
        return contents.leaderboard(arguments.page.read_bytes())
    return contents.leaderboard(render(gene_eval.load_results(arguments.results).report).encode())


_CONTENTS = {"data": _data, "metric": _metric, "results": _results, "leaderboard": _leaderboard}
