"""`gene-bench tasks` and `gene-bench models`: what there is. Nothing heavy is imported here: they answer at once."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from builders import RawFiles
from gene_eval.catalogue.availability import availability
from gene_eval.catalogue.listing import FILTERS, model_facts, suite_facts, task_facts
from gene_eval.cli.output import DONE, print_columns, thousands
from gene_eval.text import say

__all__ = ["models", "suites", "tasks"]


def tasks(arguments: argparse.Namespace) -> int:
    """List tasks, and what this machine has of each."""
    raw = RawFiles(arguments.data_dir)
    facts = [
        {**each, **asdict(availability(each["name"], raw))}
        for each in task_facts(arguments.patterns, **{name: getattr(arguments, name) for name in FILTERS})
    ]
    facts = [each for each in facts if each["n"] is not None or not arguments.built]
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return DONE
    columns = ("name", "target", "entity", "family")
    rows = [
        [
            *(each[name] for name in columns),
            _size(each),
            "yes" if each["n"] is not None else "",
            _files(each),
            _terms(each),
        ]
        for each in facts
    ]
    print_columns(["task", "target", "entity", "family", "n", "built", "raw files", "terms"], rows)
    say(f"{len(facts)} tasks; n is as built, or (n) as in the paper; next: gene-bench run MODEL -t TASK")
    return DONE


def _size(facts: Mapping[str, Any]) -> str:
    if facts["n"] is not None:
        return thousands(facts["n"])
    return f"({facts['paper_size']:,})" if facts["paper_size"] else ""


def _files(facts: Mapping[str, Any]) -> str:
    """Whether the data directory has them: `doctor` says which it lacks, and whether they give rows."""
    if facts["missing"] is None:
        return "download"
    return "missing" if facts["missing"] else "there"


def _terms(facts: Mapping[str, Any]) -> str:
    return facts["license"] if facts["is_open"] else f"{facts['license']}, not redistributed"


def suites(arguments: argparse.Namespace) -> int:
    """List suites: named, versioned lists of tasks."""
    facts = suite_facts()
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return DONE
    rows = [[f"@{each['name']}", each["version"], thousands(each["n_tasks"]), each["description"]] for each in facts]
    print_columns(["suite", "version", "tasks", "description"], rows)
    say("next: gene-bench run MODEL -t @SUITE, or its tasks: gene-bench tasks @SUITE")
    return DONE


def models(arguments: argparse.Namespace) -> int:
    """List model adapters."""
    facts = model_facts()
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return DONE
    for row in facts:
        print(f"{row.pop('name')} ({row.pop('family')})")
        for name, value in row.items():
            print(f"    {name:<11}{value}")
    say("MODEL may also be a Hub id, a file of vectors or file.py:Class; next: gene-bench check MODEL")
    return DONE
