"""Makes a built program what Bazel takes for its coverage tools: a target that can be executed.

    load(":merger.bzl", "merger")
"""

def _merger_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".exe")
    ctx.actions.symlink(output = out, target_file = ctx.file.src, is_executable = True)
    return [DefaultInfo(executable = out)]

merger = rule(
    implementation = _merger_impl,
    doc = "A program that is there already.",
    attrs = {
        "src": attr.label(doc = "The program.", allow_single_file = True, mandatory = True),
    },
    executable = True,
)
