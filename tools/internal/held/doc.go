// Package held makes directories that a process holds by a lock, and removes those whose process is gone.
//
// A server's data and socket lie in such directories. The kernel lets go of the lock however a process ends, so nothing
// has to be written down about who owns what: [Sweep] may run at any time, in any number of processes.
package held
