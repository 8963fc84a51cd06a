"""The BUILD file of a repository that holds a relocatable PostgreSQL.

```starlark
load("//tools/rules/private:prebuilt.bzl", "make_listed_links", "write_prebuilt_build_file")
```
"""

# Left out is what no server reads: it would be staged into the sandbox of every test.
_BUILD = """\
load("{toolchain_bzl}", "postgres_toolchain")

package(default_visibility = ["//visibility:public"])

filegroup(
    name = "files",
    srcs = glob(
        [
            "{prefix}bin/**",
            "{prefix}lib/**",
            "{prefix}share/**",
        ],
        allow_empty = True,
        exclude = [
            "**/*.a",
            "**/*.html",
            "**/doc/**",
            "**/include/**",
            "**/locale/**",
            "**/man/**",
            "**/pgxs/**",
            "**/pkgconfig/**",
        ],
    ),
)

postgres_toolchain(
    name = "postgres",
    files = [":files"],
    postgres = "{prefix}bin/postgres",
    version = "{version}",
)
"""

def make_listed_links(rctx, prefix):
    """Makes the links that an npm package cannot hold and lists instead, if it does.

    Args:
        rctx: the repository_ctx; the files are unpacked already.
        prefix: the directory above bin/, with a slash at its end; empty for the repository's root.
    """
    listed = rctx.path(prefix + "pg-symlinks.json")
    if not listed.exists:
        return
    for link in json.decode(rctx.read(listed)):
        source, target = [prefix + link[key].removeprefix("native/") for key in ["source", "target"]]
        if not rctx.path(target).exists:
            rctx.symlink(source, target)

def write_prebuilt_build_file(rctx, owner, version, prefix = ""):
    """Writes BUILD.bazel with the target `postgres`, and looks whether the programs are there.

    Args:
        rctx: the repository_ctx; the files are unpacked already.
        owner: tag and version, for messages: `postgres.npm(version = "18.4.0-beta.17")`.
        version: PostgreSQL's own version, `18.4`.
        prefix: the directory above bin/, with a slash at its end; empty for the repository's root.
    """
    for program in ["initdb", "postgres"]:
        if not rctx.path(prefix + "bin/" + program).exists:
            fail(("%s: got no file %sbin/%s, want a relocatable PostgreSQL with bin/, lib/ and share/. Mend the " +
                  "attribute strip_prefix, or name another package.") % (owner, prefix, program))
    rctx.file("BUILD.bazel", _BUILD.format(
        prefix = prefix,
        toolchain_bzl = str(Label("//tools/rules:toolchain.bzl")),
        version = version,
    ))
