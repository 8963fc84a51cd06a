package screen

import (
	"strings"

	"github.com/pgcell/pgcell/tools/internal/results"
)

// logTail is how many lines of a dead shard's log are shown.
const logTail = 40

// log prints test.log without Bazel's own first lines; of more than tail lines, the last ones.
func (p *Printer) log(s *results.Shard, indent string, tail int) {
	if s.Log == "" {
		p.Line("%s(its log is not on this machine)", indent)
		return
	}
	text, err := results.ReadLogText(s.Log)
	if err != nil {
		p.Line("%s(its log is lost: %v)", indent, err)
		return
	}
	if lines := strings.Split(text, "\n"); tail > 0 && len(lines) > tail {
		p.Line("%s(%d lines above left out)", indent, len(lines)-tail)
		text = strings.Join(lines[len(lines)-tail:], "\n")
	}
	p.indented(text, indent)
}

func (p *Printer) indented(text, indent string) {
	if text == "" {
		return
	}
	p.Line("%s%s", indent, strings.ReplaceAll(text, "\n", "\n"+indent))
}
