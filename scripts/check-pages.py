#!/usr/bin/env python3
"""Checks that the contents of the site and the index of the manual list the same pages.

docs/SUMMARY.md, the contents, has each page of docs/ once, by its heading. docs/README.md, the index, leads to each
page by at most two links. rumdl checks that the target of a link exists.
"""

import os.path
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INDEX = "docs/README.md"
CONTENTS = "docs/SUMMARY.md"
CLICKS = 2
LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+\.md)(?:#[^)]*)?\)")


def links_of(page):
    """The words and the page of each link to Markdown."""
    text = (ROOT / page).read_text(encoding="utf-8")
    base = os.path.dirname(page)
    return [(words, os.path.normpath(os.path.join(base, to))) for words, to in LINK.findall(text) if "://" not in to]


def heading_of(page):
    return (ROOT / page).read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")


def contents_problems(pages):
    listed = links_of(CONTENTS)
    for page in pages:
        words = [words for words, to in listed if to == page]
        if len(words) != 1:
            yield f"{CONTENTS} lists {page} {len(words)} times"
        elif words[0] != heading_of(page):
            yield f"{CONTENTS} calls {page} {words[0]!r}, its heading is {heading_of(page)!r}"


def index_problems(pages):
    reached = {INDEX}
    for _ in range(CLICKS):
        reached |= {to for page in reached & pages for _, to in links_of(page)}
    for page in sorted(pages - reached):
        yield f"{page} is more than {CLICKS} links away from {INDEX}"


def main():
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")} - {CONTENTS}
    problems = [*contents_problems(sorted(pages)), *index_problems(pages)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
