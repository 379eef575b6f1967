# shellcheck shell=bash
# Finds the browser of the example's test, a Chromium of the system. Sourced.

# Prints the path of the program; fails if there is none.
find_chromium() {
    local name
    for name in chromium google-chrome google-chrome-stable; do
        if type -P "$name"; then return 0; fi
    done
    return 1
}
