"""Repository rule behind `postgres.bundle`: a copy of a PostgreSQL of this machine that runs on others.

```starlark
load("//tools/rules/private:bundle_repository.bzl", "postgres_bundle_repository")
```
"""

_BUILD = """\
load("{toolchain_bzl}", "postgres_toolchain")

package(default_visibility = ["//visibility:public"])

filegroup(
    name = "files",
    srcs = glob(["tree/**"]),
)

postgres_toolchain(
    name = "postgres",
    files = [":files"],
    postgres = "tree{bindir}/postgres",
    version = "{version}",
)
"""

def _postgres_bundle_repository_impl(rctx):
    # The host's repository knows what is on this machine. Both are of one extension, so their names begin alike.
    host = rctx.name.removesuffix(rctx.attr.apparent_name) + rctx.attr.host
    postgres = json.decode(rctx.read(Label("@@%s//:bundles.json" % host))).get(rctx.attr.major)
    if not postgres:
        fail(("postgres.bundle(): got no PostgreSQL %s on this machine. Install it, or name its directory in the " +
              "attribute bindir or in PGCELL_POSTGRES.") % rctx.attr.major)
    rctx.watch(rctx.attr._directories)
    command = ["sh", rctx.path(rctx.attr._bundle), postgres["bindir"], rctx.attr.major, "tree"]
    result = rctx.execute(command, timeout = 600)
    if result.return_code:
        fail(("postgres.bundle(): copy the PostgreSQL in %s: exit code %d: %s. Mend that installation, or name another " +
              "in the attribute bindir.") % (
            postgres["bindir"],
            result.return_code,
            result.stderr.strip(),
        ))
    for line in result.stdout.splitlines():
        kind, _, path = line.partition(" ")
        if kind == "tree":
            rctx.watch_tree(path)
        else:
            rctx.watch(path)
    bindir = [d for d in [postgres["bindir"], str(rctx.path(postgres["bindir"]).realpath)] if rctx.path("tree" + d).exists]
    rctx.file("BUILD.bazel", _BUILD.format(
        bindir = bindir[0],
        toolchain_bzl = str(Label("//tools/rules:toolchain.bzl")),
        version = postgres["version"],
    ))

postgres_bundle_repository = repository_rule(
    implementation = _postgres_bundle_repository_impl,
    attrs = {
        "_bundle": attr.label(
            allow_single_file = True,
            default = "//tools/rules/private:bundle_host.sh",
        ),
        "_directories": attr.label(
            allow_single_file = True,
            default = "//tools/rules/private:host_directories.sh",
        ),
        "apparent_name": attr.string(doc = "The name by which the other repositories see this one.", mandatory = True),
        "host": attr.string(doc = "The name of the repository of the host's installations.", mandatory = True),
        "major": attr.string(doc = "The major version to copy.", mandatory = True),
    },
    doc = "Copies a PostgreSQL of this machine with the libraries that it loads, and describes it as a postgres_toolchain.",
)
