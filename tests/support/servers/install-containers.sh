#!/bin/sh
# Make sure that `make containers` finds what builds and runs images. Does nothing when all is there.
set -eu

PATH="$PATH:/usr/sbin:/usr/local/sbin"
missing=""
for name in buildah podman runc mmdebstrap; do
  command -v "$name" >/dev/null 2>&1 || missing="$missing $name"
done
if [ -z "$missing" ]; then exit 0; fi

# shellcheck disable=SC2086 # the names are words of ours
sh tests/support/running/install.sh "make containers" \
  "make containers needs Debian's buildah, podman, runc and mmdebstrap; missing:$missing." $missing
