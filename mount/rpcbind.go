package mount

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// query is a question to rpcbind.
type query struct {
	prog, vers uint32
	netid      string
}

// answer is what rpcbind said to a query: a port, or why there is none.
type answer struct {
	port uint16
	err  error
}

// offer is what was learned from a server's rpcbind.
type offer struct {
	answers     map[query]answer
	later       []query // those that were not asked, as others have an answer that will do
	silence     error   // why answers are missing
	unreachable error   // there was no answer at all, and this is why
}

// learn asks the rpcbind of t where services are: over the transport that each is
// tried over first, and over the others where it is not there. A mount of a server
// that has all makes two calls of it.
func (m *mounter) learn(ctx context.Context, t target, services ...*Service) *offer {
	var first, others []query
	for _, s := range services {
		if l := s.queries(t.v6()); len(l) > 0 {
			first = append(first, l[0])
		}
	}
	o := m.ask(ctx, t, first)
	if o.unreachable != nil {
		return o
	}
	for _, s := range services {
		switch l := s.queries(t.v6()); {
		case len(l) == 0:
		case o.answers[l[0]].port != 0:
			o.later = append(o.later, l[1:]...)
		default:
			others = append(others, l[1:]...)
		}
	}
	if len(others) > 0 {
		more := m.ask(ctx, t, others)
		maps.Copy(o.answers, more.answers)
		o.silence = errors.Join(o.silence, more.silence)
	}
	return o
}

// settle asks rpcbind for the port of a way that was left for later, and reports
// whether the service is there.
func (m *mounter) settle(ctx context.Context, t target, s *Service, way endpoint) (endpoint, bool) {
	if way.port == 0 {
		q := query{s.Prog, s.Vers, way.netid}
		way.port, way.asked = m.ask(ctx, t, []query{q}).answers[q].port, true
	}
	return way, way.port != 0
}

// ask puts all queries to the rpcbind of t at once, each over the transports
// that the plan names; the first answer to a query counts. Where that is either
// transport, TCP has its turn when UDP has not answered for besideAfter. It ends
// within 20 s and that (6 s if only UDP is asked; half of that if nobody answers),
// or with ctx.
func (m *mounter) ask(ctx context.Context, t target, queries []query) *offer {
	over := map[string][]query{}
	for _, q := range queries {
		for _, transport := range m.plan.rpcbindOver(q.netid) {
			over[transport] = append(over[transport], q)
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type told struct {
		answers map[query]answer
		err     error
	}
	results := make(chan told, len(over))
	todo := slices.Sorted(maps.Keys(over))
	slices.Reverse(todo) // udp, tcp
	wait := time.Duration(0)
	if len(m.plan.Rpcbind) > 1 {
		wait = besideAfter
	}
	next := time.NewTimer(0)
	defer next.Stop()
	o := &offer{answers: map[query]answer{}}
	var errs []error
	for running := 0; running+len(todo) > 0; {
		select {
		case <-next.C:
			if len(todo) == 0 {
				continue // the timer ran out in the moment of the last answer
			}
			transport := todo[0]
			todo = todo[1:]
			running++
			go func() { // ends with askOver, which is bounded; received below
				a, err := m.askTwice(ctx, t, transport, over[transport])
				results <- told{a, err}
			}()
			next.Reset(wait)
		case r := <-results:
			running--
			for q, a := range r.answers {
				if old, ok := o.answers[q]; !ok || old.port == 0 && a.port != 0 {
					o.answers[q] = a
				}
			}
			if r.err != nil {
				errs = append(errs, r.err)
			}
			if len(o.answers) == len(queries) {
				todo = nil
				stop()
			} else {
				next.Reset(0)
			}
		}
	}
	if len(o.answers) < len(queries) {
		o.silence = errors.Join(errs...)
	}
	if len(o.answers) == 0 && len(queries) > 0 {
		o.unreachable = o.silence
		m.log.DebugContext(ctx, "no rpcbind", "server", t.host, "error", o.unreachable)
	}
	return o
}

// askTwice asks over one transport, and again what was not answered when other
// queries were: a rpcbind lives there, and datagrams get lost.
func (m *mounter) askTwice(ctx context.Context, t target, transport string, queries []query) (map[query]answer, error) {
	answers, err := m.askOver(ctx, t, transport, queries)
	if !isTimeout(err) || len(answers) == 0 || ctx.Err() != nil {
		return answers, err
	}
	left := slices.DeleteFunc(slices.Clone(queries), func(q query) bool { _, ok := answers[q]; return ok })
	more, err := m.askOver(ctx, t, transport, left)
	maps.Copy(answers, more)
	return answers, err
}

// askOver asks over one transport, udp or tcp. The error tells why queries are
// missing from the answers.
func (m *mounter) askOver(ctx context.Context, t target, transport string, queries []query) (map[query]answer, error) {
	limit := rpcbindTCP
	if transport == portmap.NetidUDP {
		limit = rpcbindUDP
	}
	ctx, stop := within(ctx, limit, "rpcbind over "+transport)
	defer stop()
	v6 := t.v6()
	netid := transport
	if !t.addr.IsValid() {
		v6 = isV6(queries[0].netid)
	}
	if v6 {
		netid += "6"
	}
	at := endpoint{netid: netid, port: m.rpcbind}
	end := m.trace.begin(stepTo("rpcbind", t, at, "a connection to rpcbind"))
	c, err := m.open(ctx, t, at, false, nil, retransmit)
	if err != nil {
		end("", "", err)
		return nil, err
	}
	defer c.Close()

	var mu sync.Mutex // guards answers and failed
	answers := map[query]answer{}
	var failed error
	tell := func(q query, port uint16, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil || errors.Is(err, portmap.ErrNotRegistered) || errors.Is(err, portmap.ErrBadAnswer) {
			answers[q] = answer{port, err}
			return
		}
		failed = err
	}
	list := sync.OnceValues(func() ([]portmap.Rpcb, error) { return registered(ctx, c.Client, v6) })
	var wg sync.WaitGroup // its goroutines end with their calls, and these with ctx
	for _, q := range queries {
		wg.Go(func() {
			port, err := uint16(0), error(nil)
			end := m.trace.begin(stepTo("rpcbind", t, at, "the port of "+q.String()))
			switch prot, _ := portmap.NetidProt(q.netid); {
			case !v6:
				port, err = portmap.NewClient(c.Client).Getport(ctx, portmap.Mapping{Prog: q.prog, Vers: q.vers, Prot: prot})
			case q.netid == netid:
				port, err = addrPort(ctx, c.Client, q, t.addr)
			default:
				// rpcbind takes the netid of the connection for that of the
				// question (RFC 1833 section 2.2.1).
				var all []portmap.Rpcb
				if all, err = list(); err == nil {
					port, err = portmap.PortIn(all, q.prog, q.vers, q.netid)
				}
			}
			end(fmt.Sprintf("port %d", port), "", reason(ctx, err))
			tell(q, port, err)
		})
	}
	wg.Wait()
	return answers, reason(ctx, failed)
}

// addrPort asks for an address, and takes its port.
func addrPort(ctx context.Context, c *rpc.Client, q query, at netip.Addr) (port uint16, err error) {
	r := portmap.Rpcb{Prog: q.prog, Vers: q.vers, Netid: q.netid}
	if at.IsValid() {
		r.Addr = portmap.FormatUaddr(netip.AddrPortFrom(at.WithZone(""), portmap.Port))
	}
	err = portmap.Versions34(c, func(b *portmap.Rpcbind) error {
		a, err := b.Getaddr(ctx, r)
		port = a.Port()
		return err
	})
	return port, err
}

// registered is the list of all that rpcbind has, without its addresses if it
// is the one of version 2.
func registered(ctx context.Context, c *rpc.Client, v6 bool) (all []portmap.Rpcb, err error) {
	if v6 {
		err = portmap.Versions34(c, func(b *portmap.Rpcbind) (err error) {
			all, err = b.Dump(ctx)
			return err
		})
		return all, err
	}
	l, err := portmap.NewClient(c).Dump(ctx)
	for _, e := range l {
		all = append(all, portmap.Rpcb{Prog: e.Prog, Vers: e.Vers, Netid: portmap.ProtNetid(e.Prot)})
	}
	return all, err
}
