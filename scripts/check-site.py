#!/usr/bin/env python3
"""Checks the internal links of a built site: each leads to a file of it, and its #anchor to an id. Images count too.

    scripts/check-site.py DIRECTORY

rumdl checks the Markdown. Only this finds what building changes: names of pages, anchors, and files that the site lacks.
"""

import pathlib
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

# Copies of the other pages in one file or frame, and a page whose links start at the root of the server.
LEFT_OUT = {"print.html", "toc.html", "404.html"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        self.targets += [values[name] for name in ("href", "src") if values.get(name)]


def problems_of(site):
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        if path.name in LEFT_OUT:
            continue
        for target in dict.fromkeys(page.targets):
            link = urlsplit(target)
            if link.scheme or link.netloc:
                continue
            file = (path.parent / unquote(link.path)).resolve() if link.path else path
            if file.is_dir():
                file /= "index.html"
            if not file.is_relative_to(site) or not file.is_file():
                yield f"{path.relative_to(site)}: no file for {target}"
            elif link.fragment and file in pages and unquote(link.fragment) not in pages[file].anchors:
                yield f"{path.relative_to(site)}: no anchor for {target}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    problems = list(problems_of(pathlib.Path(sys.argv[1]).resolve()))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
