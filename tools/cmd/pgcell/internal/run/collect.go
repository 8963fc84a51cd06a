package run

import (
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/selection"
)

// collect lists the chosen tests and runs none.
func (s *session) collect(chosen []selection.Chosen) error {
	count := 0
	for _, one := range chosen {
		titles, err := one.Titles(s.space)
		if err != nil {
			return err
		}
		count += len(titles)
		for _, title := range titles {
			s.print.Line("%s", title)
		}
	}
	s.print.Line("%s in %s", cli.Plural(count, "test"), cli.Plural(len(chosen), "suite"))
	return nil
}
