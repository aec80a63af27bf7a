# Sourced by the other scripts: makes .venv and installs what is asked for. It only ever adds to .venv.
#   . scripts/env.sh demo|dev      afterwards $VENV/bin holds python, jishi and the tools
# Everything printed here goes to stderr: stdout belongs to the command's own answer.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
cd "$ROOT"

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local name
  for name in ${JISHI_PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$name"; return; fi
  done
  say "jishi needs Python 3.11 or newer: install it, or name one with JISHI_PYTHON=/path/to/python"
  return 1
}

install() {
  local what=$1 lock=requirements/$1.txt python
  if [ ! -x "$VENV/bin/pip" ]; then
    python=$(find_python)
    say "making .venv with $python"
    "$python" -m venv "$VENV" >&2 || {
      say "this Python cannot make virtual environments: on Debian and Ubuntu install the package python3-venv"; return 1; }
  fi
  if [ "$(cat "$VENV/jishi-$what.lock" 2>/dev/null)" != "$(sha256sum <"$lock")" ]; then
    say "installing $what packages from $lock (about a minute, once)"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock" >&2
    sha256sum <"$lock" >"$VENV/jishi-$what.lock"
    # the dev lock holds all of the demo lock, in the same versions
    if [ "$what" = dev ]; then sha256sum <requirements/demo.txt >"$VENV/jishi-demo.lock"; fi
  fi
  if [ "$(cat "$VENV/jishi-project" 2>/dev/null)" != "$ROOT $(sha256sum <pyproject.toml)" ]; then
    "$VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >&2
    echo "$ROOT $(sha256sum <pyproject.toml)" >"$VENV/jishi-project"
  fi
}

locked_install() {
  if [ ! -w "$ROOT" ]; then
    say "$ROOT cannot be written by $(id -un): clone the project into a folder of your own and run it there"; return 1
  fi
  # two scripts started at once must not install over each other
  if command -v flock >/dev/null; then
    exec 9>"$ROOT/.venv.lock"; flock 9; install "$1"; exec 9>&-
  else install "$1"; fi
}
