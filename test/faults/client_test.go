package faults

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs"
)

// within returns a context that bounds one call.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// dial mounts the export as a Go program does, and ends that with the test.
// Options with proto=tcp6 or udp6 go by IPv6.
func (n *network) dial(t *testing.T, options string) *gonfs.FS {
	t.Helper()
	return n.dialLogged(t, options, io.Discard)
}

// dialLogged does the same, and writes the log.
func (n *network) dialLogged(t *testing.T, options string, log io.Writer) *gonfs.FS {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	spec := serverAddr + ":/rw"
	if strings.HasSuffix(options, "6") {
		spec = "[" + serverAddr6 + "]:/rw"
	}
	fsys, err := gonfs.Dial(within(t, time.Minute), spec, gonfs.Options{Mount: options, Logger: logger})
	if err != nil {
		t.Fatalf("Dial with %q: %v", options, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // the test's own has ended
		defer cancel()
		_ = fsys.Close(ctx) // a test that wants it to succeed closes itself
	})
	return fsys
}

// ping makes one call to the server that no cache answers, and returns how
// long it took.
func ping(t *testing.T, fsys *gonfs.FS) time.Duration {
	t.Helper()
	begin := time.Now()
	if _, err := fsys.StatFS(within(t, time.Minute), "/"); err != nil {
		t.Fatalf("FSSTAT, after %.1f s: %v", time.Since(begin).Seconds(), err)
	}
	return time.Since(begin)
}

// atMost fails the test if something took longer than it may, on a machine that
// is as late as this one.
func (n *network) atMost(t *testing.T, what string, took, limit time.Duration) {
	t.Helper()
	if late := n.lag.allowance(limit); took > limit+late {
		t.Errorf("%s: %.3f s, want at most %.1f s, and %.1f s for a machine that is late", what, took.Seconds(), limit.Seconds(), late.Seconds())
	} else {
		t.Logf("%s: %.3f s", what, took.Seconds())
	}
}

// random returns bytes that do not repeat.
func random(size int) []byte {
	data := make([]byte, size)
	rng := rand.NewChaCha8([32]byte(bytes.Repeat([]byte{byte(rand.Uint32())}, 32)))
	_, _ = rng.Read(data) // never fails
	return data
}

// mount mounts the export with mount.gonfs, and returns the directory.
func (n *network) mount(t *testing.T, options string) string {
	t.Helper()
	dir, err := os.MkdirTemp(n.dir, "mnt")
	if err != nil {
		t.Fatal(err)
	}
	n.run(t, time.Minute, "mount.gonfs", serverAddr+":/rw", dir, "-o", "nolock,"+options)
	t.Cleanup(func() {
		// Without a word if the test has unmounted it.
		_ = exec.Command("umount", "-l", dir).Run()
	})
	return dir
}

// run runs one of our commands.
func (n *network) run(t *testing.T, limit time.Duration, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(within(t, limit), filepath.Join(n.bin, name), args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// syncBuffer is a bytes.Buffer for many goroutines.
type syncBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// roundTrip writes a file and closes it, reads it through a mount that knows
// nothing of it, and wants both and the server's own disk to agree.
func (n *network) roundTrip(t *testing.T, options string, size int) {
	t.Helper()
	ctx := within(t, 20*time.Minute)
	data := random(size)
	writer := n.dial(t, options)
	begin := time.Now()
	if err := writer.WriteFile(ctx, "round", data, 0o644); err != nil {
		t.Fatalf("write: %v", err)
	}
	wrote := time.Since(begin)
	closeSafely(t, writer)
	if got, err := os.ReadFile(n.backing("round")); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the server has %d bytes, %v; or other ones than were written", len(got), err)
	}
	reader := n.dial(t, options)
	begin = time.Now()
	got, err := reader.ReadFile(ctx, "round")
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("read: %d bytes, %v; or other ones than were written", len(got), err)
	}
	t.Logf("%s: wrote %d KiB in %.2f s, read them in %.2f s", options, size>>10, wrote.Seconds(), time.Since(begin).Seconds())
	if err := reader.Remove(ctx, "round"); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(n.backing("round")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the removed file is there: %v", err)
	}
	closeSafely(t, reader)
}

// closeSafely closes a mount. That the server was not told, within the second
// that UMNT has, does no harm.
func closeSafely(t *testing.T, fsys *gonfs.FS) {
	t.Helper()
	if err := fsys.Close(within(t, time.Minute)); err != nil && !strings.Contains(err.Error(), "the data is safe") {
		t.Errorf("close: %v", err)
	}
}
