// Package conf holds what PostgreSQL's programs are told: configuration, options of initdb, environment.
package conf
