#!/bin/sh
# Make sure that `make bench` finds wrk, which puts the load on. Does nothing when it is there.
set -eu

if command -v wrk >/dev/null 2>&1; then exit 0; fi
sh tests/support/running/install.sh "the bench" \
  "The bench needs wrk. Install it (Debian: apt-get install wrk, macOS: brew install wrk) and run make bench again." \
  wrk
