"""The rule `pg_template`.

```starlark
load("@pgcell//tools/rules:defs.bzl", "pg_template")
```
"""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//tools/rules/private:catalog.bzl", "PostgresCatalogInfo")
load("//tools/rules/private:postgres_transition.bzl", "leave_postgres")
load("//tools/rules/private:selection.bzl", "PLATFORMS", "selection")

PgTemplateInfo = provider(
    doc = "A golden cluster: a stopped data directory that holds a migrated, sealed database, packed into one file.",
    fields = {
        "file": "File: the golden cluster, to be handed to a test by its runfiles path",
        "version": "string: the version of the PostgreSQL that made it and that has to run it",
    },
)

_TOOLCHAIN = Label("//tools/rules:toolchain_type")

_CONSTRAINTS = {label: None for labels in PLATFORMS.values() for label in labels}.keys()

_DOC = """\
Runs initdb and the migrations once and packs the result, a golden cluster, into the one file `NAME.pgcell`.

It applies, in this order: settings and locale, roles, extensions, migrations, migrator, seeds. If a file fails, the build
fails; the error names the file and the line and repeats PostgreSQL's message.

Migrations, migrator and seeds run as the role `pgcell`, which owns the database. The role is a superuser until all of them
are done. Tests connect as the same role, which is an ordinary role by then. See docs/templates.md.

If the list of migrations is sorted by name, as `glob` returns it, the files run in order of the numbers at the beginning of
their file and folder names: 9.sql before 10.sql, V1.9__x.sql before V1.10__x.sql, `R__x.sql` last. Files without a number,
or with equal numbers, are an error in such a list. If a list is not sorted by name, its files run as listed. With
`order = "given"`, the files of every list do.

The files of a migration tool may also say how to undo a migration. That part does not run: files such as `x.down.sql`,
and the lines after `-- +goose Down`, are left out. docs/migrations.md lists the tools.

`--@pgcell//tools/rules:postgres` selects the PostgreSQL. Only a PostgreSQL of the same version on the same kind of machine
can read a data directory. Therefore, the tests that use the template run with the toolchain that built it, and the
template is built on a machine of the target platform.
"""

def _postgres(ctx):
    """The selected PostgreSQL; fails, with what there is to choose from, where none fits."""
    toolchain = ctx.toolchains[_TOOLCHAIN]
    if toolchain:
        return toolchain.postgres
    return fail(selection.explain(
        owner = "pg_template " + selection.label_text(ctx.label),
        plan = selection.plan(ctx.attr._catalog[PostgresCatalogInfo].offers),
        platform = selection.label_text(ctx.fragments.platform.platform),
        value = ctx.attr._postgres[BuildSettingInfo].value,
        kind = _kind(ctx),
    ))

def _kind(ctx):
    """The key of PLATFORMS that the target platform is of; empty for none."""
    has = {
        label: ctx.target_platform_has_constraint(target[platform_common.ConstraintValueInfo])
        for label, target in zip(_CONSTRAINTS, ctx.attr._constraints)
    }
    for kind, labels in PLATFORMS.items():
        if all([has[label] for label in labels]):
            return kind
    return ""

def _named(files):
    # The short path is the name: where the output base lies must not be in the hash that names the template.
    return [{"name": file.short_path, "path": file.path} for file in files]

def _migrator(ctx):
    if not ctx.attr.migrator:
        if ctx.attr.migrator_args or ctx.attr.data:
            fail(("pg_template %s: attribute %s: got a value without a migrator, want none. Name the program in the " +
                  "attribute migrator.") % (
                selection.label_text(ctx.label),
                "migrator_args" if ctx.attr.migrator_args else "data",
            ))
        return None
    runfiles = ctx.attr.migrator[DefaultInfo].default_runfiles
    return {
        "args": [ctx.expand_location(arg, ctx.attr.data) for arg in ctx.attr.migrator_args],
        "env": {},
        # What it reads is part of the template's name.
        "files": _named(depset(ctx.files.data, transitive = [runfiles.files] if runfiles else []).to_list()),
        "path": ctx.executable.migrator.path,
    }

def _pg_template_impl(ctx):
    postgres = _postgres(ctx)
    spec = ctx.actions.declare_file(ctx.label.name + ".pgcell.json")
    golden = ctx.actions.declare_file(ctx.label.name + ".pgcell")
    ctx.actions.write(spec, json.encode_indent({
        "extensions": ctx.attr.extensions,
        "label": selection.label_text(ctx.label),
        "locale": ctx.attr.locale,
        "migrations": _named(ctx.files.migrations),
        "migrator": _migrator(ctx),
        "order": ctx.attr.order,
        "postgres": {
            "bindir": postgres.bindir,
            "build": postgres.build,
            "runfiles_bindir": postgres.runfiles_bindir,
            "version": postgres.version,
        },
        "roles": ctx.attr.roles,
        "seeds": _named(ctx.files.seeds),
        "settings": ctx.attr.settings,
        "superuser": ctx.attr.superuser,
    }, indent = "  ") + "\n")
    ctx.actions.run(
        arguments = ["build", "--spec", spec.path, "--out", golden.path],
        executable = ctx.executable._golden,
        # A PostgreSQL of this machine is no input: another machine has another one, or none.
        execution_requirements = {} if postgres.runfiles_bindir else {"no-remote-exec": "1"},
        inputs = depset(
            [spec] + ctx.files.migrations + ctx.files.seeds + ctx.files.data,
            transitive = [postgres.files],
        ),
        mnemonic = "PgTemplate",
        outputs = [golden],
        progress_message = "Migrating %{label} on PostgreSQL " + postgres.version,
        toolchain = _TOOLCHAIN,
        tools = [ctx.attr.migrator[DefaultInfo].files_to_run] if ctx.attr.migrator else [],
        # A migrator may be a script that needs PATH. Without one the environment is empty, and its part in the key too.
        use_default_shell_env = bool(ctx.attr.migrator),
    )
    return [
        DefaultInfo(
            files = depset([golden]),
            runfiles = ctx.runfiles([golden], transitive_files = postgres.files),
        ),
        PgTemplateInfo(file = golden, version = postgres.version),
    ]

_ATTRS = {
    "data": attr.label_list(
        allow_files = True,
        doc = "Files that the migrator reads. migrator_args can name them with `$(execpath ...)`.",
    ),
    "extensions": attr.string_list(
        doc = "Extensions to create before the migrations, optionally with a schema and a version: " +
              "`[\"hstore\", \"postgis VERSION '3.3' SCHEMA gis\"]`. Missing schemas are created, and so are the " +
              "extensions that an extension requires.",
    ),
    "locale": attr.string(
        doc = "The databases' locale: a locale of the machine (`\"en_US.UTF-8\"`), `\"C\"`, `\"icu:en-US\"` (PostgreSQL 15 " +
              "or later), `\"builtin:C.UTF-8\"` (17 or later). Default: characters are classified as in C.UTF-8, so " +
              "letters of all languages are known, and text is ordered by its bytes. See docs/templates.md.",
    ),
    "migrations": attr.label_list(
        allow_files = [".sql"],
        doc = "SQL files that make the schema: a glob of a migration tool's folder, or a list. See the attribute order.",
    ),
    "migrator": attr.label(
        allow_files = True,
        cfg = "target",  # see _golden
        doc = "A program that makes the schema: any executable target, or a script. It gets DATABASE_URL (role " +
              "`pgcell`, a Unix socket), PGHOST, PGPORT, PGUSER and PGDATABASE, and runs after the migrations.",
        executable = True,
    ),
    "migrator_args": attr.string_list(
        doc = "Arguments of the migrator; `$(execpath LABEL)` stands for a file of the attribute data.",
    ),
    "order": attr.string(
        default = "auto",
        doc = "The order of the migrations. `auto`: if the list is sorted by name, as glob returns it, the numbers in the " +
              "names decide; otherwise the files run as listed. `given`: the files always run as listed.",
        values = ["auto", "given"],
    ),
    "roles": attr.string_list(
        doc = "Roles to create before the migrations, each with its options: " +
              "`[\"app_reader\", \"app_writer NOINHERIT\"]`. The role `pgcell` can `SET ROLE` to each of them. With " +
              "`\"auto\"`, each role that the migrations mention but do not create is created, without LOGIN; the " +
              "migrations start again each time such a role is found.",
    ),
    "seeds": attr.label_list(
        allow_files = [".sql"],
        doc = "SQL files with the rows that every test finds. They run after the migrations and the migrator. If the list is " +
              "sorted by name and all names have a number, the numbers decide the order; otherwise they run as listed.",
    ),
    "settings": attr.string_dict(
        doc = "Settings of the server, as in postgresql.conf: `{\"wal_level\": \"logical\"}`.",
    ),
    "superuser": attr.bool(
        doc = "Whether tests connect as a superuser, as migrations always do. Such databases are dropped after a test, never recycled.",
    ),
    "_catalog": attr.label(
        default = "@pgcell_postgres//:catalog",
        providers = [PostgresCatalogInfo],
    ),
    "_constraints": attr.label_list(
        default = _CONSTRAINTS,
        providers = [platform_common.ConstraintValueInfo],
    ),
    # The action runs where PostgreSQL does, so on the platform that is built for: what the tests need is compiled once,
    # not a second time for tools, nor once more for each PostgreSQL.
    "_golden": attr.label(
        cfg = leave_postgres,
        default = "//tools/rules/golden",
        executable = True,
    ),
    "_postgres": attr.label(
        default = "//tools/rules:postgres",
        providers = [BuildSettingInfo],
    ),
}

pg_template = rule(
    implementation = _pg_template_impl,
    attrs = _ATTRS,
    doc = _DOC,
    fragments = ["platform"],
    provides = [PgTemplateInfo],
    # Not mandatory: the message for a missing one is ours, and says what there is.
    toolchains = [config_common.toolchain_type(_TOOLCHAIN, mandatory = False)],
)
