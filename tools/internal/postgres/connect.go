package postgres

import (
	"context"
	"maps"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/conf"
)

// neutral is a configuration that nothing of the environment is in. pgx reads variables such as PGTZ, PGOPTIONS and
// PGSERVICE, which people and CI have for other servers: with them a template would depend on who built it, and a test
// on which variables the test before had set. It is made before any test runs.
var neutral = parseNeutral()

func parseNeutral() *pgxpool.Config {
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "PG") && !strings.HasPrefix(name, "PGCELL_") {
			os.Unsetenv(name)
			defer os.Setenv(name, value)
		}
	}
	config, err := pgxpool.ParseConfig("host=/ user=nobody database=none passfile=''")
	if err != nil {
		panic("pgx does not parse a constant: " + err.Error())
	}
	return config
}

// PoolConfig is what [pgxpool.ParseConfig] makes of the server's URL where no variable of pgx's is set. Cost: a tenth of
// the latter, which asks the file system for passwords and certificates.
func (s *Server) PoolConfig(user, database string) *pgxpool.Config {
	config := neutral.Copy()
	// Code under test may connect with what the method ConnString gives, and only parsing sets that.
	if parsed, err := pgx.ParseConfig(s.URL(user, database)); err == nil {
		parsed.Config = *config.ConnConfig.Config.Copy()
		config.ConnConfig = parsed
	} // else the environment has what pgx cannot parse
	c := config.ConnConfig
	c.Host, c.Port, c.User, c.Database = s.dir.Path(), conf.Port, user, database
	if c.Password = s.config.RolePassword; user == conf.Superuser {
		c.Password = s.password
	}
	return config
}

// ConnConfig is PoolConfig for one connection.
func (s *Server) ConnConfig(user, database string) *pgx.ConnConfig {
	return s.PoolConfig(user, database).ConnConfig
}

// ownParameters keep what a template sets, for the server, a database or a role, from touching pgcell's own statements.
var ownParameters = map[string]string{
	"statement_timeout": "0", "lock_timeout": "0", "idle_session_timeout": "0", "idle_in_transaction_session_timeout": "0",
	"default_transaction_read_only": "off", "default_transaction_isolation": "read committed",
}

// OwnConfig is PoolConfig for connections on which pgcell runs statements of its own: no time-out ends them, and they may
// write.
func (s *Server) OwnConfig(user, database string) *pgxpool.Config {
	config := s.PoolConfig(user, database)
	maps.Copy(config.ConnConfig.RuntimeParams, ownParameters)
	if s.Install().Version.Major >= 17 {
		config.ConnConfig.RuntimeParams["transaction_timeout"] = "0"
	}
	return config
}

// Connect connects a user to a database with OwnConfig. Close the connection.
//
// Errors: those of [pgx.ConnectConfig].
func (s *Server) Connect(ctx context.Context, user, database string) (*pgx.Conn, error) {
	return pgx.ConnectConfig(ctx, s.OwnConfig(user, database).ConnConfig)
}
