package sqltext

// LineComments gives the byte offsets of the comments that begin with -- in what lies between two statements or tokens:
// white space, comments, and semicolons of empty statements.
func LineComments(between string) []int {
	var found []int
	for l := New(between); l.pos < len(between); {
		switch c := between[l.pos]; {
		case c == '-' && l.at(l.pos+1) == '-':
			found = append(found, l.pos)
			l.pos = l.lineEnd(l.pos)
		case c == '/' && l.at(l.pos+1) == '*':
			if l.pos = l.commentEnd(l.pos); l.pos < 0 {
				return found
			}
		default:
			l.pos++
		}
	}
	return found
}
