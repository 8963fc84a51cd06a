"""Analysis tests of pg_template and postgres_toolchain.

```starlark
load("//tools/rules/tests:pg_template_test.bzl", "pg_template_tests")
```
"""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//tools/rules:defs.bzl", "PgTemplateInfo", "pg_template")
load("//tools/rules:toolchain.bzl", "PostgresInfo", "postgres_toolchain")
load("//tools/rules/private:catalog.bzl", "PostgresCatalogInfo")
load("//tools/rules/private:selection.bzl", "PLATFORMS", "selection")

_FLAG = str(Label("//tools/rules:postgres"))

def _program_impl(ctx):
    program = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.symlink(output = program, target_file = ctx.file.src, is_executable = True)
    return [DefaultInfo(executable = program, runfiles = ctx.runfiles([program, ctx.file.data]))]

# Stands for the binary rule of any language.
_program = rule(
    implementation = _program_impl,
    attrs = {
        "data": attr.label(allow_single_file = True),
        "src": attr.label(allow_single_file = True),
    },
    executable = True,
)

def _outputs_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    files = target[DefaultInfo].files.to_list()
    asserts.equals(env, ["everything.pgcell"], [file.basename for file in files])
    asserts.equals(env, files, [target[PgTemplateInfo].file])
    asserts.equals(env, "16.9", target[PgTemplateInfo].version)
    runfiles = [file.short_path for file in target[DefaultInfo].default_runfiles.files.to_list()]
    asserts.true(env, files[0].short_path in runfiles, "the golden cluster is missing in %s" % runfiles)
    for program in ["initdb", "postgres"]:
        path = "%s/testdata/bin/%s" % (ctx.label.package, program)
        asserts.true(env, path in runfiles, "%s is missing in %s" % (path, runfiles))
    return analysistest.end(env)

# A PostgreSQL of files that only look like one: nothing has to be fetched, and the tests say the same on every machine.
_OF_FILES = {"//command_line_option:extra_toolchains": str(Label("//tools/rules/tests:of_files_toolchain"))}

outputs_test = analysistest.make(_outputs_test_impl, config_settings = _OF_FILES)

def _action_test_impl(ctx):
    env = analysistest.begin(ctx)
    actions = {action.mnemonic: action for action in analysistest.target_actions(env)}
    spec = json.decode(actions["FileWrite"].content)
    package = ctx.label.package
    asserts.equals(env, [package + "/testdata/" + name for name in ["2.sql", "1.sql"]], _names(spec["migrations"]))
    asserts.equals(env, [package + "/testdata/seed.sql"], _names(spec["seeds"]))
    asserts.equals(env, "given", spec["order"])
    asserts.equals(env, ["pg_trgm"], spec["extensions"])
    asserts.equals(env, ["reader NOINHERIT"], spec["roles"])
    asserts.equals(env, {"wal_level": "logical"}, spec["settings"])
    asserts.equals(env, "icu:en-US", spec["locale"])
    asserts.equals(env, True, spec["superuser"])
    asserts.equals(env, "//%s:everything" % package, spec["label"])
    asserts.equals(
        env,
        [package + "/" + name for name in ["migrator.sh", "testdata/1.sql", "testdata/helper.txt"]],
        sorted(_names(spec["migrator"]["files"])),
    )
    asserts.equals(env, ["-file", package + "/testdata/1.sql"], spec["migrator"]["args"])
    bindir = package + "/testdata/bin"
    postgres = {"bindir": bindir, "build": "", "runfiles_bindir": "_main/" + bindir, "version": "16.9"}
    asserts.equals(env, postgres, spec["postgres"])
    inputs = [file.path for file in actions["PgTemplate"].inputs.to_list()]
    for needed in [bindir + "/initdb", spec["migrator"]["path"], package + "/testdata/1.sql"]:
        asserts.true(env, needed in inputs, "%s is no input of the action" % needed)
    return analysistest.end(env)

def _names(files):
    return [file["name"] for file in files]

action_test = analysistest.make(_action_test_impl, config_settings = _OF_FILES)

def _empty_test_impl(ctx):
    env = analysistest.begin(ctx)
    actions = {action.mnemonic: action for action in analysistest.target_actions(env)}
    spec = json.decode(actions["FileWrite"].content)
    asserts.equals(env, None, spec["migrator"])
    asserts.equals(env, "auto", spec["order"])
    asserts.equals(env, {}, actions["PgTemplate"].env)
    return analysistest.end(env)

empty_test = analysistest.make(_empty_test_impl)

def _unknown_version_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, selection.explain(
        owner = "pg_template //tools/rules/tests:nothing",
        plan = selection.plan(ctx.attr._catalog[PostgresCatalogInfo].offers),
        platform = selection.label_text(ctx.fragments.platform.platform),
        value = "99",
    ))
    return analysistest.end(env)

unknown_version_test = analysistest.make(
    _unknown_version_test_impl,
    attrs = {"_catalog": attr.label(default = "@pgcell_postgres//:catalog")},
    config_settings = {_FLAG: "99"},
    expect_failure = True,
    fragments = ["platform"],
)

def _no_execution_platform_test_impl(ctx):
    env = analysistest.begin(ctx)
    plan = selection.plan(ctx.attr._catalog[PostgresCatalogInfo].offers)
    asserts.expect_failure(env, (
        "pg_template //tools/rules/tests:nothing: flag --@pgcell//tools/rules:postgres: got \"npm\", which is PostgreSQL %s " +
        "for %s, and no execution platform is of that kind. A template is built on the kind of machine that tests run on, " +
        "here //tools/rules/tests:mac. Add an execution platform: --extra_execution_platforms=//tools/rules/tests:mac, or " +
        "register_execution_platforms(...) in MODULE.bazel."
    ) % (plan["darwin-x64"]["npm"].version, "darwin-x64"))
    return analysistest.end(env)

no_execution_platform_test = analysistest.make(
    _no_execution_platform_test_impl,
    attrs = {"_catalog": attr.label(default = "@pgcell_postgres//:catalog")},
    config_settings = {
        _FLAG: "npm",
        "//command_line_option:platforms": str(Label("//tools/rules/tests:mac")),
    },
    expect_failure = True,
)

def _failure_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, ctx.attr.message.replace("LABEL", "//tools/rules/tests:" + ctx.attr.owner))
    return analysistest.end(env)

failure_test = analysistest.make(
    _failure_test_impl,
    attrs = {
        "message": attr.string(doc = "The message's text, LABEL for the target's label."),
        "owner": attr.string(doc = "The target's name."),
    },
    expect_failure = True,
)

def _failure_test(owner, message):
    failure_test(name = owner + "_test", message = message, owner = owner, target_under_test = owner)

def _toolchain_test_impl(ctx):
    env = analysistest.begin(ctx)
    info = analysistest.target_under_test(env)[PostgresInfo]
    asserts.equals(env, info, analysistest.target_under_test(env)[platform_common.ToolchainInfo].postgres)
    asserts.equals(env, "16.9", info.version)
    asserts.equals(env, ctx.attr.bindir, info.bindir)
    asserts.equals(env, ctx.attr.build, info.build)
    asserts.equals(env, ctx.attr.runfiles_bindir, info.runfiles_bindir)
    asserts.equals(env, ctx.attr.files, sorted([file.basename for file in info.files.to_list()]))
    return analysistest.end(env)

toolchain_test = analysistest.make(
    _toolchain_test_impl,
    attrs = {
        "bindir": attr.string(),
        "build": attr.string(),
        "files": attr.string_list(),
        "runfiles_bindir": attr.string(),
    },
)

def _toolchain_targets():
    postgres_toolchain(name = "neither", tags = ["manual"], version = "16.9")
    postgres_toolchain(
        name = "both",
        bindir = "/usr/bin",
        postgres = "testdata/bin/postgres",
        tags = ["manual"],
        version = "16.9",
    )
    postgres_toolchain(name = "relative", bindir = "usr/bin", tags = ["manual"], version = "16.9")
    postgres_toolchain(name = "on_host", bindir = "/opt/pg/bin", build = "1a2b", tags = ["manual"], version = "16.9")
    postgres_toolchain(
        name = "of_files",
        files = ["testdata/bin/initdb"],
        postgres = "testdata/bin/postgres",
        tags = ["manual"],
        version = "16.9",
    )
    native.toolchain(
        name = "of_files_toolchain",
        tags = ["manual"],
        toolchain = "of_files",
        toolchain_type = Label("//tools/rules:toolchain_type"),
    )

_EITHER_OR = """\
postgres_toolchain LABEL: attributes postgres and bindir: got %s, want exactly one. Name the file `postgres` of a \
PostgreSQL that is an input of the build, or the absolute directory of one that is installed on the machine."""

_RELATIVE = """\
postgres_toolchain LABEL: attribute bindir: got "usr/bin", want an absolute directory. For files of the build use the \
attribute postgres."""

def _toolchain_tests():
    _toolchain_targets()
    _failure_test("neither", _EITHER_OR % "neither")
    _failure_test("both", _EITHER_OR % "both")
    _failure_test("relative", _RELATIVE)
    toolchain_test(name = "on_host_test", bindir = "/opt/pg/bin", build = "1a2b", target_under_test = "on_host")
    bindir = native.package_name() + "/testdata/bin"
    toolchain_test(
        name = "of_files_test",
        bindir = bindir,
        files = ["initdb", "postgres"],
        runfiles_bindir = "_main/" + bindir,
        target_under_test = "of_files",
    )
    return ["neither_test", "both_test", "relative_test", "on_host_test", "of_files_test"]

_NO_MIGRATOR = """\
pg_template LABEL: attribute migrator_args: got a value without a migrator, want none. Name the program in the \
attribute migrator."""

def pg_template_tests(name):
    """Declares the targets under test and the tests.

    Args:
        name: of the test suite.
    """
    _program(name = "migrator", data = "testdata/helper.txt", src = "testdata/migrator.sh", tags = ["manual"])
    pg_template(
        name = "everything",
        data = ["testdata/1.sql"],
        extensions = ["pg_trgm"],
        locale = "icu:en-US",
        migrations = ["testdata/2.sql", "testdata/1.sql"],
        migrator = "migrator",
        migrator_args = ["-file", "$(execpath testdata/1.sql)"],
        order = "given",
        roles = ["reader NOINHERIT"],
        seeds = ["testdata/seed.sql"],
        settings = {"wal_level": "logical"},
        superuser = True,
        tags = ["manual"],
    )
    pg_template(name = "nothing", tags = ["manual"])
    pg_template(name = "no_migrator", migrator_args = ["up"], tags = ["manual"])
    outputs_test(name = "outputs_test", target_under_test = "everything")
    action_test(name = "action_test", target_under_test = "everything")
    empty_test(name = "empty_test", target_under_test = "nothing")
    unknown_version_test(name = "unknown_version_test", target_under_test = "nothing")

    # The rarest kind of machine, so that few who run this have one.
    native.platform(name = "mac", constraint_values = PLATFORMS["darwin-x64"])
    no_execution_platform_test(name = "no_execution_platform_test", target_under_test = "nothing")
    _failure_test("no_migrator", _NO_MIGRATOR)
    native.test_suite(
        name = name,
        tests = ["outputs_test", "action_test", "empty_test", "unknown_version_test", "no_execution_platform_test", "no_migrator_test"] +
                _toolchain_tests(),
    )
