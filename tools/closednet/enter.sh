#!/bin/bash
# Second half of enter_root (run.sh), run by unshare(1) in a mount namespace of its own: lays the host's directories into
# the root, makes the root "/" and becomes the command. Not bubblewrap: that stays as a parent which neither hands on
# signals nor outlives Ctrl-C, while here tools/bazel's own process becomes the Bazel client.
#
# Arguments: ROOT UID GID (MODE SOURCE TARGET)... -- COMMAND...
# MODE is rw, ro or ln (a link's text). UID is empty where no user namespace is needed.
set -euo pipefail
root=$1 uid=$2 gid=$3 cwd=$PWD
shift 3

# lay puts the host's path $2 at the path $3 of the root.
lay() {
  local mode=$1 source=$2 target=$root$3
  if [[ $mode == ln ]]; then
    ln -sfn "$source" "$target"
    return
  fi
  if [[ -d $source ]]; then
    [[ -d $target ]] || mkdir -p "$target"
  elif [[ ! -e $target ]]; then
    mkdir -p "${target%/*}"
    : >"$target"
  fi
  mount -n --rbind "$source" "$target"
  # Best effort: for an ordinary user the kernel may refuse to change a mount's flags.
  [[ $mode != ro ]] || mount -n -o remount,bind,ro "$target" 2>/dev/null || true
}

mount -n --bind "$root" "$root"
while [[ $1 != -- ]]; do
  lay "$1" "$2" "$3"
  shift 3
done
shift

cd "$root"
pivot_root . .host
umount -n -l /.host
cd "$cwd"
if [[ -z $uid ]]; then exec "$@"; fi
exec unshare --user --map-user="$uid" --map-group="$gid" -- "$@"
