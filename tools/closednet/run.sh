# Runs a command inside the root. Sourced after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by tools/bazel, or by a file sourced before

# host_go sets goroot and go_caches from the host's Go (1.21 or newer: such a Go fetches the version that go.mod asks
# for by itself); leaves goroot empty where there is none.
host_go() {
  local version rest cache1 cache2
  goroot='' go_caches=()
  on_path go
  [[ -n $found ]] || return 0
  { read -r version && read -r rest && read -r cache1 && read -r cache2; } < <(
    cd "$workspace" && go env GOVERSION GOROOT GOMODCACHE GOCACHE
  ) || return 0
  version=${version#go1.}
  [[ ${version%%[!0-9]*} -ge 21 ]] || return 0
  goroot=$rest go_caches=("$cache1" "$cache2")
}

# find_project sets project to the nearest directory upwards of $PWD that marks a Bazel workspace, or to $PWD.
find_project() {
  local dir=$PWD marker
  project=$PWD
  while [[ -n $dir ]]; do
    for marker in MODULE.bazel REPO.bazel WORKSPACE.bazel WORKSPACE; do
      if [[ -f $dir/$marker ]]; then
        project=$dir
        return
      fi
    done
    dir=${dir%/*}
  done
}

# modules_path sets modules to where the directory with the module overrides is, or is to be.
modules_path() {
  shopt -s globstar nullglob
  # Its files name the directory: one that was moved or copied is not taken for another's.
  digest "$cache $(cat "$closednet"/modules.sh "$closednet"/coverage/{main,report}.go "$closednet"/standins/**/*.*)"
  modules=$cache/modules-$digest
}

# ensure_modules makes the module overrides if they are not there. COMMAND... is what runs a program where Go is on
# PATH: enter_root and the root, or nothing.
ensure_modules() {
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
  [[ -n $2 && -e $2 ]] || return 0
  if [[ $1 != rw ]] || ! is_shared "$2"; then shared+=("$1" "$2" "${3:-$2}"); fi
}

# is_shared tells whether path $1 lies in a directory that is shared as writable.
is_shared() {
  local i
  for ((i = 0; i < ${#shared[@]}; i += 3)); do
    [[ ${shared[i]} != rw || $1/ != "${shared[i + 1]}"/* ]] || return 0
  done
  return 1
}

# share_postgres adds the PostgreSQL that PGCELL_POSTGRES names, and sets postgres to its directory if nothing else shows
# it. PostgreSQL's bin needs the lib and share beside it; Debian's packages have share elsewhere. /usr is the root's own.
share_postgres() {
  local dir real
  postgres=''
  [[ ${PGCELL_POSTGRES:-} == /* && -d $PGCELL_POSTGRES ]] || return 0
  dir=${PGCELL_POSTGRES%/} real=$(cd -P -- "$PGCELL_POSTGRES" && pwd)
  dir=${dir%/bin} real=${real%/bin}
  [[ -n $dir && -n $real && $dir != /usr && $real != /usr ]] || return 0
  if ! is_shared "$real"; then
    share ro "$real"
    postgres=$real
  fi
  [[ $dir == "$real" ]] || is_shared "$dir" || share ro "$dir"
  [[ $real != /usr/lib/postgresql/* ]] || share ro "/usr/share/postgresql/${real##*/}"
  copy_libraries "$real"
}

# copy_libraries copies into the root the libraries that the PostgreSQL in $1 needs and the root lacks: another Debian has
# them by other names. They are not laid there, since a file that is laid leaves an empty one behind, which a program that
# runs without this PostgreSQL would take for the library ("file too short").
copy_libraries() {
  local path paths
  mapfile -t paths < <(ldd "$1"/bin/{postgres,initdb} 2>/dev/null | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u)
  for path in "${paths[@]}"; do
    if [[ $path != "$1"/* && ! -s $root$path ]]; then
      mkdir -p "$root${path%/*}"
      cp -- "$path" "$root$path.$$"
      mv -- "$root$path.$$" "$root$path"
    fi
  done
}

# share_all sets shared: all that a command inside the root sees of the host.
share_all() {
  local path project
  shared=()
  find_project
  for path in /dev /proc /sys /tmp "${TMPDIR:-}" "$HOME" "$cache" "${go_caches[@]}" "$workspace" "$project"; do
    share rw "$path"
  done
  # Debian's Go has half of its files in /usr/share.
  for path in /etc/passwd /etc/group /etc/hosts /etc/resolv.conf /etc/ssl/certs "$goroot" \
    ${goroot:+"/usr/share/${goroot##*/}"}; do
    share ro "$path"
  done
  [[ -z ${modules:-} ]] || share ro "$modules/bazelrc" /etc/bazel/closednet.bazelrc
  share_npm
  share_postgres
}

# host_npm sets real_node and npm_cli to the files behind the host's node and npm, or to nothing.
host_npm() {
  local node
  real_node='' npm_cli=''
  on_path node
  node=$found
  on_path npm
  [[ -n $node && -n $found ]] || return 0
  { read -r real_node && read -r npm_cli; } < <(readlink -f "$node" "$found") || return 0
}

# share_npm adds the host's node and npm (postgres.npm fetches with them) and sets node_path, where they are.
share_npm() {
  local node npm
  node_path=''
  # Else it is not the layout that npm itself installs.
  [[ $npm_cli == */npm/bin/* ]] || return 0
  on_path node
  node=$found
  on_path npm
  npm=$found
  share ro "$real_node"
  share ro "${npm_cli%/npm/bin/*}"
  [[ $node == "$real_node" ]] || shared+=(ln "$real_node" "$node")
  [[ $npm == "$npm_cli" ]] || shared+=(ln "$npm_cli" "$npm")
  share ro /usr/etc/npmrc
  share ro "${NPM_CONFIG_GLOBALCONFIG:-}"
  share ro "${NODE_EXTRA_CA_CERTS:-}"
  node_path=:${node%/*}:${npm%/*}
}

# enter_root ROOT COMMAND... becomes COMMAND inside ROOT, with the caller's directory, environment and rights.
enter_root() {
  local root=$1 shared node_path postgres uid='' gid='' flags=(--mount)
  shift
  share_all
  # A server sees what was there when it began: one that does not see this PostgreSQL is started anew.
  if [[ -n $postgres && $1 == /usr/bin/bazel ]]; then set -- "$1" "--host_jvm_args=-Dpgcell.postgres=$postgres" "${@:2}"; fi
  if [[ $EUID != 0 ]]; then
    uid=$EUID gid=$(id -g) flags=(--user --map-root-user --mount)
  fi
  on_path unshare
  [[ -n $found ]] || die "enter the root $root: no unshare(1) on PATH; install util-linux"
  PATH=${goroot:-/usr/lib/go-1.26}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin$node_path \
    exec "$found" "${flags[@]}" -- "$BASH" "$closednet/enter.sh" "$root" "$facts.mounts" "$uid" "$gid" \
    "${shared[@]}" -- "$@"
}
