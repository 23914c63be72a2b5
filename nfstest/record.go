package nfstest

import (
	"maps"
	"strings"
)

// logLines is how many lines the log keeps.
const logLines = 4096

// ring is the last lines of a log.
type ring struct {
	lines []string
	first int // where the oldest is, once the ring is full
}

func (r *ring) add(line string) {
	if len(r.lines) < logLines {
		r.lines = append(r.lines, line)
		return
	}
	r.lines[r.first] = line
	r.first = (r.first + 1) % logLines
}

// Log returns the last 4096 lines of what happened, the oldest first: each
// call with what faults did to it, and each Restart and the like.
func (s *Server) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.log
	return append(append([]string{}, l.lines[l.first:]...), l.lines[:l.first]...)
}

// Counts returns how often each procedure was called, retransmissions
// included: "READ", "MOUNT.MNT", "RPCBIND.GETPORT".
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// ResetCounts makes all counts 0.
func (s *Server) ResetCounts() {
	s.mu.Lock()
	clear(s.counts)
	s.mu.Unlock()
}

// note writes a line to the log.
func (s *Server) note(line string) {
	s.mu.Lock()
	s.log.add(line)
	s.mu.Unlock()
	s.o.Logger.Info("nfstest: " + line)
}

// meet counts and logs a call, and fills in what faults want with it. It
// returns the generation of the server that the call came to.
func (s *Server) meet(c *Call) (gen uint64) {
	line := c.String()
	s.mu.Lock()
	s.counts[c.Name()]++
	s.meetLocked(c)
	if len(c.faults.names) > 0 {
		line += ": " + strings.Join(c.faults.names, ", ")
	}
	s.log.add(line)
	gen = s.gen
	s.mu.Unlock()
	if len(c.faults.names) > 0 {
		s.o.Logger.Info("nfstest: " + line)
	} else {
		s.o.Logger.Debug("nfstest: " + line)
	}
	return gen
}
