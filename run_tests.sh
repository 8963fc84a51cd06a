#!/usr/bin/env bash
# Runs the tests; ./run_tests.sh --help says how. It builds the command with Bazel and becomes `pgcell run "$@"`, or
# `pgcell "$@"` where the first word is another command of pgcell's: compare, doctor, exec, explain, gc, timings,
# ci-matrix.
set -euo pipefail

export PGCELL_CALLED_AS=$0          # for lines to copy
export BUILD_WORKING_DIRECTORY=$PWD # where paths on the command line start
if [[ ${BASH_SOURCE[0]} == */* ]]; then cd -- "${BASH_SOURCE[0]%/*}/"; fi
export BUILD_WORKSPACE_DIRECTORY=$PWD
export PGCELL_BAZEL=$PWD/tools/bazel

# Built commands are kept by the digest of all that they can be built from. So a warm run calls Bazel once, for the
# tests alone, and no run ever takes a command that is not of its source.
sum=(sha256sum)
type sha256sum >/dev/null 2>&1 || sum=(shasum -a 256) # macOS
# source_digest sets digest to what names them.
source_digest() {
  digest=$(find tools MODULE.bazel go.mod go.sum .bazelrc .bazelversion -type f -exec "${sum[@]}" {} + |
    LC_ALL=C sort | "${sum[@]}")
  digest=$OSTYPE-$HOSTTYPE-${digest:0:32}
}

# cache_flags sets flags to those of the user's flags for Bazel that say where results are cached: they hold for the
# command as well.
cache_flags() {
  flags=()
  while (($#)) && [[ $1 != -- ]]; do shift; done
  local flag
  for flag; do
    case $flag in
      --config=remote-cache | --remote_*=* | --disk_cache=* | --tls_*=* | --google_*=* | --credential_helper=*) flags+=("$flag") ;;
    esac
  done
}

# build sets command to the newly built binary, or to a copy of it that later runs find. Its arguments are the script's.
build() {
  local script words=('') binary flags
  cache_flags "$@"
  echo 'run_tests.sh: building the command, for its source is new here' >&2
  script=$(mktemp)
  if ! "$PGCELL_BAZEL" run --script_path="$script" --ui_event_filters=-info --show_result=0 \
    --show_progress_rate_limit=5 ${flags[@]+"${flags[@]}"} //tools/cmd/pgcell >&2; then
    rm -f "$script"
    echo 'run_tests.sh: the command cannot be built: the reason is above' >&2
    exit 4
  fi
  # Its last line is the quoted path of the binary, and "$@".
  eval "words=($(tail -n 1 "$script"))"
  rm -f "$script"
  binary=${words[0]}

  # Sources that changed during the build, or a cache directory that cannot be written to: this once, without a copy.
  source_digest
  if [[ $digest == "${command##*/}" ]] && mkdir -p "${command%/*}" 2>/dev/null &&
    cp "$binary" "$command.$$" 2>/dev/null && mv -f "$command.$$" "$command"; then
    find "${command%/*}" -type f -mtime +30 -delete
  else
    command=$binary
  fi
}

source_digest
command=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/pgcell/command/$digest
[[ -x $command ]] || build "$@"
case ${1-} in
  compare | doctor | explain | gc | timings | ci-matrix) exec "$command" "$@" ;;
  exec)
    # What it runs starts where the user is, and knows nothing of this script.
    cd -- "$BUILD_WORKING_DIRECTORY"
    unset BUILD_WORKING_DIRECTORY BUILD_WORKSPACE_DIRECTORY
    exec "$command" "$@"
    ;;
  *) exec "$command" run "$@" ;;
esac
