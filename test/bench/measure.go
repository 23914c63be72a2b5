package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// result is what was measured for a row.
type result struct {
	Row     string              `json:"row"`
	Build   string              `json:"build"` // of the programs
	When    time.Time           `json:"when"`
	Load    string              `json:"load"` // of the machine, before and after
	Samples map[string][]sample `json:"samples"`
	Failed  map[string]string   `json:"failed,omitempty"` // contenders that gave an error
}

// measure runs all contenders of a row reps times, beginning with another one
// each time.
func (w *world) measure(r *row, reps int) (*result, error) {
	if r.once {
		reps = 1
	}
	if err := w.pin(r.pinned); err != nil {
		return nil, err
	}
	if r.awake {
		stop, err := w.keepAwake()
		if err != nil {
			return nil, err
		}
		defer stop()
	}
	before := load()
	res := w.repeat(r, reps)
	res.Load = before + " – " + load()
	return res, w.ctx.Err()
}

// repeat is the measuring itself.
func (w *world) repeat(r *row, reps int) *result {
	res := &result{Row: r.id, When: time.Now(), Samples: map[string][]sample{}, Failed: map[string]string{}}
	for rep := range reps {
		for i := range r.contenders {
			c := &r.contenders[(i+rep)%len(r.contenders)]
			if w.ctx.Err() != nil {
				return res
			}
			s, err := c.run(w)
			if err != nil {
				w.log.Error("a run failed", "row", r.id, "contender", c.name, "err", err)
				res.Failed[c.name] = err.Error()
				continue
			}
			res.Samples[c.name] = append(res.Samples[c.name], s)
		}
	}
	return res
}

// show prints a result for whoever waits for it.
func show(out io.Writer, r *row, res *result) {
	fmt.Fprintf(out, "\n%s: %s (load %s)\n", r.id, r.title, res.Load)
	for _, c := range r.contenders {
		fmt.Fprintf(out, "  %-26s %s\n", c.name, figures(r, res, c.name))
	}
	for _, g := range r.goals {
		v := g.measured(res)
		fmt.Fprintf(out, "  %-52s %7.3g   must %s, aim %s: %s\n", g, v, g.bound(g.must), g.bound(g.aim), g.verdict(v))
	}
}

// figures writes the medians of a contender.
func figures(r *row, res *result, name string) string {
	samples := res.Samples[name]
	if len(samples) == 0 {
		return "failed: " + res.Failed[name]
	}
	var words []string
	for _, m := range metrics(r) {
		words = append(words, fmt.Sprintf("%s %s", number(medianOf(samples, m)), m.name))
	}
	words = append(words, fmt.Sprintf("(%d runs)", len(samples)))
	return strings.Join(words, "  ")
}

// metrics are the figures that the table shows of a row: those of its goals,
// and what it costs.
func metrics(r *row) (list []metric) {
	seen := map[string]bool{}
	add := func(m metric) {
		if !seen[m.name] {
			seen[m.name] = true
			list = append(list, m)
		}
	}
	bulk := false
	for _, g := range r.goals {
		add(g.metric)
		bulk = bulk || g.metric.name == mibPerSec.name
	}
	switch {
	case seen[rssMiB.name]:
	case bulk:
		add(cpuPerGiB)
	default:
		add(median)
		add(cpuPerOp)
	}
	return list
}

// number writes a figure with three or four digits.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
