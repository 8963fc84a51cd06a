"""Repository rule behind `postgres.host`: every PostgreSQL that is installed on this machine.

```starlark
load("//tools/rules/private:host_repository.bzl", "postgres_host_repository")
```

It looks again when a directory or program that it looked at changes, when PATH or PGCELL_POSTGRES changes, when Bazel's
server starts, and at `bazel fetch --configure`.
"""

load("//tools/rules/private:selection.bzl", "MAJORS", "PLATFORMS", "selection")

# Where packages put a major version, best first. The library looks there too: find.go of tools/internal/binaries says
# whose each is, and a test there compares the two lists.
_USUAL_DIRECTORIES = [
    "/usr/lib/postgresql/{major}/bin",
    "/usr/pgsql-{major}/bin",
    "/usr/lib/postgresql{major}/bin",
    "/usr/libexec/postgresql{major}",
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",
    "/Applications/Postgres.app/Contents/Versions/{major}/bin",
    "/usr/bin",
    "/usr/local/pgsql/bin",
]

_PROGRAMS = ["postgres", "initdb"]

_BUILD = """\
load("{toolchain_bzl}", "postgres_toolchain")

package(default_visibility = ["//visibility:public"])
"""

_TOOLCHAIN = """
postgres_toolchain(
    name = "postgres_{major}",
    bindir = "{bindir}",
    build = "{build}",
    version = "{version}",
)
"""

def _machine(rctx):
    """This machine as a key of PLATFORMS; empty for a kind that is not in there."""
    os = "darwin" if rctx.os.name.startswith("mac") else rctx.os.name.split(" ")[0]
    arch = {"aarch64": "arm64", "amd64": "x64", "arm64": "arm64", "x86_64": "x64"}.get(rctx.os.arch, rctx.os.arch)
    machine = "%s-%s" % (os, arch)
    return machine if machine in PLATFORMS else ""

def _look(rctx, bindir):
    """PostgreSQL's version in a directory, and why there is none: a struct of version and reason, one of them empty."""
    for program in _PROGRAMS:
        path = rctx.path(bindir).get_child(program)
        rctx.watch(path)
        if not path.exists:
            return struct(reason = "there is no " + str(path), version = "")

    # postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    path = rctx.path(bindir).get_child("postgres")
    result = rctx.execute([path, "--version"], timeout = 30)
    words = result.stdout.split(" ")
    if result.return_code or len(words) < 3 or words[1] != "(PostgreSQL)":
        said = (result.stderr.strip() or result.stdout.strip()).split("\n")[0]
        return struct(reason = "%s --version: exit code %d: %s" % (path, result.return_code, said), version = "")
    return struct(reason = "", version = words[2].strip())

def _build_of(rctx, bindir, major):
    """What tells this build of a version from others, 16 hex digits. It looks again when a file of it changes."""
    rctx.watch(rctx.attr._directories)
    result = rctx.execute(["sh", rctx.path(rctx.attr._identify), bindir, str(major)], timeout = 120)
    lines = result.stdout.strip().split("\n")
    if result.return_code or len(lines[-1]) != 16:
        fail(("postgres.host(): read the PostgreSQL in %s: got exit code %d and \"%s\", want a digest of its files. " +
              "Mend that installation, or name another in PGCELL_POSTGRES.") % (
            bindir,
            result.return_code,
            (result.stderr or lines[-1]).strip(),
        ))
    for path in lines[:-1]:
        rctx.watch(path)
    return lines[-1]

def _explicit(rctx):
    """What PGCELL_POSTGRES names, as (directory of the programs, version); None where it is not set."""
    named = rctx.getenv("PGCELL_POSTGRES", "")
    if not named:
        return None
    reason = "it is not absolute"
    if named.startswith("/"):
        bindir = named + "/bin" if rctx.path(named + "/bin/postgres").exists else named
        found = _look(rctx, bindir)
        if selection.major(found.version) in MAJORS:
            return (bindir, found.version)
        reason = found.reason or "it is version " + found.version
    return fail(("postgres.host(): environment variable PGCELL_POSTGRES: got \"%s\" (%s), want the absolute directory " +
                 "of a PostgreSQL %d to %d: the one that holds bin/postgres and bin/initdb. Mend the variable or " +
                 "unset it.") % (
        named,
        reason,
        MAJORS[0],
        MAJORS[-1],
    ))

def _candidates(rctx):
    """Directories that may hold PostgreSQL's programs, those that the user's PATH names first."""
    candidates = []
    for directory in (rctx.getenv("PATH") or "").split(":"):
        postgres = rctx.path(directory).get_child("postgres") if directory.startswith("/") else None
        if postgres and postgres.exists:
            candidates.append(str(postgres.realpath.dirname))
    pg_config = rctx.which("pg_config")
    if pg_config:
        result = rctx.execute([pg_config, "--bindir"], timeout = 30)
        if not result.return_code and result.stdout.startswith("/"):
            candidates.append(result.stdout.strip())
    for directory in _USUAL_DIRECTORIES:
        candidates.extend([directory.format(major = major) for major in reversed(MAJORS)])
    return {candidate: None for candidate in candidates}.keys()

def _bundles(rctx, found):
    """What postgres.bundle can copy, by major version: what the attribute bindir names before what was found."""
    bundles = {}
    for bindir in rctx.attr.bundle_bindirs:
        looked = _look(rctx, bindir)
        if selection.major(looked.version) not in MAJORS:
            fail(("postgres.bundle(bindir = \"%s\"): got a directory that does not serve (%s), want the absolute one that " +
                  "holds postgres and initdb of a PostgreSQL %d to %d.") % (
                bindir,
                looked.reason or "it is version " + looked.version,
                MAJORS[0],
                MAJORS[-1],
            ))
        bundles.setdefault(selection.major(looked.version), struct(bindir = bindir, version = looked.version))
    return bundles | {major: postgres for major, postgres in found.items() if major not in bundles} if rctx.attr.bundle else {}

def _postgres_host_repository_impl(rctx):
    machine = _machine(rctx)
    found = {}
    explicit = _explicit(rctx)
    if explicit:
        found[selection.major(explicit[1])] = struct(bindir = explicit[0], version = explicit[1])
    for bindir in _candidates(rctx) if machine else []:
        version = _look(rctx, bindir).version
        major = selection.major(version)
        if major in MAJORS and major not in found:
            found[major] = struct(bindir = bindir, version = version)
    offers = []
    bundles = _bundles(rctx, found) if machine.startswith("linux-") else {}
    for major, postgres in bundles.items():
        offers.append(json.encode(struct(
            place = postgres.bindir,
            platform = machine,
            preferred = False,
            source = "bundle",
            toolchain = "@%s//:postgres" % rctx.attr.bundle.format(major = major),
            version = postgres.version,
        )))
    build = _BUILD.format(toolchain_bzl = str(Label("//tools/rules:toolchain.bzl")))
    for major, postgres in found.items():
        build += _TOOLCHAIN.format(
            bindir = postgres.bindir,
            build = _build_of(rctx, postgres.bindir, major),
            major = major,
            version = postgres.version,
        )
        offers.append(json.encode(struct(
            place = postgres.bindir,
            platform = machine,
            preferred = bool(explicit) and postgres.bindir == explicit[0],
            source = "host",
            toolchain = "@%s//:postgres_%d" % (rctx.attr.apparent_name, major),
            version = postgres.version,
        )))
    rctx.file("BUILD.bazel", build)
    rctx.file("bundles.json", json.encode({str(major): postgres for major, postgres in bundles.items()}))
    rctx.file("offers.bzl", "\"\"\"The PostgreSQL installations of this machine.\"\"\"\n\nOFFERS = [\n%s]\n" % "".join(
        ["    %s,\n" % repr(offer) for offer in offers],
    ))

postgres_host_repository = repository_rule(
    implementation = _postgres_host_repository_impl,
    attrs = {
        "_identify": attr.label(
            allow_single_file = True,
            default = "//tools/rules/private:identify_host.sh",
        ),
        "_directories": attr.label(
            allow_single_file = True,
            default = "//tools/rules/private:host_directories.sh",
        ),
        "apparent_name": attr.string(doc = "The name by which the other repositories see this one.", mandatory = True),
        "bundle": attr.string(doc = "The name of a repository that copies version {major}; empty where none is wanted."),
        "bundle_bindirs": attr.string_list(doc = "Directories of programs that are copied before what is found."),
    },
    configure = True,
    doc = "Finds PostgreSQL on this machine: PGCELL_POSTGRES, PATH, pg_config, the usual directories.",
    environ = ["PATH", "PGCELL_POSTGRES"],
    local = True,
)
