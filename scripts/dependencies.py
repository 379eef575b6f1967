#!/usr/bin/env python3
"""The crates that this project depends on, and their licences.

    scripts/dependencies.py check     every licence is allowed by deny.toml, and every crate has a checksum
    scripts/dependencies.py list      the crates that are linked into the library, with their licences
    scripts/dependencies.py texts     the texts of those licences, which go with every package
    scripts/dependencies.py sbom      the crates that are linked or that build it, as a CycloneDX 1.5 document
"""

import doctest
import functools
import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
IS_LICENCE = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)
# Each major of PostgreSQL has the same crates.
ONE_MAJOR = ["--no-default-features", "--features=pg17"]


def key(package):
    return package["name"], package["version"]


def metadata(*features):
    command = ["cargo", "metadata", "--locked", "--format-version=1", *features]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def permits(expression, allowed):
    """Whether an SPDX expression can be met by these licences; a slash is the old way to write OR.

    >>> permits("MIT", {"MIT"}), permits("GPL-3.0", {"MIT"})
    (True, False)
    >>> permits("GPL-3.0 OR MIT", {"MIT"}), permits("GPL-3.0/MIT", {"MIT"}), permits("GPL-3.0 AND MIT", {"MIT"})
    (True, True, False)
    >>> permits("ISC AND (GPL-3.0 OR MIT)", {"MIT", "ISC"}), permits("(GPL-3.0 OR MIT) AND BSD-1-Clause", {"MIT"})
    (True, False)
    >>> permits("MIT OR GPL-3.0 AND ISC", {"MIT"}), permits("GPL-3.0 AND ISC OR MIT", {"MIT"})
    (True, True)
    >>> permits("Apache-2.0 WITH LLVM-exception", {"Apache-2.0"}), permits("", {"MIT"}), permits("MIT )", {"MIT"})
    (False, False, False)
    """
    words = re.findall(r"[()/]|[^\s()/]+", expression)

    def next_is(*wanted):
        if words and words[0] in wanted:
            words.pop(0)
            return True
        return False

    def one():
        if next_is("("):
            inner = either()
            return next_is(")") and inner
        name = words.pop(0) if words else ""
        if next_is("WITH"):
            name += " WITH " + (words.pop(0) if words else "")
        return name in allowed

    def all_of():
        result = one()
        while next_is("AND"):
            result = one() and result
        return result

    def either():
        result = all_of()
        while next_is("OR", "/"):
            result = all_of() or result
        return result

    return either() and not words


def tree(edges):
    """What cargo builds of the library; `cargo metadata` has more, for it does not look at weak features."""
    command = ["cargo", "tree", "--locked", "--package=pg_session_jwt", *ONE_MAJOR, f"--edges={edges}", "--prefix=none", "--no-dedupe", "--format={p}"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {(words[0], words[1].removeprefix("v")) for words in map(str.split, lines)}


def graph():
    """The library: its own identity, the packages that it is made of and with, what each needs, and what is linked."""
    found = metadata(*ONE_MAJOR)
    linked, used = tree("normal,no-proc-macro"), tree("normal,build")
    packages = {package["id"]: package for package in found["packages"] if key(package) in used}
    needs = {
        node["id"]: {
            dep["pkg"]
            for dep in node["deps"]
            if dep["pkg"] in packages and {None, "build"} & {kind["kind"] for kind in dep["dep_kinds"]}
        }
        for node in found["resolve"]["nodes"]
        if node["id"] in packages
    }
    linked = {identity for identity, package in packages.items() if key(package) in linked}
    return found["resolve"]["root"], packages, needs, linked


@functools.cache
def checksums():
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {key(package): package.get("checksum") for package in locked}


def foreign(packages, identities):
    """Those that are not this project's own, in order."""
    chosen = (packages[identity] for identity in identities if packages[identity]["source"])
    return sorted(chosen, key=key)


def check():
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    packages = [package for package in metadata("--all-features")["packages"] if package["source"]]
    problems = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if not permits(package["license"] or "", allowed):
            problems.append(f"{name}: its licence is not allowed by deny.toml: {package['license']}")
        if not checksums().get(key(package)):
            problems.append(f"{name}: has no checksum in Cargo.lock, so it is not of a registry: {package['source']}")
    print(*problems, f"{len(packages)} crates, {len(problems)} problems", sep="\n")
    return not problems


def list_linked():
    _, packages, _, linked = graph()
    for package in foreign(packages, linked):
        print(f"{package['name']} {package['version']}\t{package['license']}")


def texts():
    _, packages, _, linked = graph()
    of_text = {}
    for package in foreign(packages, linked):
        folder = pathlib.Path(package["manifest_path"]).parent
        files = sorted(path for path in folder.iterdir() if path.is_file() and IS_LICENCE.match(path.name))
        name = f"{package['name']} {package['version']} ({package['license']})"
        if not files:
            place = f"The package has no text of it. Repository: {package['repository']}"
            of_text.setdefault(place, []).append(f"{name}, by {', '.join(package['authors'])}")
        for path in files:
            of_text.setdefault(path.read_text(errors="replace").strip(), []).append(name)
    print("The library has code of these crates in it, and of Rust's standard library (MIT OR Apache-2.0).")
    for text, names in of_text.items():
        print("\n" + "=" * 80, *dict.fromkeys(names), "-" * 80, text, sep="\n")


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, linked):
    made = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "scope": "required" if package["id"] in linked else "excluded",
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        "purl": purl(package),
    }
    checksum = checksums().get(key(package))
    if checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return made


def sbom():
    root, packages, needs, linked = graph()
    others = sorted((packages[identity] for identity in needs if identity != root), key=purl)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(packages[root], linked)},
        "components": [component(package, linked) for package in others],
        "dependencies": [
            {"ref": purl(packages[identity]), "dependsOn": sorted(purl(packages[need]) for need in needs[identity])}
            for identity in sorted(needs, key=lambda identity: purl(packages[identity]))
        ],
    }
    print(json.dumps(document, indent=2))


def main():
    verbs = {"check": check, "list": list_linked, "texts": texts, "sbom": sbom}
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    if doctest.testmod().failed or verbs[sys.argv[1]]() is False:
        sys.exit(1)


main()
