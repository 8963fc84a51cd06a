package golden

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Superuser is the superuser of every golden cluster, to whom pgcell's own work belongs.
const Superuser = "postgres"

// AutoRoles among [Recipe.Roles] stands for all roles that migrations mention and nobody has made.
const AutoRoles = "auto"

// maxAutoRoles bounds how many roles [AutoRoles] makes: each costs a build from the start.
const maxAutoRoles = 32

// setAside is what [Superuser] is called while migrations run: see [builder.raise].
const setAside = "pgcell_superuser"

// undefinedObject is the SQLSTATE for a role or a collation that is not there.
const undefinedObject = "42704"

// missingRole finds a role's name in PostgreSQL's message, also where a migrator has printed it.
var missingRole = regexp.MustCompile(`role "([^"\n]+)" does not exist`)

// findMissingRole gives the role that a build failed for want of; "" where it failed for another reason.
func findMissingRole(err error) string {
	var step *MigrationError
	if !errors.As(err, &step) {
		return ""
	}
	text := err.Error()
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if text = pg.Message; pg.Code != undefinedObject {
			return ""
		}
	}
	if found := missingRole.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}

// roleHint says how to make a role that a migration mentions.
func roleHint(declared []string, missing string) string {
	var list []string
	for _, role := range append(slices.Clone(declared), missing) {
		list = append(list, fmt.Sprintf("%q", role))
	}
	all := strings.Join(list, ", ")
	return fmt.Sprintf("make the role before the migrations: roles = [%s] in pg_template, or Config.Roles: []string{%s} in Go; "+
		"%q in place of names makes every role that is missing", all, all, AutoRoles)
}

// attributes are what CREATE ROLE says of a role.
type attributes struct {
	Super, CreateDB, CreateRole, Inherit, Login, Replication, BypassRLS bool
}

// options spells them as ALTER ROLE does.
func (a attributes) options() string {
	var all []string
	for _, o := range []struct {
		name string
		is   bool
	}{
		{"SUPERUSER", a.Super}, {"CREATEDB", a.CreateDB}, {"CREATEROLE", a.CreateRole}, {"INHERIT", a.Inherit},
		{"LOGIN", a.Login}, {"REPLICATION", a.Replication}, {"BYPASSRLS", a.BypassRLS},
	} {
		if !o.is {
			o.name = "NO" + o.name
		}
		all = append(all, o.name)
	}
	return strings.Join(all, " ")
}

const attributesQuery = `
SELECT rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin, rolreplication, rolbypassrls
FROM pg_roles WHERE rolname = '` + Role + `'`

// makeRoles makes [Role] and the roles of the recipe, which it may become.
func (b *builder) makeRoles() error {
	return b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		sql := "CREATE ROLE " + Role + " LOGIN"
		if b.recipe.Superuser {
			sql += " SUPERUSER"
		}
		if _, err := conn.Exec(b.ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		for _, role := range append(slices.Clone(b.recipe.Roles), b.missing...) {
			if role == AutoRoles {
				continue
			}
			if err := makeRole(b.ctx, conn, role); err != nil {
				return fmt.Errorf("make role %q: %w", role, err)
			}
		}
		rows, _ := conn.Query(b.ctx, attributesQuery) // CollectExactlyOneRow gives its error
		var err error
		b.ordinary, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[attributes])
		return err
	})
}

func makeRole(ctx context.Context, conn *pgx.Conn, role string) error {
	name, options, _ := strings.Cut(strings.TrimSpace(role), " ")
	quoted := pgx.Identifier{name}.Sanitize()
	statements := []string{"CREATE ROLE " + quoted + " " + options, "GRANT " + quoted + " TO " + Role}
	if name == Role { // such as "pgcell CREATEROLE"
		statements = []string{"ALTER ROLE " + Role + " " + options}
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// raise makes [Role] a superuser for as long as migrations run. What they give to the role postgres, as dumps do, must
// not belong to a superuser afterwards. So the superuser has another name meanwhile, and a role that can be dropped has
// his.
func (b *builder) raise() error {
	err := b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		return b.execAll(conn, "ALTER ROLE "+Role+" SUPERUSER")
	})
	if err != nil {
		return err
	}
	return b.as(Role, "postgres", func(conn *pgx.Conn) error {
		return b.execAll(conn, "ALTER ROLE "+Superuser+" RENAME TO "+setAside, "CREATE ROLE "+Superuser+" SUPERUSER LOGIN")
	})
}

// lower makes [Role] again what it was before [builder.raise], and gives it what migrations gave to postgres. It may
// become each role that migrations have made, but for superusers.
func (b *builder) lower() error {
	err := b.as(setAside, "postgres", func(conn *pgx.Conn) error {
		return b.execAll(conn, "ALTER ROLE "+Role+" SUPERUSER LOGIN") // migrations may have it otherwise
	})
	if err != nil {
		return err
	}
	err = b.as(Role, b.template, func(conn *pgx.Conn) error {
		if err := b.noTriggers(conn); err != nil {
			return err
		}
		return b.execAll(conn,
			"REASSIGN OWNED BY "+Superuser+" TO "+Role,
			"DROP OWNED BY "+Superuser, // what it was granted
			"DROP ROLE "+Superuser,
			"ALTER ROLE "+setAside+" RENAME TO "+Superuser,
		)
	})
	if err != nil {
		return fmt.Errorf("give to %s what migrations gave to %s: %w", Role, Superuser, err)
	}
	return b.as(Superuser, b.template, func(conn *pgx.Conn) error {
		if err := b.noTriggers(conn); err != nil {
			return err
		}
		if err := b.execAll(conn, "ALTER ROLE "+Role+" "+b.ordinary.options()); err != nil {
			return err
		}
		statements, err := collect[string](b.ctx, conn, afterwardsQuery)
		if err != nil {
			return fmt.Errorf("list roles and functions that migrations made: %w", err)
		}
		return b.execAll(conn, statements...)
	})
}

// noTriggers keeps the migrations' own triggers from seeing what pgcell does in a session.
func (b *builder) noTriggers(conn *pgx.Conn) error {
	statements := []string{"SET session_replication_role = replica"}
	if b.server.Install().Version.Major >= 17 {
		statements = append(statements, "SET event_triggers = off")
	}
	return b.execAll(conn, statements...)
}

func (b *builder) execAll(conn *pgx.Conn, statements ...string) error {
	for _, sql := range statements {
		if _, err := conn.Exec(b.ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// afterwardsQuery gives statements that let [Role] become roles which migrations made, and that hand an extension's
// functions in C over to the superuser, as CREATE EXTENSION does for an ordinary role: among them are some that only
// their owner may call, such as dblink_connect_u, which makes a superuser of whoever does.
const afterwardsQuery = `
SELECT format('GRANT %I TO ` + Role + `', rolname) FROM pg_roles r
WHERE oid >= 16384 AND NOT rolsuper AND rolname <> '` + Role + `'
  AND NOT pg_has_role('` + Role + `', oid, 'MEMBER') AND NOT pg_has_role(oid, '` + Role + `', 'MEMBER')
UNION ALL
SELECT format('ALTER ROUTINE %s OWNER TO ` + Superuser + `', p.oid::regprocedure) FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
WHERE p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') AND proowner = '` + Role + `'::regrole`
