// Package cells hands out isolated databases, and takes them back.
//
// A [Cluster] is one private server on a golden cluster. Take gives a [Lease] on a database of its own, a cell, which
// nobody has used or which has been made like one that nobody has used; Return takes it back. A cell is used again where
// the counters of PostgreSQL account for all that its test has changed, by rows in tables that had few or none; it is
// dropped where anything else has changed, or may have.
//
// # Who owns a cell
//
// A cell is in one of these states. Who owns it may change its fields, and nobody else may.
//
//	made      the goroutine that clones it owns it
//	ready     its pool does; the newest is handed out first
//	leased    its Lease does, until Return or Keep
//	returned  the goroutine of Return does, until the cell is ready again or dropped
//	kept      its pool does, for a failed test; the fourth is dropped
//
// So a cell goes made → ready → leased → returned → ready, and so on. Others reach only its connections, such as a pool
// that opens one: a conns.Set may be used by anybody.
//
// # Locks
//
// Lease.mu comes first, then pool.mu. Packages budget, clone, conns and session have locks of their own, which are taken
// last; while they are held, nothing of this package is called. No lock but Lease.mu is held while the server is asked for
// something.
//
// # Connections
//
// A cell takes the places of all its connections when it is handed out: those of its pool and the one that cleans it.
// A test that has no cell waits for them in order. A test that has one, or whose parent has, never waits: it gets what it
// asks for, or an error that says who holds what. So tests cannot wait for each other.
package cells
