"""What steps hand to each other, and what of it a process keeps."""

import numpy as np
import pytest

from gene_eval.errors import GeneBenchError
from gene_eval.running.cluster.files import Memo, put, read


def test_a_file_is_named_by_its_content_and_checked(tmp_path):
    vectors = np.arange(12.0).reshape(3, 4)
    stored = put(vectors, tmp_path)
    assert put(vectors.copy(), tmp_path) == stored
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [stored.path]
    np.testing.assert_array_equal(read(stored), vectors)
    assert stored.__sizeof__() == stored.path.stat().st_size
    stored.path.write_bytes(stored.path.read_bytes()[:-1])
    with pytest.raises(GeneBenchError, match="not what was written there"):
        read(stored)


def test_without_a_folder_the_content_goes_along():
    stored = put({"TP53": 1}, None)
    assert stored.path is None
    assert read(stored) == {"TP53": 1}


def test_a_memo_reads_once_and_drops_what_was_used_longest_ago(tmp_path):
    first, second, third = (put(np.full(1000, number), tmp_path) for number in range(3))
    memo = Memo(limit=2.5 * first.nbytes)
    once = memo.read(first)
    assert memo.read(first) is once
    memo.read(second)
    memo.read(first)
    memo.read(third)
    second.path.unlink()
    assert memo.read(first) is once
    with pytest.raises(FileNotFoundError):
        memo.read(second)
