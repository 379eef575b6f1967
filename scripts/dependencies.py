#!/usr/bin/env python3
"""Lists the crates of the library or the gateway, for packages and releases. cargo-deny checks their licences and sources.

Usage: scripts/dependencies.py VERB [PACKAGE], where PACKAGE is pg_session_jwt (the default) or pg_session_jwt_gateway, and VERB
is one of:
list    the crates that are linked into it, with their licences
texts   the texts of those licences, which every package contains
sbom    the crates that are linked into it or that build it, as a CycloneDX 1.5 document

Written by hand: cargo-about and cargo-cyclonedx read `cargo metadata`, which resolves weak features and so lists crates
that are never built (ring, for one).
"""

import functools
import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
IS_LICENCE = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)
# The crates are the same for each PostgreSQL major.
ONE_MAJOR = ["--no-default-features", "--features=pg17"]
FEATURES = {"pg_session_jwt": ONE_MAJOR, "pg_session_jwt_gateway": []}


def key(package):
    return package["name"], package["version"]


def metadata(*features):
    command = ["cargo", "metadata", "--locked", "--format-version=1", *features]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def tree(name, edges):
    """Returns the crates that cargo builds for a package."""
    options = f"--locked --package={name} --edges={edges} --prefix=none --no-dedupe --format={{p}}"
    command = ["cargo", "tree", *options.split(), *FEATURES[name]]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {(words[0], words[1].removeprefix("v")) for words in map(str.split, lines)}


def graph(name):
    """Returns the package's own id, its packages by id, the ids that each of them depends on, and the linked ids."""
    found = metadata(*ONE_MAJOR)
    linked, used = tree(name, "normal,no-proc-macro"), tree(name, "normal,build")
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
    root = next(identity for identity, package in packages.items() if package["name"] == name)
    return root, packages, needs, linked


@functools.cache
def checksums():
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {key(package): package.get("checksum") for package in locked}


def foreign(packages, identities):
    """Returns the packages of other projects, sorted."""
    chosen = (packages[identity] for identity in identities if packages[identity]["source"])
    return sorted(chosen, key=key)


def list_linked(name):
    _, packages, _, linked = graph(name)
    for package in foreign(packages, linked):
        print(f"{package['name']} {package['version']}\t{package['license']}")


def texts(name):
    _, packages, _, linked = graph(name)
    of_text = {}
    for package in foreign(packages, linked):
        directory = pathlib.Path(package["manifest_path"]).parent
        files = sorted(path for path in directory.iterdir() if path.is_file() and IS_LICENCE.match(path.name))
        crate = f"{package['name']} {package['version']} ({package['license']})"
        if not files:
            instead = f"The package does not contain the text. Repository: {package['repository']}"
            of_text.setdefault(instead, []).append(f"{crate}, by {', '.join(package['authors'])}")
        for path in files:
            of_text.setdefault(path.read_text(errors="replace").strip(), []).append(crate)
    print(f"{name} contains code of these crates and of Rust's standard library (MIT OR Apache-2.0).")
    for text, crates in of_text.items():
        print("\n" + "=" * 80, *dict.fromkeys(crates), "-" * 80, text, sep="\n")


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


def sbom(name):
    root, packages, needs, linked = graph(name)
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
    verbs = {"list": list_linked, "texts": texts, "sbom": sbom}
    match sys.argv[1:]:
        case [verb] if verb in verbs:
            verbs[verb]("pg_session_jwt")
        case [verb, name] if verb in verbs and name in FEATURES:
            verbs[verb](name)
        case _:
            sys.exit(__doc__)


main()
