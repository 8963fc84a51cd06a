"""A build setting that holds a list of texts, one for each time that it is given.

```starlark
load("//tools/rules/private:text_list_flag.bzl", "text_list_flag")
```
"""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")

def _text_list_flag_impl(ctx):
    return BuildSettingInfo(value = ctx.build_setting_value)

text_list_flag = rule(
    implementation = _text_list_flag_impl,
    # Not skylib's string_list_flag: a comma does not end a text.
    build_setting = config.string_list(
        flag = True,
        repeatable = True,
    ),
    doc = "A build setting that may be given more than once.",
)
