package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// startCapture captures all traffic of the namespace until the returned
// function is called, which returns the capture's file.
func startCapture(t *testing.T) func() string {
	t.Helper()
	w.names++
	file := filepath.Join(w.dir, "capture"+strconv.Itoa(w.names)+".pcapng")
	cmd := w.command(t.Context(), 0, "dumpcap", "-q", "-i", "lo", "-s", "0", "-B", "64", "-w", file)
	log := new(syncBuffer)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); !strings.Contains(log.String(), "File:"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("dumpcap does not begin: %s", log)
		}
	}
	return func() string {
		t.Helper()
		time.Sleep(600 * time.Millisecond) // dumpcap reads what the kernel collected twice a second
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("dumpcap: %v\n%s", err, log)
		}
		// "Packets received/dropped on interface 'lo': 76/0 (…)"
		got := regexp.MustCompile(`received/dropped on interface .*: \d+/(\d+) `).FindStringSubmatch(log.String())
		if got == nil || got[1] != "0" {
			t.Fatalf("the capture is not whole:\n%s", log)
		}
		if os.Getenv(keepEnv) == "" {
			t.Cleanup(func() { _ = os.Remove(file) })
		}
		return file
	}
}

// syncBuffer is a bytes.Buffer for two goroutines.
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
