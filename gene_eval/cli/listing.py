"""`gene-bench tasks` and `gene-bench models`: what there is. Nothing heavy is imported here: they answer at once."""

import argparse
import json

from gene_eval.cli.output import DONE, print_columns, thousands
from gene_eval.running.listing import model_facts, suite_facts, task_facts
from gene_eval.text import say

__all__ = ["models", "suites", "tasks"]


def tasks(arguments: argparse.Namespace) -> int:
    """List tasks."""
    facts = task_facts(arguments.patterns)
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return DONE
    columns = ("name", "target", "entity", "family")
    rows = [
        [*(each[name] for name in columns), thousands(each["paper_size"]), each["paper_name"] or ""] for each in facts
    ]
    print_columns(["task", "target", "entity", "family", "paper n", "name in the paper"], rows)
    say(f"{len(facts)} tasks; next: gene-bench run MODEL -t TASK")
    return DONE


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
