#!/usr/bin/env bash
# The plugin's tests, in the Python that QGIS brings. Installs QGIS where it may (Debian, root); says loudly when it cannot,
# and fails then if CI is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
venv=.venv-qgis

python_with_qgis() {
    for python in "${QGIS_PYTHON:-}" /usr/bin/python3 python3; do
        if [ -n "$python" ] && "$python" -c "import qgis.core" 2>/dev/null; then
            echo "$python"
            return
        fi
    done
}

install_qgis() {
    echo "QGIS is not here: installing it from Debian's packages (about 2 minutes) ..."
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update && apt-get -qq install -y --no-install-recommends \
        qgis python3-qgis xvfb xauth libopenblas0-pthread python3-venv >/dev/null
}

python=$(python_with_qgis)
if [ -z "$python" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install_qgis || true
    python=$(python_with_qgis)
fi
if [ -z "$python" ]; then
    echo
    echo "******************************************************************************"
    echo "  QGIS IS NOT INSTALLED AND CANNOT BE INSTALLED HERE: the plugin is NOT TESTED."
    echo "  Install QGIS 3.22 or newer with its Python, or name one in QGIS_PYTHON."
    echo "******************************************************************************"
    echo
    [ -z "${CI:-}" ] || exit 1
    exit 0
fi

if ! "$venv/bin/python" -c "import qgis.core, pytest_qgis, PIL" 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv --system-site-packages "$venv"
    "$venv/bin/python" -m pip --disable-pip-version-check install --quiet pytest pytest-qgis pillow
fi
XDG_RUNTIME_DIR=$(mktemp -d)
trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
export XDG_RUNTIME_DIR QT_QPA_PLATFORM=offscreen
"$venv/bin/python" -m pytest -c tests/qgis/pytest.ini tests/qgis "$@"
