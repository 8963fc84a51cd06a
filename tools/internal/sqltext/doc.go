// Package sqltext reads PostgreSQL's SQL by its lexical rules: it splits text into tokens and scripts into statements.
//
// The rules are those of https://www.postgresql.org/docs/current/sql-syntax-lexical.html and of the server's and psql's
// scanners, versions 14 to 18. Text is read once, in linear time, and tokens are slices of it.
//
// Where versions differ (numbers with underscores, in base 16, 8 and 2, and letters directly behind a number), every
// version that accepts the text finds quotes and comments at the same places as this package.
//
// Non-goals: the grammar; standard_conforming_strings = off. A backslash in an ordinary string constant ('a\') is
// always a plain character, as by default since PostgreSQL 9.1; a caller who sees that setting turned off must not rely
// on the tokens.
package sqltext
