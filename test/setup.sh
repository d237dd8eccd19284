#!/bin/sh
# Installs this project's packages as pinned by the lock file, once: with them comes the Node 24 that all npm scripts run on.
# Runs again by itself whenever the lock file changes. Not "npm ci": that refuses a lock file made where the registry does
# not offer the packages of other platforms.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.installed-lock
if ! cmp -s package-lock.json "$stamp"; then
  echo "Installing the packages of package-lock.json ..."
  npm install --no-save --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi
