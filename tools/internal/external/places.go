package external

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// margin are connections that are not given out: a session that has ended counts for some time.
const margin = 3

// Times of waits for connections.
const (
	slowPlaces   = 5 * time.Second        // after which Config.Note is told
	urgentPlaces = 10 * time.Second       // after which a holder gets an error
	placesPoll   = 100 * time.Millisecond // between looks at the server
)

// Places says for what [Server.Hold] takes connections.
type Places struct {
	Who    string // a test, for messages
	N      int    // connections
	Holder bool   // it has others already, for which somebody may wait: it may take reserved ones, and waits for 10 s at most
}

// FullError tells that a server has not as many connections as somebody wants.
type FullError struct {
	Who           string
	Wanted, Total int
	Holders       string
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%s wants %d of the server's %d connections that pgcell can use, which are held by %s; raise max_connections, or the "+
		"role's CONNECTION LIMIT, or run fewer tests at once (go test -parallel, -p)", e.Who, e.Wanted, e.Total, e.Holders)
}

// places are the connections that this process has.
type places struct {
	total int                    // that pgcell processes can have on this server
	turn  map[bool]chan struct{} // has an element while somebody waits, of those that are holders or not; so each kind waits in order
	freed chan struct{}          // gets an element when some are given back
	held  map[int32]bool         // their numbers
	who   map[string]int         // how many each test has
}

func newPlaces() places {
	turn := map[bool]chan struct{}{false: make(chan struct{}, 1), true: make(chan struct{}, 1)}
	return places{turn: turn, freed: make(chan struct{}, 1), held: map[int32]bool{}, who: map[string]int{}}
}

// countPlaces finds how many connections there are, beside those that others have now.
func (s *Server) countPlaces(ctx context.Context) error {
	return s.lock.QueryRow(ctx, `
SELECT least((SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END) FROM pg_settings
	WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')) - (SELECT count(*) FROM pg_stat_activity
	WHERE datid IS NOT NULL AND NOT (usename = current_user AND (application_name LIKE 'pgcell%' OR datname ~ '^(test_db|pgcell_template)_'))),
	(SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)) - $1`, margin).Scan(&s.places.total)
}

// Hold waits for connections of the server, so that tests of all pgcell processes on all machines together have no more
// than there are. It does not connect. A wait of more than 5 s is told to Config.Note, with who has them. A quarter of the
// connections is for those who have some, lest all wait for each other.
//
// Errors: [*FullError], where there will never be as many, or not before ctx ends; those of the connection.
func (s *Server) Hold(ctx context.Context, p Places) (release func(), err error) {
	among := s.places.total
	if p.Holder {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, urgentPlaces)
		defer cancel()
	} else {
		among = max(min(p.N, among), among*3/4)
	}
	if p.N > among {
		return nil, s.full(ctx, p)
	}
	defer time.AfterFunc(slowPlaces, func() {
		s.note("%s waits for %d of the server's %d connections that pgcell can use, which are held by %s", p.Who, p.N, s.places.total, s.placeHolders(ctx))
	}).Stop()
	select {
	case s.places.turn[p.Holder] <- struct{}{}:
		defer func() { <-s.places.turn[p.Holder] }()
	case <-ctx.Done():
		return nil, s.full(ctx, p)
	}
	for {
		numbers, err := s.tryPlaces(ctx, p, among)
		if err != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("take connections: %w", err)
		}
		if len(numbers) > 0 {
			return func() { s.releasePlaces(p, numbers) }, nil
		}
		select {
		case <-ctx.Done():
			return nil, s.full(ctx, p)
		case <-s.places.freed:
		case <-time.After(placesPoll):
		}
	}
}

// tryPlaces takes p.N places, or none, among the first so many.
func (s *Server) tryPlaces(ctx context.Context, p Places, among int) (numbers []int32, err error) {
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := onLock(ctx)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	err = pgx.BeginFunc(ctx, s.lock, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, 0)", placeLock); err != nil {
			return err
		}
		mine := slices.Collect(maps.Keys(s.places.held)) // a session can take its own locks once more
		err := tx.QueryRow(ctx, `SELECT coalesce(array_agg(n), '{}') FROM (SELECT n FROM generate_series(1, $1::int) n
WHERE CASE WHEN n = ANY ($2::int[]) THEN false ELSE pg_try_advisory_lock($3, n) END LIMIT $4) free`, among, mine, placeLock, p.N).Scan(&numbers)
		if err != nil || len(numbers) == p.N {
			return err
		}
		_, err = tx.Exec(ctx, "SELECT pg_advisory_unlock($1, n) FROM unnest($2::int[]) n", placeLock, numbers)
		numbers = nil
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		s.places.held[n] = true
	}
	if numbers != nil {
		s.places.who[p.Who] += p.N
	}
	return numbers, nil
}

// releasePlaces gives places back. Where the session has ended, they are free already.
func (s *Server) releasePlaces(p Places, numbers []int32) {
	ctx, cancel := onLock(context.Background())
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range numbers {
		delete(s.places.held, n)
	}
	if s.places.who[p.Who] -= p.N; s.places.who[p.Who] <= 0 {
		delete(s.places.who, p.Who)
	}
	if s.lock != nil {
		s.lock.Exec(ctx, "SELECT pg_advisory_unlock($1, n) FROM unnest($2::int[]) n", placeLock, numbers)
	}
	select {
	case s.places.freed <- struct{}{}:
	default:
	}
}

func (s *Server) full(ctx context.Context, p Places) error {
	err := &FullError{Who: p.Who, Wanted: p.N, Total: s.places.total, Holders: s.placeHolders(ctx)}
	if cause := context.Cause(ctx); cause != nil {
		return errors.Join(err, cause)
	}
	return err
}

// placeHolders says who has connections: tests of this process, and other processes by the names of their sessions.
func (s *Server) placeHolders(ctx context.Context) string {
	ctx, cancel := onLock(ctx)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, who := range slices.Sorted(maps.Keys(s.places.who)) {
		all = append(all, fmt.Sprintf("%s (%d)", who, s.places.who[who]))
	}
	if s.lock != nil {
		rows, _ := s.lock.Query(ctx, `SELECT format('%s from %s (%s)', coalesce(application_name, 'another role'), coalesce(host(client_addr), 'the same machine'), count(*))
FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objid <> 0 AND granted AND pid <> pg_backend_pid()
GROUP BY pid, application_name, client_addr ORDER BY 1`, int64(placeLock))
		others, _ := pgx.CollectRows(rows, pgx.RowTo[string]) // what cannot be read is left out
		all = append(all, others...)
	}
	if len(all) == 0 {
		return "nobody"
	}
	return strings.Join(all, ", ")
}
