"""Repository rule behind the extension `postgres`: the one repository that names all toolchains.

```starlark
load("//tools/rules/private:toolchains_repository.bzl", "postgres_toolchains_repository")
```

It names them by label alone, so Bazel fetches the one that a build selects and none of the others. What is on the
host it has to know: that repository it loads.
"""

_BUILD = """\
load("{declare_bzl}", "declare_postgres_toolchains")
{load_host}
declare_postgres_toolchains(
    name = "catalog",
    offers = [
{offers}    ]{plus_host},
)
"""

def _postgres_toolchains_repository_impl(rctx):
    host = rctx.attr.host
    rctx.file("BUILD.bazel", _BUILD.format(
        declare_bzl = str(Label("//tools/rules/private:declare_toolchains.bzl")),
        load_host = "load(\"@%s//:offers.bzl\", \"OFFERS\")\n" % host if host else "",
        offers = "".join(["        %s,\n" % repr(offer) for offer in rctx.attr.offers]),
        plus_host = " + OFFERS" if host else "",
    ))

postgres_toolchains_repository = repository_rule(
    implementation = _postgres_toolchains_repository_impl,
    attrs = {
        "host": attr.string(doc = "Name of the repository of the host's installations; empty where none is wanted."),
        "offers": attr.string_list(doc = "The other offers (see selection.bzl), each as JSON."),
    },
    doc = "Declares a toolchain for each platform and each value of the flag.",
)
