package rpc

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// What is sent when the server is silent, on which connection, and how it ends.
func TestSilentServer(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		policy Policy
		sends  [][]time.Duration // by connection
		errno  error             // nil: given up by the test after the last send
		end    time.Duration
	}{
		{"TCP hard: a fresh connection at each major timeout", TCPPolicy(0, -1, Hard),
			[][]time.Duration{{0, 60000 * ms}, {180000 * ms, 240000 * ms}, {360000 * ms}}, nil, 0},
		{"TCP soft: EIO at the major timeout", TCPPolicy(0, -1, Soft),
			[][]time.Duration{{0, 60000 * ms}}, syscall.EIO, 180000 * ms},
		{"TCP softerr, retrans 0: ETIMEDOUT", TCPPolicy(700*ms, 0, SoftErr),
			[][]time.Duration{{0}}, syscall.ETIMEDOUT, 700 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				c := w.client(tt.policy)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				k := &Call{Proc: procEcho, Args: &opaque{[]byte("same bytes")}}
				done := goCall(ctx, c, k)
				var first heard
				n := 0
				for i, conn := range tt.sends {
					p := <-w.peers
					for j, at := range conn {
						h := p.next()
						if n++; n == 1 {
							first = h
						}
						if h.at != at || h.msg != first.msg {
							t.Fatalf("connection %d, send %d came at %v, want %v; same bytes: %v", i, j, h.at, at, h.msg == first.msg)
						}
					}
				}
				if tt.errno == nil {
					cancel()
					if err := <-done; err != context.Canceled {
						t.Errorf("got %v", err)
					}
				} else {
					err := <-done
					var te *TimeoutError
					if !errors.As(err, &te) || !errors.Is(err, tt.errno) || !errors.Is(err, os.ErrDeadlineExceeded) || !te.Timeout() {
						t.Errorf("got %v, want %v", err, tt.errno)
					}
					if te.After != tt.end || te.Transmissions != n || te.Err != nil || time.Since(w.began) != tt.end {
						t.Errorf("got %+v, want it at %v after %d transmissions", te, tt.end, n)
					}
				}
				if k.Transmissions != n {
					t.Errorf("Transmissions = %d, want %d", k.Transmissions, n)
				}
			})
		})
	}
}

// Over datagrams each timeout is twice the one before, and up to a quarter more;
// at the major timeout they start over, or the call ends.
func TestSilentServerOverUDP(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		policy Policy
		first  [2]time.Duration // from, to
		major  time.Duration
		errno  error
	}{
		{"hard: the first timeout is 500 ms", UDPPolicy(0, -1, Hard), [2]time.Duration{500 * ms, 625 * ms}, 8800 * ms, nil},
		{"soft: EIO at the major timeout", UDPPolicy(0, -1, Soft), [2]time.Duration{500 * ms, 625 * ms}, 8800 * ms, syscall.EIO},
		{"softerr: ETIMEDOUT", UDPPolicy(0, 1, SoftErr), [2]time.Duration{500 * ms, 625 * ms}, 2200 * ms, syscall.ETIMEDOUT},
		{"timeo given: it is the first timeout, and no more", UDPPolicy(1100*ms, -1, Hard), [2]time.Duration{1100 * ms, 1100 * ms}, 8800 * ms, nil},
		{"timeouts grow to 60 s", UDPPolicy(seconds(40), 9, Hard), [2]time.Duration{seconds(40), seconds(40)}, seconds(60), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				w.udp = true
				c := w.client(tt.policy)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				done := goCall(ctx, c, &Call{Proc: procEcho, Args: &opaque{[]byte("same bytes")}})
				p := <-w.peers
				time.Sleep(2*tt.major + seconds(1))
				first := p.next()
				begin, last, minor := time.Duration(0), time.Duration(0), 0
				for p.waiting() > 0 {
					h := p.next()
					if h.msg != first.msg {
						t.Fatal("another XID or other bytes")
					}
					lo, hi := tt.first[0]<<minor, tt.first[1]<<minor
					if minor > 0 && tt.first[0] == tt.first[1] {
						hi = hi * 5 / 4
					}
					end := begin + tt.major
					if gap := h.at - last; gap < min(lo, end-last) || gap > min(hi, end-last) {
						t.Errorf("timeout %d after %v took %v, want %v to %v, or until %v", minor, begin, gap, lo, hi, end)
					}
					if minor++; h.at == end {
						begin, minor = end, 0
					}
					last = h.at
				}
				cancel()
				err := <-done
				if tt.errno == nil && err != context.Canceled || tt.errno != nil && (!errors.Is(err, tt.errno) || begin != 0) {
					t.Errorf("got %v in the period from %v", err, begin)
				}
				if tt.errno == nil && begin != 2*tt.major {
					t.Errorf("after two major timeouts the period began at %v", begin)
				}
			})
		})
	}
}

// A refusal is told only as long as it is news.
func TestTimeoutTellsOfRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.udp = true
		refuse := true
		w.wrap = func(c transport.Conn) transport.Conn {
			return &failConn{Conn: c, fail: func() error {
				if refuse {
					return &transport.RefusedError{Err: syscall.ECONNREFUSED}
				}
				return nil
			}}
		}
		c := w.client(UDPPolicy(0, -1, Soft))
		if err := c.Call(context.Background(), &Call{}); !errors.Is(err, syscall.ECONNREFUSED) || !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v", err)
		}
		refuse = false
		done := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		p.ok(p.next().xid)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := c.Call(context.Background(), &Call{}); errors.Is(err, syscall.ECONNREFUSED) || !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSoftCallEndsWhileThereIsNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.fail = syscall.EHOSTUNREACH
		err := w.client(TCPPolicy(seconds(10), -1, Soft)).Call(context.Background(), &Call{})
		var te *TimeoutError
		if !errors.As(err, &te) || te.After != seconds(30) || te.Transmissions != 0 || !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("got %#v", err)
		}
	})
}

// A dead connection is found out by one call, not by each of them again.
func TestSoftMajorTimeoutRenewsTheConnection(t *testing.T) {
	for _, tt := range []struct {
		name  string
		heard bool
		dials int
	}{
		{"nothing was heard", false, 2},
		{"other calls were answered", true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				policy := TCPPolicy(seconds(10), -1, Soft)
				policy.SoftConn = true // the fresh connection is no failure
				c := w.client(policy)
				done := goCall(context.Background(), c, &Call{Proc: procBlock})
				p := <-w.peers
				p.next()
				time.Sleep(seconds(1))
				other := goCall(context.Background(), c, &Call{})
				h := p.next()
				if tt.heard {
					p.ok(h.xid)
				}
				<-done
				var te *TimeoutError
				if err := <-other; err != nil && (!errors.As(err, &te) || te.Err != nil) {
					t.Errorf("the other call got %v", err)
				}
				synctest.Wait()
				if got := len(w.dialTimes()); got != tt.dials {
					t.Errorf("%d connections, want %d", got, tt.dials)
				}
				if got := c.Stats().Disconnects; got != uint64(tt.dials-1) {
					t.Errorf("%d connections were ended, want %d", got, tt.dials-1)
				}
			})
		})
	}
}

// One connection is given up for all calls that wait on it, not one for each.
func TestFreshConnectionIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		c := w.client(TCPPolicy(seconds(10), 2, Hard))
		var done []<-chan error
		for range 10 {
			done = append(done, goCall(context.Background(), c, &Call{Idempotent: true}))
			time.Sleep(seconds(1))
		}
		time.Sleep(seconds(32)) // major timeouts at 30, 31 … 39 s
		if got := w.dialTimes(); !reflect.DeepEqual(got, []time.Duration{0, seconds(30)}) {
			t.Errorf("connections at %v", got)
		}
		c.Close()
		for _, d := range done {
			<-d
		}
	})
}

func TestCallsSentAreSentAgainOnTheNextConnection(t *testing.T) {
	addr := func(ip string, port int) *transportAddr { return &transportAddr{ip, port} }
	for _, tt := range []struct {
		name       string
		locals     [2]*transportAddr
		idempotent bool
		replay     bool
	}{
		{"from the same address", [2]*transportAddr{addr("192.0.2.1", 700), addr("192.0.2.1", 700)}, false, false},
		{"from the same address, written otherwise", [2]*transportAddr{addr("192.0.2.1", 700), addr("::ffff:192.0.2.1", 700)}, false, false},
		{"from another port, not idempotent", [2]*transportAddr{addr("192.0.2.1", 700), addr("192.0.2.1", 701)}, false, true},
		{"from another host address, not idempotent", [2]*transportAddr{addr("192.0.2.1", 700), addr("192.0.2.2", 700)}, false, true},
		{"from another port, idempotent", [2]*transportAddr{addr("192.0.2.1", 700), addr("192.0.2.1", 701)}, true, false},
		{"over a tunnel without addresses", [2]*transportAddr{nil, nil}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				w.local = func(n int) (a netAddr) { return tt.locals[n].addr() }
				c := w.client(Policy{})
				k := &Call{Proc: procEcho, Args: &opaque{[]byte("x")}, Idempotent: tt.idempotent}
				done := goCall(context.Background(), c, k)
				p := <-w.peers
				first := p.next()
				p.conn.Abort()
				q := <-w.peers
				if tt.replay {
					err := <-done
					var re *ReplayError
					if !errors.As(err, &re) || re.Transmissions != 1 || k.Transmissions != 1 {
						t.Errorf("got %v", err)
					}
					synctest.Wait()
					if q.waiting() != 0 {
						t.Error("the call was sent from the other address")
					}
				} else {
					h := q.next()
					if h.msg != first.msg {
						t.Error("another XID or other bytes")
					}
					q.ok(h.xid)
					if err := <-done; err != nil || k.Transmissions != 2 {
						t.Errorf("got %v, %d transmissions", err, k.Transmissions)
					}
				}
				if want := addrPort(tt.locals[0].addr()); w.lasts[1] != want {
					t.Errorf("Dial was told %v, want %v", w.lasts[1], want)
				}
			})
		})
	}
}

// A call that was never sent may go from any address.
func TestUnsentCallIsNoReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.local = func(n int) netAddr { return (&transportAddr{"192.0.2.1", 700 + n}).addr() }
		c := w.client(Policy{})
		done := goCall(context.Background(), c, &Call{})
		p := <-w.peers
		p.ok(p.next().xid)
		<-done
		w.setFail(syscall.ECONNREFUSED)
		p.conn.Abort()
		synctest.Wait()
		done = goCall(context.Background(), c, &Call{})
		time.Sleep(seconds(1))
		w.setFail(nil)
		q := <-w.peers
		q.ok(q.next().xid)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestOutageIsLoggedOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy Policy
		begin  string
	}{
		{"hard", TCPPolicy(seconds(1), 0, Hard), "still trying"},
		{"soft", TCPPolicy(seconds(1), 0, Soft), "timed out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				var log lockedBuffer
				c := w.client(tt.policy, func(o *Options) {
					o.Connections = 3
					o.Logger = slog.New(slog.NewTextHandler(&log, nil))
				})
				if s := c.Stats(); s.NotResponding {
					t.Errorf("got %+v", s)
				}
				var done []<-chan error
				for range 9 {
					done = append(done, goCall(context.Background(), c, &Call{}))
				}
				time.Sleep(10500 * time.Millisecond)
				if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, tt.begin) || !strings.Contains(got, "server=h") {
					t.Errorf("log after 10 s:\n%s", got)
				}
				if s := c.Stats(); !s.NotResponding || s.SilentSince.Sub(w.began) != seconds(1) {
					t.Errorf("got %+v", s)
				}
				for range 9 {
					done = append(done, goCall(context.Background(), c, &Call{}))
				}
				synctest.Wait()
				for len(w.peers) > 0 {
					p := <-w.peers
					for p.waiting() > 0 {
						if h, ok := <-p.calls; ok {
							c := p.conn
							_ = c.Send(successOf(h.xid), nil, nil)
						}
					}
				}
				for _, d := range done {
					<-d
				}
				if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "OK") {
					t.Errorf("log at the end:\n%s", got)
				}
				if s := c.Stats(); s.NotResponding {
					t.Errorf("got %+v", s)
				}
			})
		})
	}
}
