import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import model_adapters
from model_adapters import ADAPTERS, AdapterError, AdapterInfo, as_matrix, describe, embed, load_model
from model_adapters.text.sentence_transformer import PRESETS

GOOD = """
from dataclasses import dataclass
import numpy as np

@dataclass
class NameLength:
    model_id: str = "name-length"
    revision: str | None = None
    input_column: str = "name"

    def encode(self, batch):
        return np.array([[len(name)] for name in batch], dtype=float)
"""
DERIVED = """
from model_adapters import GeneEncoder

class NameLength(GeneEncoder):
    model_id, input_column, revision = "name-length", "name", "7"
    options = {"unit": "characters"}

    def fit(self, values):
        self.longest = max(map(len, values))

    def encode(self, batch):
        return [[len(name) / self.longest] for name in batch]
"""


def write(folder, text):
    path = folder / "mine.py"
    path.write_text(text)
    return path


def test_every_adapter_says_what_it_is():
    described = describe()
    assert {"mpnet", "mteb-s", "mteb-l", "tfidf", "length", "shuffled", "combined", *ADAPTERS} <= set(described)
    for name, cls in ADAPTERS.items():
        assert cls.adapter == name
        assert described[name] is cls.info
    for info in described.values():
        assert isinstance(info, AdapterInfo)
        assert all(vars(info).values())


def test_presets_are_pinned_short_names():
    assert {name: preset.model.partition("@")[0] for name, preset in PRESETS.items()} == {
        "mpnet": "sentence-transformers/all-mpnet-base-v2",
        "mteb-s": "mixedbread-ai/mxbai-embed-large-v1",
        "mteb-l": "Salesforce/SFR-Embedding-Mistral",
    }
    for preset in PRESETS.values():
        assert len(preset.model.partition("@")[2]) == 40
    with pytest.raises(AdapterError, match=r"^mpnet takes no argument, but 'large' was given; write mpnet\["):
        load_model("mpnet:large")
    with pytest.raises(AdapterError, match=r"^mpnet has no option 'imput', expected input=COLUMN or dtype=float32\|"):
        load_model("mpnet:imput=summary")


@pytest.mark.parametrize(
    ("spec", "options"),
    [("bag-of-words", {"max_features": 1024, "input": "description"}), ("random", {"seed": 0, "dim": 128})],
)
def test_adapter_names(spec, options):
    model = load_model(spec)
    assert (model.model_id, model.adapter, model.revision, model.options) == (spec, spec, None, options)


def test_a_class_of_a_file(tmp_path, genes):
    model = load_model(f"{write(tmp_path, GOOD)}:NameLength")
    assert (model.model_id, model.adapter, model.options) == ("name-length", "user", {})
    assert model.revision.startswith("sha256:")
    assert not hasattr(model, "load")
    assert not hasattr(model, "fit")
    assert as_matrix(embed(genes, model))[1].tolist() == [[len(name)] for name in genes["name"]]


def test_a_class_derived_from_the_base(tmp_path, genes):
    model = load_model(f"{write(tmp_path, DERIVED)}:NameLength")
    assert (model.revision, model.options) == ("7", {"unit": "characters"})
    assert as_matrix(embed(genes, model))[1].max() == 1.0


def test_an_edited_file_is_embedded_again(tmp_path, genes_on_disk):
    first = embed(genes_on_disk, load_model(f"{write(tmp_path, DERIVED)}:NameLength"))
    # Of the same length, and within the same second: no cached bytecode may stand in for it.
    edited = DERIVED.replace("/ self.longest", "* 1.000000000")
    second = embed(genes_on_disk, load_model(f"{write(tmp_path, edited)}:NameLength"))
    assert first[1]["embedding"] == [pytest.approx(len("insulin") / len("not a missing value"))]
    assert second[1]["embedding"] == [len("insulin")]


BODY = "class Mine:\n    model_id = input_column = 'name'\n    {}\n    def encode(self, batch): pass"
BAD_CLASSES = {
    "absent": (GOOD, "NameLenght", r"^mine.py has no class 'NameLenght'; did you mean 'NameLength'\?; its"),
    "no class": ("x = 1", "Mine", r"^mine.py has no class 'Mine'; it defines no class$"),
    "no name": (GOOD, "", r"^mine.py needs a class: file.py:Class; its classes are NameLength$"),
    "function": ("def Mine(): pass", "Mine", r"^mine.py:Mine is a function, expected a class$"),
    "no encode": ("class Mine:\n    model_id = 'm'", "Mine", r"^mine.py:Mine has no method encode; add"),
    "abstract": (
        "from model_adapters import GeneEncoder\nclass Mine(GeneEncoder):\n    model_id = 'm'",
        "Mine",
        r"^mine.py:Mine has no method encode;",
    ),
    "arguments": (
        "class Mine:\n    def __init__(self, path): pass\n    def encode(self, batch): pass",
        "Mine",
        r"^mine.py:Mine cannot be made without arguments \(TypeError: .*'path'\); give them defaults$",
    ),
    "constructor": (
        "class Mine:\n    def __init__(self): open('/no/weights')\n    def encode(self, batch): pass",
        "Mine",
        r"^mine.py:Mine cannot be made without arguments \(FileNotFoundError: .*'/no/weights'\) \(mine.py, line 2\);",
    ),
    "no id": (
        "class Mine:\n    input_column = 'name'\n    def encode(self, batch): pass",
        "Mine",
        r"^mine.py:Mine: model_id is None, expected a non-empty string; set it on the class$",
    ),
    "no input": (
        "class Mine:\n    model_id = 'm'\n    def encode(self, batch): pass",
        "Mine",
        r"^mine.py:Mine: input_column is None, expected a non-empty string;",
    ),
    "blank id": (
        BODY.format("model_id = 'two\\nlines'"),
        "Mine",
        r"^mine.py:Mine: model_id is 'two\\nlines', expected printable characters only;",
    ),
    "revision": (BODY.format("revision = 5"), "Mine", r"^mine.py:Mine: revision is 5, expected a string or None;"),
    "options": (
        BODY.format("options = 5"),
        "Mine",
        r"^mine.py:Mine: options is 5, expected a dict; set it on the class$",
    ),
    "batch size": (
        BODY.format("batch_size = 'x'"),
        "Mine",
        r"^mine.py:Mine: batch_size is 'x', expected a whole number, 1 or above, or None;",
    ),
    "syntax": ("class Mine(:\n", "Mine", r"^mine.py cannot be imported \(SyntaxError: "),
    "import": ("import no_such_module", "Mine", r"^mine.py cannot be imported \(ModuleNotFoundError: .*no_such_module"),
    "exit": ("raise SystemExit(3)", "Mine", r"^mine.py cannot be imported \(SystemExit: 3\)"),
}


@pytest.mark.parametrize("case", BAD_CLASSES)
def test_bad_classes(tmp_path, case):
    text, name, expected = BAD_CLASSES[case]
    path = write(tmp_path, text)
    with pytest.raises(AdapterError, match=expected) as caught:
        load_model(f"{path}:{name}" if name else str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("bag-of-word", r"^unknown model 'bag-of-word'; did you mean 'bag-of-words'\?; expected an adapter \(mpnet, "),
        ("randm:seed=3", r"did you mean 'random'\?"),
        ("gpt9000", r"^unknown model 'gpt9000'; expected an adapter \(.*a Hub id \(org/name\), a model folder"),
        ("", r"^unknown model ''; expected"),
        ("bag-of-words+randm", r"^unknown model 'randm'; did you mean 'random'"),
        ("bag-of-words:200", r"^bag-of-words takes no argument, but '200' was given"),
        ("./absent", r"^no file or folder ./absent"),
    ],
)
def test_unknown_models(spec, expected):
    with pytest.raises(AdapterError, match=expected):
        load_model(spec)


def test_paths_that_are_not_there_suggest_what_is(tmp_path):
    write(tmp_path, GOOD)
    with pytest.raises(AdapterError, match=r"^no file .*mime.py; did you mean 'mine.py'\?$"):
        load_model(f"{tmp_path}/mime.py:NameLength")
    (tmp_path / "minilm").mkdir()
    with pytest.raises(AdapterError, match=r"^no file or folder .*minilmm; did you mean 'minilm'\?$"):
        load_model(f"{tmp_path}/minilmm")
    with pytest.raises(AdapterError, match=r"minilm holds no model, expected modules.json or config.json in it"):
        load_model(f"{tmp_path}/minilm")


HEAVY = {"torch", "datasets", "sklearn", "pandas", "pyarrow", "transformers", "huggingface_hub"}


@pytest.mark.parametrize(
    ("use", "modules"),
    [
        ("", HEAVY | {"numpy"}),
        ("model_adapters.describe()", HEAVY),
        ("model_adapters.load_model('random:seed=3+bag-of-words')", HEAVY),
        ("model_adapters.AdapterError", HEAVY | {"numpy"}),
    ],
)
def test_importing_and_naming_a_model_load_little(use, modules):
    code = f"import sys, model_adapters; {use}\nprint(*{modules} & set(sys.modules))"
    root = Path(__file__).parents[2]
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert shown.stdout.strip() == ""


def test_all_is_what_can_be_imported():
    assert sorted(model_adapters.__all__) == list(model_adapters.__all__) == dir(model_adapters)
    for name in model_adapters.__all__:
        assert hasattr(importlib.import_module("model_adapters"), name)
    with pytest.raises(AttributeError, match=r"^module 'model_adapters' has no attribute 'lode_model'$"):
        _ = model_adapters.lode_model
