package e2e

import (
	"bytes"
	"io"
	"net"
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
		captured(t, file)
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

// captured waits until the capture has all that was sent so far: dumpcap reads
// what the kernel collected twice a second, or later. A datagram to ourselves
// shows how far it is.
func captured(t *testing.T, file string) {
	t.Helper()
	own, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	mark := []byte("the end of " + filepath.Base(file))
	if _, err := own.WriteTo(mark, own.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if tail, err := lastOf(file, 1<<20); err != nil {
			t.Fatal(err)
		} else if bytes.Contains(tail, mark) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("dumpcap is 30 s late")
		}
	}
}

// lastOf returns the last n bytes of a file, or all.
func lastOf(file string, n int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, size-n), n))
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
