#!/bin/sh
# Install Debian packages, as root or by sudo without a password.
# usage: install.sh WHO HINT PACKAGE …   WHO needs them; HINT says what to do where that is not possible.
set -eu

who="$1"
hint="$2"
shift 2

if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  as_root="sudo"
else
  as_root="none"
fi

if [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "$hint" >&2
  exit 1
fi

echo "Installing for $who: $* ..."
# An old index names versions that are no longer there.
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
