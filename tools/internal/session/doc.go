// Package session keeps a connection to the server while its clients change, as PgBouncer does in session mode.
//
// Starting a backend costs more than anything else that a short test needs. So only the socket outlives a test: [Take]
// gets it out of the test's pgx connection and leaves that closed, [Reset] sends DISCARD ALL, and [Session.Client]
// gives the next pgx connection the same socket. The client sends a start-up message as to any server. The answer is a
// copy of what the server said when the session began, but for the key for cancel requests: each client has a key of
// its own, so a late cancel request of an earlier client reaches nobody.
//
// A session is kept only if each statement that it was sent is known to leave nothing behind: see [Harmless].
// [HarmlessExpression] is the same question for defaults, policies and the like of a template.
//
// Goals: nothing of an earlier client is left, neither in the server's process nor in Go objects, by the public API of
// pgx alone. Non-goals: sharing a session among several clients at once, TLS, start-up parameters that differ from
// those that the session began with.
package session
