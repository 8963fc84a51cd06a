"""What pg_test and the target of --run_under have in common: the program that runs a test on databases of its own.

```starlark
load("//tools/rules/private:launcher.bzl", "LAUNCHER_ATTRS", "launcher")
```
"""

load("//tools/rules/private:pg_template.bzl", "PgTemplateInfo")
load("//tools/rules/private:selection.bzl", "selection")

LAUNCHER_ATTRS = {
    "_launcher": attr.label(
        cfg = "target",
        default = "//tools/exec:exec",
        executable = True,
    ),
}

def _rlocationpath(ctx, file):
    path = file.short_path
    return path[len("../"):] if path.startswith("../") else ctx.workspace_name + "/" + path

def _check_template(owner, template):
    if PgTemplateInfo not in template:
        fail(("%s: got %s, want a target of the rule pg_template. Wrap the SQL files in one: " +
              "pg_template(name = \"template\", migrations = [...]).") % (
            owner,
            selection.label_text(template.label),
        ))

def _declare(ctx, template, variables, test = None, args = []):
    """Declares the executable, and the file beside it that it reads.

    Args:
        ctx: the rule's context, with LAUNCHER_ATTRS.
        template: a target that has PgTemplateInfo.
        variables: name → text of further variables.
        test: the executable File to run; None where Bazel gives the command.
        args: arguments of the test, each of which may hold several words.

    Returns:
        The executable, and the runfiles that it needs, but for those of the test.
    """
    executable = ctx.actions.declare_file(ctx.label.name)
    config = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.symlink(
        is_executable = True,
        output = executable,
        target_file = ctx.executable._launcher,
    )
    ctx.actions.write(config, json.encode_indent({
        "args": args,
        "template": _rlocationpath(ctx, template[PgTemplateInfo].file),
        "test": _rlocationpath(ctx, test) if test else "",
        "variables": [{"Name": name, "Value": text} for name, text in variables.items()],
    }, indent = "  ") + "\n")
    runfiles = ctx.runfiles([executable, config]).merge_all([
        ctx.attr._launcher[DefaultInfo].default_runfiles,
        template[DefaultInfo].default_runfiles,
    ])
    return executable, runfiles

launcher = struct(
    check_template = _check_template,
    declare = _declare,
)
