"""What tests that run programs on the source tree need of Bazel.

    load("//tests/internal/source:source.bzl", "ENV_INHERIT")
"""

# The same as in source.go, which a test there makes sure of.
ENV_INHERIT = [
    "GOFLAGS",
    "GOPRIVATE",
    "GOPROXY",
    "GOSUMDB",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "NPM_CONFIG_GLOBALCONFIG",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "USER",
    "XDG_CACHE_HOME",
]
