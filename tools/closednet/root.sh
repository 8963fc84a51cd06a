# The root: a directory with a small Debian of its own that holds Bazel. Sourced after lib.sh and choose.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by tools/bazel, or by a file sourced before

# Debian 12's Bazel is too old; testing's asks for a newer C library than Debian 12 has. Hence a root of its own.
readonly root_suite=forky
readonly debian_keyring=${PGCELL_DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
# Bazel and the rules it ships; mount for enter.sh; certificates and git for what builds fetch; PostgreSQL for tests
# that take the server from the host; zip and file for the files that tests leave behind; apt for tests that unpack a
# package by themselves; and what every Debian has.
readonly root_packages=(bazel-bootstrap bazel-rules-shell bazel-lib mount ca-certificates git postgresql-18 zip file
  apt '?essential')
# What these depend on and Bazel does not need: half of the download. The Java runtime is another package.
readonly root_unwanted='^openjdk-[0-9]+-jdk-headless$'
# Files that no build reads.
readonly root_left_out=('./usr/share/doc/*' './usr/share/locale/*' './usr/share/man/*' './usr/lib/jvm/*/jmods/*')
# Where the host has no Go of its own.
readonly root_go=golang-1.26-go

# root_path sets root to where the root is, or is to be, and packages to what is in it; it needs goroot.
root_path() {
  packages=("${root_packages[@]}")
  [[ -n $goroot ]] || packages+=("$root_go")
  digest "$root_suite ${packages[*]} $root_unwanted ${root_left_out[*]}"
  root=$cache/root-$digest
}

# ensure_root builds the root if it is not there; it needs the facts.
ensure_root() {
  local packages
  [[ ! -e $root/etc/pgcell-root ]] || return 0
  root_path
  with_lock "$root.lock" build_root "$root" "${packages[@]}"
}

# build_root makes the root $1 with the packages that follow, under another name first: a build that was interrupted
# never looks like a finished one. Packages are unpacked and none is set up: no build needs what their scripts do, and
# so it takes neither the superuser nor half of the time.
build_root() {
  local target=$1 new=$1.tmp apt=$1.apt log=$1.log mirror
  shift
  [[ ! -e $target/etc/pgcell-root ]] || return 0
  need_namespaces
  need_tools
  mirror=$(debian_mirror "${PGCELL_APT_DIR:-/etc/apt}") # tests name another
  [[ -n $mirror ]] || die "make a root for Bazel: apt's sources name no Debian mirror: set PGCELL_DEBIAN_MIRROR to the" \
    "address of one, or install Bazelisk"
  say "no Bazel fits this machine: making a root with Debian's one in $target"
  say "this is done once; it takes 1 to 2 minutes, 350 MB of download and 1.1 GB of disk (mirror: $mirror)"
  rm -rf --one-file-system "$new" "$apt"
  mkdir -p "$new" "$apt/lists" "$apt/debs"
  : >"$log"
  download_packages "$apt" "$mirror" "$@" || root_failed "$new" "$log" 'get its packages with apt'
  unpack_packages "$apt/debs" "$new" || root_failed "$new" "$log" 'unpack its packages'
  finish_root "$new" "$*"
  mv -T "$new" "$target"
  rm -rf --one-file-system "$apt"
  say "the root is ready (${SECONDS} s)"
}

# root_failed ends the build of root $1, whose log is $2, because step $3 failed.
root_failed() {
  local reason
  reason=$(grep -m1 -E '^E:|[Ee]rror' "$2") || reason=$(tail -n1 "$2")
  die "make the root $1: $3: $reason; the whole log is $2; call again to start anew"
}

# download_packages gets the packages that follow and all that they depend on from mirror $2 to $1/debs, with the
# machine's apt, whose own state it leaves alone. apt checks signatures and digests.
download_packages() {
  local apt=$1 mirror=$2 names
  shift 2
  write_apt_conf "$apt" "$mirror"
  local -x APT_CONFIG=$apt/apt.conf
  say "[$SECONDS s] reading what the mirror has"
  apt-get update >>"$log" 2>&1 || return 1
  apt-get install --simulate "$@" >"$apt/plan" 2>>"$log" || return 1
  mapfile -t names < <(sed -n 's/^Inst \([^ ]*\) .*/\1/p' "$apt/plan")
  list_installed "${names[@]}" >"$apt/installed" 2>>"$log" || return 1
  mapfile -t names < <(printf '%s\n' "${names[@]}" | grep -vE "$root_unwanted" || true)
  say "[$SECONDS s] downloading ${#names[@]} packages"
  (cd "$apt/debs" && apt-get download "${names[@]}") 2>&1 | show_progress downloaded "${#names[@]}"
}

# list_installed prints what dpkg of the root is to know of the packages in $@: all of the plan, those that were left out
# too, for apt takes nothing where the dependencies of something are missing.
list_installed() {
  apt-cache show --no-all-versions "$@" | sed 's/^Package: .*/&\nStatus: install ok installed/'
}

# write_apt_conf has apt keep everything in directory $1, take mirror $2, and reach it as the machine's apt does.
write_apt_conf() {
  : >"$1/status"
  printf 'deb [signed-by=%s] %s %s main\n' "$debian_keyring" "$2" "$root_suite" >"$1/sources.list"
  apt-config dump 2>/dev/null | grep -E '^Acquire::(https?|ftp|Retries)(:| )' >"$1/apt.conf" || true
  cat >>"$1/apt.conf" <<END
Dir "$1/";
Dir::State "$1/";
Dir::State::status "$1/status";
Dir::Cache "$1/";
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "$(id -un)";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
END
}

# unpack_packages unpacks all packages in directory $1 into the new root $2, on all cores. base-files is the first: the
# links at /bin, /lib and so on are in it.
unpack_packages() {
  local debs=$1 new=$2 first packages
  first=("$debs"/base-files_*.deb) packages=("$debs"/*.deb)
  say "[$SECONDS s] unpacking ${#packages[@]} packages"
  printf '%s\0' "${first[@]}" | unpack_each "$new" 1 >>"$log" 2>&1 || return 1
  printf '%s\0' "${packages[@]}" | unpack_each "$new" "$(nproc)" 2>&1 | show_progress unpacked "${#packages[@]}"
}

# unpack_each unpacks the packages that standard input names, $2 at a time, into the new root $1, and prints a line
# for each.
unpack_each() {
  local tar=(tar -x --no-same-owner --keep-directory-symlink -C "$1" "${root_left_out[@]/#/--exclude=}")
  # shellcheck disable=SC2016 # the inner shell's own
  xargs -0 -n 1 -P "$2" bash -c 'set -o pipefail
    dpkg-deb --fsys-tarfile "${!#}" | "${@:1:$#-1}" && echo "Unpacked ${!###*/}"' bash "${tar[@]}"
}

# show_progress copies standard input to the log, and to the screen every 10 seconds how many of $2 packages have been
# $1 so far.
show_progress() {
  local line count=0 next=$((SECONDS + 10))
  while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
      'Get:'* | 'Unpacked '*)
        count=$((count + 1))
        [[ $SECONDS -ge $next ]] || continue
        say "[$SECONDS s] $1 $count of $2"
        next=$((SECONDS + 10))
        ;;
    esac
  done >>"$log"
}

# finish_root makes the new root $1 ready for enter.sh; $2 is its package list.
finish_root() {
  local version
  version=$(root_version "$1")
  fits "$version" || die "use the new root $1: its Bazel is version ${version:-unknown}, not $bazel_oldest or newer"
  # What the packages' own scripts would have done, as far as a build can tell.
  ln -s mawk "$1/usr/bin/awk"
  ln -s which.debianutils "$1/usr/bin/which"
  ln -s gcc "$1/usr/bin/cc"
  ln -s g++ "$1/usr/bin/c++"
  ln -s ../lib/jvm/default-java/bin/java "$1/usr/bin/java"
  cp "$1/usr/share/libc-bin/nsswitch.conf" "$1/etc"
  mkdir -p "$1/etc/ssl/certs"
  cat "$1"/usr/share/ca-certificates/mozilla/*.crt >"$1/etc/ssl/certs/ca-certificates.crt"
  # An option of old, which warns at each call, and one that keeps every sandbox.
  sed -i '/--host_javabase/d; /--sandbox_debug/d' "$1/etc/bazel/bazelrc"
  : >"$1/etc/bazel/closednet.bazelrc"
  cat >>"$1/etc/bazel/bazelrc" <<'END'

# The client looks for javac, which is not there.
startup --server_javabase=/usr/lib/jvm/default-java
# What the registry would have given (tools/closednet); laid here by enter_root.
try-import /etc/bazel/closednet.bazelrc
END
  finish_apt "$1"
  mkdir -p "$1/.host"
  printf '%s\n' "$root_suite" "$2" >"$1/etc/pgcell-root"
}

# finish_apt has apt inside the new root $1 know what is in it and use the same mirror, in the same way.
finish_apt() {
  local apt=${1%.tmp}.apt
  mkdir -p "$1/var/lib/dpkg" "$1/etc/apt/apt.conf.d"
  cp "$apt/installed" "$1/var/lib/dpkg/status"
  cp "$debian_keyring" "$1/etc/apt/root-keyring.gpg"
  sed 's|signed-by=[^]]*|signed-by=/etc/apt/root-keyring.gpg|' "$apt/sources.list" >"$1/etc/apt/sources.list"
  grep '^Acquire::' "$apt/apt.conf" >"$1/etc/apt/apt.conf.d/root"
}

# root_version prints the version of the Bazel for the root $1: the package's.
root_version() {
  local packages=("${1%.tmp}".apt/debs/bazel-bootstrap_*.deb)
  dpkg-deb --field "${packages[0]}" Version | sed 's/^[0-9]*://; s/[^0-9.].*//'
}

# need_tools installs what builds the root, or says how to: all of it is on every Debian, on Ubuntu all but the keyring.
need_tools() {
  local missing=() program install
  for program in apt-get:apt dpkg-deb:dpkg xz:xz-utils tar:tar; do
    command -v "${program%:*}" >/dev/null || missing+=("${program#*:}")
  done
  [[ -e $debian_keyring ]] || missing+=(debian-archive-keyring)
  [[ ${#missing[@]} != 0 ]] || return 0
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  [[ $EUID == 0 ]] ||
    die "make a root for Bazel: ${missing[*]} missing; as root run: apt-get update && $install; or $install_hint"
  say "installing ${missing[*]} with apt-get"
  # An update fails for one source of many that cannot be reached; whether that matters, the installation tells.
  { apt-get update || true; DEBIAN_FRONTEND=noninteractive $install; } >"$cache/apt.log" 2>&1 ||
    die "install ${missing[*]}: $(tail -n1 "$cache/apt.log"); the whole log is $cache/apt.log"
}

# need_namespaces ends with an error where an ordinary user cannot enter a root: it names the setting to change.
# PGCELL_SYSCTL names another /proc/sys, for tests.
need_namespaces() {
  local setting=user.max_user_namespaces=15000 kernel=${PGCELL_SYSCTL:-/proc/sys}/kernel value=''
  [[ $EUID != 0 ]] || return 0
  ! unshare --user --map-root-user --mount true 2>/dev/null || return 0
  if [[ -r $kernel/apparmor_restrict_unprivileged_userns ]]; then
    read -r value <"$kernel/apparmor_restrict_unprivileged_userns"
    if [[ $value == 1 ]]; then setting=kernel.apparmor_restrict_unprivileged_userns=0; fi
  fi
  if [[ -r $kernel/unprivileged_userns_clone ]]; then
    read -r value <"$kernel/unprivileged_userns_clone"
    if [[ $value == 0 ]]; then setting=kernel.unprivileged_userns_clone=1; fi
  fi
  die "enter a root for Bazel: this user may not make user namespaces; as root run: sysctl -w $setting;" \
    "or $install_hint"
}

# debian_mirror prints the mirror that apt's own sources name, or nothing.
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
