"""What the test behind a pg_test was given in its BUILD file.

```starlark
load("//tools/rules/private:inner_test.bzl", "InnerTestInfo", "inner_test_aspect")
```
"""

InnerTestInfo = provider(
    doc = "What Bazel would give a test, if it ran that test itself.",
    fields = {
        "args": "list of string: its arguments, locations expanded; each may hold several words",
        "env": "dict: name → value of its variables",
        "env_inherit": "list of string: the variables that it takes from the environment of Bazel's caller",
    },
)

def _expand(ctx, attribute, text):
    if "$" not in text:
        return text
    targets = {}
    for name in ["srcs", "deps", "data"]:
        values = getattr(ctx.rule.attr, name, [])
        for target in values if type(values) == type([]) else []:
            if type(target) == "Target":
                targets[target.label] = target

    # As Bazel does for tests: a location is where the file lies among the runfiles.
    for word in ["location", "locations"]:
        text = text.replace("$(%s " % word, "$(%s " % word.replace("location", "rootpath"))
    return ctx.expand_make_variables(attribute, ctx.expand_location(text, targets.values()), {})

def _inner_test_aspect_impl(target, ctx):
    args = [_expand(ctx, "args", arg) for arg in getattr(ctx.rule.attr, "args", [])]
    if RunEnvironmentInfo in target:
        info = target[RunEnvironmentInfo]
        return [InnerTestInfo(args = args, env = info.environment, env_inherit = info.inherited_environment)]
    env = getattr(ctx.rule.attr, "env", {})  # of a rule that is built into Bazel
    if type(env) != type({}):
        env = {}
    return [InnerTestInfo(
        args = args,
        env = {name: _expand(ctx, "env", text) for name, text in env.items()},
        env_inherit = getattr(ctx.rule.attr, "env_inherit", []),
    )]

inner_test_aspect = aspect(
    implementation = _inner_test_aspect_impl,
    doc = "Reads the attributes that no provider of a test carries.",
    provides = [InnerTestInfo],
)
