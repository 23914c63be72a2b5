package main

import "slices"

// chart is what the program chart draws.
type chart struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Unit   string   `json:"unit"`
	Labels []string `json:"labels"`
	Series []series `json:"series"`
}

type series struct {
	Name   string    `json:"name"`
	Values []float64 `json:"values"`
}

// plan says which rows share a chart, and which figure of them it shows.
type plan struct {
	name, title string
	metric      metric
	base        string // the contender that the figure is divided by; "" for none
	rows        []string
}

var plans = []plan{
	{"bulk", "Bulk data through the library", mibPerSec, "", []string{"read-1m", "read-64k", "write-1m"}},
	{"bulk-cpu", "What it costs the client", cpuPerGiB, "", []string{"read-1m", "read-64k", "write-1m"}},
	{"calls", "Small calls through the library, libnfs = 1", opsPerSec, libnfs, []string{"rand-4k", "getattr", "lookup-idle", "readdir", "small"}},
	{"fuse", "Bulk data through FUSE", mibPerSec, "", []string{"fuse-read", "fuse-write"}},
}

// chartsOf makes the charts of what was measured.
func chartsOf(all []row, results map[string]*result) (charts []chart) {
	for _, p := range plans {
		c := chart{Name: p.name, Title: p.title, Unit: p.metric.name}
		if p.base != "" {
			c.Unit = p.metric.name + ", as a multiple"
		}
		for i := range all {
			if results[all[i].id] != nil && slices.Contains(p.rows, all[i].id) {
				c.add(&p, &all[i], results[all[i].id])
			}
		}
		if len(c.Labels) > 0 {
			charts = append(charts, c)
		}
	}
	return charts
}

// add puts a row into a chart: one value for each contender, 0 for those of
// other rows.
func (c *chart) add(p *plan, r *row, res *result) {
	c.Labels = append(c.Labels, r.id)
	for _, k := range r.contenders {
		if !slices.ContainsFunc(c.Series, func(s series) bool { return s.Name == k.name }) {
			c.Series = append(c.Series, series{k.name, make([]float64, len(c.Labels)-1)})
		}
	}
	for i := range c.Series {
		s := &c.Series[i]
		v := medianOf(res.Samples[s.Name], p.metric)
		if base := medianOf(res.Samples[p.base], p.metric); p.base != "" && base > 0 {
			v /= base
		}
		s.Values = append(s.Values, v)
	}
}
