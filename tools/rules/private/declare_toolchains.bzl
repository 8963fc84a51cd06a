"""The targets of the repository that names all PostgreSQL toolchains.

```starlark
load("//tools/rules/private:declare_toolchains.bzl", "declare_postgres_toolchains")
```
"""

load("//tools/rules/private:catalog.bzl", "postgres_catalog")
load("//tools/rules/private:selection.bzl", "PLATFORMS", "selection")

def declare_postgres_toolchains(name, offers):
    """Declares a toolchain for each platform and each value of the flag, and the catalog that messages are made of.

    No two of them can match at once, so nothing hangs on the order in which they are registered.

    Args:
        name: of the catalog.
        offers: list of offers (see selection.bzl), each as JSON.
    """
    plan = selection.plan([struct(**json.decode(offer)) for offer in offers])
    for value in {value: True for values in plan.values() for value in values}:
        native.config_setting(
            name = "is_" + value,
            flag_values = {str(Label("//tools/rules:postgres")): value},
        )
    for platform, values in plan.items():
        for value, offer in values.items():
            native.toolchain(
                name = "%s_%s" % (platform, value),
                # A data directory can be read by a PostgreSQL of the same version on the same kind of machine alone. So
                # it is built on a machine of the kind that the tests run on: one toolchain serves both.
                exec_compatible_with = PLATFORMS[platform],
                target_compatible_with = PLATFORMS[platform],
                target_settings = [":is_" + value],
                toolchain = offer.toolchain,
                toolchain_type = Label("//tools/rules:toolchain_type"),
            )
    postgres_catalog(
        name = name,
        offers = offers,
        visibility = ["//visibility:public"],
    )
