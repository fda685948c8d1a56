#!/bin/sh
# Make sure that the browser tests find a Chromium. Does nothing when there is one.
set -eu

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done

for app in "Google Chrome" "Chromium"; do
  for folder in /Applications "$HOME/Applications"; do
    if [ -x "$folder/$app.app/Contents/MacOS/$app" ]; then exit 0; fi
  done
done

if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  as_root="sudo"
else
  as_root="none"
fi

if [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "The browser tests need Chromium: install it (Debian: apt-get install chromium, macOS: brew install --cask google-chrome) and run make test again." >&2
  exit 1
fi

echo "Installing Chromium for the browser tests ..."
# An old index names versions that are no longer there.
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
