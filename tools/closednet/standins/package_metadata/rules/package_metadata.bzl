"""The rule of package_metadata, as far as Gazelle's go_deps calls it."""

load("//providers:package_metadata_info.bzl", "PackageMetadataInfo")

def _package_metadata_impl(ctx):
    return [PackageMetadataInfo(attributes = ctx.files.attributes, purl = ctx.attr.purl)]

_package_metadata = rule(
    implementation = _package_metadata_impl,
    attrs = {
        "attributes": attr.label_list(doc = "Attributes of the package."),
        "purl": attr.string(doc = "Package URL."),
    },
    doc = "Carries a package's URL.",
)

def package_metadata(name, purl = "", attributes = [], visibility = None):
    """Carries a package's URL.

    Args:
      name: the target's name.
      purl: the package URL.
      attributes: labels of attributes.
      visibility: who may name the target.
    """
    _package_metadata(
        name = name,
        # The repository's default would be this very target: a cycle.
        applicable_licenses = [],
        attributes = attributes,
        purl = purl,
        visibility = visibility,
    )
