"""The attribute `postgres` of pg_go_test: which values it takes, and the targets that it makes. Pure functions.

```starlark
load("//tools/rules/private:postgres_versions.bzl", "postgres_versions")
```
"""

load("//tools/rules/private:selection.bzl", "MAJORS", "SOURCES")

# The values of the flag --@pgcell//tools/rules:postgres, whether or not there is such a PostgreSQL.
_VALUES = SOURCES + [
    prefix + str(major)
    for prefix in [""] + [source + "-" for source in SOURCES]
    for major in MAJORS
]

def _targets(name, postgres):
    """The tests that the macro makes.

    Args:
        name: of the pg_go_test.
        postgres: its attribute `postgres`, which may be of any type.

    Returns:
        dict: name of a target → the value that it selects PostgreSQL by; empty where the attribute is not usable.
    """
    values = postgres if type(postgres) == "list" else []
    return {"%s_%s" % (name, value): value for value in values if value in _VALUES}

def _encode(postgres):
    """The attribute as JSON, whatever its type, for `problem`; empty for None."""
    if postgres == None:
        return ""
    if type(postgres) != "list":
        return json.encode(str(postgres))
    return json.encode([v if type(v) == "string" else "%s (%s)" % (v, type(v)) for v in postgres])

def _problem(encoded):
    """What is wrong with the attribute.

    Args:
        encoded: what `encode` returned.

    Returns:
        None, or a struct of got, want and remedy.
    """
    if not encoded:
        return None
    values = json.decode(encoded)
    if type(values) != "list" or not values:
        return struct(
            got = json.encode(values),
            remedy = "Write [\"15\", \"18\"], or drop the attribute.",
            want = "a list that names at least one PostgreSQL",
        )
    for i, value in enumerate(values):
        if value not in _VALUES:
            return struct(
                got = "\"%s\"" % value,
                remedy = "Write [\"15\", \"18\"] for example.",
                want = "texts: a major version from %d to %d, a source (%s), or both (npm-15)" % (
                    MAJORS[0],
                    MAJORS[-1],
                    ", ".join(SOURCES),
                ),
            )
        if value in values[:i]:
            return struct(
                got = "\"%s\" twice" % value,
                remedy = "Drop one of them.",
                want = "each PostgreSQL once",
            )
    return None

postgres_versions = struct(
    encode = _encode,
    problem = _problem,
    targets = _targets,
)
