package nfstest

import (
	"slices"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
)

// Fault is a rule: calls that match it meet its actions. All conditions must
// hold; those left at zero always do.
type Fault struct {
	// Program is the RPC program; 0 means NFS.
	Program uint32
	// Procs are the procedures; none means all but NULL.
	Procs []uint32
	// Network is "tcp" or "udp", which "tcp6" and "udp6" are too.
	Network string
	// If is asked last. It must not call the server.
	If func(*Call) bool

	// Skip is how many matching calls are let pass first.
	Skip int
	// Times is how many calls are then met; 0 means 1, and Forever all.
	Times int
	// Chance is the probability, from 0 to 1, with which a call is met that
	// the rest would meet; 0 means 1. It is drawn from Options.Seed.
	Chance float64

	// Do is what happens to the calls that are met.
	Do []Action
}

// Forever is for Fault.Times.
const Forever = -1

// rule is a Fault with its counters.
type rule struct {
	Fault
	seen, met int
}

// Fault adds a rule and returns what removes it. A call that several rules meet
// gets the actions of all, in the order in which they were added.
func (s *Server) Fault(f Fault) (remove func()) {
	r := &rule{Fault: f}
	s.mu.Lock()
	s.rules = append(s.rules, r)
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		s.rules = slices.DeleteFunc(s.rules, func(x *rule) bool { return x == r })
		s.mu.Unlock()
	}
}

// ClearFaults removes all rules.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	s.rules = nil
	s.mu.Unlock()
}

// Jukebox answers the next n calls of the procedures with NFS3ERR_JUKEBOX;
// Forever is allowed.
func (s *Server) Jukebox(n int, procs ...uint32) (remove func()) {
	return s.Fail(nfs3.ErrJukebox, n, procs...)
}

// Fail answers the next n calls of the procedures with st; Forever is allowed.
func (s *Server) Fail(st nfs3.Status, n int, procs ...uint32) (remove func()) {
	return s.Fault(Fault{Procs: procs, Times: n, Do: []Action{Status(st)}})
}

// meetLocked fills the plan of c from the rules that meet it.
func (s *Server) meetLocked(c *Call) {
	for _, r := range s.rules {
		if !r.matches(c) {
			continue
		}
		if r.seen++; r.seen <= r.Skip {
			continue
		}
		if r.Times != Forever && r.met >= max(1, r.Times) {
			continue
		}
		if r.Chance > 0 && s.rng.Float64() >= r.Chance {
			continue
		}
		r.met++
		for _, a := range r.Do {
			a.set(&c.faults)
			c.faults.names = append(c.faults.names, a.name)
		}
	}
}

func (r *rule) matches(c *Call) bool {
	program := r.Program
	orElse(&program, nfs3.Program)
	switch {
	case program != c.Program,
		len(r.Procs) > 0 && !slices.Contains(r.Procs, c.Proc),
		len(r.Procs) == 0 && c.Proc == 0,
		r.Network != "" && !strings.HasPrefix(c.Network, r.Network):
		return false
	}
	return r.If == nil || r.If(c)
}
