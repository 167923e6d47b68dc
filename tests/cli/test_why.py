"""`gene-bench why`: from the rows of a source to the vectors of a model."""


def test_why_follows_a_gene_from_the_source_to_a_model(cli, toy_dir):
    status, out, _ = cli("why", "OLD7", "-t", "reactome_pathways", "--data-dir", toy_dir, "random:dim=2")
    assert status == 0
    first, second, row, *_, last, model = out.splitlines()
    assert first == "reactome_pathways: in the task, with 1 row"
    assert second.split() == ["OLD7", "is", "TOY7:", "previous"]
    assert row.split()[:2] == ["source", "row"]
    assert "label Alpha (first), fold " in last
    assert model == "random:dim=2: has a vector of TOY7"


def test_why_not(cli, toy_dir, tmp_path):
    (tmp_path / "mine.csv").write_text("symbol,x\n" + "".join(f"TOY{i},{i}.5\n" for i in range(1, 40)))
    status, out, _ = cli("why", "TOY41", tmp_path / "mine.csv", "-t", "humantfs_is_tf", "--data-dir", toy_dir)
    assert status == 0
    assert out.splitlines()[0] == "humantfs_is_tf: in the task, with 1 row"
    assert out.splitlines()[-1] == "mine: no vector: none of its 39 identifiers resolves to TOY41"


def test_why_for_an_unknown_gene_names_the_nearest(cli, assert_one_line):
    assert_one_line(cli("why", "TP35", "-t", "starter_is_tf"), "no gene 'TP35'", "did you mean TP53?")
