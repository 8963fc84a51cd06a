"""What is wrong with a tag of the extension `postgres`: pure functions, for an extension's fail() cannot be tested.

```starlark
load("//tools/rules/private:tags.bzl", "tags")
```
"""

load("//tools/rules/private:npm_builds.bzl", "NPM_INTEGRITY", "NPM_SCOPE")
load("//tools/rules/private:selection.bzl", "MAJORS", "PLATFORMS", "selection")

def _version_problem(module_name, tag_class, tag):
    """The message for a version that is not supported; empty for one that is."""
    if selection.major(tag.version) in MAJORS:
        return ""
    return ("module %s: postgres.%s: attribute version: got \"%s\", want PostgreSQL %d to %d. Write a version that " +
            "begins with one of these numbers.") % (module_name, tag_class, tag.version, MAJORS[0], MAJORS[-1])

def _npm_integrity(tag):
    """platform → integrity: what the tag says, else what pgcell has pinned; empty where neither knows the version."""
    return tag.integrity or NPM_INTEGRITY.get(tag.version, {})

def _npm_problem(module_name, tag):
    """The message for a tag `postgres.npm` that cannot be used; empty for one that can."""
    problem = _version_problem(module_name, "npm", tag)
    if problem:
        return problem
    integrity = _npm_integrity(tag)
    if not integrity:
        return ("module %s: postgres.npm: attribute version: got \"%s\", want one of %s. For another one write the " +
                "attribute integrity too: {\"linux-x64\": what `npm view %s/linux-x64@%s dist.integrity` prints}.") % (
            module_name,
            tag.version,
            ", ".join(sorted(NPM_INTEGRITY)),
            NPM_SCOPE,
            tag.version,
        )
    for platform in integrity:
        if platform not in PLATFORMS:
            return ("module %s: postgres.npm(version = \"%s\"): attribute integrity: got the platform \"%s\", want " +
                    "some of %s. Mend or drop that key.") % (
                module_name,
                tag.version,
                platform,
                ", ".join(sorted(PLATFORMS)),
            )
    return ""

tags = struct(
    npm_integrity = _npm_integrity,
    npm_problem = _npm_problem,
    version_problem = _version_problem,
)
