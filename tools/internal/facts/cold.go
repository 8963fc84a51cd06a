package facts

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/session"
)

// ownQuery describes a function of the template's own, or of an extension that is not [stateless].
var ownQuery = `
SELECT pg_describe_object('pg_proc'::regclass, oid, 0) || coalesce(' of extension ' || (
  SELECT extname FROM pg_extension e JOIN pg_depend d ON e.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = pg_proc.oid AND d.deptype = 'e'), '')
FROM pg_proc WHERE oid >= 16384 AND NOT ` + trusted + ` ORDER BY oid LIMIT 1`

// expressions selects all code of a template but that of functions, a row each: a description, and the text.
const expressions = `
SELECT pg_describe_object(class, oid, 0), coalesce(text, '') FROM (
  SELECT 'pg_operator'::regclass AS class, oid, oprcode::text AS text FROM pg_operator
  UNION ALL SELECT 'pg_cast'::regclass, oid, castfunc::regproc::text FROM pg_cast
  UNION ALL SELECT 'pg_type'::regclass, oid, pg_get_expr(typdefaultbin, 0) FROM pg_type
  UNION ALL SELECT 'pg_class'::regclass, oid, pg_get_viewdef(oid) FROM pg_class WHERE relkind IN ('v', 'm')
  UNION ALL SELECT 'pg_class'::regclass, partrelid, pg_get_partkeydef(partrelid) FROM pg_partitioned_table
  UNION ALL SELECT 'pg_class'::regclass, indexrelid, pg_get_indexdef(indexrelid) FROM pg_index
  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
  UNION ALL SELECT 'pg_policy'::regclass, oid, concat_ws(' ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy
  UNION ALL SELECT 'pg_attrdef'::regclass, oid, pg_get_expr(adbin, adrelid) FROM pg_attrdef
  UNION ALL SELECT 'pg_constraint'::regclass, oid, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'
  UNION ALL SELECT 'pg_trigger'::regclass, oid, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_rewrite'::regclass, oid, pg_get_ruledef(oid) FROM pg_rewrite WHERE rulename <> '_RETURN'
) AS code WHERE oid >= 16384 ORDER BY 1`

// cold says why no session of a template's clones goes on to another test; "" if sessions may. The template must have no
// function, except those of [stateless] extensions, and [session.HarmlessExpression] must find nothing in the rest of its
// code.
func cold(ctx context.Context, conn *pgx.Conn) (why string, err error) {
	err = conn.QueryRow(ctx, "SELECT coalesce(("+ownQuery+"), '')").Scan(&why)
	if why != "" {
		return "what " + why + " leaves in a session is not known", nil
	}
	if err != nil {
		return "", err
	}
	rows, err := conn.Query(ctx, expressions)
	if err != nil {
		return "", err
	}
	var what, text, found string
	_, err = pgx.ForEachRow(rows, []any{&what, &text}, func() error {
		if word := session.HarmlessExpression(text); found == "" && word != "" {
			found = fmt.Sprintf("%s may leave something in a session: it has %s in it", what, word)
		}
		return nil
	})
	return found, err
}
