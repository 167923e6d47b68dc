"""GENEB's rankings as Markdown: means, ranks by category, agreement, winners, specialists, size, difficulty."""

from collections.abc import Iterator, Sequence

from gene_eval.analysis.geneb import measures
from gene_eval.analysis.geneb.board import FULL, REGIMES, Array, Board, Shots
from gene_eval.text import some

__all__ = ["to_geneb"]

SHOWN = 12
"""Models whose ranks are listed by category, at most."""
NOTHING = "–"


def to_geneb(boards: Sequence[Board]) -> str:
    """The report.

    Args:
        boards: From `gene_eval.analysis.geneb.board.boards`.
    """
    lines = ["# Models of DNA sequences", ""]
    for board in boards:
        lines += [f"## {board.title[0].upper()}{board.title[1:]}, {board.settings}", "", *_about(board)]
        lines += [*_means(board), *_ranks(board), *_winners(board), *_agreement(board), *_specialists(board)]
        lines += [*_size(board), *_difficulty(board)]
    return "\n".join(lines).rstrip() + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head), *rows)] + [""]


def _name(board: Board, model: str) -> str:
    return f"{model} †" if model in board.imported else model


def _about(board: Board) -> Iterator[str]:
    yield (
        f"Matthews coefficients of {len(board.models)} models in {len(board.categories)} categories,"
        f" {int(board.sizes.sum())} tasks. Macro is the mean of the categories, micro of the tasks. Intervals are of"
        " 95 %."
    )
    yield ""
    if board.has_tasks:
        yield "Intervals of means and ranks: tasks drawn with replacement within categories, test rows within tasks."
    else:
        yield "Only means of categories are known of some models: intervals of means are over drawn categories."
    yield ""
    if board.imported:
        yield "† imported: scores that were not computed here, without folds."
        yield ""
    if board.lacking:
        worst = [f"{model} ({n})" for model, n in board.lacking.items()]
        yield f"Left out, with how many of these they lack: {some(worst, limit=8)}."
        yield ""
    for shots, name in REGIMES.items():
        if shots not in board.regimes:
            yield f"No scores of all models with {name}."
            yield ""


def _means(board: Board) -> list[str]:
    head = [
        "model",
        "macro",
        "macro, interval",
        "repeats once",
        "micro",
        *(f"macro, {REGIMES[s]}" for s in board.regimes if s),
    ]
    full = board.regimes[FULL]
    low, high = measures.macro_intervals(full)
    micro = board.micro(FULL)
    rows = []
    for i, model in enumerate(board.models):
        few = [f"{board.regimes[shots].macro[i]:.3f}" for shots in board.regimes if shots]
        weighted = f"{full.weighted[i].mean():.3f}" if board.has_tasks else NOTHING
        interval = f"{low[i]:.3f} to {high[i]:.3f}"
        rows.append([_name(board, model), f"{full.macro[i]:.4f}", interval, weighted, f"{micro[i]:.4f}", *few])
    note = "*Repeats once*: tasks that are about the same sequences of one source count as one in their category."
    return ["### Means", "", *_table(head, rows), *([note, ""] if board.has_tasks else [])]


def _ranks(board: Board) -> list[str]:
    lines = []
    for shots, regime in board.regimes.items():
        found = measures.ranks(regime.means)
        ends = measures.rank_intervals(regime) if len(regime.draws) else None
        rows = []
        for i, model in enumerate(board.models[:SHOWN]):
            cells = [
                f"{found[i, c]:g}" + (f" ({ends[0][0, i, c]:g} to {ends[0][1, i, c]:g})" if ends else "")
                for c in range(len(board.categories))
            ]
            overall = f"{ends[1][0, i]:g} to {ends[1][1, i]:g}" if ends else NOTHING
            rows.append([_name(board, model), *cells, overall])
        head = ["model", *board.categories, "rank by macro, interval"]
        more = f", best {SHOWN} of {len(board.models)}" if len(board.models) > SHOWN else ""
        lines += [f"### Rank in each category, {REGIMES[shots]}{more}", "", *_table(head, rows)]
    return lines


def _winners(board: Board) -> list[str]:
    by_regime = {shots: measures.winners(board, shots) for shots in board.regimes}
    rows = []
    for c, category in enumerate(board.categories):
        best = [f"{_name(board, found[c])} {board.regimes[s].means[:, c].max():.3f}" for s, found in by_regime.items()]
        rows.append([category, str(board.sizes[c]), *best])
    lines = [
        "### Best model of each category",
        "",
        *_table(["category", "tasks", *(REGIMES[s] for s in by_regime)], rows),
    ]
    lines.append(f"{len(set(by_regime[FULL]))} models win the {len(board.categories)} categories.")
    for shots in _few(board):
        found = measures.winner_changes(board, shots)
        n = len(board.categories)
        lines.append(
            f"From full to {REGIMES[shots]} the winner changes in {found.value:.0f} of {n} categories"
            f" ({found.low:.0f} to {found.high:.0f})."
        )
    return [*lines, ""]


def _agreement(board: Board) -> list[str]:
    if len(board.models) < 3:
        return []
    full = board.regimes[FULL]
    lines = ["### Agreement (Kendall's tau over models)", ""]
    for shots in _few(board):
        found = measures.agreement(full.macro, board.regimes[shots].macro)
        lines.append(f"Macro, full and {REGIMES[shots]}: {found}.")
    if len(board.categories) < 2:
        return [*lines, ""]
    tau, ends, mean = measures.category_agreement(full.means)
    lines += [f"Two categories, on average: {mean}.", ""]
    head = ["full", *board.categories]
    rows = [
        [category, *(NOTHING if a == b else _tau(tau, ends, a, b) for b in range(len(head) - 1))]
        for a, category in enumerate(board.categories)
    ]
    return [*lines, *_table(head, rows)]


def _tau(tau: Array, ends: Array, a: int, b: int) -> str:
    return f"{tau[a, b]:.2f} ({ends[0, a, b]:.2f} to {ends[1, a, b]:.2f})"


def _specialists(board: Board) -> list[str]:
    if len(board.categories) < 2 or len(board.models) < 3:
        return []
    found = measures.specialisation(board.regimes[FULL].means)
    best = sorted(
        (
            (found[i, c], model, category)
            for i, model in enumerate(board.models)
            for c, category in enumerate(board.categories)
        ),
        reverse=True,
    )
    rows = [[_name(board, model), category, f"{value:+.1f}"] for value, model, category in best[:SHOWN]]
    note = "Mean rank in the other categories minus the rank in this one, full."
    return ["### Specialists", "", note, "", *_table(["model", "category", "index"], rows)]


def _size(board: Board) -> list[str]:
    known = [i for i, model in enumerate(board.models) if model in board.parameters]
    if len(known) < 4:
        return []
    size = [board.parameters[board.models[i]] for i in known]
    lines = ["### Size and score", ""]
    for shots, regime in board.regimes.items():
        found = measures.size_and_score(size, regime.macro[known])
        lines.append(f"Spearman's correlation of parameters and macro, {REGIMES[shots]}: {found}, {len(known)} models.")
    macro = board.regimes[FULL].macro[known]
    without, found = measures.leave_one_out(size, macro)
    lines.append(f"Without {board.models[known[without]]}, which changes it most: {found}.")
    lines.append(
        f"Pairs in which a model with five times fewer parameters is better: {measures.smaller_wins(size, macro)}."
    )
    return [*lines, ""]


def _difficulty(board: Board) -> list[str]:
    full = board.regimes[FULL]
    columns = [
        (category, name, scores[:, t])
        for category, scores in full.tasks.items()
        for t, name in enumerate(board.task_names[category])
    ] or [(category, "all", full.means[:, c]) for c, category in enumerate(board.categories)]
    rows = []
    for category, name, scores in columns:
        ((mean, std, hard, wide),) = measures.difficulty(scores[:, None])
        marks = ", ".join(word for word, holds in (("hard", hard), ("models differ", wide)) if holds)
        best = _name(board, board.models[int(scores.argmax())])
        rows.append([category, name, f"{mean:.3f}", f"{std:.3f}", best, marks])
    note = "Mean and standard deviation over models, full; hard: a mean below 0.35; models differ: more than 0.12."
    return ["### Difficulty", "", note, "", *_table(["category", "task", "mean", "deviation", "best", ""], rows)]


def _few(board: Board) -> list[Shots]:
    return [shots for shots in board.regimes if shots is not FULL]
