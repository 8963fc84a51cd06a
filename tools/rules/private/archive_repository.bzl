"""Repository rule behind `postgres.archive`: a relocatable PostgreSQL from an archive, pinned by hash.

```starlark
load("//tools/rules/private:archive_repository.bzl", "postgres_archive_repository")
```
"""

load("//tools/rules/private:prebuilt.bzl", "write_prebuilt_build_file")

def _postgres_archive_repository_impl(rctx):
    rctx.download_and_extract(
        rctx.attr.urls,
        integrity = rctx.attr.integrity,
        stripPrefix = rctx.attr.strip_prefix,
    )
    write_prebuilt_build_file(rctx, "postgres.archive(version = \"%s\")" % rctx.attr.version, rctx.attr.version)

postgres_archive_repository = repository_rule(
    implementation = _postgres_archive_repository_impl,
    attrs = {
        "integrity": attr.string(doc = "The archive's hash, in the form of Subresource Integrity.", mandatory = True),
        "strip_prefix": attr.string(doc = "The directory in the archive that holds bin/, lib/ and share/."),
        "urls": attr.string_list(doc = "Where the archive is, the first that answers is used.", mandatory = True),
        "version": attr.string(doc = "PostgreSQL's own version, `16.9`.", mandatory = True),
    },
    doc = "Downloads and unpacks an archive with bin/, lib/ and share/ and describes it as a postgres_toolchain.",
)
