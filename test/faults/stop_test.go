package faults

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStoppedServer: a server that takes what is sent and answers nothing. What
// the caller sees of it is the mount's choice (nfs(5), hard, soft, softerr).
func TestStoppedServer(t *testing.T) {
	pause := 10 * time.Second
	if soak() {
		pause = 3 * time.Minute
	}
	const timeo = "timeo=10,retrans=2," // 1 s, 2 s, and with TCP 3 s in all
	for _, c := range []struct {
		name, options string
		want          error         // nil: the call waits
		after, limit  time.Duration // of the error
	}{
		{"hard over TCP", timeo + "hard,proto=tcp", nil, 0, 0},
		{"hard over UDP", timeo + "hard,proto=udp", nil, 0, 0},
		{"soft over TCP", timeo + "soft,proto=tcp", syscall.EIO, 2900 * time.Millisecond, 4 * time.Second},
		{"soft over UDP", timeo + "soft,proto=udp", syscall.EIO, 3900 * time.Millisecond, 6 * time.Second},
		{"softerr over TCP", timeo + "softerr,proto=tcp", syscall.ETIMEDOUT, 2900 * time.Millisecond, 4 * time.Second},
		{"softerr over UDP", timeo + "softerr,proto=udp", syscall.ETIMEDOUT, 3900 * time.Millisecond, 6 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				log := new(syncBuffer)
				fsys := n.dialLogged(t, c.options, log)
				dir := n.mount(t, c.options)
				ping(t, fsys)
				n.signal(t, syscall.SIGSTOP)
				defer n.signal(t, syscall.SIGCONT)

				type end struct {
					who  string
					err  error
					took time.Duration
				}
				ends := make(chan end, 2)
				begin := time.Now()
				go func() {
					_, err := fsys.StatFS(within(t, 5*time.Minute), "/")
					ends <- end{"the library", err, time.Since(begin)}
				}()
				go func() {
					var st syscall.Statfs_t
					err := syscall.Statfs(dir, &st)
					ends <- end{"the mount", err, time.Since(begin)}
				}()
				if c.want == nil {
					select {
					case e := <-ends:
						t.Fatalf("%s ended while the server was stopped: %v", e.who, e.err)
					case <-time.After(pause):
					}
					n.signal(t, syscall.SIGCONT)
					begin = time.Now()
				}
				for range cap(ends) {
					e := <-ends
					switch {
					case c.want != nil:
						if !errors.Is(e.err, c.want) {
							t.Errorf("%s: error %v, want %v", e.who, e.err, c.want)
						}
						if e.took < c.after || e.took > c.limit+n.lag.allowance(c.limit) {
							t.Errorf("%s failed after %.2f s, want %.1f to %.1f s", e.who, e.took.Seconds(), c.after.Seconds(), c.limit.Seconds())
						}
					case e.err != nil:
						t.Errorf("%s: %v", e.who, e.err)
					}
				}
				if c.want == nil {
					n.atMost(t, "answers after SIGCONT", time.Since(begin), 2*time.Second)
					if text := log.String(); strings.Count(text, "not responding") != 1 || strings.Count(text, `OK"`) != 1 {
						t.Errorf("the log does not say once that the server does not respond, and once that it does again:\n%s", text)
					}
				}
			})
		})
	}
}
