// Package keeper is the process between a test process and its PostgreSQL server: it fills a data directory, runs the
// server, and leaves nothing of both when the test process ends, however it ends.
//
// Package postgres executes the current binary a second time as a keeper. Parent and keeper speak JSON over two pipes;
// see [Job]. The end of the first pipe is the end of the parent.
package keeper
