// Package lend gives each test process below a command a PostgreSQL database of its own, for suites that know nothing of
// pgcell.
//
// A [Broker] listens on a loopback port and on a Unix socket. To a client it is a PostgreSQL server: it reads the start-up
// message, finds the test process behind the connection, replaces the database's name by that of the process's own
// database, and relays bytes from then on. A test process is called a unit here. Its databases are made when they are
// first connected to, and are given back when the process has ended, however it ends.
//
// Non-goals: to check passwords, which the server does; to read what clients send after the start-up message.
package lend
