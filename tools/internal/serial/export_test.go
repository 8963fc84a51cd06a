package serial

// BuiltBy lists the gates that Here would try for a program that Bazel built.
var BuiltBy = builtBy
