#!/bin/sh
# Make sure that `make bench` finds wrk, which puts the load on. Does nothing when it is there.
set -eu

if command -v wrk >/dev/null 2>&1; then exit 0; fi

if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  as_root="sudo"
else
  as_root="none"
fi

if [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "The bench needs wrk. Install it (Debian: apt-get install wrk, macOS: brew install wrk) and run make bench again." >&2
  exit 1
fi

echo "Installing for the bench: wrk ..."
# An old index names versions that are no longer there.
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk
