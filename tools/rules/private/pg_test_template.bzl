"""The rule behind the macro `pg_go_test`: a test's template, and the checks of what the macro was given.

```starlark
load("//tools/rules/private:pg_test_template.bzl", "pg_test_template")
```
"""

load("//tools/rules/private:pg_template.bzl", "PgTemplateInfo")
load("//tools/rules/private:postgres_versions.bzl", "postgres_versions")
load("//tools/rules/private:selection.bzl", "selection")

# What the macro sets by itself, and the attribute that changes it.
_RESERVED = {
    "PGCELL_CATEGORY": "category",
    "PGCELL_EXISTING_SERVER": "existing_server",
    "PGCELL_SERIAL_ONLY": "serial_only",
    "PGCELL_TEMPLATE": "template",
    "PGCELL_TIMES": "times",
}

def _fail(ctx, attribute, got, want, remedy):
    # The test's label: this target is one that its user never wrote.
    label = selection.label_text(ctx.label.same_package_label(ctx.attr.test_name))
    fail("pg_go_test %s: attribute %s: got %s, want %s. %s" % (label, attribute, got, want, remedy))

def _pg_test_template_impl(ctx):
    template = ctx.attr.template
    if ctx.attr.existing_server and template:
        _fail(
            ctx,
            "template",
            selection.label_text(template.label),
            "none with existing_server = True: a running server cannot load a golden cluster",
            "Drop template, and give the migrations in code: pgcell.Config{Migrations: ...}.",
        )
    if ctx.attr.cacheable and not ctx.attr.existing_server:
        _fail(
            ctx,
            "cacheable",
            "True",
            "False without existing_server = True",
            "Drop cacheable: the results of other suites are always cached.",
        )
    if template and PgTemplateInfo not in template:
        _fail(
            ctx,
            "template",
            selection.label_text(template.label),
            "a target of the rule pg_template",
            "Wrap the SQL files in one: pg_template(name = \"template\", migrations = [...]).",
        )
    problem = postgres_versions.problem(ctx.attr.postgres)
    if problem:
        _fail(ctx, "postgres", problem.got, problem.want, problem.remedy)
    if ctx.attr.existing_server and ctx.attr.postgres:
        _fail(
            ctx,
            "postgres",
            ctx.attr.postgres,
            "none with existing_server = True: the server that PGCELL_SERVER names is of one version",
            "Drop postgres.",
        )
    if ctx.attr.serial_only and ctx.attr.shard_count > 1:
        _fail(
            ctx,
            "shard_count",
            ctx.attr.shard_count,
            "1 or none with serial_only = True, which lets the suite run in one process, alone",
            "Drop shard_count or serial_only.",
        )
    for name, attribute in _RESERVED.items():
        if name in ctx.attr.env:
            _fail(ctx, "env", name, "none of " + ", ".join(sorted(_RESERVED)), "Use the attribute %s." % attribute)
    if not ctx.attr.category or any([char in ctx.attr.category for char in [" ", ",", "\n", "\t"]]):
        _fail(
            ctx,
            "category",
            "\"%s\"" % ctx.attr.category,
            "one word without spaces and commas",
            "The default is the last folder of the package.",
        )
    return [template[DefaultInfo], template[PgTemplateInfo]] if template else []

pg_test_template = rule(
    implementation = _pg_test_template_impl,
    attrs = {
        "cacheable": attr.bool(doc = "Whether results on an existing server may be cached."),
        "category": attr.string(doc = "The suite's category."),
        "env": attr.string_dict(doc = "The environment that the test's author gave."),
        "existing_server": attr.bool(doc = "Whether the databases are on a server that others manage."),
        "postgres": attr.string(doc = "The versions of PostgreSQL that the test's author asked for, as JSON; empty for none."),
        "serial_only": attr.bool(doc = "Whether the suite runs alone."),
        "shard_count": attr.int(doc = "The shards that the test's author asked for; 0 for none."),
        "template": attr.label(
            allow_files = True,
            doc = "What ought to be a pg_template; files too, for the message. None with existing_server.",
        ),
        "test_name": attr.string(doc = "The test's name, for messages.", mandatory = True),
    },
    doc = "Hands on a pg_template after a look at what pg_go_test was given.",
)
