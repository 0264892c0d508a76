# What the scripts share. Sourced from the repository's root.
# shellcheck shell=bash

# The Python tools' home, and their commands on the path after ours.
venv=${FIELDPOST_VENV:-$PWD/target/test-venv}
export FIELDPOST_VENV=$venv
# The specifications of Markdown, as folders that hold a spec.txt.
specs=${FIELDPOST_SPECS:-$PWD/target/specs}
export FIELDPOST_SPECS=$specs
export PATH=$PATH:$venv/bin:/usr/sbin

step() {
    printf '\n== %s\n' "$*" >&2
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Runs a command that depends on the network up to three times.
retry() {
    local try
    for try in 1 2 3; do
        "$@" && return
        printf 'try %s of 3 failed: %s\n' "$try" "$*" >&2
        sleep $((try * 5))
    done
    return 1
}
