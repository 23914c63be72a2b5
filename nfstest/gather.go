package nfstest

import (
	"bytes"
	"fmt"
	"time"
)

// Gather keeps the reply back until there are n such ones on the connection, but
// no longer than d, and sends them with one write: a client that reads one has
// all. Over UDP they leave one after another.
func Gather(n int, d time.Duration) Action {
	return Action{fmt.Sprintf("Gather(%d, %v)", n, d), func(p *plan) { p.gather, p.gatherFor = n, d }}
}

// gathering is replies that leave together.
type gathering struct{ recs [][]byte }

// gather adds rec to the replies that leave together when there are n, or d after
// the first of them.
func (l *link) gather(rec []byte, n int, d time.Duration) {
	l.wmu.Lock()
	defer l.wmu.Unlock()
	if l.gathered == nil {
		l.gathered = &gathering{}
	}
	g := l.gathered
	g.recs = append(g.recs, rec)
	switch len(g.recs) {
	case n:
		l.sendGatheredLocked()
	case 1:
		// Ends after d, or when the server is closed.
		l.s.wg.Go(func() {
			if !l.s.sleep(d) {
				return
			}
			l.wmu.Lock()
			defer l.wmu.Unlock()
			if l.gathered == g {
				l.sendGatheredLocked()
			}
		})
	}
}

func (l *link) sendGatheredLocked() {
	recs := l.gathered.recs
	l.gathered = nil
	if !l.datagrams() {
		recs = [][]byte{bytes.Join(recs, nil)}
	}
	for _, rec := range recs {
		l.putLocked(rec)
	}
	l.releaseLocked()
}
