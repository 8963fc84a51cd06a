// Package libraries pins the modules that code blocks of docs/ import. It is a module of its own, so that nobody else has
// to download them.
package libraries

import (
	_ "github.com/golang-migrate/migrate/v4"
	_ "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	_ "github.com/golang-migrate/migrate/v4/source/iofs"
	_ "github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/pressly/goose/v3"
	_ "github.com/stretchr/testify/suite"
	_ "gorm.io/driver/postgres"
	_ "gorm.io/gorm"

	_ "github.com/pgcell/pgcell/tools/pgcell"
)
