import math
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from scipy.spatial.distance import cdist

from gene_eval.analysis.tables import Cell
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.errors import FileError
from gene_eval.reporting import text as reports
from gene_eval.reporting.plots import save as plots
from gene_eval.reporting.plots.heat import _score_text
from gene_eval.reporting.plots.similarity import similarities
from gene_eval.results.records import Score, TaskResult

Make = Callable[..., list[TaskResult]]

NAMES = ("families", "figure2", "tasks", "ranks", "similarity_models", "similarity_tasks", "folds")


def _draw(results: list[TaskResult], *, suites: Any = None, **options: Any) -> dict[str, Any]:
    (table,) = reports.build(results, suites=suites).tables
    with style.context(["default", plots.STYLE]):
        figures = {name: drawn for name, drawn in plots.draw(table, **options) if not isinstance(drawn, str)}
        for figure in figures.values():
            FigureCanvasAgg(figure)
            figure.draw_without_rendering()
    return figures


def _texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


@pytest.fixture(scope="module")
def large(make_results: Make) -> dict[str, Any]:
    """Every picture of 60 tasks and 15 models, names as long as they get."""
    models = [f"organisation/a-model-with-a-long-name-{n:02d}" for n in range(12)] + [
        "bag-of-words",
        "random",
        "shuffled:organisation/a-model-with-a-long-name-00",
    ]
    return _draw(make_results(models, [f"source{n % 8}_quite_a_long_name_of_a_task_{n}" for n in range(60)]))


@pytest.fixture(scope="module")
def tiny(make_results: Make) -> dict[str, Any]:
    """Every picture of three tasks and two models."""
    return _draw(make_results(["sentence-transformers/all-MiniLM-L6-v2", "random"], ["a_task", "b_task", "c_task"]))


@pytest.fixture(scope="module")
def small(make_results: Make) -> list[TaskResult]:
    return make_results(["one", "two", "three", "random"], [f"task{n}_name" for n in range(8)])


def _outlines(figure: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Corners of every text, in pixels; texts that are turned are turned about their anchor."""
    beyond = {
        id(tick.label1)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        if not axis.get_view_interval().min() <= tick.get_loc() <= axis.get_view_interval().max()
    }
    for text in figure.findobj(Text):
        # matplotlib keeps ticks outside of the axes, but does not draw them.
        if not text.get_text().strip() or not text.get_visible() or id(text) in beyond:
            continue
        angle = text.get_rotation()
        anchor = text.get_transform().transform(text.get_unitless_position())
        if angle and text.get_rotation_mode() == "anchor":
            text.set_rotation(0)
        (x0, y0), (x1, y1) = text.get_window_extent().get_points()
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        if text.get_rotation() != angle:
            text.set_rotation(angle)
            turn = math.radians(angle)
            rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
            corners = (corners - anchor) @ rotation.T + anchor
        middle = corners.mean(axis=0)
        # Line height is more than what letters cover.
        yield text.get_text(), middle + (corners - middle) * np.array([0.97, 0.85] if not angle else [0.9, 0.9])


@pytest.mark.parametrize(
    ("size", "name"),
    [*(("large", name) for name in NAMES), *(("tiny", name) for name in NAMES if not name.startswith("similarity"))],
)
def test_no_label_overlaps_another_or_leaves_the_picture(request: pytest.FixtureRequest, size: str, name: str) -> None:
    figure = request.getfixturevalue(size)[name]
    found = list(_outlines(figure))
    width, height = figure.get_size_inches() * figure.dpi
    for text, corners in found:
        assert corners.min() >= 0, text
        assert corners[:, 0].max() <= width, text
        assert corners[:, 1].max() <= height, text
    low = np.array([corners.min(axis=0) for _, corners in found])
    high = np.array([corners.max(axis=0) for _, corners in found])
    meet = ((low[:, None] < high[None]) & (high[:, None] > low[None])).all(axis=2)
    for i, j in np.argwhere(np.triu(meet, k=1)):
        first, second = Outline(found[i][1], closed=False), Outline(found[j][1], closed=False)
        assert not first.intersects_path(second, filled=True), (found[i][0], found[j][0])


def test_families_show_mean_and_standard_deviation(small: list[TaskResult]) -> None:
    (table,) = reports.build(small).tables
    texts = _texts(_draw(small)["families"])
    for mean in table.means.values():
        # The mean over one task has no deviation.
        spread = "" if mean.n_tasks == 1 else f"\n({mean.std:.3f})"
        assert f"{mean.mean:.3f}{spread}" in texts
    assert table.means["one", "regression"].n_tasks == 1
    assert [text for text in texts if text.endswith("(control)")] == ["random (control)"]
    assert {"overall (7)", "genomic (2)", "regression (1)"} <= set(texts)


def test_every_task_has_its_cell(small: list[TaskResult]) -> None:
    (table,) = reports.build(small).tables
    lacking = [one for one in small if (one.model.id, one.task.id) != ("two", "task0_name")]
    # A suite is a mean of its own, and no second line of its tasks.
    texts = _texts(_draw(lacking, suites={"@some": ["task0_name"]})["tasks"])
    assert texts.count("task0_name") == 1
    assert texts.count("–") == 1
    assert {task.name for task in table.tasks} <= set(texts)
    numbers = [text for text in texts if re.fullmatch(r"-?\d\.\d\d ±\d\.\d\d", text)]
    cells = [f"{cell.mean:.2f} ±{cell.std:.2f}" for key, cell in table.cells.items() if key != ("two", "task0_name")]
    for value in set(cells):
        assert numbers.count(value) >= cells.count(value)


def test_similarity_is_the_cosine_rescaled() -> None:
    vectors = np.random.default_rng(0).uniform(0.4, 1, (6, 9))
    cosines = 1 - cdist(vectors, vectors, "cosine")
    expected = (cosines - cosines.min()) / (cosines.max() - cosines.min())
    assert similarities(vectors) == pytest.approx(expected, abs=1e-8)
    assert similarities(np.ones((3, 2))).tolist() == np.ones((3, 3)).tolist()


def test_alike_models_stand_together(make_results: Make) -> None:
    results = make_results(["a", "b", "c", "d"], [f"task{n}_name" for n in range(9)])
    twin = {one.task.id: one for one in results if one.model.id == "a"}
    changed = [
        replace(one, scores=twin[one.task.id].scores)
        if one.model.id == "d"
        else replace(one, scores={key: _turned(score, one.task.id) for key, score in one.scores.items()})
        if one.model.id in "bc"
        else one
        for one in results
    ]
    figure = _draw(changed)["similarity_models"]
    order = [text for text in _texts(figure) if text in {"a", "b", "c", "d"}][:4]
    a, d = order.index("a"), order.index("d")
    assert abs(a - d) == 1
    (values,) = (
        mesh.get_array() for axes in figure.axes for mesh in axes.collections if np.shape(mesh.get_array()) == (4, 4)
    )
    assert values[a, d] == 1
    assert values.min() == 0


def _turned(score: Score, task: str) -> Score:
    return replace(score, mean=score.mean if int(task[4]) % 2 else score.mean / 2)


def test_places_and_bars(small: list[TaskResult]) -> None:
    (table,) = reports.build(small).tables
    figure = _draw(small)["ranks"]
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0] == "overall\n7 sources"
    panel = figure.axes[0]
    dots = [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "o"]
    assert dots == [each.rank for each in table.rankings[0].models]
    intervals = [tuple(line.get_xdata()) for line in panel.lines if line.get_marker() != "o"]
    assert intervals == [(each.low, each.high) for each in table.rankings[0].models]


def test_folds_of_two_models(small: list[TaskResult]) -> None:
    figure = _draw(small, pair=("two", "one"))["folds"]
    assert _texts(figure).count("one against two, fold by fold") == 1
    drawn = np.concatenate([points.get_offsets() for points in figure.axes[0].collections])
    folds = {(one.model.id, one.task.id): one.scores[MAIN_METRIC[one.task.target]].folds for one in small}
    tasks = {one.task.id for one in small if one.task.target != "regression"}
    expected = [pair for task in tasks for pair in zip(folds["two", task], folds["one", task], strict=True)]
    assert sorted(map(tuple, drawn.tolist())) == sorted(expected)
    above = sum(y > x for x, y in expected)
    assert figure.axes[0].get_title(loc="left") == f"ROC-AUC: one is higher in {above} of 35 folds"


def test_different_genes_are_said(small: list[TaskResult]) -> None:
    changed = [
        replace(one, coverage=replace(one.coverage, n_scored=190, n_missing=10))
        if (one.model.id, one.task.id) == ("one", "task0_name")
        else one
        for one in small
    ]
    texts = _texts(_draw(changed, pair=("one", "two"))["folds"])
    assert "scored on different genes in 1 of 8 tasks" in texts


def test_few_results_make_few_pictures(make_results: Make) -> None:
    assert list(_draw(make_results(["one"], ["task0_name"]))) == ["families", "figure2", "tasks", "ranks"]
    trial = [replace(one, task=replace(one.task, ranked=False)) for one in make_results(["one", "two"], ["task0_name"])]
    assert list(_draw(trial)) == ["tasks", "folds"]
    reasons = {name: why for name, why in plots.draw(reports.build(trial).tables[0]) if isinstance(why, str)}
    assert reasons["ranks"] == "no model has a score on every task of a group"
    assert reasons["similarity_models"] == "it needs 3 models with every ROC-AUC task, there are 0"
    assert reasons["similarity_tasks"].startswith("it needs 8 models with every ROC-AUC task, of 3 tasks or more")


def test_coverage_and_what_is_too_small_are_on_the_picture(small: list[TaskResult]) -> None:
    def with_coverage(result: TaskResult) -> TaskResult:
        n = {("two", "task0_name"): 20, ("two", "task1_name"): 40}.get((result.model.id, result.task.id), 200)
        return replace(result, coverage=replace(result.coverage, n_scored=n, n_missing=200 - n))

    figure = _draw([with_coverage(one) for one in small])["tasks"]
    texts = _texts(figure)
    assert {"task0_name (20-200 of 200)", "task1_name (40-200 of 200)", "task2_name"} <= set(texts)
    assert "two (79 % scored)" in texts
    assert "orange corner: scored on less than 90 % of the task; without colour: too small to be in a mean" in texts
    corners = [
        path
        for axes in figure.axes
        for each in axes.collections
        if isinstance(each, PolyCollection)
        for path in each.get_paths()
    ]
    assert len(corners) == 2
    meshes = [mesh.get_array() for axes in figure.axes for mesh in axes.collections if isinstance(mesh, QuadMesh)]
    # Only the score of 20 genes is without colour; it keeps its number.
    assert sum(int(np.ma.count_masked(values)) for values in meshes) == 1
    assert sum(bool(re.fullmatch(r"\d\.\d\d ±\d\.\d\d", text)) for text in texts) == len(small)


def test_a_score_fits_its_cell() -> None:
    assert _score_text(Cell(-81.24, 26.81, 100, 0)) == "-81 ±27"
    assert _score_text(Cell(-0.001, 0.012, 100, 0)) == "0.00 ±0.01"


def test_colours_mean_the_same_score_in_every_picture(small: list[TaskResult]) -> None:
    for name in ("families", "tasks"):
        ticks = {text for text in _texts(_draw(small)[name]) if re.fullmatch(r"≤?\d\.\d\d", text)}
        assert {"≤0.50", "0.75", "1.00", "≤0.00"} <= ticks


def test_files_say_nothing_but_the_results(small: list[TaskResult], tmp_path: Path) -> None:
    odd = [
        replace(one, model=replace(one.model, id="$x^2$ & <b>\n名")) if one.model.id == "one" else one for one in small
    ]
    first = plots.save(reports.build(odd), tmp_path / "first")
    second = plots.save(reports.build(odd[::-1]), tmp_path / "second")
    drawn = [name for name in NAMES if name != "similarity_tasks"]  # of eight models and more
    assert [path.name for path in first] == [f"{name}.{ending}" for name in drawn for ending in ("png", "svg")]
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == sorted(path.name for path in first)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
        if one.suffix == ".png":
            assert {kind for kind, _ in _chunks(one.read_bytes())} == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}
        else:
            assert "Matplotlib v" not in one.read_text(encoding="utf-8")
            assert "dc:date" not in one.read_text(encoding="utf-8")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + content) == int.from_bytes(png[at + 8 + size : at + 12 + size])
        yield kind, content
        at += 12 + size


def test_several_settings_take_a_folder_each(make_results: Make, tmp_path: Path) -> None:
    results = make_results(["one"], ["task0_name"])
    other = [replace(one, probe=replace(one.probe, settings=replace(one.settings, seed=3))) for one in results]
    paths = plots.save(reports.build([*results, *other]), tmp_path)
    assert {path.parent.name for path in paths} == {
        "protocol=paper,engine=fast,seed=0",
        "protocol=paper,engine=fast,seed=3",
    }


def test_a_folder_that_cannot_be_made(small: list[TaskResult], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot write .*file/plots/families.png: Not a directory"):
        plots.save(reports.build(small), tmp_path / "file" / "plots")
