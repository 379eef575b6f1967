#!/usr/bin/env python3
"""Whether META.json is as the PGXN Meta Spec 1.0.0 wants it: the members that it requires, and the forms of the others.

PGXN refuses an archive that is wrong here, at a moment when the release is tagged already.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Semantic Versioning 2.0.0 without build metadata, which the spec does not have.
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")
# The spec's short names of the licences that this project could have.
LICENCES = {"apache_2_0", "mit", "postgresql"}
REQUIRED = ["abstract", "license", "maintainer", "meta-spec", "name", "provides", "version"]
KNOWN = {*REQUIRED, "description", "generated_by", "no_index", "prereqs", "release_status", "resources", "tags"}


def is_text(value):
    return isinstance(value, str) and value.strip() != ""


def is_version(value):
    return isinstance(value, str) and VERSION.fullmatch(value) is not None


def problems_of(meta):
    """What is wrong, a line for each."""
    yield from (f"{member} is missing" for member in REQUIRED if member not in meta)
    yield from (f"{member} is unknown" for member in meta if member not in KNOWN and not member.lower().startswith("x_"))
    for member in ("abstract", "maintainer"):
        values = meta.get(member)
        values = values if member == "maintainer" and isinstance(values, list) else [values]
        if not values or not all(map(is_text, values)):
            yield f"{member} is no text"
    if not re.fullmatch(r"[^\s/\\\x00-\x1f]{2,}", str(meta.get("name"))):
        yield "name has less than two characters, or spaces or slashes"
    if not is_version(meta.get("version")):
        yield "version is no semantic version"
    if meta.get("license") not in LICENCES:
        yield f"license is none of {sorted(LICENCES)}"
    if meta.get("meta-spec", {}).get("version") != "1.0.0":
        yield "meta-spec.version is not 1.0.0"
    provides = meta.get("provides", {})
    if not provides:
        yield "provides has no extension"
    for name, extension in provides.items():
        if not is_version(extension.get("version")):
            yield f"provides.{name}.version is no semantic version"
        for member in ("file", "docfile"):
            if member in extension or member == "file":
                if not (ROOT / str(extension.get(member))).is_file():
                    yield f"provides.{name}.{member} is no file here"
    for phase, relations in meta.get("prereqs", {}).items():
        for relation, versions in relations.items():
            for name, version in versions.items():
                if version != 0 and not is_version(version):
                    yield f"prereqs.{phase}.{relation}.{name} is no version"
    tags = meta.get("tags", [])
    if len(set(tags)) != len(tags) or not all(is_text(tag) and len(tag) <= 255 and "/" not in tag for tag in tags):
        yield "tags are not different texts without slashes"


def main():
    meta = json.loads((ROOT / "META.json").read_text())
    # What would be found if it were so; else a check that checks nothing would go unnoticed.
    for member in REQUIRED:
        broken = {key: value for key, value in meta.items() if key != member}
        assert f"{member} is missing" in problems_of(broken), member
    problems = list(problems_of(meta))
    print(*(f"META.json: {problem}" for problem in problems), f"META.json: {len(problems)} problems", sep="\n")
    sys.exit(bool(problems))


main()
