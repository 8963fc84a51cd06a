package migrations

import (
	"regexp"
)

// tool is what a file was written for.
type tool struct {
	name string // as errors call it; "" for plain SQL
	// keepsSession: all migrations run in one session, so that each sees what those before it have SET.
	keepsSession bool
	// byName: files are ordered by their names, not by numbers.
	byName bool
	// transaction says whether a file is one transaction.
	transaction wrap
	// sections: there may be several parts up and down. Else there is one of each.
	sections bool
	// headless: the file begins with the way up, without a marker.
	headless bool
	// anyOrder: the way down may come first.
	anyOrder bool
	// whole: files without a marker are ways up as a whole. Else the tool does not run them.
	whole bool
}

// wrap says whether a tool runs a file in one transaction.
type wrap int

const (
	never    wrap = iota
	always        // unless the file says otherwise; a statement that cannot be in a transaction then fails, as with the tool
	possible      // unless a statement cannot be in a transaction; for tools whose settings are not in the file
)

var (
	plain       = &tool{}
	goose       = &tool{name: "goose", keepsSession: true, transaction: always}
	sqlMigrate  = &tool{name: "sql-migrate", keepsSession: true, transaction: always, sections: true}
	dbmate      = &tool{name: "dbmate", keepsSession: true, byName: true, transaction: always}
	tern        = &tool{name: "tern", transaction: always, headless: true, whole: true}
	rambler     = &tool{name: "rambler", keepsSession: true, byName: true, sections: true}
	nodePg      = &tool{name: "node-pg-migrate", keepsSession: true, transaction: possible, anyOrder: true, whole: true}
	mybatis     = &tool{name: "MyBatis Migrations", keepsSession: true, transaction: possible, headless: true, whole: true}
	upDown      = &tool{name: "a tool with -- Up and -- Down", keepsSession: true, transaction: possible, whole: true}
	upDownFiles = &tool{name: "a tool with files up and down", keepsSession: true, transaction: possible}
	flyway      = &tool{name: "Flyway", transaction: possible}
	upFile      = regexp.MustCompile(`(?i)(\.up\.sql|(^|/)up\.sql)$`)
)

// byFileName gives the tool that a file's name shows.
func byFileName(name string) *tool {
	switch {
	case isFlyway(name):
		return flyway
	case upFile.MatchString(name):
		return upDownFiles
	}
	return plain
}
