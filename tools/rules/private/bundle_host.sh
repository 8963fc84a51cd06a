#!/bin/sh
# bundle_host.sh DIR MAJOR ROOT copies the PostgreSQL whose programs are in DIR to the new directory ROOT, so that the copy
# runs on machines that have none: programs, modules, extensions, and in ROOT/pgcell-libraries the libraries that these
# load, except for the C library. It prints what it copied, "file PATH" or "tree PATH" in each line.
#
# All paths stay as they are, below ROOT: PostgreSQL finds its directories relative to its own program.
set -eu
dir=$(cd "$1" && pwd -P) major=$2 root=$3

# shellcheck source=tools/rules/private/host_directories.sh
. "${0%/*}/host_directories.sh"
host_directories "$dir" "$major"
if [ -z "$share" ] || [ -z "$lib" ]; then
  echo "no directory with extension/ and no directory with plpgsql.so belongs to it" >&2
  exit 1
fi
share=$(cd "$share" && pwd -P) lib=$(cd "$lib" && pwd -P)

# copy_tree copies what is left of a directory's files by the arguments of find. Links are followed.
copy_tree() {
  from=$1
  shift
  mkdir -p "$root$from"
  (cd "$from" && find -L . "$@" -type f -print | tar -chf - -T -) | (cd "$root$from" && tar -xf -)
  echo "tree $from"
}

copy_tree "$share" ! -path './man/*' ! -path './doc/*'
# Without its LLVM, which is larger than all else together, PostgreSQL does not compile expressions.
copy_tree "$lib" ! -path './bitcode/*' ! -path './pgxs/*' ! -name 'llvmjit*' ! -name '*.a' ! -name '*.o'

mkdir -p "$root$dir" "$root/pgcell-libraries"
for program in postgres initdb pg_controldata pg_ctl pg_dump pg_dumpall pg_isready pg_resetwal pg_restore psql; do
  if [ -e "$dir/$program" ]; then
    cp -L "$dir/$program" "$root$dir/$program"
    echo "file $dir/$program"
  fi
done

# The C library comes from the machine: it has to fit the dynamic loader, which is no input.
find "$root$dir" "$root$lib" -type f \( -perm -100 -o -name '*.so*' \) -exec ldd {} + 2>/dev/null |
  sed -n 's/^[[:blank:]]*\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' | LC_ALL=C sort -u |
  while read -r name path; do
    case $name in
      ld-* | libanl.so.* | libc.so.* | libc.musl-* | libdl.so.* | libm.so.* | libmvec.so.* | libnss_* | libpthread.so.* | \
        libresolv.so.* | librt.so.* | libutil.so.*) continue ;;
    esac
    if [ ! -e "$root/pgcell-libraries/$name" ]; then
      cp -L "$path" "$root/pgcell-libraries/$name"
      echo "file $path"
    fi
  done
chmod -R u+w,a+rX "$root"
