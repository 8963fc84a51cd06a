"""The macro `pg_go_test`.

```starlark
load("@pgcell//tools/rules:defs.bzl", "pg_go_test")
```
"""

load("@rules_go//go:def.bzl", "go_test")
load("//tools/rules/private:pg_go_version_test.bzl", "pg_go_version_test")
load("//tools/rules/private:pg_test_template.bzl", "pg_test_template")
load("//tools/rules/private:postgres_versions.bzl", "postgres_versions")

# The attributes of a test itself, which is not the go_test where there is one test a version of PostgreSQL.
_OF_THE_TEST = [
    "args",
    "deprecation",
    "env_inherit",
    "flaky",
    "local",
    "size",
    "timeout",
    "visibility",
]

# The attributes that hold for both.
_OF_BOTH = [
    "compatible_with",
    "exec_compatible_with",
    "exec_properties",
    "restricted_to",
    "target_compatible_with",
    "testonly",
]

def _go_tests(name, versions, data, env, shard_count, tags, **kwargs):
    """One test for each version of PostgreSQL, and the test_suite of them all."""
    binary = "_%s_go" % name
    outer = {attribute: kwargs.pop(attribute) for attribute in _OF_THE_TEST if attribute in kwargs}
    both = {attribute: kwargs[attribute] for attribute in _OF_BOTH if attribute in kwargs}
    go_test(
        name = binary,
        tags = tags + ([] if "manual" in tags else ["manual"]),
        visibility = ["//visibility:private"],
        **kwargs
    )
    for version_name, version in versions.items():
        pg_go_version_test(
            name = version_name,
            data = data,
            embed = [binary],
            env = env,
            postgres = version,
            shard_count = shard_count,
            tags = tags,
            **(outer | both)
        )
    native.test_suite(
        name = name,
        tags = [tag for tag in tags if tag == "manual"],
        tests = versions.keys(),
        visibility = outer.get("visibility"),
    )

def pg_go_test(
        name,
        template = None,
        existing_server = False,
        cacheable = False,
        serial_only = False,
        category = None,
        postgres = None,
        shard_count = None,
        times = None,
        data = [],
        env = {},
        tags = [],
        **kwargs):
    """A `go_test` whose tests get databases made from a template.

    It takes every attribute of rules_go's go_test, so Gazelle can write it:
    `# gazelle:map_kind go_test pg_go_test @pgcell//tools/rules:defs.bzl`. A plain go_test whose tests import the
    library works too, with `data` and `env` as set below or without a template.

    Args:
        name: name of the test.
        template: label of a `pg_template`. None: an empty database, `@pgcell//tools/rules:empty`.
        existing_server: True for a suite whose databases are on the server that PGCELL_SERVER names in the environment of
            `bazel test`, a server that others manage. The suite gives its migrations in code, since a `pg_template` cannot
            be loaded there. It gets the tags `external`, so that its results are not cached, and `requires-network`. See
            docs/how-to/existing-server.md.
        cacheable: True lets Bazel cache the results of a suite with existing_server = True, although it does not know the
            server. A changed value of PGCELL_SERVER runs the suite again; a changed server does not.
        serial_only: True for a suite that must not run beside others. It gets the tags `serial_only` and
            `exclusive-if-local`, so Bazel runs it alone, after all others. It cannot have more than one shard. If Bazel
            is told to cut every suite into shards (`--test_sharding_strategy=forced=N`), the first one runs all of its
            tests. See docs/sharding.md.
        category: the suite's category, one word. The suite gets the tag `category:WORD`. None: the last folder of the
            package.
        postgres: the versions of PostgreSQL to test with, each a value of `--@pgcell//tools/rules:postgres`:
            `["15", "18"]`. Each gets a test of its own, `NAME_15` and `NAME_18`, and NAME is a test_suite of them. They
            run the same binary; template and data are made for each. None: NAME is one test, and the flag decides.
        shard_count: how many processes share the tests. None: one, whose worker name is `master`.
        times: the file of recorded times by which shards are balanced; see docs/sharding.md. None: `pgcell_times.txt` of
            the package, if it exists and the suite has shards. "": no file.
        data: files for the test, as in go_test; the template is added.
        env: environment for the test, as in go_test. PGCELL_TEMPLATE, PGCELL_CATEGORY, PGCELL_TIMES,
            PGCELL_SERIAL_ONLY and PGCELL_EXISTING_SERVER are added as needed, and `GO_TEST_WRAP_TESTV=1` unless it is set, so that the log lists
            passed tests.
        tags: tags of the test, as in go_test; `category:WORD` is added.
        **kwargs: every other attribute of go_test: srcs, embed, deps, size, ...
    """
    category = category or native.package_name().rpartition("/")[2] or name
    if serial_only:
        tags = tags + ["serial_only", "exclusive-if-local"]
    if times == None and shard_count not in [None, 1]:
        times = (native.glob(["pgcell_times.txt"], allow_empty = True) or [""])[0]
    inner = "_" + name
    pg_test_template(
        name = inner,
        testonly = True,
        cacheable = cacheable,
        category = category,
        env = env,
        existing_server = existing_server,
        postgres = postgres_versions.encode(postgres),
        serial_only = serial_only,
        shard_count = shard_count,
        tags = ["manual"],
        target_compatible_with = kwargs.get("target_compatible_with"),
        template = template if existing_server else template or Label("//tools/rules:empty"),
        test_name = name,
        visibility = ["//visibility:private"],
    )
    if existing_server:
        tags = tags + ["requires-network"] + ([] if cacheable else ["external"])
        source = {"PGCELL_EXISTING_SERVER": "1"}
        kwargs["env_inherit"] = kwargs.get("env_inherit", []) + ["PGCELL_SERVER"]
    else:
        source = {"PGCELL_TEMPLATE": "$(rlocationpath :%s)" % inner}
    attributes = kwargs | {
        "data": data + [":" + inner] + ([times] if times else []),
        "env": {"GO_TEST_WRAP_TESTV": "1"} | env | {
            "PGCELL_CATEGORY": category,
        } | source | ({"PGCELL_SERIAL_ONLY": "1"} if serial_only else {}) | (
            {"PGCELL_TIMES": "$(rlocationpath %s)" % times} if times else {}
        ),
        "shard_count": shard_count,
        "tags": tags + ["category:" + category],
    }
    versions = postgres_versions.targets(name, postgres)
    if versions:
        _go_tests(name, versions, **attributes)
    else:
        go_test(name = name, **attributes)
