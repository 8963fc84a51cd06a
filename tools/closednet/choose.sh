# Which Bazel serves this machine. Sourced after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by tools/bazel, or by a file sourced before
# shellcheck disable=SC2034 # kind, candidate and registry are for the scripts that source this one

readonly bazelisk_version=v1.30.0
# What MODULE.bazel's bazel_compatibility says, and the newest major version that CI runs.
readonly bazel_oldest=7.4.0 bazel_newest_major=8
# Debian's Bazel brings these, and an /etc/bazel/bazelrc that names them: without, no override replaces a registry.
readonly debian_rules=${PGCELL_DEBIAN_RULES:-/usr/share/bazel/rules}
readonly install_hint='install Bazelisk (https://github.com/bazelbuild/bazelisk) as "bazel" on PATH'

# choose_bazel sets kind (path, bazelisk, root), candidate (the Bazel on PATH, if any), cache and registry (reached,
# unreached). It decides once: what it found stands in the file route of the cache until tools/closednet/setup --redo,
# or until another Bazel is first on PATH.
choose_bazel() {
  kind='' registry='' recorded=''
  closednet_cache
  find_candidate
  if [[ -r $cache/route ]]; then read_route; fi
  if [[ -z $kind || $recorded != "$candidate_key" ]]; then
    mkdir -p "$cache" || die "make the cache directory $cache: make its parent writable, or set XDG_CACHE_HOME"
    with_lock "$cache/route.lock" decide
    read_route
  fi
}

read_route() {
  local name value
  while IFS='=' read -r name value; do
    case $name in
      kind) kind=$value ;;
      registry) registry=$value ;;
      candidate) recorded=$value ;;
    esac
  done <"$cache/route"
}

# find_candidate sets candidate to the first Bazel on PATH that is not this workspace's wrapper, and candidate_key to
# what tells it from another one.
find_candidate() {
  local name dir path dirs
  candidate='' candidate_key=none
  IFS=: read -ra dirs <<<"$PATH"
  for name in bazel bazelisk; do
    for dir in "${dirs[@]}"; do
      path=$dir/$name
      [[ -f $path && -x $path && ! $path -ef $workspace/tools/bazel ]] || continue
      candidate=$path
      candidate_key="$path $(stat -L -c '%Y %s' "$path" 2>/dev/null || stat -L -f '%m %z' "$path")"
      return
    done
  done
}

# decide finds kind and registry and records them. Another call may have done so while this one waited for the lock.
decide() {
  local reason=''
  if [[ -r $cache/route ]]; then
    read_route
    [[ $recorded != "$candidate_key" ]] || return 0
  fi
  kind=''
  if [[ -n $candidate ]]; then judge_candidate; fi
  if [[ -z $kind ]] && command -v go >/dev/null; then
    if reached https://releases.bazel.build/; then
      install_bazelisk && kind=bazelisk
    else
      reason="Bazel's releases cannot be reached"
    fi
  fi
  if [[ -z $kind ]]; then
    is_debian || die "find a Bazel: none that fits on PATH${reason:+, and $reason}; $install_hint"
    kind=root
  fi
  registry=unreached
  if reached https://bcr.bazel.build/bazel_registry.json; then registry=reached; fi
  printf '%s\n' "kind=$kind" "registry=$registry" "candidate=$candidate_key" >"$cache/route.tmp"
  mv "$cache/route.tmp" "$cache/route"
}

# judge_candidate sets kind=path if the Bazel on PATH fits, and says why not if it does not. A Bazelisk may have to
# download Bazel first, hence the patience.
judge_candidate() {
  local text version
  if ! text=$(cd "$workspace" && PGCELL_JUDGING=$candidate timeout 300 "$candidate" --version 2>&1); then
    say "$candidate does not run, looking further: ${text##*$'\n'}"
    return
  fi
  version=$(sed -n 's/^bazel \([0-9][0-9.]*\).*/\1/p' <<<"$text" | head -n1)
  if fits "$version"; then
    kind=path
  else
    say "$candidate is Bazel ${version:-of an unknown version}, not $bazel_oldest or newer within" \
      "$bazel_newest_major.x; looking further"
  fi
}

# fits tells whether version $1 is one this workspace can use.
fits() {
  [[ -n $1 && ${1%%.*} -le $bazel_newest_major ]] &&
    [[ $(printf '%s\n' "$bazel_oldest" "$1" | sort -t. -k1,1n -k2,2n -k3,3n | head -n1) == "$bazel_oldest" ]]
}

# reached tells whether URL $1 answers within a few seconds. PGCELL_NETWORK=open or closed says so without asking.
reached() {
  local host=${1#https://}
  case ${PGCELL_NETWORK:-} in
    open) return 0 ;;
    closed) return 1 ;;
  esac
  if command -v curl >/dev/null; then
    curl --silent --head --output /dev/null --max-time 5 "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --spider --tries=1 --timeout=5 "$1"
  else
    timeout 5 bash -c "exec 3<>/dev/tcp/${host%%/*}/443" 2>/dev/null
  fi
}

install_bazelisk() {
  [[ ! -x $cache/bazelisk-$bazelisk_version ]] || return 0
  say "building Bazelisk $bazelisk_version with Go (once)"
  GOBIN=$cache/bazelisk.tmp go install "github.com/bazelbuild/bazelisk@$bazelisk_version" >&2 ||
    { say "building Bazelisk failed, looking further" && return 1; }
  mv "$cache/bazelisk.tmp/bazelisk" "$cache/bazelisk-$bazelisk_version"
}

# is_debian tells whether this is Debian, Ubuntu or a relative. PGCELL_OS_RELEASE names another file, for tests.
is_debian() {
  grep -qE '^(ID|ID_LIKE)=.*(debian|ubuntu)' "${PGCELL_OS_RELEASE:-/etc/os-release}" 2>/dev/null
}

# write_rc records in the workspace, where .bazelrc imports it, which Bazel is used and the module overrides, if any.
# The root needs no import of them: its own /etc/bazel/bazelrc has it.
write_rc() {
  local file=$workspace/.bazelrc.closednet text old=''
  text="# Written by tools/bazel; tools/closednet/setup --redo decides anew. Bazel registry: $registry, Bazel: $kind."
  [[ -z ${modules:-} || $kind == root ]] || text+=$'\n'"try-import $modules/bazelrc"
  # Not $(<file), which starts a process.
  if [[ -r $file ]]; then IFS= read -rd '' old <"$file" || true; fi
  if [[ $old != "$text"$'\n' ]]; then
    printf '%s\n' "$text" 2>/dev/null >"$file" || true
  fi
}
