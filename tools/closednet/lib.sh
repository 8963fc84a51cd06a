# Shared by tools/bazel and the scripts beside this file; source it, don't run it.
# shellcheck shell=bash
# shellcheck disable=SC2034 # cache and found are for the scripts that source this one

# say prints one line of progress; die prints an error, its remedy included, and ends with exit code 1.
say() { printf 'tools/bazel: %s\n' "$*" >&2; }
die() {
  printf 'tools/bazel: error: %s\n' "$*" >&2
  exit 1
}

# closednet_cache sets cache to the directory that holds all that these scripts make.
closednet_cache() {
  local base=${XDG_CACHE_HOME:-}
  if [[ -z $base ]]; then
    [[ -n ${HOME:-} ]] || die 'find a cache directory: neither HOME nor XDG_CACHE_HOME is set; set HOME'
    base=$HOME/.cache
  fi
  cache=$base/pgcell/closednet
}

# on_path sets found to the path of program $1, or to nothing. Unlike $(type -P) it starts no process.
on_path() {
  local dir dirs
  found=''
  IFS=: read -ra dirs <<<"$PATH"
  for dir in "${dirs[@]}"; do
    if [[ -f $dir/$1 && -x $dir/$1 ]]; then
      found=$dir/$1
      return
    fi
  done
}

# digest sets digest to 12 hex digits that name the text $1.
digest() {
  digest=$(printf '%s\n' "$1" | sha256sum)
  digest=${digest:0:12}
}

# with_lock FILE COMMAND... runs COMMAND while holding FILE; a second caller waits and says so. What COMMAND starts
# holds it too: should this shell be killed, the lock is free only when they have ended as well.
with_lock() {
  local file=$1
  shift
  exec 9>"$file" || die "open the lock $file: make its directory writable"
  if ! flock --nonblock 9; then
    say "another call is making it ready; waiting for it (lock: $file)"
    flock 9
  fi
  "$@"
  exec 9>&-
}
