# Runs a command inside the root. Sourced after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by tools/bazel, or by a file sourced before

# host_go sets goroot and go_caches from the host's Go (1.21 or newer: such a Go fetches the version that go.mod asks
# for by itself); leaves goroot empty where there is none.
host_go() {
  local version rest cache1 cache2
  goroot='' go_caches=()
  type -P go >/dev/null || return 0
  { read -r version && read -r rest && read -r cache1 && read -r cache2; } < <(
    cd "$workspace" && go env GOVERSION GOROOT GOMODCACHE GOCACHE
  ) || return 0
  version=${version#go1.}
  [[ ${version%%[!0-9]*} -ge 21 ]] || return 0
  goroot=$rest go_caches=("$cache1" "$cache2")
}

# project_dir prints the nearest directory upwards of $PWD that marks a Bazel workspace, or $PWD.
project_dir() {
  local dir=$PWD marker
  while [[ -n $dir ]]; do
    for marker in MODULE.bazel REPO.bazel WORKSPACE.bazel WORKSPACE; do
      if [[ -f $dir/$marker ]]; then
        printf '%s\n' "$dir"
        return
      fi
    done
    dir=${dir%/*}
  done
  printf '%s\n' "$PWD"
}

# ensure_modules sets modules, the directory with the module overrides, and makes it if it is not there. COMMAND...
# is what runs a program where Go is on PATH: enter_root and the root, or nothing.
ensure_modules() {
  shopt -s globstar nullglob
  digest "$(cat "$closednet"/modules.sh "$closednet"/standins/**/*.*)"
  modules=$cache/modules-$digest
  [[ -e $modules/bazelrc ]] || with_lock "$modules.lock" build_modules "$@"
}

build_modules() {
  [[ ! -e $modules/bazelrc ]] || return 0
  say "the Bazel registry cannot be reached: fetching rules_go and Gazelle as Go modules into $modules"
  rm -rf "$modules.tmp"
  mkdir "$modules.tmp"
  ("$@" bash "$closednet/modules.sh" "$modules.tmp" "$modules") || exit 1
  mv -T "$modules.tmp" "$modules"
}

# share MODE PATH [TARGET] adds PATH, if there is such a one, to what a command inside the root sees; MODE as in
# enter.sh. A directory within a writable one is there with it.
share() {
  local i
  [[ -n $2 && -e $2 ]] || return 0
  for ((i = 0; i < ${#shared[@]}; i += 3)); do
    [[ $1 != rw || ${shared[i]} != rw || $2/ != "${shared[i + 1]}"/* ]] || return 0
  done
  shared+=("$1" "$2" "${3:-$2}")
}

# share_all sets shared: all that a command inside the root sees of the host.
share_all() {
  local path
  shared=()
  for path in /dev /proc /sys /tmp "${TMPDIR:-}" "$HOME" "$cache" "${go_caches[@]}" "$workspace" "$(project_dir)"; do
    share rw "$path"
  done
  # Debian's Go has half of its files in /usr/share.
  for path in /etc/passwd /etc/group /etc/hosts /etc/resolv.conf /etc/ssl/certs "$goroot" \
    ${goroot:+"/usr/share/${goroot##*/}"}; do
    share ro "$path"
  done
  [[ -z ${modules:-} ]] || share ro "$modules/bazelrc" /etc/bazel/closednet.bazelrc
  share_npm
}

# share_npm adds the host's node and npm (postgres.npm fetches with them) and sets node_path, where they are.
share_npm() {
  local node npm real_node cli
  node_path=''
  node=$(type -P node) && npm=$(type -P npm) || return 0
  { read -r real_node && read -r cli; } < <(readlink -f "$node" "$npm") || return 0
  # Else it is not the layout that npm itself installs.
  [[ $cli == */npm/bin/* ]] || return 0
  share ro "$real_node"
  share ro "${cli%/npm/bin/*}"
  [[ $node == "$real_node" ]] || shared+=(ln "$real_node" "$node")
  [[ $npm == "$cli" ]] || shared+=(ln "$cli" "$npm")
  share ro /usr/etc/npmrc
  share ro "${NPM_CONFIG_GLOBALCONFIG:-}"
  share ro "${NODE_EXTRA_CA_CERTS:-}"
  node_path=:${node%/*}:${npm%/*}
}

# enter_root ROOT COMMAND... becomes COMMAND inside ROOT, with the caller's directory, environment and rights.
enter_root() {
  local root=$1 shared node_path unshare uid='' gid='' flags=(--mount)
  shift
  share_all
  if [[ $EUID != 0 ]]; then
    uid=$EUID gid=$(id -g) flags=(--user --map-root-user --mount)
  fi
  unshare=$(type -P unshare) || die "enter the root $root: no unshare(1) on PATH; install util-linux"
  PATH=${goroot:-/usr/lib/go-1.26}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin$node_path \
    exec "$unshare" "${flags[@]}" -- "$BASH" "$closednet/enter.sh" "$root" "$uid" "$gid" "${shared[@]}" -- "$@"
}
