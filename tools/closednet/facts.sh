# What is found out about the machine by running programs, kept for the next call: each program costs milliseconds, and
# a call with nothing to do should cost few. Sourced after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by tools/bazel, or by a file sourced before
# shellcheck disable=SC2034 # the facts are for the scripts that source this one

# learn_facts sets goroot and go_caches (host_go), root (root_path), modules (modules_path), real_node and npm_cli
# (host_npm), and facts, the file that keeps them. They hold as long as their key does: the variables and files that
# they come from.
learn_facts() {
  local key lines=()
  facts=${workspace//\//%}
  if [[ ${#facts} -gt 120 ]]; then facts=${facts: -120}; fi
  facts=$cache/facts$facts
  if [[ -r $facts ]]; then mapfile -t lines <"$facts"; fi
  goroot=${lines[1]:-}
  facts_key
  if [[ ${#lines[@]} == 8 && ${lines[0]} == "$key" ]]; then
    go_caches=("${lines[2]}" "${lines[3]}")
    root=${lines[4]} modules=${lines[5]} real_node=${lines[6]} npm_cli=${lines[7]}
    return
  fi
  host_go
  root_path
  modules_path
  host_npm
  on_path go
  # Another go than that of goroot chooses one by rules of its own (a version manager's, a toolchain's): ask each time.
  if [[ -n $found && $found -ef $goroot/bin/go ]]; then
    facts_key
    if printf '%s\n' "$key" "$goroot" "${go_caches[@]}" "$root" "$modules" "$real_node" "$npm_cli" >"$facts.$$"; then
      mv "$facts.$$" "$facts" || true
    fi
  fi
}

# facts_key sets key, one line: the values of the variables that matter, and of each file that matters name, inode,
# size, and times of change to the nanosecond. A file that comes or goes changes it as well.
facts_key() {
  local name dir=$workspace files=("$closednet"/*.sh)
  key="$cache $workspace"
  # All that "go env" reads for the four values that host_go asks for.
  for name in GOROOT GOTOOLCHAIN GOENV GOFLAGS GOMODCACHE GOCACHE GOPATH GOWORK GO111MODULE GODEBUG GOEXPERIMENT \
    GOOS GOARCH HOME XDG_CONFIG_HOME XDG_CACHE_HOME; do
    key+=" $name=${!name:-}"
  done
  for name in go node npm; do
    on_path "$name"
    key+=" $name=$found"
    files+=("${found:-/}")
  done
  while [[ -n $dir ]]; do
    files+=("$dir/go.work" "$dir/go.mod")
    dir=${dir%/*}
  done
  shopt -s globstar nullglob
  files+=("${GOENV:-${XDG_CONFIG_HOME:-${HOME:-}/.config}/go/env}" "$goroot/go.env" "$closednet"/standins/**/*.*
    "$closednet"/coverage/{main,report}.go)
  key+=$'\n'$(stat --dereference --format='%n %i %s %.Y %.Z' "${files[@]}" 2>/dev/null || true)
  key=${key//$'\n'/ }
}
