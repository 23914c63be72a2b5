package mount

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
)

// Step is something that a mount did, for those who want to see all of it: see
// Config.Trace.
type Step struct {
	Op     string // as in Error: "resolve", "rpcbind", "MNT", "sec", "connect", "FSINFO", "GETATTR", "PATHCONF", "sizes"
	Server string // the address that was asked, or the name while it has none
	Netid  string // over which transport; "" where nothing was sent
	Port   uint16 // at which port; 0 likewise
	Asked  string // what was asked, in words
	Answer string // what came of it, in words; "" with Err
	Took   time.Duration
	Err    error
	Hint   string // what to do about Err, or ""
}

// String is the step in one line.
func (s Step) String() string {
	where := s.Server
	if s.Port != 0 {
		where += fmt.Sprintf(" port %d/%s", s.Port, s.Netid)
	}
	said := s.Answer
	if s.Err != nil {
		said = strings.ReplaceAll(s.Err.Error(), "\n", "; ")
	}
	return fmt.Sprintf("%s at %s: %s: %s (%v)", s.Op, where, s.Asked, said, s.Took.Round(time.Microsecond))
}

// tracer hands steps to Config.Trace, one at a time.
type tracer struct {
	mu sync.Mutex // held while to runs
	to func(Step)
}

// begin notes when a step began, and returns what ends it. A step that was
// given up because another one had the answer first is not told of.
func (t *tracer) begin(s Step) (end func(answer, hint string, err error)) {
	if t.to == nil {
		return func(string, string, error) {}
	}
	began := time.Now()
	return func(answer, hint string, err error) {
		if errors.Is(err, context.Canceled) {
			return
		}
		s.Took, s.Err = time.Since(began), err
		if err == nil {
			s.Answer = answer
		} else {
			s.Hint = hint
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.to(s)
	}
}

// stepTo is a Step at a port of a server.
func stepTo(op string, t target, e endpoint, asked string) Step {
	return Step{Op: op, Server: t.host, Netid: e.netid, Port: e.port, Asked: asked}
}

// programName names the programs that a mount asks for.
func programName(prog uint32) string {
	return map[uint32]string{nfs3.Program: "NFS", mountd.Program: "MOUNT"}[prog]
}

// String is the question in words.
func (q query) String() string {
	return fmt.Sprintf("%s version %d over %s", programName(q.prog), q.vers, q.netid)
}

// hosts is a list of targets in words.
func hosts(l []target) string {
	names := make([]string, len(l))
	for i, t := range l {
		names[i] = t.host
	}
	return strings.Join(names, ", ")
}

// flavorNames is a list of flavours in the words of sec=.
func flavorNames(l []uint32) string {
	if len(l) == 0 {
		return "none listed"
	}
	names := make([]string, len(l))
	for i, f := range l {
		names[i] = flavorName(f)
	}
	return strings.Join(names, ":")
}
