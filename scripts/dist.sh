#!/usr/bin/env bash
# Makes the source archive of a release for PGXN, dist/pg_session_jwt-VERSION.zip: `make dist`.
#
#   scripts/dist.sh [COMMIT]        default: HEAD
#
# The archive contains the files of the commit except those that .gitattributes excludes.

. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

cd "$ROOT"
commit=${1:-HEAD}
"$ROOT/scripts/check-meta.py"
"$ROOT/scripts/check-versions.sh"
name=$EXTENSION-$(git show "$commit:META.json" | jq -r .version)
mkdir -p dist
git archive --format=zip --prefix="$name/" --output="dist/$name.zip" "$commit"
# The archive must contain the files that META.json names.
listed=$(python3 -m zipfile --list "dist/$name.zip" | cut -d' ' -f1)
for file in META.json LICENSE Makefile $(git show "$commit:META.json" | jq -r '.provides[] | .file, .docfile // empty'); do
    grep -qxF "$name/$file" <<<"$listed" || die "$file is not in the archive"
done
say "dist/$name.zip: $(grep -c '[^/]$' <<<"$listed") files"
