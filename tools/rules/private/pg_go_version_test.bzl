"""The rule behind `pg_go_test(postgres = [...])`: a Go test on one of several versions of PostgreSQL.

```starlark
load("//tools/rules/private:pg_go_version_test.bzl", "pg_go_version_test")
```
"""

load("//tools/rules/private:postgres_transition.bzl", "select_postgres")

def _pg_go_version_test_impl(ctx):
    test = ctx.attr.embed[0]
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        is_executable = True,
        output = executable,
        target_file = test[DefaultInfo].files_to_run.executable,
    )
    env = {
        name: ctx.expand_location(text, ctx.attr.data) if "$" in text else text
        for name, text in ctx.attr.env.items()
    }
    runfiles = ctx.runfiles(ctx.files.data).merge_all(
        [target[DefaultInfo].default_runfiles for target in [test] + ctx.attr.data],
    )
    return [
        DefaultInfo(executable = executable, runfiles = runfiles),
        RunEnvironmentInfo(
            environment = test[RunEnvironmentInfo].environment | env,
            inherited_environment = ctx.attr.env_inherit,
        ),
        coverage_common.instrumented_files_info(ctx, dependency_attributes = ["data", "embed"]),
    ]

pg_go_version_test = rule(
    implementation = _pg_go_version_test_impl,
    attrs = {
        "data": attr.label_list(
            allow_files = True,
            cfg = select_postgres,
            doc = "Files for the test, its template among them. They are made for the PostgreSQL of this test.",
        ),
        # Named as in go_test: `pgcell run` follows it to the sources.
        "embed": attr.label_list(
            doc = "The go_test, which is compiled once for all versions.",
            mandatory = True,
        ),
        "env": attr.string_dict(doc = "The test's environment."),
        "env_inherit": attr.string_list(doc = "The variables that it takes from the environment of Bazel's caller."),
        "postgres": attr.string(
            doc = "The value of --@pgcell//tools/rules:postgres for the data.",
            mandatory = True,
        ),
        # bazel coverage gives a test this program by the attribute's name.
        "_lcov_merger": attr.label(
            cfg = "exec",
            default = configuration_field(fragment = "coverage", name = "output_generator"),
            executable = True,
        ),
    },
    doc = "Runs a go_test with data for one PostgreSQL.",
    test = True,
)
