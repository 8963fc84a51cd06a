package session

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestWatchMessages sends messages whole, and in two parts cut at each place.
func TestWatchMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message pgproto3.FrontendMessage
		doubt   string
		ddl     bool
	}{
		"query":            {message: &pgproto3.Query{String: "SELECT 1"}},
		"query that sets":  {message: &pgproto3.Query{String: "SET a.b = 1"}, doubt: "a statement that begins with SET"},
		"prepared":         {message: &pgproto3.Parse{Name: "mine", Query: "SELECT 1"}},
		"prepared setting": {message: &pgproto3.Parse{Name: "mine", Query: "SELECT setseed(1)"}, doubt: "setseed"},
		"unnamed":          {message: &pgproto3.Parse{Query: "DROP TABLE t"}, ddl: true},
		"function call":    {message: &pgproto3.FunctionCall{Function: 1}, doubt: "a message of type F"},
		"data like a SET":  {message: &pgproto3.CopyData{Data: []byte("Q\x00\x00\x00\x09SET x")}},
		"bind like a SET":  {message: &pgproto3.Bind{Parameters: [][]byte{[]byte("Q\x00\x00\x00\x09SET x")}}},
		"execute":          {message: &pgproto3.Execute{}},
	} {
		text, err := c.message.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		length := len(text)
		if text, err = (&pgproto3.Sync{}).Encode(text); err != nil {
			t.Fatal(err)
		}
		var whole watch
		whole.write(text)
		if whole.doubt != c.doubt || whole.ddl != c.ddl || whole.left != 0 || len(whole.head) != 0 {
			t.Errorf("%s: %+v, want doubt %q, ddl %v, nothing left", name, whole, c.doubt, c.ddl)
		}
		for cut := 1; cut < len(text); cut++ {
			var parts watch
			parts.write(text[:cut])
			parts.write(text[cut:])
			careful := parts.doubt == c.doubt && parts.ddl == c.ddl || parts.doubt == "a statement that came in parts"
			if !careful || parts.left != 0 || len(parts.head) != 0 {
				t.Errorf("%s, cut after %d of %d bytes: %+v, want doubt %q, ddl %v, nothing left", name, cut, length, parts, c.doubt, c.ddl)
			}
		}
	}
}
