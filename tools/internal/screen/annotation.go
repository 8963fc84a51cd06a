package screen

import (
	"fmt"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/results"
)

// annotation prints what GitHub's web pages show beside the source.
func (p *Printer) annotation(path string, line int, title, message string) {
	if !p.annotate {
		return
	}
	var properties []string
	if path != "" {
		properties = append(properties, "file="+escapeProperty(path), fmt.Sprintf("line=%d", line))
	}
	properties = append(properties, "title="+escapeProperty(title))
	p.Line("::error %s::%s", strings.Join(properties, ","), escapeData(message))
}

// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func escapeData(s string) string     { return dataEscapes.Replace(s) }
func escapeProperty(s string) string { return propertyEscapes.Replace(s) }

// firstLines gives what an annotation has room for.
func firstLines(s *results.Shard, t *results.Test) string {
	text := s.Text(t)
	for _, sub := range t.Subtests {
		if sub.Outcome == results.Failed {
			text = strings.TrimLeft(text+"\n"+sub.Name+":\n"+s.Text(&sub), "\n")
		}
	}
	if lines := strings.Split(text, "\n"); len(lines) > 20 {
		text = strings.Join(lines[:20], "\n") + "\n..."
	}
	if text == "" {
		return "failed without a word"
	}
	return text
}
