"""Draws the pictures of README and site, in light and in dark, from what docs/example says: `make pictures`.

A picture is SVG with its numbers as text, so that it is sharp, small, and can be compared with the table it is made of.
"""

import argparse
import csv
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEADERBOARD = ROOT / "docs" / "example" / "leaderboard.csv"
PICTURES = ROOT / "docs" / "pictures"
# Text, muted text, and a cell at its fullest.
COLOURS = {"light": ("#1b1f24", "#6a737d", "#00897b"), "dark": ("#e6edf3", "#9198a1", "#26a69a")}
LEFT, COLUMN, ROW, TOP = 330, 92, 36, 66
CHANCE = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=PICTURES)
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    with LEADERBOARD.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for scheme in COLOURS:
        (folder / f"leaderboard-{scheme}.svg").write_text(leaderboard(rows, scheme), encoding="utf-8")


def leaderboard(rows: list[dict[str, str]], scheme: str) -> str:
    """Models by groups of tasks: mean ROC-AUC, stronger the further from chance, and the range of ranks overall.

    Args:
        rows: `group`, `basis`, `model`, `control`, `mean`, `rank`, `low`, `high`; a group's rows in the order of ranks.
        scheme: "light" or "dark".
    """
    text, muted, cell = COLOURS[scheme]
    groups = {row["group"]: row["basis"] for row in rows}
    overall = [row for row in rows if row["group"] == next(iter(groups))]
    means = {(row["group"], row["model"]): float(row["mean"]) for row in rows}
    width, height = LEFT + COLUMN * len(groups), TOP + ROW * len(overall) + 34
    parts = []
    for number, (group, basis) in enumerate(groups.items()):
        x = LEFT + COLUMN * (number + 0.5)
        first, _, second = group.replace("_", " ").partition(" ")
        parts += [_text(x, 22, line, text) for line in [first] if not second]
        parts += [_text(x, y, line, text) for line, y in ((first, 12), (second, 28)) if second]
        parts.append(_text(x, 48, basis, muted, size=12))
    for number, row in enumerate(overall):
        y = TOP + ROW * number
        colour = muted if row["control"] else text
        ranks = row["rank"] if row["low"] == row["high"] else f"{row['low']} to {row['high']}"
        parts.append(_text(46, y + 23, ranks, muted, anchor="end"))
        name = row["model"] + (" (control)" if row["control"] else "")
        parts.append(_text(62, y + 23, name, colour, anchor="start"))
        for column, group in enumerate(groups):
            if (mean := means.get((group, row["model"]))) is not None:
                shade = min(max((mean - CHANCE) / (1 - CHANCE), 0), 1) * 0.85
                x = LEFT + COLUMN * column
                box = f"x='{x + 2}' y='{y + 2}' width='{COLUMN - 4}' height='{ROW - 4}' rx='4'"
                parts.append(f"<rect {box} fill='{cell}' fill-opacity='{shade:.2f}'/>")
                parts.append(_text(x + COLUMN / 2, y + 23, f"{mean:.2f}", colour))
    parts.append(_text(46, 48, "ranks", muted, anchor="end", size=12))
    note = "Mean ROC-AUC of linear probes; ranks that the differences leave open, 95 %. Chance is 0.5."
    parts.append(_text(LEFT + COLUMN * len(groups) / 2 - LEFT / 2, height - 10, note, muted, size=12))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' font-size='14'"
        f" font-family='system-ui, sans-serif' role='img'>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: float, y: float, words: str, colour: str, *, anchor: str = "middle", size: int = 14) -> str:
    return f"<text x='{x:g}' y='{y:g}' fill='{colour}' text-anchor='{anchor}' font-size='{size}'>{escape(words)}</text>"


if __name__ == "__main__":
    main()
