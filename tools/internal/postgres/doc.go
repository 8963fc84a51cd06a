// Package postgres runs private servers of a PostgreSQL that is on the machine.
//
// Goals: a server that answers 40 ms after its data directory is there; that runs for root and for ordinary users,
// inside Bazel's sandboxes and outside; that never outlives the process that asked for it, however that process ends;
// errors that carry the end of the server's log.
//
// Non-goals: servers that others manage (an external server is only a URL), TCP, replication, Windows.
//
// # How a server is held
//
// Start does not run postgres itself. It executes the current binary a second time as a keeper (see package keeper),
// which reads from a pipe of this process. End of file on that pipe, which the kernel sends however this process dies,
// makes the keeper remove what is on disk and exit. There are two ways of holding, see [keeper.Containment].
package postgres
