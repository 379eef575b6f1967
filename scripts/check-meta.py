#!/usr/bin/env python3
"""Checks META.json against the PGXN Meta Spec 1.0.0. PGXN rejects a wrong one only after the release is tagged.

Written by hand: PGXN's own validator is a set of Perl modules, or a Rust program that takes a minute to compile.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Semantic Versioning 2.0.0 without build metadata, which the spec does not permit.
VERSION = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?"
# The form of each required member.
REQUIRED = {
    "abstract": r".*\S.*",
    "license": r"apache_2_0|mit|postgresql",
    "maintainer": r".*\S.*",
    "meta-spec": r".+",
    "name": r"[^\s/\\\x00-\x1f]{2,}",
    "provides": r".+",
    "version": VERSION,
}
OPTIONAL = {"description", "generated_by", "no_index", "prereqs", "release_status", "resources", "tags"}


def problems_of(meta):
    for member, form in REQUIRED.items():
        if not re.fullmatch(form, str(meta.get(member, ""))):
            yield f"{member} is missing or malformed"
    for member in meta.keys() - REQUIRED.keys() - OPTIONAL:
        yield f"{member} is unknown"
    if meta.get("meta-spec", {}).get("version") != "1.0.0":
        yield "meta-spec.version is not 1.0.0"
    for name, extension in meta.get("provides", {}).items():
        if not re.fullmatch(VERSION, str(extension.get("version"))):
            yield f"provides.{name}.version is not a semantic version"
        for member in {"file"} | {"docfile"} & extension.keys():
            if not (ROOT / str(extension.get(member))).is_file():
                yield f"provides.{name}.{member} does not exist"
    for relations in meta.get("prereqs", {}).values():
        for relation in relations.values():
            for name, version in relation.items():
                if version != 0 and not re.fullmatch(VERSION, str(version)):
                    yield f"the version of the prerequisite {name} is not a semantic version"
    tags = meta.get("tags", [])
    if len(set(tags)) != len(tags) or not all(re.fullmatch(r"[^/]{1,255}", tag) for tag in tags):
        yield "tags are not distinct texts without slashes"


problems = list(problems_of(json.loads((ROOT / "META.json").read_text())))
print(*problems, f"META.json: {len(problems)} problems", sep="\n")
sys.exit(bool(problems))
