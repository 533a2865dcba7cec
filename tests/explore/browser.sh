#!/usr/bin/env bash
# The explorer's page in real Chromium. Installs it where it may (Debian, root); says loudly when it cannot, and fails then
# if CI is set. The argument is the Python to run the tests with.
set -euo pipefail
python=$1
shift
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

chromium() {
    [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null
}

if ! chromium && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Chromium is not here: installing it from Debian's packages ..."
    export DEBIAN_FRONTEND=noninteractive
    (apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null) || true
fi
if ! chromium; then
    echo
    echo "******************************************************************************"
    echo "  CHROMIUM IS NOT INSTALLED AND CANNOT BE INSTALLED HERE: the page is NOT TESTED."
    echo "  Install it, or name one in CHROMIUM."
    echo "******************************************************************************"
    echo
    [ -z "${CI:-}" ] || exit 1
    exit 0
fi
GEOCONCEPT_BROWSER=1 "$python" -m pytest tests/explore/test_browser.py "$@"
