"""A PostgreSQL as a Bazel toolchain.

```starlark
load("@pgcell//tools/rules:toolchain.bzl", "postgres_toolchain")
```

The module extension in extensions.bzl writes these targets by itself. Write one by hand only for a PostgreSQL that it
cannot find or fetch, one that is built from source for instance, and register it with `register_toolchains`: those of
the root module come before pgcell's.
"""

load("//tools/rules/private:selection.bzl", "selection")

PostgresInfo = provider(
    doc = "One PostgreSQL: where its programs are and what an action or a test needs to run them.",
    fields = {
        "bindir": "string: the directory that holds `postgres` and `initdb`, for an action: absolute on the host, " +
                  "else relative to the execution root",
        "build": "string: what tells this build from others of its version, where no file of it is an input; it is " +
                 "part of the key of every template, and so of every test",
        "files": "depset of File: what has to be there to run it; empty for a PostgreSQL of the host",
        "runfiles_bindir": "string: the same directory for a test, relative to the runfiles root; empty on the host",
        "version": "string: PostgreSQL's own version, `15.18`; it is part of the key of every action that uses it",
    },
)

def _runfiles_dirname(ctx, file):
    path = file.short_path
    path = path[len("../"):] if path.startswith("../") else ctx.workspace_name + "/" + path
    return path.rpartition("/")[0]

def _postgres_toolchain_impl(ctx):
    postgres = ctx.file.postgres
    if bool(postgres) == bool(ctx.attr.bindir):
        fail(("postgres_toolchain {label}: attributes postgres and bindir: got {got}, want exactly one. Name the " +
              "file `postgres` of a PostgreSQL that is an input of the build, or the absolute directory of one that " +
              "is installed on the machine.").format(
            got = "both" if postgres else "neither",
            label = selection.label_text(ctx.label),
        ))
    if ctx.attr.bindir and not ctx.attr.bindir.startswith("/"):
        fail(("postgres_toolchain {label}: attribute bindir: got \"{got}\", want an absolute directory. For files of " +
              "the build use the attribute postgres.").format(
            got = ctx.attr.bindir,
            label = selection.label_text(ctx.label),
        ))
    info = PostgresInfo(
        bindir = postgres.dirname if postgres else ctx.attr.bindir,
        build = ctx.attr.build,
        files = depset([postgres] if postgres else [], transitive = [f[DefaultInfo].files for f in ctx.attr.files]),
        runfiles_bindir = _runfiles_dirname(ctx, postgres) if postgres else "",
        version = ctx.attr.version,
    )
    return [info, platform_common.ToolchainInfo(postgres = info)]

_ATTRS = {
    "bindir": attr.string(
        doc = "Absolute directory that holds `postgres` and `initdb`, for a PostgreSQL installed on the machine.",
    ),
    "build": attr.string(
        doc = "With `bindir`: what distinguishes this build from others of its version, such as a digest of its programs " +
              "and libraries. The files are not inputs of actions, so without it two builds would share results.",
    ),
    "files": attr.label_list(
        allow_files = True,
        doc = "What `postgres` needs beside itself: `initdb`, libraries, the share directory.",
    ),
    "postgres": attr.label(
        allow_single_file = True,
        doc = "The file `postgres` of a PostgreSQL that is an input of the build. `initdb` lies beside it.",
    ),
    "version": attr.string(
        doc = "PostgreSQL's own version, as `postgres --version` says it: `15.18`.",
        mandatory = True,
    ),
}

postgres_toolchain = rule(
    implementation = _postgres_toolchain_impl,
    attrs = _ATTRS,
    doc = "Describes one PostgreSQL, for use in a `toolchain` of type `@pgcell//tools/rules:toolchain_type`.",
    provides = [PostgresInfo, platform_common.ToolchainInfo],
)
