package sqltext

// shape is what decides whether a semicolon ends a statement, and whether data follows it.
type shape struct {
	tokens int
	parens int     // open ones
	head   [4]byte // how the first words begin, of those that may begin CREATE OR REPLACE FUNCTION or PROCEDURE, and COPY
	begin  bool    // the token before was BEGIN
	bodies int     // BEGIN ATOMIC and CASE without their END
	from   bool    // the token before was FROM
	stdin  bool    // COPY ... FROM STDIN
}

// add counts a token of the statement in.
func (s *shape) add(t Token) {
	if s.tokens < len(s.head) && t.Is("create", "or", "replace", "function", "procedure", "copy") {
		s.head[s.tokens] = t.Text[0] | 0x20
		if t.Is("copy") {
			s.head[s.tokens] = 'y'
		}
	}
	s.tokens++
	switch {
	case t.IsSymbol("("):
		s.parens++
	case t.IsSymbol(")") && s.parens > 0:
		s.parens--
	}
	if s.parens > 0 {
		return
	}
	switch {
	case s.head[0] == 'y':
		s.stdin = s.stdin || s.from && t.Is("stdin")
		s.from = t.Is("from")
	case s.routine():
		s.body(t)
	}
}

// routine reports whether the statement makes a function or a procedure.
func (s *shape) routine() bool {
	at := 1
	if s.head[1] == 'o' && s.head[2] == 'r' {
		at = 3
	}
	return s.head[0] == 'c' && (s.head[at] == 'f' || s.head[at] == 'p')
}

// body counts what begins and ends within CREATE FUNCTION. CASE has an END as well.
func (s *shape) body(t Token) {
	switch {
	case s.begin && t.Is("atomic"), s.bodies > 0 && t.Is("case"):
		s.bodies++
	case s.bodies > 0 && t.Is("end"):
		s.bodies--
	}
	s.begin = t.Is("begin")
}
