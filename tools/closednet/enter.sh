#!/bin/bash
# Second half of enter_root (run.sh), run by unshare(1) in a mount namespace of its own: lays the host's directories
# into the root, makes the root "/" and becomes the command. Not bubblewrap: that stays as a parent which neither hands
# on signals nor outlives Ctrl-C, while here tools/bazel's own process becomes the Bazel client.
#
# Arguments: ROOT FSTAB UID GID (MODE SOURCE TARGET)... -- COMMAND...
# MODE is rw, ro or ln (TARGET becomes a link to SOURCE). FSTAB is a file to
# keep the mounts in. UID is empty where no user namespace is needed.
set -euo pipefail
root=$1 fstab=$2 uid=$3 gid=$4 cwd=$PWD
shift 4

# entry adds a line to mounts, in the form of fstab(5): one mount(8) for all of them, as each costs 3 ms.
mounts=''
entry() {
  local source=${1//\\/\\134} target=${2//\\/\\134}
  source=${source// /\\040} target=${target// /\\040}
  mounts+="$source $target none $3 0 0"$'\n'
}

# lay puts the host's path $2 at the path $3 of the root.
lay() {
  local mode=$1 source=$2 target=$root$3
  if [[ $mode == ln ]]; then
    [[ $target -ef $source ]] || ln -sfn "$source" "$target"
    return
  fi
  if [[ -d $source ]]; then
    [[ -d $target ]] || mkdir -p "$target"
  elif [[ ! -e $target ]]; then
    mkdir -p "${target%/*}"
    : >"$target"
  fi
  entry "$source" "$target" "rbind,$mode"
}

entry "$root" "$root" bind,rw
while [[ $1 != -- ]]; do
  lay "$1" "$2" "$3"
  shift 3
done
shift
# A file, since mount reads no pipe; kept, since most calls lay the same.
old=''
if [[ -r $fstab ]] && { exec 8<"$fstab"; } 2>/dev/null; then IFS= read -rd '' old <&8 || true; fi
if [[ $old == "$mounts" ]]; then
  # The very file that was read: another call may be about to put its own in that place.
  mount --no-mtab --all --fstab /proc/self/fd/8
else
  printf '%s' "$mounts" >"$fstab.$$"
  mount --no-mtab --all --fstab "$fstab.$$"
  mv "$fstab.$$" "$fstab"
fi
exec 8<&-

cd "$root"
pivot_root . .host
umount --no-mtab --lazy /.host
cd "$cwd"
if [[ -z $uid ]]; then exec "$@"; fi
exec unshare --user --map-user="$uid" --map-group="$gid" -- "$@"
