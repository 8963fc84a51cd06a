package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/clone"
	"github.com/pgcell/pgcell/tools/internal/golden"
)

// ErrOwnPassword says that a role was made by the suite: [Source.LogIn] does not know its password, but the client does.
var ErrOwnPassword = errors.New("the role has a password of its own")

// own is a server of one test process.
type own struct {
	private
	clones   *clone.Cloner
	database string
	roles    []string // that were there at the start, and may log in
}

// Own gives a server of pgcell's own to one test process, which may do whatever it likes to it: the role user, which the
// template has, becomes a superuser with the password of the cluster, and a clone of the template gets the name database.
// Names are real, so the process may drop the database and make it anew. warn is told where memory is full. Close closes
// the server.
func Own(ctx context.Context, cluster *cells.Cluster, user, database string, warn func(string)) (Source, error) {
	o := &own{private: private{cluster, user}, database: database}
	var err error
	if o.clones, err = clone.New(ctx, cluster.Server(), cluster.Admin(), cluster.Manifest(), warn); err != nil {
		return nil, err
	}
	if user != golden.Superuser {
		// The owner of the template is the one role that surely has the password.
		sql := "ALTER ROLE " + pgx.Identifier{user}.Sanitize() + " LOGIN SUPERUSER"
		const password = "UPDATE pg_authid SET rolpassword = (SELECT rolpassword FROM pg_authid WHERE rolname = $1) WHERE rolname = $2"
		if _, err := cluster.Admin().Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("make role %q a superuser: %w", user, err)
		}
		if _, err := cluster.Admin().Exec(ctx, password, golden.Role, user); err != nil {
			return nil, fmt.Errorf("give role %q a password: %w", user, err)
		}
	}
	if err := o.make(ctx, database); err != nil {
		return nil, err
	}
	rows, _ := cluster.Admin().Query(ctx, "SELECT rolname::text FROM pg_roles WHERE rolcanlogin") // CollectRows gives its error
	if o.roles, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, fmt.Errorf("list the roles of the template: %w", err)
	}
	return o, nil
}

// make clones the template. No session stays connected to the clone, which would keep the process from dropping it.
func (o *own) make(ctx context.Context, name string) error {
	if _, err := o.clones.Create(ctx, name, o.cluster.Manifest().Template); err != nil {
		return err
	}
	sql := fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", pgx.Identifier{name}.Sanitize(), pgx.Identifier{o.user}.Sanitize())
	if _, err := o.cluster.Admin().Exec(ctx, sql); err != nil {
		return fmt.Errorf("give database %q to role %q: %w", name, o.user, err)
	}
	return nil
}

// Take makes a database unless there is, or was, one: the first is made by [Own], and others may be the process's own.
func (o *own) Take(ctx context.Context, _, _, name string) (Loan, error) {
	if name == o.database {
		return ownLoan(name), nil
	}
	var there bool
	if err := o.cluster.Admin().QueryRow(ctx, "SELECT count(*) > 0 FROM pg_database WHERE datname = $1", name).Scan(&there); err != nil {
		return nil, fmt.Errorf("look for database %q: %w", name, err)
	}
	if !there {
		if err := o.make(ctx, name); err != nil {
			return nil, err
		}
	}
	return ownLoan(name), nil
}

// ownLoan is the name of a database that goes with its server.
type ownLoan string

func (l ownLoan) Name() string { return string(l) }
func (l ownLoan) GiveBack()    {}

// LogIn takes a client for the server's user if it names no role. It fails with [ErrOwnPassword] for roles that the suite
// made.
func (o *own) LogIn(ctx context.Context, database string, parameters map[string]string) (*pgconn.PgConn, error) {
	role := parameters["user"]
	if !slices.Contains(o.roles, role) {
		var there bool
		if err := o.cluster.Admin().QueryRow(ctx, "SELECT count(*) > 0 FROM pg_roles WHERE rolname = $1", role).Scan(&there); err != nil {
			return nil, fmt.Errorf("look for role %q: %w", role, err)
		}
		if there {
			return nil, ErrOwnPassword
		}
		role = o.user
	}
	return o.logInAs(ctx, role, database, maps.Clone(parameters))
}
