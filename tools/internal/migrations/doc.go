// Package migrations reads the folders of migration tools: from a set of SQL files it gives the scripts that take an
// empty database up, in order, or an error that names files and says how to write out what the rules leave open.
//
// It knows the layouts of goose, golang-migrate, dbmate, tern, sql-migrate, rambler, node-pg-migrate, MyBatis
// Migrations, Flyway, Hasura, Diesel and sqlx, and plain files. What comes out makes the same schema as the tool itself;
// the tables in which tools keep their versions are not made.
//
// Non-goals: a database; migrations that are code; a tool's templates and variables, which are refused.
package migrations
