package main

import "fmt"

// goal is what a row is to show: a metric of one contender in proportion to
// that of another, or the metric itself if vs is "".
type goal struct {
	metric    metric
	of, vs    string
	must, aim float64 // aim 0: none
}

// tolerance is by how much a measurement may miss a must that holds.
const tolerance = 0.10

// Verdicts, from best to worst.
const (
	reached    = "aim reached"
	holds      = "holds"
	nearly     = "holds within 10 %"
	missed     = "MISSED"
	unmeasured = "not measured"
)

// measured returns the value of g in a result; 0 if something was not
// measured.
func (g goal) measured(r *result) float64 {
	v := medianOf(r.Samples[g.of], g.metric)
	if g.vs == "" {
		return v
	}
	base := medianOf(r.Samples[g.vs], g.metric)
	if base == 0 {
		return 0
	}
	return v / base
}

// verdict judges a measured value.
func (g goal) verdict(v float64) string {
	slack := 1 - tolerance
	better := func(a, b float64) bool { return a >= b }
	if g.metric.less {
		slack = 1 + tolerance
		better = func(a, b float64) bool { return a <= b }
	}
	switch {
	case v == 0:
		return unmeasured
	case g.aim != 0 && better(v, g.aim):
		return reached
	case better(v, g.must):
		return holds
	case better(v, g.must*slack):
		return nearly
	}
	return missed
}

func (g goal) sign() string {
	if g.metric.less {
		return "≤"
	}
	return "≥"
}

// bound writes a must or an aim.
func (g goal) bound(v float64) string {
	switch {
	case v == 0:
		return "–"
	case g.vs == "":
		return fmt.Sprintf("%s %.0f", g.sign(), v)
	}
	return fmt.Sprintf("%s %.4g", g.sign(), v)
}

// String names what is compared.
func (g goal) String() string {
	if g.vs == "" {
		return fmt.Sprintf("%s: %s", g.of, g.metric.name)
	}
	return fmt.Sprintf("%s : %s, %s", g.of, g.vs, g.metric.name)
}
