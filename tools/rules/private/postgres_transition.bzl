"""Transitions that select a PostgreSQL for a part of the build.

```starlark
load("//tools/rules/private:postgres_transition.bzl", "leave_postgres", "select_postgres")
```
"""

_POSTGRES = "//tools/rules:postgres"

# What the flag was outside of the part that a transition has selected a PostgreSQL for; empty outside of any.
_OUTER = "//tools/rules:outer_postgres"

def _select_postgres_impl(settings, attr):
    return {
        _OUTER: settings[_OUTER] or settings[_POSTGRES],
        _POSTGRES: attr.postgres,
    }

select_postgres = transition(
    implementation = _select_postgres_impl,
    inputs = [_OUTER, _POSTGRES],
    outputs = [_OUTER, _POSTGRES],
)

def _leave_postgres_impl(settings, _):
    return {
        _OUTER: "",
        _POSTGRES: settings[_OUTER] or settings[_POSTGRES],
    }

# Undoes select_postgres for what is the same with every PostgreSQL: so it is compiled once, not once a version.
leave_postgres = transition(
    implementation = _leave_postgres_impl,
    inputs = [_OUTER, _POSTGRES],
    outputs = [_OUTER, _POSTGRES],
)
