#!/bin/sh
# Explore the model of ends. The design must keep its promises in every state. In each design that was
# broken on purpose, a broken promise must be found. With "stories", also print how it was broken.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
stories=${1:-}

mutations="NO_LEASE NO_SECOND_CHECK INDEX_ONLY_ENDS NO_EPOCH_AT_LOAD RECEIPT_OF_NOBODY
  EARLY_ACKNOWLEDGEMENT"
further_mutations="NO_EPOCH_AT_SIGN_IN NO_EPOCH_AT_SAVE NO_COMPARISON_AFTER_HOLD
  NO_COMPARISON_AFTER_LOSS RECEIPT_OF_SOME DROP_WITHOUT_COMPARISON"

install_tools() {
  if command -v spin >/dev/null 2>&1 && command -v gcc >/dev/null 2>&1; then return 0; fi
  as_root="none"
  if [ "$(id -u)" = 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo"
  fi
  if [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The model needs Spin and gcc. Install them (Debian: apt-get install spin gcc libc6-dev, macOS: brew install spin) and run make model again." >&2
    exit 1
  fi
  echo "Installing for the model: spin gcc ..."
  # An old index names versions that are no longer there.
  $as_root apt-get update -qq
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends spin gcc libc6-dev
}

# Each design is explored in its own folder. Spin writes the program pan, which explores.
explore() { # name, options for Spin, options for gcc
  mkdir "$work/$1"
  cd "$work/$1"
  # shellcheck disable=SC2086 # the options are words
  spin $2 -a "$here/ends.pml" >spin.log || { cat spin.log >&2; exit 1; }
  # shellcheck disable=SC2086
  nice -n 10 gcc -w -DSAFETY -DNOREDUCE $3 -o pan pan.c
  nice -n 10 ./pan -m100000 -w24 >found
}

# Breadth first, so the story is one of the shortest.
find_broken_promise() { # name, definition for Spin
  explore "$1" "-D$2" "-O1 -DBFS"
  grep -q 'errors: 1$' found || return 1
  spin -T "-D$2" -t -k ends.pml.trail "$here/ends.pml" | sed '/^spin:/,$d' >story
  grep -q '^BROKEN: ' story
}

explore_design() {
  # Without merged statements (-o3), each one that is never reached is reported.
  explore design "-o3 -DSTEP=atomic" -O2
  # In a design that holds, no assertion fails. No process ever ends.
  never_reached=$(grep ', state [0-9]' found | grep -v -e BROKEN -e '"assert(0)"' -e '"-end-"' || true)
  if ! grep -q 'errors: 0$' found; then
    find_broken_promise design-breadth-first STEP=d_step
    fail "BROKEN"
    cat story
  elif grep -q 'Search not completed' found; then
    fail "NOT EXPLORED TO THE END"
  elif [ -n "$never_reached" ]; then
    fail "NEVER REACHED: $never_reached"
  else
    report "no promise is broken in any state"
  fi
}

explore_mutation() { # name
  find_broken_promise "$1" "$1" || { fail "NOT FOUND"; return 0; }
  report "found: $(sed -n 's/^BROKEN: //p' story)"
  if [ "$stories" = stories ]; then sed 's/^/    /' story; fi
}

report() { # result
  printf '%-25s %8s states %6s s  %s\n' "$(basename "$PWD")" \
    "$(awk '/states, stored$/ {print $1}' found)" \
    "$(awk '/elapsed time/ {print $4}' found)" "$1"
}

fail() { # result
  report "$1"
  failed=yes
}

install_tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=""
explore_design
for mutation in $mutations $further_mutations; do explore_mutation "$mutation"; done
[ -z "$failed" ]
