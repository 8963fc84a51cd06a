"""What a BUILD file loads of pgcell.

```starlark
load("@pgcell//tools/rules:defs.bzl", "pg_go_test", "pg_template", "pg_test")
```

| name | what |
|---|---|
| `pg_template` | rule: initdb and migrations, run once, packed into one cached file |
| `pg_go_test` | macro: `go_test` with such a template |
| `pg_test` | rule: a test of any language, unchanged, on databases from such a template |
| `PgTemplateInfo` | what `pg_template` hands to other rules |
| `PostgresInfo` | a PostgreSQL: what a `postgres_toolchain` hands to rules |
"""

load("//tools/rules:toolchain.bzl", _PostgresInfo = "PostgresInfo")
load("//tools/rules/private:pg_go_test.bzl", _pg_go_test = "pg_go_test")
load("//tools/rules/private:pg_template.bzl", _PgTemplateInfo = "PgTemplateInfo", _pg_template = "pg_template")
load("//tools/rules/private:pg_test.bzl", _pg_test = "pg_test")

PgTemplateInfo = _PgTemplateInfo
PostgresInfo = _PostgresInfo
pg_go_test = _pg_go_test
pg_template = _pg_template
pg_test = _pg_test
