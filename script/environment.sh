# Sourced by the other scripts: a virtual environment with what requirements/ pins, made once and renewed when they change.
# Needs Python 3.11 or newer and pip's access to its packages; on Debian as root it installs python3-venv where it is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
  local candidate
  for candidate in python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "tenure needs Python 3.11 or newer; none of python3.13, python3.12, python3.11, python3 is" >&2
  exit 2
}

# environment NAME: "runtime" or "dev"; ends with the environment's bin folder first in PATH.
environment() {
  local wanted="$1" venv="${TENURE_VENV:-.venv}" python stamp
  python="$(find_python)"
  stamp="$wanted $(cat requirements/build.txt "requirements/$wanted.txt" pyproject.toml | sha256sum | cut -d' ' -f1)"
  if [ "$(cat "$venv/tenure-$wanted" 2>/dev/null)" != "$stamp" ]; then
    if [ ! -x "$venv/bin/python" ] && ! "$python" -m venv "$venv" 2>/dev/null; then
      if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null
      fi
      "$python" -m venv "$venv"
    fi
    echo "setting up $venv from requirements/$wanted.txt ..." >&2
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r requirements/build.txt -r "requirements/$wanted.txt"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    echo "$stamp" >"$venv/tenure-$wanted"
  fi
  PATH="$(cd "$venv/bin" && pwd):$PATH"
  export PATH
}
