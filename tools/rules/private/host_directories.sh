# shellcheck shell=sh
# host_directories DIR MAJOR sets share and lib to the directories of extensions and dictionaries, and of modules, that
# belong to the PostgreSQL whose programs are in DIR: as pg_config says, else the first usual place that has them. Either is
# empty where there is none. For other scripts to read with ".".
host_directories() {
  share='' lib=''
  if [ -x "$1/pg_config" ]; then
    share=$("$1/pg_config" --sharedir) lib=$("$1/pg_config" --pkglibdir)
    return
  fi
  for d in "$1/../share/postgresql" "$1/../share" "/usr/share/postgresql/$2" "/usr/share/postgresql$2" \
    "$1/../../../../share/postgresql/$2" /usr/share/pgsql; do
    if [ -z "$share" ] && [ -d "$d/extension" ]; then share=$d; fi
  done
  for d in "$1/../lib/postgresql" "$1/../lib" /usr/lib64/pgsql; do
    if [ -z "$lib" ] && [ -e "$d/plpgsql.so" ]; then lib=$d; fi
  done
}
