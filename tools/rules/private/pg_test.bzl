"""The rule `pg_test`.

```starlark
load("@pgcell//tools/rules:defs.bzl", "pg_test")
```
"""

load("//tools/rules/private:inner_test.bzl", "InnerTestInfo", "inner_test_aspect")
load("//tools/rules/private:launcher.bzl", "LAUNCHER_ATTRS", "launcher")
load("//tools/rules/private:selection.bzl", "selection")

_DOC = """\
Runs another test on databases of its own. The other test may be of any language, and does not use pgcell: it connects as
its environment says. `DATABASE_URL`, `PGHOST`, `TEST_DB_NAME` and the others are those of [pgcell exec](exec.md).

The server starts when the test first connects, from the template, which is an input of the test. It ends with the test.

Tag the other test `manual`, so that `//...` does not run it without a database. Its runfiles, arguments and environment
are used. The other attributes of all tests, such as `shard_count`, `size`, `timeout`, `flaky` and `tags`, are those of
the pg_test. See [tests of any language under Bazel](how-to/exec-bazel.md).
"""

def _pg_test_impl(ctx):
    owner = "pg_test " + selection.label_text(ctx.label)
    launcher.check_template(owner + ": attribute template", ctx.attr.template)
    test = ctx.attr.test
    if InnerTestInfo not in test or not test[DefaultInfo].files_to_run.executable:
        fail("%s: attribute test: got %s, want a test or another rule that can be executed. Wrap a script in a sh_test." % (
            owner,
            selection.label_text(test.label),
        ))
    for name in ctx.attr.env:
        if not name or "=" in name:
            fail("%s: attribute env: got the name \"%s\", want one of a variable. Write {\"TEST_DSN\": \"{url}\"}." % (
                owner,
                name,
            ))
    inner = test[InnerTestInfo]
    executable, runfiles = launcher.declare(
        ctx,
        ctx.attr.template,
        ctx.attr.env,
        test = test[DefaultInfo].files_to_run.executable,
        args = inner.args,
    )
    return [
        DefaultInfo(
            executable = executable,
            runfiles = runfiles.merge(test[DefaultInfo].default_runfiles),
        ),
        RunEnvironmentInfo(environment = inner.env, inherited_environment = inner.env_inherit),
        coverage_common.instrumented_files_info(ctx, dependency_attributes = ["test"]),
    ]

_ATTRS = {
    "env": attr.string_dict(
        doc = "Further variables. The texts may hold `{url}`, `{host}`, `{port}`, `{user}`, `{password}`, `{dbname}`, " +
              "`{socket}`, `{table}` and `{worker}`: `{\"TEST_DSN\": \"host={host} port={port} user={user} " +
              "password={password} dbname={dbname}\"}`.",
    ),
    "template": attr.label(
        allow_files = True,
        default = "//tools/rules:empty",
        doc = "The `pg_template` that the databases are made from. Default: an empty database.",
    ),
    "test": attr.label(
        allow_files = True,
        aspects = [inner_test_aspect],
        doc = "The test to run, or another rule that can be executed. Tag it `manual`.",
        mandatory = True,
    ),
    # bazel coverage gives a test this program by the attribute's name.
    "_lcov_merger": attr.label(
        cfg = "exec",
        default = configuration_field(fragment = "coverage", name = "output_generator"),
        executable = True,
    ),
}

pg_test = rule(
    implementation = _pg_test_impl,
    attrs = LAUNCHER_ATTRS | _ATTRS,
    doc = _DOC,
    test = True,
)
