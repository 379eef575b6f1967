#!/usr/bin/env bash
# Makes the source archive of a release, as PGXN takes it: `make dist`. It is dist/pg_session_jwt-VERSION.zip afterwards.
#
#   scripts/dist.sh [COMMIT]        default: HEAD
#
# What is in it is what git has, but for what .gitattributes leaves out: never a file that merely lies here.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

cd "$ROOT"
commit=${1:-HEAD}
"$ROOT/scripts/check-meta.py"
"$ROOT/scripts/check-versions.sh"
name=$EXTENSION-$(git show "$commit:META.json" | jq -r .version)
mkdir -p dist
git archive --format=zip --prefix="$name/" --output="dist/$name.zip" "$commit"
# What META.json promises must be in it.
listed=$(python3 -m zipfile --list "dist/$name.zip" | cut -d' ' -f1)
for file in META.json LICENSE Makefile $(git show "$commit:META.json" | jq -r '.provides[] | .file, .docfile // empty'); do
    grep -qxF "$name/$file" <<<"$listed" || die "$file is not in the archive"
done
say "dist/$name.zip: $(grep -c '[^/]$' <<<"$listed") files"
