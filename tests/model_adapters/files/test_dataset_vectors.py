import shutil
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict
from datasets.packaged_modules.parquet.parquet import Parquet

from model_adapters import AdapterError, load_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROWS = {"symbol": ["TP53", "NA"], "embedding": [[1.0, 2.0], [3.0, 4.0]]}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "my-vectors"
    path.mkdir()
    Dataset.from_dict(ROWS).to_parquet(path / "train.parquet")
    return path


def test_a_folder_of_parquet_files(folder):
    model = load_model(f"dataset:{folder}")
    assert model.table()[:] == ROWS
    assert (model.model_id, model.adapter) == ("my-vectors", "dataset")
    first = model.revision
    assert first.startswith("sha256:")
    Dataset.from_dict({**ROWS, "embedding": [[1.0, 2.0], [3.0, 5.0]]}).to_parquet(folder / "train.parquet")
    assert load_model(f"dataset:{folder}").revision != first


def test_a_saved_dataset_and_its_splits(tmp_path):
    Dataset.from_dict(ROWS).save_to_disk(tmp_path / "one")
    assert load_model(f"dataset:{tmp_path}/one").table()[:] == ROWS
    wide = {"symbol": ["MYC"], "x0": [1], "x1": [2.5]}
    DatasetDict(a=Dataset.from_dict(ROWS), b=Dataset.from_dict(wide)).save_to_disk(tmp_path / "two")
    model = load_model(f"dataset:{tmp_path}/two,split=b")
    assert model.table()[:] == {"symbol": ["MYC"], "embedding": [[1.0, 2.5]]}
    assert (model.model_id, model.options) == ("two:split=b", {"resolved": False, "split": "b"})
    for option in ("", ",split=c"):
        with pytest.raises(AdapterError, match=r"two' has the splits a, b; choose one with split=NAME$"):
            load_model(f"dataset:{tmp_path}/two{option}").table()


@pytest.fixture
def downloaded(folder):
    """The cache of `datasets` after a download of org/downloaded at a commit."""
    builder = Parquet(dataset_name="downloaded", hash=COMMIT, data_files={"train": [str(folder / "train.parquet")]})
    builder.download_and_prepare()
    cached = Path(builder.cache_dir)
    target = cached.parents[2].with_name("org___downloaded") / "default" / cached.parent.name
    target.mkdir(parents=True)
    cached.rename(target / COMMIT)
    yield
    shutil.rmtree(target.parents[1])


@pytest.mark.usefixtures("downloaded")
def test_a_dataset_of_the_hub_keeps_its_commit():
    for spec in ("org/downloaded", f"org/downloaded@{COMMIT}"):
        model = load_model(f"dataset:{spec}")
        assert model.table()[:] == ROWS
        assert (model.model_id, model.revision) == ("org/downloaded", COMMIT)
    other = COMMIT[::-1]
    with pytest.raises(AdapterError, match=rf"^dataset 'org/downloaded': commit {other} is not on this machine, only"):
        load_model(f"dataset:org/downloaded@{other}").table()


def test_identifiers_resolve(folder):
    model = load_model(f"dataset:{folder}", resolve=lambda names: ["TP53" for _ in names])
    assert model.table()[:] == {"symbol": ["TP53"], "embedding": [[2.0, 3.0]]}


def test_bad_datasets(tmp_path, folder):
    Dataset.from_dict({"score": [2.5], "x": [1.0]}).save_to_disk(tmp_path / "genes")
    Dataset.from_dict(ROWS).select([]).save_to_disk(tmp_path / "saved-empty")
    (tmp_path / "empty").mkdir()
    Dataset.from_dict(ROWS).select([]).to_parquet(tmp_path / "empty" / "train.parquet")
    (tmp_path / "nothing").mkdir()
    for spec, expected in [
        (f"{tmp_path}/genes", r"^genes has no column of gene identifiers, its columns are score, x;"),
        (f"{tmp_path}/empty", r"^dataset '.*/empty' cannot be loaded \(ValueError: .*no data"),
        (f"{tmp_path}/saved-empty", r"^dataset '.*/saved-empty' cannot be loaded \(IndexError: "),
        (f"{tmp_path}/nothing", r"^dataset '.*/nothing' cannot be loaded \(.*\); expected a Hub id"),
        ("org/absent", r"^dataset 'org/absent' cannot be loaded \(.*\); expected a Hub id .* dataset:/path/to/folder$"),
        ("/no/such/folder", r"^'/no/such/folder' is neither a folder here nor a Hub id \(org/name\)$"),
        ("", r"^dataset needs a name: dataset:HUB_ID"),
        (f"{folder},splt=a", r"^dataset has no option 'splt', expected .*; did you mean 'split'\?$"),
    ]:
        with pytest.raises(AdapterError, match=expected) as caught:
            load_model(f"dataset:{spec}").table()
        assert "\n" not in str(caught.value)
