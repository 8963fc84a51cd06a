package screen

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// isTerminal reports whether w shows what is written to it.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width gives the columns of the terminal behind standard error; COLUMNS goes first.
func width(p *cli.Process) int {
	if n, err := strconv.Atoi(p.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := p.Stderr.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}

// colored reports whether words get colours.
func (o Options) colored(p *cli.Process) bool {
	switch o.Color {
	case "yes":
		return true
	case "no":
		return false
	}
	return isTerminal(p.Stdout) && p.Getenv("NO_COLOR") == "" && p.Getenv("TERM") != "dumb"
}
