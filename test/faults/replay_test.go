package faults

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs"
)

// A change is a call that must not be executed twice, seen from the server's
// own disk. The functions get the path there; name is the path in the export.
type change struct {
	name    string
	proc    int                     // RFC 1813 section 3.3
	prepare func(path string) error // what is there before
	do      func(t *testing.T, fsys *gonfs.FS, name string) error
	done    func(path string) bool  // it was executed
	undo    func(path string) error // somebody else makes a state that a second execution would spoil …
	spoiled func(path string) bool  // … as this tells
	// The error that a caller may see though it was executed: nobody can tell.
	undecided error
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// content tells whether a file holds a text.
func content(path, want string) bool {
	got, err := os.ReadFile(path)
	return err == nil && string(got) == want
}

func write(path, text string) error { return os.WriteFile(path, []byte(text), 0o666) }

// changes are the calls of the promise.
var changes = []change{
	{
		name:    "CREATE",
		proc:    8,
		prepare: func(string) error { return nil },
		do: func(t *testing.T, fsys *gonfs.FS, name string) error {
			h, err := fsys.OpenFile(t.Context(), name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			if err != nil {
				return err
			}
			return h.Close(t.Context())
		},
		done:    exists,
		undo:    os.Remove,
		spoiled: exists,
	}, {
		name:    "REMOVE",
		proc:    12,
		prepare: func(path string) error { return write(path, "old") },
		do:      func(t *testing.T, fsys *gonfs.FS, name string) error { return fsys.Remove(t.Context(), name) },
		done:    func(path string) bool { return !exists(path) },
		undo:    func(path string) error { return write(path, "new") },
		spoiled: func(path string) bool { return !content(path, "new") },
	}, {
		name:    "RENAME",
		proc:    14,
		prepare: func(path string) error { return write(path, "old") },
		do: func(t *testing.T, fsys *gonfs.FS, name string) error {
			return fsys.Rename(t.Context(), name, name+".to")
		},
		done:    func(path string) bool { return !exists(path) && content(path+".to", "old") },
		undo:    func(path string) error { return write(path, "new") },
		spoiled: func(path string) bool { return !content(path, "new") || !content(path+".to", "old") },
	}, {
		name:    "LINK",
		proc:    15,
		prepare: func(path string) error { return write(path, "old") },
		do: func(t *testing.T, fsys *gonfs.FS, name string) error {
			return fsys.Link(t.Context(), name, name+".to")
		},
		done:    func(path string) bool { return content(path+".to", "old") },
		undo:    func(path string) error { return os.Remove(path + ".to") },
		spoiled: func(path string) bool { return exists(path + ".to") },
	}, {
		name:      "MKDIR",
		proc:      9,
		prepare:   func(string) error { return nil },
		do:        func(t *testing.T, fsys *gonfs.FS, name string) error { return fsys.Mkdir(t.Context(), name, 0o755) },
		done:      exists,
		undo:      os.Remove,
		spoiled:   exists,
		undecided: syscall.EEXIST,
	}, {
		name:    "truncate",
		proc:    2,
		prepare: func(path string) error { return write(path, "0123456789") },
		do: func(t *testing.T, fsys *gonfs.FS, name string) error {
			return fsys.Truncate(t.Context(), name, 5)
		},
		done:    func(path string) bool { return content(path, "01234") },
		undo:    func(path string) error { return write(path, "0123456789abc") },
		spoiled: func(path string) bool { return !content(path, "0123456789abc") },
	},
}

// A mishap befalls a call. It begins before the call, with rules for the
// router, and goes on when the server has executed it, or could have.
type mishap struct {
	name     string
	executed bool                               // the server executes the call before it goes on
	rules    func(c matcher, proc int) []string // what the router does from before the call
	goesOn   func(t *testing.T, n *network, run int)
}

// matcher are the rules' words for one transport.
type matcher struct {
	calls, replies string
	proc           string // the procedure of a call
}

// The procedure is the sixth word of a call (RFC 5531 section 9). With TCP, a
// record mark and a header with time stamps precede it.
var (
	tcpMatcher = matcher{`iifname "c" tcp dport 2049`, `iifname "s" tcp sport 2049`, "@th,448,32"}
	udpMatcher = matcher{`iifname "c" udp dport 2049`, `iifname "s" udp sport 2049`, "@th,224,32"}
)

// requestsReset answers what the client sends by RST, and counts it.
const requestsReset = `iifname "c" tcp dport 2049 counter reject with tcp reset`

// lostReply lets a call through, but nothing back from then on.
func lostReply(c matcher, proc int) []string {
	return []string{fmt.Sprintf("%s %s %d ct mark set 1", c.calls, c.proc, proc), c.replies + " ct mark 1 drop"}
}

// lostCall lets neither through.
func lostCall(c matcher, proc int) []string {
	return []string{fmt.Sprintf("%s %s %d ct mark set 1", c.calls, c.proc, proc), "ct mark 1 drop"}
}

// cut answers what the client sends by RST, until it has sent something.
func cut(t *testing.T, n *network) {
	t.Helper()
	n.forward(t, requestsReset, tcpMatcher.replies+" drop")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if !strings.Contains(n.in(t, "router", "", "nft", "list", "chain", "inet", "faults", "forward"), "counter packets 0 ") {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the client sends nothing that could be answered by RST")
		}
	}
}

// pass lets all through again.
func pass(t *testing.T, n *network) {
	t.Helper()
	n.in(t, "router", "", "conntrack", "-F")
	n.forward(t)
}

// restart kills the server, which forgets what it has answered. With TCP, the
// connection is reset besides: the kernel would deliver a dead server's reply.
func restart(t *testing.T, n *network, c matcher) {
	t.Helper()
	if err := n.ganesha("down", "KILL"); err != nil {
		t.Fatal(err)
	}
	if c == tcpMatcher {
		cut(t, n)
	}
	pass(t, n)
	if err := n.ganesha("up", n.serving()...); err != nil {
		t.Fatal(err)
	}
}

// mishaps over TCP, and over UDP.
var (
	overTCP = []mishap{
		{"the reply is lost and the connection reset", true, lostReply, func(t *testing.T, n *network, _ int) {
			cut(t, n)
			pass(t, n)
		}},
		{"the reply is lost, and the next connection has another port at the server", true, lostReply, func(t *testing.T, n *network, run int) {
			cut(t, n)
			n.translate(t, snat{ports: fmt.Sprintf("%d-%d", 40000+run, 40000+run), reset: true})
			n.in(t, "router", "", "conntrack", "-F")
			n.forward(t)
		}},
		{"the call is lost and the connection reset", false, lostCall, func(t *testing.T, n *network, _ int) {
			cut(t, n)
			pass(t, n)
		}},
		{"the server dies after the call", true, lostReply, func(t *testing.T, n *network, _ int) { restart(t, n, tcpMatcher) }},
	}
	overUDP = []mishap{
		{"the reply is lost", true, lostReply, func(t *testing.T, n *network, _ int) { pass(t, n) }},
		{"the call is lost", false, lostCall, func(t *testing.T, n *network, _ int) { pass(t, n) }},
		{"the server dies after the call", true, lostReply, func(t *testing.T, n *network, _ int) { restart(t, n, udpMatcher) }},
	}
)

// TestChangesAreMadeOnce: whatever befalls a call that changes something, it is
// executed once, and its caller learns the truth.
func TestChangesAreMadeOnce(t *testing.T) {
	rounds := 5 // of 6 changes, under 7 mishaps: 210 calls
	if soak() {
		rounds = 40
	}
	for _, c := range []struct {
		options string
		mishaps []mishap
		match   matcher
	}{{"proto=tcp", overTCP, tcpMatcher}, {"proto=udp", overUDP, udpMatcher}} {
		for _, m := range c.mishaps {
			t.Run(c.options+": "+m.name, func(t *testing.T) {
				inNetwork(t, func(t *testing.T, n *network) {
					n.serve(t)
					fsys := n.dial(t, c.options)
					r := &runs{n: n, fsys: fsys, m: m, match: c.match}
					for round := range rounds {
						for _, ch := range changes {
							r.run(t, round, ch)
						}
					}
					r.settle(t)
				})
			})
		}
	}
}

// runs are the calls made so far.
type runs struct {
	n       *network
	fsys    *gonfs.FS
	m       mishap
	match   matcher
	count   int
	checks  []func(t *testing.T)
	unclear int // MKDIR → EEXIST
}

// run makes one call under the mishap.
func (r *runs) run(t *testing.T, round int, ch change) {
	t.Helper()
	r.count++
	name := fmt.Sprintf("%s-%d", ch.name, round)
	path := r.n.backing(name)
	if err := ch.prepare(path); err != nil {
		t.Fatal(err)
	}
	r.n.forward(t, r.m.rules(r.match, ch.proc)...)
	result := make(chan error, 1)
	begin := time.Now()
	go func() { result <- ch.do(t, r.fsys, name) }()
	limit := 20 * time.Second
	if !r.m.executed {
		limit = 50 * time.Millisecond
	}
	for end := time.Now().Add(limit); !ch.done(path) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if executed := ch.done(path); executed != r.m.executed {
		t.Fatalf("%s: executed is %v at the first transmission, want %v", name, executed, r.m.executed)
	}
	r.m.goesOn(t, r.n, r.count)
	var err error
	select {
	case err = <-result:
	case <-time.After(60 * time.Second):
		t.Fatalf("%s: no end after 60 s", name)
	}
	done := ch.done(path)
	t.Logf("%s: %.3f s, %v", name, time.Since(begin).Seconds(), err)
	switch {
	case err == nil && !done:
		t.Errorf("%s: reported done, but is not", name)
	case err != nil && ch.undecided != nil && errors.Is(err, ch.undecided):
		r.unclear++
	case err != nil:
		t.Errorf("%s: done is %v, reported: %v", name, done, err)
	}
	if done {
		if err := ch.undo(path); err != nil {
			t.Fatal(err)
		}
		r.checks = append(r.checks, func(t *testing.T) {
			if ch.spoiled(path) {
				t.Errorf("%s: executed again, after it was reported", name)
			}
		})
	}
}

// settle lets late copies arrive, and looks for what they did.
func (r *runs) settle(t *testing.T) {
	t.Helper()
	time.Sleep(2 * time.Second)
	for _, check := range r.checks {
		check(t)
	}
	t.Logf("%d calls, %d of them MKDIR that ended in EEXIST", r.count, r.unclear)
}
