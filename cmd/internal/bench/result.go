package bench

import (
	"encoding/json"
	"fmt"
	"io"
)

// Result is what was measured. Its JSON form is one line of gonfs bench --json.
type Result struct {
	Mode        string  `json:"mode"`
	Seconds     float64 `json:"seconds"`       // of the measured part
	Bytes       int64   `json:"bytes"`         // of file data
	Ops         int64   `json:"ops"`           // calls, files or entries: see the mode
	MiBPerSec   float64 `json:"mib_s"`         // Bytes in MiB, a second
	OpsPerSec   float64 `json:"ops_s"`         // Ops, a second
	P50         float64 `json:"p50_us"`        // median time of one call
	P99         float64 `json:"p99_us"`        // 99 of 100 calls took no longer
	CPUUser     float64 `json:"cpu_user_s"`    // of this process in the measured part
	CPUSys      float64 `json:"cpu_sys_s"`     // likewise, of the kernel for it
	AllocsPerOp float64 `json:"allocs_per_op"` // objects on Go's heap
}

// WriteJSON writes r as one line.
func (r *Result) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// WriteText writes r for people.
func (r *Result) WriteText(w io.Writer) error {
	rate := fmt.Sprintf("%.0f ops/s", r.OpsPerSec)
	cost := fmt.Sprintf("%.2f us/op", (r.CPUUser+r.CPUSys)*1e6/float64(r.Ops))
	if r.Bytes/r.Ops >= 64<<10 {
		rate = fmt.Sprintf("%.0f MiB/s", r.MiBPerSec)
		cost = fmt.Sprintf("%.3f s/GiB", (r.CPUUser+r.CPUSys)*(1<<30)/float64(r.Bytes))
	}
	_, err := fmt.Fprintf(w, "%s: %s (%d ops, %d bytes in %.3f s)\n"+
		"latency: %.1f us median, %.1f us for 99 of 100\n"+
		"cpu: %.3f s user, %.3f s system, %s, %.2f allocations/op\n",
		r.Mode, rate, r.Ops, r.Bytes, r.Seconds, r.P50, r.P99, r.CPUUser, r.CPUSys, cost, r.AllocsPerOp)
	return err
}
