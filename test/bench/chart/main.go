package main

import (
	"encoding/json"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// chart is a group of bars for each label, one bar a series. A value of 0 is
// one that was not measured.
type chart struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Unit   string   `json:"unit"` // of the values
	Labels []string `json:"labels"`
	Series []series `json:"series"`
}

type series struct {
	Name   string    `json:"name"`
	Values []float64 `json:"values"` // one a label
}

// Colours that people with any kind of sight tell apart (Okabe and Ito), on
// white and on black.
var colours = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xe6, 0x9f, 0x00, 0xff}, color.RGBA{0x99, 0x99, 0x99, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff},
}

const (
	barWidth = vg.Length(22)
	gap      = vg.Length(34) // between groups
	height   = vg.Length(280)
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: chart DIR <CHARTS")
	}
	var charts []chart
	if err := json.NewDecoder(os.Stdin).Decode(&charts); err != nil {
		return err
	}
	for _, c := range charts {
		if err := c.draw(filepath.Join(args[0], c.Name+".svg")); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	return nil
}

// ticks are the usual ones, with labels that have no more digits than they need.
type ticks struct{ plot.DefaultTicks }

// Ticks implements plot.Ticker.
func (t ticks) Ticks(least, most float64) []plot.Tick {
	list := t.DefaultTicks.Ticks(least, most)
	for i := range list {
		if list[i].Label != "" {
			list[i].Label = strconv.FormatFloat(list[i].Value, 'g', 4, 64)
		}
	}
	return list
}

func (c *chart) draw(file string) error {
	p := plot.New()
	p.Title.Text = c.Title
	p.Y.Label.Text = c.Unit
	p.Y.Min = 0
	p.Y.Tick.Marker = ticks{}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding, p.Legend.XOffs = 3, 8
	p.BackgroundColor = color.White
	p.Add(plotter.NewGrid())
	for i, s := range c.Series {
		if len(s.Values) != len(c.Labels) {
			return fmt.Errorf("series %s has %d values for %d labels", s.Name, len(s.Values), len(c.Labels))
		}
		bars, err := plotter.NewBarChart(plotter.Values(s.Values), barWidth)
		if err != nil {
			return err
		}
		bars.Color = colours[i%len(colours)]
		bars.LineStyle.Width = 0
		bars.Offset = barWidth * vg.Length(float64(i)-float64(len(c.Series)-1)/2)
		p.Add(bars)
		p.Legend.Add(s.Name, bars)
	}
	p.NominalX(c.Labels...)
	p.X.Min, p.X.Max = -0.6, float64(len(c.Labels))-0.4
	p.Y.Max *= 1.5 // room for the legend
	width := vg.Length(len(c.Labels))*(barWidth*vg.Length(len(c.Series))+gap) + 120
	return p.Save(width, height, file)
}
