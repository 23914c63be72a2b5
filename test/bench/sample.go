package main

import (
	"encoding/json"
	"fmt"
	"slices"
)

// sample is the line that a benchmark program prints, and what was seen from
// outside.
type sample struct {
	Mode      string  `json:"mode"`
	Seconds   float64 `json:"seconds"`
	Bytes     int64   `json:"bytes"`
	Ops       int64   `json:"ops"`
	MiBPerSec float64 `json:"mib_s"`
	OpsPerSec float64 `json:"ops_s"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	CPUUser   float64 `json:"cpu_user_s"`
	CPUSys    float64 `json:"cpu_sys_s"`
	Allocs    float64 `json:"allocs_per_op"`
	RSS       float64 `json:"rss_mib,omitempty"` // the most that a daemon had
}

func parseSample(line []byte) (sample, error) {
	var s sample
	if err := json.Unmarshal(line, &s); err != nil {
		return s, fmt.Errorf("the result %q: %w", line, err)
	}
	if s.Seconds <= 0 || s.Ops <= 0 {
		return s, fmt.Errorf("the result %q: nothing was measured", line)
	}
	return s, nil
}

// metric is a figure of a sample.
type metric struct {
	name string
	less bool // less is better
	of   func(sample) float64
}

func (s sample) cpu() float64 { return s.CPUUser + s.CPUSys }

var (
	mibPerSec = metric{"MiB/s", false, func(s sample) float64 { return s.MiBPerSec }}
	opsPerSec = metric{"ops/s", false, func(s sample) float64 { return s.OpsPerSec }}
	median    = metric{"p50, µs", true, func(s sample) float64 { return s.P50 }}
	cpuPerGiB = metric{"CPU, s/GiB", true, func(s sample) float64 { return s.cpu() * (1 << 30) / float64(s.Bytes) }}
	cpuPerOp  = metric{"CPU, µs/op", true, func(s sample) float64 { return s.cpu() * 1e6 / float64(s.Ops) }}
	rssMiB    = metric{"RSS, MiB", true, func(s sample) float64 { return s.RSS }}
)

// medianOf returns the median of m over samples; 0 if there are none.
func medianOf(samples []sample, m metric) float64 {
	if len(samples) == 0 {
		return 0
	}
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = m.of(s)
	}
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}
