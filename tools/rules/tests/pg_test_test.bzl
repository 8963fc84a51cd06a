"""Analysis tests of the rule pg_test and of the target of --run_under.

```starlark
load("//tools/rules/tests:pg_test_test.bzl", "pg_test_tests")
```
"""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//tools/rules:defs.bzl", "pg_template", "pg_test")
load("//tools/rules/private:pg_run_under.bzl", "pg_run_under")
load("//tools/rules/private:text_list_flag.bzl", "text_list_flag")
load("//tools/rules/tests:pg_go_test_test.bzl", "failure_test")

def _noop_test_impl(ctx):
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(executable, "", is_executable = True)
    providers = [DefaultInfo(executable = executable, runfiles = ctx.runfiles(ctx.files.data))]
    if ctx.attr.tells:
        providers.append(RunEnvironmentInfo(environment = ctx.attr.env, inherited_environment = ["HOME"]))
    return providers

noop_test = rule(
    implementation = _noop_test_impl,
    attrs = {
        "data": attr.label_list(allow_files = True),
        "env": attr.string_dict(),
        "tells": attr.bool(doc = "Whether a provider has the environment."),
    },
    doc = "A test as pg_test may run it.",
    test = True,
)

def _launch_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    for action in analysistest.target_actions(env):
        if [file.extension for file in action.outputs.to_list()] == ["json"]:
            asserts.equals(env, json.decode(ctx.attr.config), json.decode(action.content))
    runfiles = [file.basename for file in target[DefaultInfo].default_runfiles.files.to_list()]
    for name in ctx.attr.runfiles:
        asserts.true(env, name in runfiles, "%s is missing in %s" % (name, runfiles))
    if ctx.attr.env:
        asserts.equals(env, ctx.attr.env, target[RunEnvironmentInfo].environment)
        asserts.equals(env, ctx.attr.env_inherit, target[RunEnvironmentInfo].inherited_environment)
    return analysistest.end(env)

launch_test = analysistest.make(
    _launch_test_impl,
    attrs = {
        "config": attr.string(doc = "What the launcher reads, as JSON."),
        "env": attr.string_dict(doc = "The test's environment; empty where it does not matter."),
        "env_inherit": attr.string_list(),
        "runfiles": attr.string_list(),
    },
)

_MESSAGES = {
    "pg_test_env": """\
pg_test LABEL: attribute env: got the name "A=B", want one of a variable. Write {"TEST_DSN": "{url}"}.""",
    "pg_test_of_file": """\
pg_test LABEL: attribute test: got //tools/rules/tests:testdata/1.sql, want a test or another rule that can be executed. \
Wrap a script in a sh_test.""",
    "pg_test_of_template": """\
pg_test LABEL: attribute test: got //tools/rules/tests:pg_test_template, want a test or another rule that can be executed. \
Wrap a script in a sh_test.""",
    "pg_test_without_template": """\
pg_test LABEL: attribute template: got //tools/rules/tests:testdata/1.sql, want a target of the rule pg_template. Wrap the SQL \
files in one: pg_template(name = "template", migrations = [...]).""",
    "run_under_env": """\
--@pgcell//tools/exec:env: got "URL", want NAME=TEXT. Write for example --@pgcell//tools/exec:env=TEST_DSN={url}.""",
    "run_under_template": """\
--@pgcell//tools/exec:template: got //tools/rules/tests:testdata/1.sql, want a target of the rule pg_template. Wrap the SQL \
files in one: pg_template(name = "template", migrations = [...]).""",
}

def _failing_targets():
    tags = ["manual"]
    pg_test(name = "pg_test_env", env = {"A=B": "{url}"}, tags = tags, test = "silent")
    pg_test(name = "pg_test_of_file", tags = tags, test = "testdata/1.sql")
    pg_test(name = "pg_test_of_template", tags = tags, test = "pg_test_template")
    pg_test(name = "pg_test_without_template", tags = tags, template = "testdata/1.sql", test = "silent")
    text_list_flag(name = "wrong_env", build_setting_default = ["URL"])
    text_list_flag(name = "right_env", build_setting_default = ["DSN={url}?a=b,c", "WORKER={worker}"])
    pg_run_under(name = "run_under_env", testonly = True, env = "wrong_env", tags = tags, template = "pg_test_template")
    pg_run_under(name = "run_under_template", testonly = True, env = "right_env", tags = tags, template = "testdata/1.sql")

def pg_test_tests(name):
    """Declares the targets under test and the tests.

    Args:
        name: of the test suite.
    """
    tests = []
    tags = ["manual"]
    package = "_main/" + native.package_name()
    pg_template(name = "pg_test_template", testonly = True, migrations = ["testdata/1.sql"], tags = tags)
    noop_test(
        name = "silent",
        args = ["'a b'", "$(location testdata/seed.sql)", "$$HOME"],
        data = ["testdata/seed.sql"],
        env = {"OWN": "$(location testdata/seed.sql)"},
        tags = tags,
    )
    noop_test(name = "telling", env = {"OWN": "1"}, tags = tags, tells = True)
    _failing_targets()
    for target, message in _MESSAGES.items():
        failure_test(name = target + "_test", message = message, owner = target, target_under_test = target)
        tests.append(target + "_test")

    pg_test(
        name = "of_silent",
        env = {"DSN": "{url}"},
        tags = tags,
        template = "pg_test_template",
        test = "silent",
    )
    pg_test(name = "of_telling", tags = tags, test = "telling")
    pg_run_under(name = "run_under", testonly = True, env = "right_env", tags = tags, template = "pg_test_template")
    launch_test(
        name = "of_silent_test",
        config = json.encode({
            "args": ["'a b'", native.package_name() + "/testdata/seed.sql", "$HOME"],
            "template": package + "/pg_test_template.pgcell",
            "test": package + "/silent",
            "variables": [{"Name": "DSN", "Value": "{url}"}],
        }),
        env = {"OWN": native.package_name() + "/testdata/seed.sql"},
        runfiles = ["of_silent", "of_silent.json", "silent", "seed.sql", "pg_test_template.pgcell"],
        target_under_test = "of_silent",
    )
    launch_test(
        name = "of_telling_test",
        config = json.encode({
            "args": [],
            "template": "_main/tools/rules/empty.pgcell",
            "test": package + "/telling",
            "variables": [],
        }),
        env = {"OWN": "1"},
        env_inherit = ["HOME"],
        runfiles = ["telling", "empty.pgcell"],
        target_under_test = "of_telling",
    )
    launch_test(
        name = "run_under_test",
        config = json.encode({
            "args": [],
            "template": package + "/pg_test_template.pgcell",
            "test": "",
            "variables": [{"Name": "DSN", "Value": "{url}?a=b,c"}, {"Name": "WORKER", "Value": "{worker}"}],
        }),
        runfiles = ["run_under", "run_under.json", "pg_test_template.pgcell"],
        target_under_test = "run_under",
    )
    tests += ["of_silent_test", "of_telling_test", "run_under_test"]
    native.test_suite(name = name, tests = tests)
