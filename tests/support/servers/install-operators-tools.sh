#!/bin/sh
# Make sure that the tests find promtool, which checks the alerts, and on Linux systemd-analyze, which
# checks the unit. Does nothing when they are there.
set -eu

PATH="$PATH:/usr/local/bin:/opt/homebrew/bin"
missing=""
command -v promtool >/dev/null 2>&1 || missing="prometheus"
if [ "$(uname)" = Linux ]; then
  command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
fi
if [ -z "$missing" ]; then exit 0; fi

# Debian would start the server that comes with promtool at once, on port 9090.
# shellcheck disable=SC2086 # the names are words of ours
RUNLEVEL=1 sh tests/support/running/install.sh "the tests of what operators get" \
  "Some tests need promtool of Prometheus, and systemd-analyze on Linux. Install them (Debian: apt-get install prometheus systemd, macOS: brew install prometheus) and run make test again." \
  $missing
