package migrations

import "strings"

// standsAlone reports whether PostgreSQL refuses a statement in a transaction. A file that holds one is not run in a
// transaction by any tool, for it could not be. Gets the statement's first words.
func standsAlone(statement string) bool {
	for _, begin := range []string{
		"alter system", "begin", "cluster", "commit", "create database", "create subscription", "create tablespace", "drop database",
		"drop tablespace", "reindex database", "reindex system", "start transaction", "vacuum",
	} {
		if statement == begin || strings.HasPrefix(statement, begin+" ") {
			return true
		}
	}
	for _, begin := range []string{"create index", "create unique index", "drop index", "reindex"} {
		if strings.HasPrefix(statement, begin+" ") && strings.Contains(statement+" ", " concurrently ") {
			return true
		}
	}
	return strings.HasPrefix(statement, "alter table") && strings.HasSuffix(statement, " concurrently")
}
