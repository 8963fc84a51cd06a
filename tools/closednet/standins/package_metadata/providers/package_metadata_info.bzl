"""The provider of package_metadata, as far as Gazelle and rules_go name it."""

PackageMetadataInfo = provider(
    doc = "What is known of the package that a target belongs to.",
    fields = {
        "attributes": "Attributes of the package.",
        "purl": "Package URL.",
    },
)
