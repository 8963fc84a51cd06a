package cells

import (
	"encoding/binary"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// tap is a connection to the server that notes what statements may leave behind in the session, or in the database's
// catalogs. It reads what the client sends as the frontend/backend protocol has it
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
type tap struct {
	net.Conn
	config  *pgconn.Config // that the connection was made with, and reads its handler of notifications from
	release func()         // gives the connection's place in the budget back
	once    sync.Once

	mu      sync.Mutex
	started bool // the startup message, which has no type byte, has passed
	left    int  // bytes of the current message that are still to come
	head    []byte
	writes  int       // how often something was sent
	cleared int       // writes at the last call of clear
	marked  int       // writes at a look
	since   time.Time // when that look was first the same
	state             // since the last call of clear
}

// state is what has been seen on a connection.
type state struct {
	doubt string // why the session may differ from a new one; "" if it does not
	ddl   bool   // a statement that changes catalogs was sent
}

func (t *tap) Close() error {
	err := t.Conn.Close()
	t.once.Do(t.release)
	return err
}

// seen gives what has been seen so far.
func (t *tap) seen() state {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// rests reports whether nothing has been sent since a call of it that is a second ago.
func (t *tap) rests() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since.IsZero() || t.marked != t.writes {
		t.marked, t.since = t.writes, time.Now()
	}
	return time.Since(t.since) >= time.Second
}

func (t *tap) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state, t.cleared = state{}, t.writes
}

// unused reports whether nothing has been sent since the last call of clear.
func (t *tap) unused() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writes == t.cleared
}

func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	t.watch(p)
	t.writes++
	t.mu.Unlock()
	return t.Conn.Write(p)
}

// watch follows the messages in p.
func (t *tap) watch(p []byte) {
	if t.left > 0 {
		n := min(t.left, len(p))
		t.left -= n
		p = p[n:]
	}
	if len(t.head) > 0 {
		p = append(t.head, p...)
		t.head = nil
	}
	for len(p) > 0 {
		size := 5 // type, length
		if !t.started {
			size = 4
		}
		if len(p) < size {
			t.head = append([]byte(nil), p...)
			return
		}
		length := int(binary.BigEndian.Uint32(p[size-4:])) + size - 4
		body := p[size:min(length, len(p))]
		if t.started {
			t.message(p[0], body, length <= len(p))
		}
		t.started = true
		if length > len(p) {
			t.left = length - len(p)
			return
		}
		p = p[length:]
	}
}

// message looks at Query ('Q'), Parse ('P') and FunctionCall ('F') messages.
func (t *tap) message(kind byte, body []byte, whole bool) {
	switch kind {
	case 'Q':
		sql, _, _ := strings.Cut(string(body), "\x00")
		t.statement(sql)
	case 'P':
		name, rest, _ := strings.Cut(string(body), "\x00")
		sql, _, _ := strings.Cut(rest, "\x00")
		// pgx names the statements of its cache so, and knows them in the next test as well.
		if name != "" && !strings.HasPrefix(name, "stmtcache_") {
			t.doubt = "a prepared statement"
		}
		t.statement(sql)
	case 'F':
		t.doubt = "a function call by the protocol"
	default:
		return
	}
	if !whole {
		t.doubt = "a statement longer than one write"
	}
}

// harmless are the first words of statements that leave nothing in a session which [resetSession] does not take back.
var harmless = words("select insert update delete with values table merge begin start commit end rollback abort savepoint release" +
	" copy lock listen unlisten notify explain declare fetch move close show checkpoint vacuum analyze call")

// catalogWords are the first words of statements that change catalogs.
var catalogWords = words("create alter drop truncate comment grant revoke reindex cluster refresh reassign security import")

func words(s string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(s) {
		all[w] = true
	}
	return all
}

// setsNothing matches what begins with SET and ends with the transaction, or sets what no prepared statement depends on
// and [resetSession] takes back.
var setsNothing = regexp.MustCompile(`^set\s+(transaction|constraints|((local|session)\s+)?` +
	`(statement_timeout|lock_timeout|idle_in_transaction_session_timeout))\s`)

// perhapsNothing matches what changes catalogs only where something is not yet, or still, there. Whether it did, the
// counters tell.
var perhapsNothing = regexp.MustCompile(`\sif\s+(not\s+)?exists\s`)

// comment matches what may stand before a statement's first word.
var comment = regexp.MustCompile(`^(\s+|--[^\r\n]*([\r\n]|$)|/\*(?s:.*?)\*/|\()+`)

// moments matches literals of dates and times that mean another one each time, of which a statement that pgx keeps, or a
// function's plan, has the first.
var moments = regexp.MustCompile(golden.Moment)

// momentWords are in all that moments matches, and sooner found.
var momentWords = []string{"now", "today", "tomorrow", "yesterday"}

// setting are words with which statements may set a parameter in whatever place.
var setting = []string{"set_config", "setseed", "pg_settings"}

// statement notes what one SQL text may leave behind. A semicolon in a string makes it look at words that are none,
// which costs a connection or a cell at most.
func (t *tap) statement(sql string) {
	lower := strings.ToLower(sql)
	for _, word := range setting {
		if strings.Contains(lower, word) {
			t.doubt = word
		}
	}
	if slices.ContainsFunc(momentWords, func(word string) bool { return strings.Contains(lower, word) }) && moments.MatchString(lower) {
		t.doubt = "a literal such as 'now'"
	}
	for _, one := range strings.Split(lower, ";") {
		one = comment.ReplaceAllString(one, "")
		end := strings.IndexFunc(one, func(r rune) bool { return r < 'a' || r > 'z' })
		if end < 0 {
			end = len(one)
		}
		switch word := one[:end]; {
		case one == "", harmless[word], setsNothing.MatchString(one):
		case catalogWords[word]:
			t.ddl = t.ddl || !perhapsNothing.MatchString(one)
		default:
			t.doubt = "a statement that begins with " + strings.ToUpper(word)
		}
	}
}
