#!/bin/sh
# Make sure that the browser tests find a Chromium and a Firefox. Does nothing when both are there.
set -eu

has_one_of() { # names of programs
  for name in "$@"; do
    if command -v "$name" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

has_app() { # names of applications on a Mac, with the program inside
  for app in "$@"; do
    for folder in /Applications "$HOME/Applications"; do
      if [ -x "$folder/$app" ]; then return 0; fi
    done
  done
  return 1
}

missing=""
has_one_of chromium chromium-browser google-chrome google-chrome-stable ||
  has_app "Google Chrome.app/Contents/MacOS/Google Chrome" "Chromium.app/Contents/MacOS/Chromium" ||
  missing="chromium"
has_one_of firefox-esr firefox || has_app "Firefox.app/Contents/MacOS/firefox" ||
  missing="$missing firefox-esr"

if [ -z "$missing" ]; then exit 0; fi

# shellcheck disable=SC2086 # the names are words of ours
sh tests/support/running/install.sh "the browser tests" \
  "The browser tests need Chromium and Firefox; missing: $missing. Install them (Debian: apt-get install chromium firefox-esr, macOS: brew install --cask google-chrome firefox) and run make test again." \
  $missing
