// Package migrations holds the schema.
package migrations

import _ "embed"

//go:embed 1_shop.sql
var Shop string
