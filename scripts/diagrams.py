#!/usr/bin/env python3
"""Draws each docs/diagrams/*.txt as an SVG beside it.

    scripts/diagrams.py [--check]        --check writes nothing, and fails if a committed SVG differs

A line of the text is one thing of the drawing, with its coordinates. The words of a box have " | " between lines.

    title WORDS    desc WORDS    size WIDTH HEIGHT
    box X Y WIDTH HEIGHT WORDS    note X Y WORDS    line X Y X Y    arrow X Y X Y [WORDS]

Written by hand: programs that choose the places themselves give another drawing in another version.
"""

import pathlib
import sys
from xml.sax.saxutils import escape

DIAGRAMS = pathlib.Path(__file__).resolve().parent.parent / "docs" / "diagrams"
FONT = 14
LINE = 18
LETTER = 7.6  # the mean width of a letter, with some reserve for another font
ARROW_HEAD = (
    '<marker id="head" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="6" markerHeight="6" '
    'orient="auto"><path d="M0 0 10 5 0 10z" fill="#1b1f24"/></marker>'
)
NUMBERS = {"size": 2, "box": 4, "note": 2, "line": 4, "arrow": 4}


def text(x, y, words, anchor="middle", colour="#1b1f24"):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def box(x, y, width, height, words):
    lines = words.split(" | ") if words else []
    for part in lines:
        if len(part) * LETTER > width - 8:
            raise SystemExit(f"too long for its box: {part}")
    shape = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="#e8f1fa" stroke="#0072b2"/>'
    first = y + height / 2 - (len(lines) - 1) * LINE / 2 + FONT / 3
    return [shape, *(text(x + width / 2, first + row * LINE, part) for row, part in enumerate(lines))]


def line(x1, y1, x2, y2, words, end=""):
    drawn = [f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#1b1f24" stroke-width="1.5"{end}/>']
    if words and y1 == y2:
        drawn.append(text((x1 + x2) / 2, y1 - 7, words))
    elif words:
        drawn.append(text(x1 + 8, (y1 + y2) / 2 + FONT / 3, words, "start"))
    return drawn


def draw(source):
    """The SVG. It has a white ground, so that it is readable on a dark page too."""
    head, body = {}, []
    for row in source.splitlines():
        kind, _, rest = row.partition(" ")
        count = NUMBERS.get(kind, 0)
        fields = rest.split(" ", count)
        numbers, words = [int(number) for number in fields[:count]], " ".join(fields[count:])
        match kind:
            case "title" | "desc":
                head[kind] = escape(words)
            case "size":
                width, height = numbers
            case "box":
                body += box(*numbers, words)
            case "note":
                body.append(text(*numbers, words, "start", "#57606a"))
            case "line":
                body += line(*numbers, words)
            case "arrow":
                body += line(*numbers, words, ' marker-end="url(#head)"')
            case _:
                raise SystemExit(f"unknown line: {row}")
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    style = f'font-family="sans-serif" font-size="{FONT}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc" {style}>',
            f'<title id="title">{head["title"]}</title>',
            f'<desc id="desc">{head["desc"]}</desc>',
            f"<defs>{ARROW_HEAD}</defs>",
            f'<rect width="{width}" height="{height}" fill="white"/>',
            *body,
            "</svg>\n",
        ]
    )


def main():
    differ = []
    for source in sorted(DIAGRAMS.glob("*.txt")):
        drawn, target = draw(source.read_text(encoding="utf-8")), source.with_suffix(".svg")
        if "--check" not in sys.argv:
            target.write_text(drawn, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != drawn:
            differ.append(target.name)
    if differ:
        sys.exit(f"docs/diagrams: {', '.join(differ)} is not what its text gives; run: make diagrams")


if __name__ == "__main__":
    main()
