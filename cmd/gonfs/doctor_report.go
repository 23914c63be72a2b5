package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// result is how a check came out.
type result string

// The results: a note is for reading, a warning is something that is not as it
// should be, and with a failure there is no mount.
const (
	isOK      result = "ok"
	isNote    result = "note"
	isWarning result = "warning"
	isFailure result = "failure"
)

// finding is one thing that gonfs doctor asked, and what came of it.
type finding struct {
	Check     string   `json:"check"`            // what it is about: "rpcbind", "MNT", "locks" …
	Server    string   `json:"server,omitempty"` // of whom it was asked
	Port      uint16   `json:"port,omitempty"`   // at which port
	Transport string   `json:"transport"`        // over which netid; "" where nothing was sent
	Asked     string   `json:"asked"`            // what was asked
	Answer    string   `json:"answer"`           // the answer, or the error
	LatencyMS float64  `json:"latency_ms"`       // until it came; 0 where nothing was sent
	Result    result   `json:"result"`           // ok, note, warning or failure
	Cause     string   `json:"cause,omitempty"`  // what is likely behind it
	Try       []string `json:"try,omitempty"`    // lines to type
	step      bool     // of the mount: a failure only if the mount failed
}

// report is what gonfs doctor says. Findings are printed as they come; as JSON,
// at the end.
type report struct {
	Spec     string    `json:"spec"`
	Well     bool      `json:"well"`   // all is as it should be
	Mounts   bool      `json:"mounts"` // it can be mounted
	Findings []finding `json:"findings"`

	w    io.Writer
	json bool
}

// add prints a finding, unless JSON is wanted, and keeps it.
func (r *report) add(f finding) {
	f.Answer, f.Asked, f.Cause = printable(f.Answer), printable(f.Asked), printable(f.Cause)
	for i := range f.Try {
		f.Try[i] = printable(f.Try[i])
	}
	r.Findings = append(r.Findings, f)
	if !r.json {
		f.print(r.w)
	}
}

// print writes a finding for people.
func (f *finding) print(w io.Writer) {
	tag := map[result]string{isOK: "ok", isNote: "note", isWarning: "warn", isFailure: "FAIL"}[f.Result]
	where := ""
	if f.Port != 0 {
		where = fmt.Sprintf("%s port %d/%s: ", f.Server, f.Port, f.Transport)
	} else if f.Server != "" && f.Transport != "" {
		where = fmt.Sprintf("%s/%s: ", f.Server, f.Transport)
	}
	took := ""
	if f.LatencyMS > 0 {
		took = fmt.Sprintf(" (%s)", latency(time.Duration(f.LatencyMS*float64(time.Millisecond))))
	}
	asked := f.Asked
	if asked != "" {
		asked += ": "
	}
	fmt.Fprintf(w, "%-5s %-9s %s%s%s%s\n", tag, f.Check, where, asked, f.Answer, took)
	if f.Cause != "" {
		fmt.Fprintf(w, "%16s%s\n", "", f.Cause)
	}
	for _, line := range f.Try {
		fmt.Fprintf(w, "%16s> %s\n", "", line)
	}
}

// latency is d with three digits or so.
func latency(d time.Duration) time.Duration {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}

// count returns how many findings have a result.
func (r *report) count(what result) (n int) {
	for _, f := range r.Findings {
		if f.Result == what {
			n++
		}
	}
	return n
}

// settle is called when it is known whether the mount could be made: steps that
// failed on the way to one that was are warnings.
func (r *report) settle(mounts bool) {
	r.Mounts = mounts
	for i := range r.Findings {
		if f := &r.Findings[i]; f.step && f.Result == isFailure && mounts {
			f.Result = isWarning
		}
	}
}

// end prints the verdict.
func (r *report) end() error {
	r.Well = r.Mounts && r.count(isWarning)+r.count(isFailure) == 0
	if r.json {
		e := json.NewEncoder(r.w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	verdict := "can not be used"
	switch {
	case r.Well:
		verdict = "all is well"
	case r.Mounts:
		verdict = fmt.Sprintf("can be used, with %d that should be looked at", r.count(isWarning)+r.count(isFailure))
	}
	_, err := fmt.Fprintf(r.w, "\n%s: %s\n", r.Spec, verdict)
	return err
}

// since is the latency of what began at t, for a finding.
func since(t time.Time) float64 { return float64(time.Since(t).Microseconds()) / 1000 }

// textOr returns the text of err, or answer if there is none.
func textOr(err error, answer string) string {
	if err == nil {
		return answer
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
