package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// Measures of the plot, in pixels: the drawing and the margins around the field, which hold the labels.
const (
	plotWidth, plotHeight = 720, 420
	plotLeft, plotRight   = 70, 130
	plotTop, plotBottom   = 40, 50
)

// colours tell methods apart, also for most of the colour-blind (Okabe and Ito).
var colours = []string{"#000000", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7"}

// plot draws tests a second of one body against how many run at once, both on logarithmic scales.
func (r result) plot(body string) []byte {
	var rows []row
	least, most := math.Inf(1), 0.0
	for _, row := range r.Rows {
		if row.Body != body {
			continue
		}
		rows = append(rows, row)
		for _, a := range row.At {
			least, most = min(least, a.Rate), max(most, a.Rate)
		}
	}
	// Whole powers of ten around all values.
	bottom, top := math.Floor(math.Log10(max(least, 0.1))), math.Ceil(math.Log10(max(most, 1)))
	top = max(top, bottom+1)
	last := rows[0].At[len(rows[0].At)-1].Parallel
	x := func(parallel int) float64 {
		return plotLeft + (plotWidth-plotLeft-plotRight)*math.Log2(float64(parallel))/math.Log2(float64(last))
	}
	y := func(rate float64) float64 {
		at := (math.Log10(max(rate, 0.1)) - bottom) / (top - bottom)
		return plotTop + (plotHeight-plotTop-plotBottom)*(1-at)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`,
		plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, plotHeight)
	text(&b, plotLeft, 22, "start", "black", "Tests a second against tests at once (test: "+body+"; logarithmic)")
	for power := bottom; power <= top; power++ {
		for digit := 1.0; digit < 10 && (power < top || digit == 1); digit++ {
			value := digit * math.Pow(10, power)
			line(&b, plotLeft, y(value), plotWidth-plotRight, y(value), map[bool]string{true: "#888", false: "#eee"}[digit == 1])
			if digit == 1 || digit == 3 {
				text(&b, plotLeft-8, y(value)+4, "end", "black", fmt.Sprint(value))
			}
		}
	}
	for _, a := range rows[0].At {
		line(&b, x(a.Parallel), plotTop, x(a.Parallel), plotHeight-plotBottom, "#ccc")
		text(&b, x(a.Parallel), plotHeight-plotBottom+18, "middle", "black", fmt.Sprint(a.Parallel))
	}
	text(&b, (plotLeft+plotWidth-plotRight)/2, plotHeight-10, "middle", "black", "tests at once")
	curves(&b, rows, x, y)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// curves draws a line for each row, and its name at the end, below that of a faster one.
func curves(b *bytes.Buffer, rows []row, x func(int) float64, y func(float64) float64) {
	taken := map[int]float64{}
	for i, row := range rows {
		colour := colours[i%len(colours)]
		fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, colour)
		for _, a := range row.At {
			fmt.Fprintf(b, "%.1f,%.1f ", x(a.Parallel), y(a.Rate))
		}
		b.WriteString("\"/>\n")
		for _, a := range row.At {
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s, %d at once: %s</title></circle>`+"\n",
				x(a.Parallel), y(a.Rate), colour, html.EscapeString(row.Method), a.Parallel, number(a.Rate))
		}
		taken[i] = y(row.At[len(row.At)-1].Rate) + 4
	}
	last := math.Inf(-1)
	for len(taken) > 0 {
		next := -1
		for i, at := range taken {
			if next < 0 || at < taken[next] || at == taken[next] && i < next {
				next = i
			}
		}
		last = max(taken[next], last+15)
		text(b, plotWidth-plotRight+10, last, "start", colours[next%len(colours)], rows[next].Method)
		delete(taken, next)
	}
}

func line(b *bytes.Buffer, x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
}

func text(b *bytes.Buffer, x, y float64, anchor, colour, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n",
		x, y, anchor, colour, html.EscapeString(s))
}
