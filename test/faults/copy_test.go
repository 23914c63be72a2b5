package faults

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestCopyThroughOutages writes and reads a file on a mount while the network
// and the server fail, one after the other. A program sees no error, only
// time, and every byte is where it belongs.
func TestCopyThroughOutages(t *testing.T) {
	drop := func(t *testing.T, n *network) {
		n.forward(t, "drop")
		time.Sleep(2 * time.Second)
		n.forward(t)
	}
	kill := func(t *testing.T, n *network) {
		if err := n.ganesha("down", "KILL"); err != nil {
			t.Error(err)
		}
		if err := n.ganesha("up", n.serving()...); err != nil {
			t.Error(err)
		}
	}
	reset := func(t *testing.T, n *network) {
		n.forward(t, requestsReset, tcpMatcher.replies+" drop")
		time.Sleep(500 * time.Millisecond)
		n.forward(t)
	}
	rounds := 1
	if soak() {
		rounds = 20
	}
	const part = 6 << 20 // bytes that are copied beside one outage
	for _, c := range []struct {
		options string
		outages []func(*testing.T, *network)
	}{
		{"hard,proto=tcp", []func(*testing.T, *network){reset, drop, kill}},
		{"hard,proto=udp", []func(*testing.T, *network){drop, kill}},
	} {
		t.Run(c.options, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				to, from := filepath.Join(n.mount(t, c.options), "copy"), filepath.Join(n.mount(t, c.options), "copy")
				source, back := filepath.Join(n.dir, "source"), filepath.Join(n.dir, "back")
				var data []byte
				for i := range rounds * len(c.outages) {
					outage := c.outages[i%len(c.outages)]
					data = append(data, random(part)...)
					if err := os.WriteFile(source, data, 0o600); err != nil {
						t.Fatal(err)
					}
					// By other processes: one that has a file of the mount open
					// cannot start the server, as exec would wait for the file.
					at := strconv.Itoa(i * part)
					during(t, n, outage, "dd", "if="+source, "of="+to, "bs=64k", "conv=notrunc,fsync", "iflag=skip_bytes", "oflag=seek_bytes", "skip="+at, "seek="+at)
					if got, err := os.ReadFile(n.backing("copy")); err != nil || !bytes.Equal(got, data) {
						t.Fatalf("after fsync of %d MiB the server has %d bytes, %v; or other ones", len(data)>>20, len(got), err)
					}
					during(t, n, outage, "dd", "if="+from, "of="+back, "bs=64k", "conv=notrunc", "iflag=skip_bytes", "oflag=seek_bytes", "skip="+at, "seek="+at)
					if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, data) {
						t.Fatalf("of %d MiB there were read %d bytes, %v; or other ones", len(data)>>20, len(got), err)
					}
				}
			})
		})
	}
}

// during runs a program while an outage happens.
func during(t *testing.T, n *network, outage func(*testing.T, *network), name string, args ...string) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		outage(t, n)
	}()
	defer func() { <-over }()
	time.Sleep(100 * time.Millisecond) // the outage has begun
	begin := time.Now()
	if out, err := exec.CommandContext(within(t, time.Minute), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	t.Logf("%s: %.2f s", name, time.Since(begin).Seconds())
}

// TestUmountOfAServerThatIsAway: with nothing unsaved it ends soon; with data,
// when that is safe.
func TestUmountOfAServerThatIsAway(t *testing.T) {
	inNetwork(t, func(t *testing.T, n *network) {
		n.serve(t)
		dir := n.mount(t, "hard")
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
		n.signal(t, syscall.SIGSTOP)
		begin := time.Now()
		n.run(t, time.Minute, "umount.gonfs", dir)
		n.atMost(t, "umount with nothing unsaved", time.Since(begin), 3*time.Second)
		n.noProcess(t)
		n.signal(t, syscall.SIGCONT)

		dir = n.mount(t, "hard")
		f, err := os.Create(filepath.Join(dir, "file"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("hello"); err != nil {
			t.Fatal(err)
		}
		n.signal(t, syscall.SIGSTOP)
		closed := make(chan error, 1)
		go func() { closed <- f.Close() }()
		go func() {
			time.Sleep(2 * time.Second)
			n.signal(t, syscall.SIGCONT)
		}()
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
		n.run(t, time.Minute, "umount.gonfs", dir)
		if !content(n.backing("file"), "hello") {
			t.Error("the file was not saved")
		}
		n.noProcess(t)
	})
}
