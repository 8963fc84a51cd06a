"""The rule behind `@pgcell//tools/exec:run`, for `bazel test --run_under`.

```starlark
load("//tools/rules/private:pg_run_under.bzl", "pg_run_under")
```
"""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//tools/rules/private:launcher.bzl", "LAUNCHER_ATTRS", "launcher")

def _pg_run_under_impl(ctx):
    launcher.check_template("--@pgcell//tools/exec:template", ctx.attr.template)
    variables = {}
    for text in ctx.attr.env[BuildSettingInfo].value:
        name, is_pair, value = text.partition("=")
        if not (name and is_pair):
            fail(("--@pgcell//tools/exec:env: got \"%s\", want NAME=TEXT. Write for example " +
                  "--@pgcell//tools/exec:env=TEST_DSN={url}.") % text)
        variables[name] = value
    executable, runfiles = launcher.declare(ctx, ctx.attr.template, variables)
    return [DefaultInfo(executable = executable, runfiles = runfiles)]

pg_run_under = rule(
    implementation = _pg_run_under_impl,
    attrs = LAUNCHER_ATTRS | {
        "env": attr.label(
            doc = "The build setting that holds further variables, NAME=TEXT each.",
            mandatory = True,
            providers = [BuildSettingInfo],
        ),
        "template": attr.label(
            allow_files = True,
            doc = "The flag that names the pg_template.",
            mandatory = True,
        ),
    },
    doc = "A program that runs the command in its arguments on databases of its own.",
    executable = True,
)
