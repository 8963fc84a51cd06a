# The root: a directory with a small Debian of its own that holds Bazel. Sourced after lib.sh and choose.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by tools/bazel, or by a file sourced before

# Debian 12's Bazel is too old; testing's asks for a newer C library than Debian 12 has. Hence a root of its own.
readonly root_suite=forky
# Bazel and the rules it ships; mount for enter.sh; certificates and git for what builds fetch; PostgreSQL for tests
# that take the server from the host.
readonly root_packages=(bazel-bootstrap bazel-rules-shell bazel-lib mount ca-certificates git postgresql-18)
# How often dpkg unpacks or sets up a package meanwhile: two steps for each of 345.
readonly root_steps=690
# Where the host has no Go of its own.
readonly root_go=golang-1.26-go

# ensure_root sets root, and goroot and go_caches (host_go), and builds the root if it is not there.
ensure_root() {
  local packages=("${root_packages[@]}") id
  host_go
  [[ -n $goroot ]] || packages+=("$root_go")
  id=$(digest <<<"$root_suite ${packages[*]}")
  root=$cache/root-$id
  [[ -e $root/etc/pgcell-root ]] || with_lock "$root.lock" build_root "$root" "${packages[@]}"
}

# build_root makes the root $1 with the packages that follow, under another name first: a build that was interrupted
# never looks like a finished one.
build_root() {
  local target=$1 new=$1.tmp mirror
  shift
  [[ ! -e $target/etc/pgcell-root ]] || return 0
  need_tools
  mirror=$(debian_mirror /etc/apt)
  say "no Bazel fits this machine: making a root with Debian's one in $target"
  say "this is done once; it takes 2 to 3 minutes and 1.2 GB of disk (mirror: ${mirror:-the default one})"
  rm -rf --one-file-system "$new"
  run_mmdebstrap "$new" "$mirror" "$@" ||
    die "make the root $new with mmdebstrap: $(grep -m1 -E 'error|^E:' "$target.log"); the whole log is $target.log;" \
      "call again to start anew"
  finish_root "$new" "$*"
  mv -T "$new" "$target"
  say "the root is ready (${SECONDS} s)"
}

# run_mmdebstrap makes directory $1 from mirror $2 with the packages that follow. The real root builds in place, in
# namespaces of its own: its mounts and processes end with it. Anybody else has mmdebstrap write an archive.
run_mmdebstrap() {
  local new=$1 mirror=$2 packages log=${1%.tmp}.log
  shift 2
  packages=$(IFS=, && printf '%s' "$*")
  # Files that no build reads are left out by dpkg itself: as --dpkgopt, mmdebstrap would filter the archives in Perl.
  local command=(mmdebstrap --verbose --variant=apt "--include=$packages" --aptopt='Acquire::Check-Valid-Until "false"'
    "--essential-hook=printf '%s\\n' force-unsafe-io 'path-exclude=/usr/share/doc/*' \
      'path-exclude=/usr/share/locale/*' 'path-exclude=/usr/lib/jvm/*/jmods/*' >\"\$1/etc/dpkg/dpkg.cfg.d/pgcell\"")
  : >"$log"
  if [[ $EUID == 0 ]]; then
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
      "${command[@]}" "$root_suite" "$new" ${mirror:+"$mirror"} 2>&1 | show_progress "$log"
  else
    mkdir "$new"
    { setpriv --pdeathsig TERM "${command[@]}" --mode=unshare --format=tar "$root_suite" - ${mirror:+"$mirror"} |
      tar -x --no-same-owner --exclude='./dev/*' -C "$new"; } 2>&1 | show_progress "$log"
  fi
}

# show_progress copies standard input to the log $1, and to the screen errors and the time of each step: the phases, and
# every 10 seconds how far the packages are.
show_progress() {
  local line steps=0 next=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$1"
    case $line in
      'I: running apt-get'* | 'I: downloading'* | 'I: extracting'* | 'I: installing'* | E:*)
        say "[$SECONDS s] ${line#I: }"
        ;;
      'Unpacking '* | 'Setting up '*)
        steps=$((steps + 1))
        [[ $SECONDS -ge $next ]] || continue
        say "[$SECONDS s] step $steps of about $root_steps: ${line%% (*}"
        next=$((SECONDS + 10))
        ;;
    esac
  done
}

# finish_root makes the new root $1 ready for enter.sh; $2 is its package list.
finish_root() {
  local version
  version=$(chroot_version "$1")
  fits "$version" || die "use the new root $1: its Bazel is version ${version:-unknown}, not $bazel_oldest or newer"
  # An option of old, which warns at each call, and one that keeps every sandbox.
  sed -i '/--host_javabase/d; /--sandbox_debug/d' "$1/etc/bazel/bazelrc"
  : >"$1/etc/bazel/closednet.bazelrc"
  printf '\n# What the registry would have given (tools/closednet); laid here by enter_root.\n%s\n' \
    'try-import /etc/bazel/closednet.bazelrc' >>"$1/etc/bazel/bazelrc"
  mkdir -p "$1/.host"
  printf '%s\n' "$root_suite" "$2" >"$1/etc/pgcell-root"
}

# chroot_version prints the version of the Bazel in directory $1: the package's, which needs no program of the root.
chroot_version() {
  dpkg-query --admindir="$1/var/lib/dpkg" --show --showformat='${Version}' bazel-bootstrap |
    sed 's/^[0-9]*://; s/[^0-9.].*//'
}

# need_tools installs what builds the root, or says how to.
need_tools() {
  local missing=() install
  command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  [[ $EUID == 0 ]] || command -v newuidmap >/dev/null || missing+=(uidmap)
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
  [[ ${#missing[@]} != 0 ]] || return 0
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  [[ $EUID == 0 ]] ||
    die "make a root for Bazel: ${missing[*]} missing; as root run: apt-get update && $install; or $install_hint"
  say "installing ${missing[*]} with apt-get"
  # An update fails for one source of many that cannot be reached; whether that matters, the installation tells.
  { apt-get update || true; DEBIAN_FRONTEND=noninteractive $install; } >"$cache/apt.log" 2>&1 ||
    die "install ${missing[*]}: $(tail -n1 "$cache/apt.log"); the whole log is $cache/apt.log"
}

# debian_mirror prints the mirror that apt's own sources name, or nothing: mmdebstrap then has a default.
# PGCELL_DEBIAN_MIRROR comes first. $1 is apt's directory.
debian_mirror() {
  local uri apt=$1
  uri=${PGCELL_DEBIAN_MIRROR:-}
  [[ -n $uri ]] || uri=$(
    cat "$apt"/sources.list.d/*.sources "$apt"/sources.list.d/*.list "$apt"/sources.list 2>/dev/null |
      sed -nE 's/^(URIs:|deb( +\[[^]]*\])?) *([^ ]+).*/\3/p' | grep -E '/debian/?$|^mirror\+file:' | head -n1
  ) || true
  # A cloud image's sources may name a file that lists the mirrors.
  [[ $uri != mirror+file:* ]] || read -r uri _ <"${uri#mirror+file:}"
  printf '%s\n' "$uri"
}
