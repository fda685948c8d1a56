#!/bin/sh
# Make sure that the tests find nginx, HAProxy and Caddy. Does nothing when all are there.
set -eu

PATH="$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
missing=""
for name in nginx haproxy caddy; do
  command -v "$name" >/dev/null 2>&1 || missing="$missing $name"
done
if [ -z "$missing" ]; then exit 0; fi

# Debian would start them at once, on port 80.
packages=$(echo "$missing" | sed 's/nginx/nginx-light/')
# shellcheck disable=SC2086 # the names are words of ours
RUNLEVEL=1 sh tests/support/running/install.sh "the tests behind balancers" \
  "Some tests need nginx, HAProxy and Caddy; missing:$missing. Install them (Debian: apt-get install nginx-light haproxy caddy, macOS: brew install nginx haproxy caddy) and run make test again." \
  $packages
