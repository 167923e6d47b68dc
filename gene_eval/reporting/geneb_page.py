"""GENEB's rankings as a page: a view for each regime and category, chosen by buttons; one file, without any script.

Names come from files of others: they are escaped, and nothing is loaded or run.
"""

import html
from collections.abc import Iterator, Sequence

from gene_eval.analysis.geneb import measures
from gene_eval.analysis.geneb.board import REGIMES, Array, Board, Regime

__all__ = ["to_page"]

ALL = "all categories"
STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 80rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
fieldset { border: 0; padding: 0; margin: 0; }
input { position: absolute; opacity: 0; }
label { border: 1px solid #8888; border-radius: 1rem; display: inline-block; margin: .15rem; padding: .1rem .7rem; }
label { cursor: pointer; }
input:checked + label { background: #0072b2; color: #fff; border-color: #0072b2; }
input:focus-visible + label { outline: 2px solid #d55e00; }
.view { display: none; overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; }
th, td { padding: .15rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
th:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
tbody th { font-weight: 400; } td.best { font-weight: 700; } .note { opacity: .75; }
@media (max-width: 40rem) {
  /* A long name beside which no score has room is broken. */
  th:first-child { min-width: 8rem; max-width: 8rem; overflow-wrap: break-word; white-space: normal; }
}
"""


def to_page(boards: Sequence[Board]) -> str:
    """The page's HTML; equal boards give equal pages."""
    rules, sections = [], []
    for number, board in enumerate(boards):
        shown, content = _board(board, number)
        rules += shown
        sections += content
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width"><title>Models of DNA sequences</title>',
            f"<style>{STYLE}{''.join(rules)}</style><h1>Models of DNA sequences</h1>",
            *sections,
            "</html>\n",
        ]
    )


def _board(board: Board, number: int) -> tuple[list[str], list[str]]:
    """Rules that show a view where its regime and category are chosen, and the board's section."""
    categories = [ALL, *board.categories]
    regimes = list(board.regimes.values())
    rules, views = [], []
    for r, regime in enumerate(regimes):
        for c, category in enumerate(categories):
            chosen = f"#b{number}:has(#b{number}r{r}:checked):has(#b{number}c{c}:checked)"
            rules.append(f"{chosen} #b{number}v{r}-{c} {{ display: block; }}")
            rows = _overall(board, regime) if category == ALL else _category(board, regime, category)
            views.append(
                f'<div class="view" id="b{number}v{r}-{c}"><h3>{_text(_words(category))}, {REGIMES[regime.shots]}</h3>'
            )
            views += [*rows, "</div>"]
    head = f"{board.title[0].upper()}{board.title[1:]}, {board.settings}"
    note = "† imported, not computed here. " if board.imported else ""
    content = [
        f'<section id="b{number}"><h2>{_text(head)}</h2>',
        f'<p class="note">{note}Matthews coefficients; intervals are of 95 %.</p>',
        *_buttons(f"b{number}r", "examples of each class", [REGIMES[regime.shots] for regime in regimes]),
        *_buttons(f"b{number}c", "category", [_words(each) for each in categories]),
        *views,
        "</section>",
    ]
    return rules, content


def _buttons(name: str, about: str, labels: Sequence[str]) -> Iterator[str]:
    yield f'<fieldset aria-label="{about}">'
    for i, label in enumerate(labels):
        checked = " checked" if i == 0 else ""
        yield f'<input type="radio" name="{name}" id="{name}{i}"{checked}><label for="{name}{i}">{_text(label)}</label>'
    yield "</fieldset>"


def _overall(board: Board, regime: Regime) -> Iterator[str]:
    low, high = measures.macro_intervals(regime)
    table = [
        [f"{regime.macro[i]:.3f}", f"{low[i]:.3f} to {high[i]:.3f}", *(f"{x:.3f}" for x in regime.means[i])]
        for i in range(len(board.models))
    ]
    values: list[Array | None] = [regime.macro, None, *regime.means.T]
    yield from _table(board, ["macro", "interval", *map(_words, board.categories)], table, values, order=regime.macro)


def _category(board: Board, regime: Regime, category: str) -> Iterator[str]:
    c = board.categories.index(category)
    mean, rank = regime.means[:, c], measures.ranks(regime.means)[:, c]
    ends = measures.rank_intervals(regime)[0] if len(regime.draws) else None
    tasks = regime.tasks.get(category)
    names = [name.removeprefix("geneb_") for name in board.task_names.get(category, ())]
    # Of published means of categories there are no tasks to draw from.
    intervals = [] if ends is None else [[f"{low:g} to {high:g}" for low, high in ends[:, :, c].T.tolist()]]
    scores = [] if tasks is None else [[f"{x:.3f}" for x in column] for column in tasks.T]
    columns = [[f"{x:g}" for x in rank], *intervals, [f"{x:.3f}" for x in mean], *scores]
    head = ["rank", *(["interval of rank"] if intervals else []), "mean", *(names if scores else [])]
    values: list[Array | None] = [None, *(None for _ in intervals), mean, *([] if tasks is None else tasks.T)]
    yield from _table(board, head, list(zip(*columns, strict=True)), values, order=mean)


def _table(
    board: Board, head: Sequence[str], rows: Sequence[Sequence[str]], values: Sequence[Array | None], *, order: Array
) -> Iterator[str]:
    names = "".join(f'<th scope="col">{_text(each)}</th>' for each in head)
    yield f'<table><thead><tr><th scope="col">model</th>{names}</tr></thead><tbody>'
    for i in (-order).argsort(kind="stable").tolist():
        model = board.models[i]
        cells = [f"<td{_best(column, i)}>{_text(cell)}</td>" for cell, column in zip(rows[i], values, strict=True)]
        mark = " †" if model in board.imported else ""
        yield f'<tr><th scope="row">{_text(model)}{mark}</th>{"".join(cells)}</tr>'
    yield "</tbody></table>"


def _best(column: Array | None, row: int) -> str:
    return ' class="best"' if column is not None and column[row] == column.max() else ""


def _words(category: str) -> str:
    return category.replace("_", " ")


def _text(text: str) -> str:
    return html.escape(text)
