#!/bin/sh
# identify_host.sh DIR MAJOR tells one build of a PostgreSQL version from another: programs, the libraries that they load
# (two versions of ICU order text in different ways), locales, extensions. It prints the files that it looks at, one a
# line, and then a digest, 16 hex digits.
#
# DIR holds postgres and initdb; MAJOR is the major version.
set -eu
dir=$1 major=$2

# digests prints the SHA-256 and the name of each file that standard input names, digest that of standard input itself.
if command -v sha256sum >/dev/null 2>&1; then
  digests() { xargs sha256sum; }
  digest() { sha256sum; }
else
  digests() { xargs shasum -a 256; }
  digest() { shasum -a 256; }
fi

# Programs, and their libraries as ldd or macOS's otool lists them.
list_files() {
  printf '%s\n' "$dir/postgres" "$dir/initdb" /usr/lib/locale/locale-archive
  if command -v ldd >/dev/null 2>&1; then
    ldd "$dir/postgres" "$dir/initdb" 2>/dev/null | tr '[:blank:]' '\n' | grep '^/.*[^:]$' || true
  elif command -v otool >/dev/null 2>&1; then
    otool -L "$dir/postgres" "$dir/initdb" | tr '[:blank:]' '\n' | grep '^/.*[^:]$' || true
  fi
}

# shellcheck source=tools/rules/private/host_directories.sh
. "${0%/*}/host_directories.sh"
host_directories "$dir" "$major"

digest_tree() {
  if [ -d "$1" ]; then
    (cd "$1" && find . -type f | LC_ALL=C sort | digests)
  fi
}

files=$(list_files | LC_ALL=C sort -u | while read -r f; do if [ -f "$f" ]; then echo "$f"; fi; done)
printf '%s\n' "$files"
{
  "$dir/postgres" --version
  printf '%s\n' "$files" | digests | cut -d ' ' -f 1
  locale -a 2>/dev/null || true
  digest_tree "$share/extension"
  digest_tree "$share/tsearch_data"
  digest_tree "$lib"
} | digest | cut -c 1-16
