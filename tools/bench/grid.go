package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// grid is a table in Markdown that is aligned as well. The first left columns are text, the others numbers.
type grid struct {
	left int
	head []string
	rows [][]string
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

func (g *grid) print(w io.Writer) {
	widths := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < g.left {
				fmt.Fprint(w, "| ", cell, pad, " ")
			} else {
				fmt.Fprint(w, "| ", pad, cell, " ")
			}
		}
		fmt.Fprintln(w, "|")
	}
	fmt.Fprintln(w)
	line(g.head)
	for i, width := range widths {
		if i < g.left {
			fmt.Fprint(w, "|", strings.Repeat("-", width+2))
		} else {
			fmt.Fprint(w, "|", strings.Repeat("-", width+1), ":")
		}
	}
	fmt.Fprintln(w, "|")
	for _, row := range g.rows {
		line(row)
	}
}

// number writes a figure with three digits that count; "-" for none.
func number(v float64) string {
	switch {
	case v == 0:
		return "-"
	case v < 0.0005:
		return "0"
	case v < 0.1:
		return fmt.Sprintf("%.3f", v)
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// megabytes writes a size.
func megabytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/1e6) }
