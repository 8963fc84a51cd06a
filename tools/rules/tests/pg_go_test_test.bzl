"""Analysis tests of the macro pg_go_test.

```starlark
load("//tools/rules/tests:pg_go_test_test.bzl", "pg_go_test_tests")
```
"""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//tools/rules:defs.bzl", "pg_go_test", "pg_template")

def _failure_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, ctx.attr.message.replace("LABEL", "//tools/rules/tests:" + ctx.attr.owner))
    return analysistest.end(env)

failure_test = analysistest.make(
    _failure_test_impl,
    attrs = {
        "message": attr.string(doc = "The message's text, LABEL for the test's label."),
        "owner": attr.string(doc = "The test's name."),
    },
    expect_failure = True,
)

def _environment_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    for name, want in ctx.attr.env.items():
        asserts.equals(env, want, target[RunEnvironmentInfo].environment.get(name, ""), name)
    asserts.equals(env, ctx.attr.inherited, target[RunEnvironmentInfo].inherited_environment, "inherited variables")
    runfiles = [file.basename for file in target[DefaultInfo].default_runfiles.files.to_list()]
    for name in ctx.attr.runfiles:
        asserts.true(env, name in runfiles, "%s is missing in %s" % (name, runfiles))
    timed = "pgcell_times.txt" in runfiles
    asserts.equals(env, "pgcell_times.txt" in ctx.attr.runfiles, timed, "recorded times among the runfiles")
    return analysistest.end(env)

environment_test = analysistest.make(
    _environment_test_impl,
    attrs = {
        "env": attr.string_dict(doc = "Variables and their values; empty for those that are not to be set."),
        "inherited": attr.string_list(doc = "Names of variables that are handed through."),
        "runfiles": attr.string_list(),
    },
)

_MESSAGES = {
    "cacheable_anyway": """\
pg_go_test LABEL: attribute cacheable: got True, want False without existing_server = True. Drop cacheable: the results \
of other suites are always cached.""",
    "category_of_words": """\
pg_go_test LABEL: attribute category: got "data types", want one word without spaces and commas. The default is the \
last folder of the package.""",
    "env_of_ours": """\
pg_go_test LABEL: attribute env: got PGCELL_TEMPLATE, want none of PGCELL_CATEGORY, PGCELL_EXISTING_SERVER, \
PGCELL_SERIAL_ONLY, PGCELL_TEMPLATE, PGCELL_TIMES. Use the attribute template.""",
    "existing_with_template": """\
pg_go_test LABEL: attribute template: got //tools/rules/tests:template, want none with existing_server = True: a running \
server cannot load a golden cluster. Drop template, and give the migrations in code: pgcell.Config{Migrations: ...}.""",
    "existing_with_postgres": """\
pg_go_test LABEL: attribute postgres: got ["15"], want none with existing_server = True: the server that PGCELL_SERVER \
names is of one version. Drop postgres.""",
    "postgres_empty": """\
pg_go_test LABEL: attribute postgres: got [], want a list that names at least one PostgreSQL. Write ["15", "18"], or drop \
the attribute.""",
    "postgres_number": """\
pg_go_test LABEL: attribute postgres: got "15", want a list that names at least one PostgreSQL. Write ["15", "18"], or \
drop the attribute.""",
    "postgres_of_numbers": """\
pg_go_test LABEL: attribute postgres: got "18 (int)", want texts: a major version from 14 to 18, a source (archive, \
bundle, host, npm), or both (npm-15). Write ["15", "18"] for example.""",
    "postgres_twice": """\
pg_go_test LABEL: attribute postgres: got "15" twice, want each PostgreSQL once. Drop one of them.""",
    "postgres_unknown": """\
pg_go_test LABEL: attribute postgres: got "9.6", want texts: a major version from 14 to 18, a source (archive, bundle, \
host, npm), or both (npm-15). Write ["15", "18"] for example.""",
    "serial_and_sharded": """\
pg_go_test LABEL: attribute shard_count: got 4, want 1 or none with serial_only = True, which lets the suite run in \
one process, alone. Drop shard_count or serial_only.""",
    "template_of_sql": """\
pg_go_test LABEL: attribute template: got //tools/rules/tests:testdata/1.sql, want a target of the rule pg_template. Wrap the \
SQL files in one: pg_template(name = "template", migrations = [...]).""",
}

def _failing(name, **kwargs):
    tags = ["manual"]
    pg_go_test(name = name, srcs = ["testdata/noop_test.go"], tags = tags, **kwargs)

def _failing_targets():
    _failing("cacheable_anyway", cacheable = True)
    _failing("category_of_words", category = "data types")
    _failing("env_of_ours", env = {"PGCELL_TEMPLATE": "elsewhere"})
    _failing("existing_with_template", existing_server = True, template = "template")
    _failing("existing_with_postgres", existing_server = True, postgres = ["15"])
    _failing("postgres_empty", postgres = [])
    _failing("postgres_number", postgres = 15)
    _failing("postgres_of_numbers", postgres = ["15", 18])
    _failing("postgres_twice", postgres = ["15", "18", "15"])
    _failing("postgres_unknown", postgres = ["9.6", "15"])
    _failing("serial_and_sharded", serial_only = True, shard_count = 4)
    _failing("template_of_sql", template = "testdata/1.sql")

def _tags_are(name, want):
    """The tags of a target of this package, which no provider carries."""
    got = native.existing_rule(name)["tags"]
    if sorted(got) != sorted(want):
        fail("tags of %s: got %s, want %s" % (name, sorted(got), sorted(want)))

def pg_go_test_tests(name):
    """Declares the targets under test and the tests.

    Args:
        name: of the test suite.
    """
    tests = []
    _failing_targets()
    for target, message in _MESSAGES.items():
        failure_test(
            name = target + "_test",
            message = message,
            owner = target,
            target_under_test = "_" + target,
        )
        tests.append(target + "_test")

    pg_template(name = "template", migrations = ["testdata/1.sql"], tags = ["manual"])
    pg_go_test(
        name = "plain",
        srcs = ["testdata/noop_test.go"],
        tags = ["manual"],
    )
    pg_go_test(
        name = "full",
        size = "small",
        srcs = ["testdata/noop_test.go"],
        category = "ddl",
        data = ["testdata/seed.sql"],
        env = {"GO_TEST_WRAP_TESTV": "0", "OWN": "$(rlocationpath testdata/seed.sql)"},
        serial_only = True,
        shard_count = 1,
        tags = ["manual", "own"],
        template = "template",
    )
    pg_go_test(
        name = "selecting",
        srcs = ["testdata/noop_test.go"],
        data = select({"//conditions:default": ["testdata/seed.sql"]}),
        env = select({"//conditions:default": {"OWN": "1"}}),
        shard_count = select({"//conditions:default": 2}),
        tags = ["manual"],
        template = select({"//conditions:default": "template"}),
    )
    pg_go_test(
        name = "untimed",
        srcs = ["testdata/noop_test.go"],
        shard_count = 2,
        tags = ["manual"],
        times = "",
    )
    pg_go_test(
        name = "timed",
        srcs = ["testdata/noop_test.go"],
        tags = ["manual"],
        times = "testdata/seed.sql",
    )
    pg_go_test(
        name = "existing",
        srcs = ["testdata/noop_test.go"],
        env_inherit = ["OWN"],
        existing_server = True,
        tags = ["manual"],
    )
    pg_go_test(
        name = "existing_cacheable",
        srcs = ["testdata/noop_test.go"],
        cacheable = True,
        existing_server = True,
        tags = ["manual"],
    )
    pg_go_test(
        name = "versions",
        size = "small",
        srcs = ["testdata/noop_test.go"],
        data = ["testdata/seed.sql"],
        env = {"OWN": "$(rlocationpath testdata/seed.sql)"},
        env_inherit = ["OWN"],
        flaky = True,
        postgres = ["15", "npm-18"],
        shard_count = 2,
        tags = ["manual", "own"],
        template = "template",
    )
    for target in ["versions_15", "versions_npm-18"]:
        _tags_are(target, ["manual", "own", "category:tests"])
        rule = native.existing_rule(target)
        got = [rule["kind"], rule["size"], rule["flaky"], rule["shard_count"]]
        if got != ["pg_go_version_test", "small", True, 2]:
            fail("rule, size, flaky, shard_count of %s: got %s" % (target, got))
    if native.existing_rule("versions")["kind"] != "test_suite":
        fail("versions: got no test_suite")
    _tags_are("existing", ["manual", "category:tests", "external", "requires-network"])
    _tags_are("existing_cacheable", ["manual", "category:tests", "requires-network"])
    _tags_are("plain", ["manual", "category:tests"])
    _tags_are("full", ["manual", "own", "category:ddl", "serial_only", "exclusive-if-local"])
    package = native.package_name()
    environment_test(
        name = "plain_test",
        env = {
            "GO_TEST_WRAP_TESTV": "1",
            "PGCELL_CATEGORY": "tests",
            "PGCELL_SERIAL_ONLY": "",
            "PGCELL_TEMPLATE": "_main/tools/rules/empty.pgcell",
            "PGCELL_TIMES": "",
        },
        runfiles = ["empty.pgcell"],
        target_under_test = "plain",
    )
    for target, inherited in {"existing": ["OWN"], "existing_cacheable": []}.items():
        environment_test(
            name = target + "_test",
            env = {"PGCELL_CATEGORY": "tests", "PGCELL_EXISTING_SERVER": "1", "PGCELL_TEMPLATE": ""},
            inherited = inherited + ["PGCELL_SERVER"],
            target_under_test = target,
        )
    environment_test(
        name = "full_test",
        env = {
            "GO_TEST_WRAP_TESTV": "0",
            "OWN": "_main/%s/testdata/seed.sql" % package,
            "PGCELL_CATEGORY": "ddl",
            "PGCELL_SERIAL_ONLY": "1",
            "PGCELL_TEMPLATE": "_main/%s/template.pgcell" % package,
        },
        runfiles = ["template.pgcell", "seed.sql"],
        target_under_test = "full",
    )
    environment_test(
        name = "selecting_test",
        env = {
            "GO_TEST_WRAP_TESTV": "1",
            "OWN": "1",
            "PGCELL_TEMPLATE": "_main/%s/template.pgcell" % package,
            "PGCELL_TIMES": "_main/%s/pgcell_times.txt" % package,
        },
        runfiles = ["template.pgcell", "seed.sql", "pgcell_times.txt"],
        target_under_test = "selecting",
    )
    for target in ["versions_15", "versions_npm-18"]:
        environment_test(
            name = target + "_test",
            env = {
                "GO_TEST_RUN_FROM_BAZEL": "1",
                "GO_TEST_WRAP_TESTV": "1",
                "OWN": "_main/%s/testdata/seed.sql" % package,
                "PGCELL_CATEGORY": "tests",
                "PGCELL_TEMPLATE": "_main/%s/template.pgcell" % package,
                "PGCELL_TIMES": "_main/%s/pgcell_times.txt" % package,
            },
            inherited = ["OWN"],
            runfiles = ["template.pgcell", "seed.sql", "pgcell_times.txt", target],
            target_under_test = target,
        )
        tests.append(target + "_test")
    environment_test(
        name = "untimed_test",
        env = {"PGCELL_TIMES": ""},
        target_under_test = "untimed",
    )
    environment_test(
        name = "timed_test",
        env = {"PGCELL_TIMES": "_main/%s/testdata/seed.sql" % package},
        runfiles = ["seed.sql"],
        target_under_test = "timed",
    )
    tests += ["existing_test", "existing_cacheable_test", "plain_test", "full_test", "selecting_test", "untimed_test", "timed_test"]
    native.test_suite(name = name, tests = tests)
