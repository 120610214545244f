# The environment that every script works in: a Python that is new enough, a virtual environment, and exactly the
# locked packages. Sourced, from the root of the checkout. Nothing is installed that requirements/*.txt does not name
# by hash; the second time nothing is installed at all.

if [ -t 2 ]; then ARROW=$'\033[2m▸\033[0m'; else ARROW=▸; fi
say() { printf '%s %s\n' "$ARROW" "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# Succeeds when this command is a Python 3.11 or newer that really runs: a version manager's shim may exist and fail.
works() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# Prints the Python to use: $PLIMSOLL_PYTHON, else the newest on PATH that works.
find_python() {
  local candidate
  if [ -n "${PLIMSOLL_PYTHON:-}" ]; then
    works "$PLIMSOLL_PYTHON" || die "PLIMSOLL_PYTHON=$PLIMSOLL_PYTHON is no working Python 3.11 or newer."
    echo "$PLIMSOLL_PYTHON"
    return
  fi
  for candidate in python3.14 python3.13 python3.12 python3.11 python3 python; do
    if works "$candidate"; then command -v "$candidate"; return; fi
  done
  die "Python 3.11 or newer is needed and none on PATH works. Name one with PLIMSOLL_PYTHON=/path/to/python3."
}

# Prints "3.12" and so on.
minor_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# make_venv VENV PYTHON: unless it is there already. A folder that no longer works (a moved checkout) is made anew.
make_venv() {
  local venv=$1 python=$2 output
  if works "$venv/bin/python" && [ -x "$venv/bin/pip" ]; then return; fi
  say "making $venv with $("$python" --version) ($python)"
  rm -rf "$venv"
  output=$("$python" -m venv "$venv" 2>&1) || {
    rm -rf "$venv"
    die "$output"$'\n'"$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"
  }
}

# stamp VENV FILE...: what an environment is made from.
stamp() {
  local venv=$1 && shift
  { echo "$PWD/$venv" && "$venv/bin/python" -VV && cat pyproject.toml "$@"; } | cksum
}

# install VENV LOCK...: the locked packages and this checkout, unless just that is there.
install() {
  local venv=$1 lock && shift
  local mark
  mark=$venv/plimsoll-$(basename "${!#}").stamp # named for the last lock, the widest
  if [ "$(cat "$mark" 2>/dev/null)" = "$(stamp "$venv" "$@")" ]; then return; fi
  local pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input)
  for lock in "$@"; do
    say "installing $lock: $(grep -c '^[a-zA-Z0-9]' "$lock") packages, by hash, into $venv"
    "${pip[@]}" --require-hashes --no-deps --only-binary :all: --requirement "$lock" || return 1
  done
  say "installing plimsoll from $PWD/app into $venv"
  "${pip[@]}" --no-deps --no-index --no-build-isolation --editable . || return 1
  stamp "$venv" "$@" >"$mark"
}

# ensure_environment run|test: .venv, with what the server needs or with what the tests need as well.
ensure_environment() {
  local python
  if [ -n "${PLIMSOLL_PYTHON:-}" ] || ! works .venv/bin/python; then
    python=$(find_python)
    # Another Python than the one .venv was made with: its packages would not fit.
    if works .venv/bin/python && [ "$(minor_of .venv/bin/python)" != "$(minor_of "$python")" ]; then rm -rf .venv; fi
    make_venv .venv "$python"
  else
    make_venv .venv .venv/bin/python
  fi
  if [ "$1" = test ]; then
    install .venv requirements/build.txt requirements/run.txt requirements/test.txt
    stamp .venv requirements/build.txt requirements/run.txt >.venv/plimsoll-run.txt.stamp # that is there as well now
  else
    install .venv requirements/build.txt requirements/run.txt
  fi
}
