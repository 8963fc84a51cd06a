"""What there is to choose from, for the message that says so.

```starlark
load("//tools/rules/private:catalog.bzl", "PostgresCatalogInfo", "postgres_catalog")
```
"""

PostgresCatalogInfo = provider(
    doc = "Every PostgreSQL that the flag can select.",
    fields = {"offers": "list of offers, see selection.bzl"},
)

def _postgres_catalog_impl(ctx):
    return [PostgresCatalogInfo(offers = [struct(**json.decode(offer)) for offer in ctx.attr.offers])]

postgres_catalog = rule(
    implementation = _postgres_catalog_impl,
    attrs = {"offers": attr.string_list(doc = "The offers, each as JSON.")},
    doc = "Carries the list of offers to pg_template.",
    provides = [PostgresCatalogInfo],
)
