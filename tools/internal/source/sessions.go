package source

import (
	"context"
	"fmt"
	"strings"
)

// sessions are those of some databases, but for the one that asks and those of other roles whose doings are not shown.
const sessions = `
SELECT pid, datname, state, extract(epoch FROM clock_timestamp() - state_change)::int,
       CASE WHEN state = 'active' THEN wait_event_type || ' ' || wait_event END,
       array_to_string(pg_blocking_pids(pid), ', '), regexp_replace(left(query, 200), '\s+', ' ', 'g')
FROM pg_stat_activity
WHERE datname = ANY (string_to_array($1, '/')) AND pid <> pg_backend_pid() AND state IS NOT NULL
ORDER BY datname, pid`

// Sessions says what the sessions of databases do and wait for, a line for each. It connects to the first of the databases
// as user.
func Sessions(ctx context.Context, s Source, user string, databases []string) ([]string, error) {
	conn, err := s.LogIn(ctx, databases[0], map[string]string{"user": user, "application_name": "pgcell"})
	if err != nil {
		return nil, fmt.Errorf("connect to ask for sessions: %w", err)
	}
	defer conn.Close(ctx)
	found := conn.ExecParams(ctx, sessions, [][]byte{[]byte(strings.Join(databases, "/"))}, nil, nil, nil).Read()
	if found.Err != nil {
		return nil, fmt.Errorf("ask for sessions: %w", found.Err)
	}
	var lines []string
	for _, row := range found.Rows {
		line := fmt.Sprintf("session %s in %s, %s for %s s", row[0], row[1], row[2], row[3])
		if len(row[4]) > 0 {
			line += fmt.Sprintf(", waits for %s", row[4])
		}
		if len(row[5]) > 0 {
			line += fmt.Sprintf(", blocked by %s", row[5])
		}
		lines = append(lines, line+fmt.Sprintf(": %s", row[6]))
	}
	return lines, nil
}
