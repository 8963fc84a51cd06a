"""Gives Bazel the program that `bazel mod tidy` runs, as the real module does; npm carries it."""

_VERSION = "8.2.1"
_INTEGRITY = "sha512-RstW3FJT4HOytPG2+z+qUUpZfklRJZqaw+UPKY9pur7zyGXOz8Jr73u4MiFotEThO/MZNRzKkOtJrWp3LO9eUA=="

def _buildozer_binary_repo_impl(rctx):
    npm = rctx.which("npm")
    if not npm:
        fail("fetch buildozer %s: no npm on PATH; install npm, or edit use_repo by hand" % _VERSION)
    packed = rctx.execute([npm, "pack", "--json", "@bazel/buildozer@" + _VERSION])
    if packed.return_code != 0:
        fail("fetch buildozer %s: npm pack: %s" % (_VERSION, packed.stderr))
    package = json.decode(packed.stdout)[0]
    if package["integrity"] != _INTEGRITY:
        fail("fetch buildozer %s: integrity %s, want %s: not what was pinned; do not use it" %
             (_VERSION, package["integrity"], _INTEGRITY))
    rctx.extract(package["filename"])
    arch = "arm64" if rctx.os.arch in ["aarch64", "arm64"] else "amd64"
    rctx.symlink("package/buildozer-linux_" + arch, "buildozer.exe")
    rctx.file("BUILD.bazel", 'exports_files(["buildozer.exe"])\n')

_buildozer_binary_repo = repository_rule(implementation = _buildozer_binary_repo_impl)

def _buildozer_binary_impl(_module_ctx):
    _buildozer_binary_repo(name = "buildozer_binary")

buildozer_binary = module_extension(implementation = _buildozer_binary_impl)
