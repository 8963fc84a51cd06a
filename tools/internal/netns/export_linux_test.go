package netns

// Diagnose says why namespaces are forbidden, by the files that read gives.
var Diagnose = diagnose
