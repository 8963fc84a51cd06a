"""Which PostgreSQL a value of the flag `--@pgcell//tools/rules:postgres` selects: pure functions.

```starlark
load("//tools/rules/private:selection.bzl", "selection")
```

An *offer* is one PostgreSQL that could be used: a struct of

| field | what |
|---|---|
| source | `archive`, `bundle`, `host` or `npm` |
| version | of the installation or package: `15.18`, `18.4.0-beta.17` |
| platform | a key of PLATFORMS |
| toolchain | label of its postgres_toolchain |
| place | where it comes from, for messages: a directory or a package |
| preferred | true: goes before the others of its source (PGCELL_POSTGRES; an archive that the root module names) |

The flag's values, for each platform on its own:

| value | selects |
|---|---|
| `auto` | the first in the order below |
| `15` | the first with that major version |
| `host`, `npm`, `archive`, `bundle` | the first from that source |
| `host-15`, `npm-15`, ... | that major version from that source |

The order: an archive that the root module names, for somebody asked for it by hand; what is installed on the host;
archives of other modules; npm; copies of what is installed on the host. Within one of these the newest first.
"""

FLAG = "--@pgcell//tools/rules:postgres"

# PostgreSQL's major versions that pgcell is tested with.
MAJORS = [14, 15, 16, 17, 18]

# Where a PostgreSQL may come from.
SOURCES = ["archive", "bundle", "host", "npm"]

# The npm packages' names for platforms, which are Node's, and Bazel's constraints for them.
PLATFORMS = {
    "darwin-arm64": ["@platforms//os:macos", "@platforms//cpu:aarch64"],
    "darwin-x64": ["@platforms//os:macos", "@platforms//cpu:x86_64"],
    "linux-arm64": ["@platforms//os:linux", "@platforms//cpu:aarch64"],
    "linux-x64": ["@platforms//os:linux", "@platforms//cpu:x86_64"],
}

def _numbers(version):
    """The numbers of a version in order: 18.4.0-beta.17 → [18, 4, 0, 17], 19beta1 → [19, 1]."""
    numbers = []
    digits = ""
    for char in (version + ".").elems():
        if char.isdigit():
            digits += char
        elif digits:
            numbers.append(int(digits))
            digits = ""
    return numbers

def _major(version):
    """The major version as a number, 0 where the text does not begin with one."""
    return _numbers(version)[0] if version[:1].isdigit() else 0

def _rank(offer):
    if offer.source == "archive":
        return 0 if offer.preferred else 2
    return {"bundle": 4, "host": 1}.get(offer.source, 3)

def _place_in_order(offer):
    return (_rank(offer), 0 if offer.preferred else 1, [-n for n in _numbers(offer.version)])

def _label_text(label):
    """A label as a user writes it: that of the main repository without its @@."""
    return str(label).replace("@@//", "//")

def _plan(offers):
    """Decides for each platform and each value of the flag.

    Args:
        offers: list of offers, in any order.

    Returns:
        dict: platform → dict: value of the flag → the offer that it selects.
    """
    plan = {}
    for offer in sorted(offers, key = _place_in_order):
        major = _major(offer.version)
        values = plan.setdefault(offer.platform, {})
        for value in ["auto", offer.source, str(major), "%s-%d" % (offer.source, major)]:
            values.setdefault(value, offer)
    return plan

def _list_offers(plan, wanted = None):
    """One line a platform and place, with its versions; those that the value `wanted` selects, or all."""
    versions = {}
    for platform in sorted(plan):
        for value, offer in plan[platform].items():
            if wanted in [None, value]:
                place = "%s: %s in %s:" % (platform, offer.source, offer.place)
                versions.setdefault(place, {})[offer.version] = True
    lines = ["\n  %s %s" % (place, ", ".join(found.keys())) for place, found in versions.items()]
    return "".join(lines) or "\n  nothing at all"

def _explain(owner, value, platform, plan, kind = ""):
    """The message for a value of the flag that selects nothing.

    Args:
        owner: rule and label that asks, "pg_template //db:template".
        value: the flag's value.
        platform: label of the target platform, as text.
        plan: what `plan` returned.
        kind: key of PLATFORMS that the target platform is of; empty for a platform of another kind.

    Returns:
        string: what was asked for, what there is, what to write.
    """
    got = "%s: flag %s: got \"%s\", " % (owner, FLAG, value)
    if value in plan.get(kind, {}):
        return got + ("which is PostgreSQL %s for %s, and no execution platform is of that kind. A template is built on " +
                      "the kind of machine that tests run on, here %s. Add an execution platform: " +
                      "--extra_execution_platforms=%s, or register_execution_platforms(...) in MODULE.bazel.") % (
            plan[kind][value].version,
            kind,
            platform,
            platform,
        )
    if any([value in values for values in plan.values()]):
        return got + ("which comes for other platforms than %s:%s\nWrite a value that this platform has, install " +
                      "that PostgreSQL on this machine, or add postgres.archive(...) for it to MODULE.bazel.") % (
            platform,
            _list_offers(plan, value),
        )
    values = {value: True for values in plan.values() for value in values}
    return got + ("want one of %s.\nThere is:%s\nWrite %s=auto to take what is there, install that PostgreSQL on " +
                  "this machine, or add postgres.npm(...), postgres.archive(...) or postgres.bundle() for it to MODULE.bazel. " +
                  "Versions %d to %d are supported.") % (
        ", ".join(sorted(values)) or "nothing (no tag of the extension postgres brought a PostgreSQL)",
        _list_offers(plan),
        FLAG,
        MAJORS[0],
        MAJORS[-1],
    )

selection = struct(
    explain = _explain,
    label_text = _label_text,
    major = _major,
    numbers = _numbers,
    plan = _plan,
)
