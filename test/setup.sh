#!/bin/sh
# Installs this project's packages, once: with them comes the Node 24 that all npm scripts run on.
# Runs again by itself whenever the lock file changes.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.installed-lock
if ! cmp -s package-lock.json "$stamp"; then
  echo "Installing the packages of package-lock.json (npm ci) ..."
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi
