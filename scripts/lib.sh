# What the scripts share. Sourced from the repository's root.
# shellcheck shell=bash

# The Python tools' home, and their commands on the path after ours.
venv=${FIELDPOST_VENV:-$PWD/target/test-venv}
export FIELDPOST_VENV=$venv
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

# The Node tools' home.
export FIELDPOST_NODE=${FIELDPOST_NODE:-$PWD/target/test-node}

# Ends the script named $1 as tests read it (exit code 3): it needs $2.
missing() {
    printf '%s: missing: %s; run scripts/install-test-tools first\n' "$1" "$2" >&2
    exit 3
}

# Goes on only with the packages of scripts/browser.
need_node() {
    command -v node >/dev/null || missing "$1" node
    [ -d "$FIELDPOST_NODE/node_modules/playwright-core" ] || missing "$1" "the packages of scripts/browser in $FIELDPOST_NODE"
}

# Goes on only with those and a Chromium: FIELDPOST_CHROMIUM, or the one on the path.
need_browser() {
    need_node "$1"
    FIELDPOST_CHROMIUM=${FIELDPOST_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
    [ -n "$FIELDPOST_CHROMIUM" ] || missing "$1" chromium
    export FIELDPOST_CHROMIUM
}
