"""What Gazelle makes of tests in this repository.

```starlark
load("//db:defs.bzl", "db_test")
```
"""

load("@pgcell//tools/rules:defs.bzl", "pg_go_test")

def db_test(name, **kwargs):
    """A pg_go_test with this repository's template, and 2 shards where it says no other number.

    Args:
        name: of the test.
        **kwargs: attributes of pg_go_test.
    """
    pg_go_test(name = name, **({"shard_count": 2, "template": Label("//db:template")} | kwargs))
