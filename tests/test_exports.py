"""The public names are those of the record: one that goes, or comes, is a change that users see."""

import importlib
import json
from pathlib import Path

import gene_eval

RECORD = Path(__file__).parent / "data" / "exported_names.json"
PACKAGES = ("gene_eval", "gene_eval.core", "builders", "model_adapters")


def exported() -> dict[str, list[str]]:
    """Package -> the names that it offers, and the methods and properties of what a run gives back."""
    names = {package: sorted(importlib.import_module(package).__all__) for package in PACKAGES}
    return names | {"gene_eval.Results": sorted(name for name in dir(gene_eval.Results) if not name.startswith("_"))}


def test_exported_names_are_those_of_the_record() -> None:
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    now = exported()
    gone = {package: sorted({*recorded[package]} - {*now[package]}) for package in recorded}
    new = {package: sorted({*now[package]} - {*recorded[package]}) for package in now}
    assert not any(gone.values()), f"gone, which breaks the code of users: {gone}; where it is meant: make record"
    assert not any(new.values()), f"new, which we will have to keep: {new}; where it is meant: make record"


if __name__ == "__main__":
    RECORD.write_text(json.dumps(exported(), indent=1) + "\n", encoding="utf-8")
    print(f"recorded {sum(map(len, exported().values()))} names in {RECORD}")
