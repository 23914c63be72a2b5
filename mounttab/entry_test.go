package mounttab

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestADaemonAnswers(t *testing.T) {
	m := &mountStub{status: Status{
		Server: "192.0.2.1", State: OK, Options: "rw,vers=3", Warnings: []string{"one"}, DirtyBytes: 1 << 40, DirtyLimit: 2 << 40,
		Memory: Memory{Inodes: 3, InodesKept: 2, InodesLimit: 9, Names: 4, NamesLimit: 8, Listed: 7, ListedLimit: 70, ReadAheadFiles: 1, ReadAheadBytes: 5, ReadAheadLimit: 6},
		Procs:  []ProcStats{{Name: "READ", Calls: 7, Total: time.Second, Latency: []uint64{0, 7}}},
	}}
	rec := serve(t, table(t), Record{Dir: "/mnt"}, m).Record()
	ctx := within30s(t)
	short := m.status
	short.Procs = nil
	for op, want := range map[Op]Response{
		OpPing:    {},
		OpStatus:  {Status: &short},
		OpStats:   {Status: &m.status},
		OpOptions: {Options: "rw,vers=3"},
		OpDrain:   {},
	} {
		got, err := Call(ctx, rec, Request{Op: op})
		if err != nil {
			t.Errorf("%s: %v", op, err)
		} else if d := cmp.Diff(&want, got); d != "" {
			t.Errorf("%s: %s", op, d)
		}
	}
	if m.aborted.Load() {
		t.Error("aborted before it was asked to")
	}
	if _, err := Call(ctx, rec, Request{Op: OpAbort}); err != nil || !m.aborted.Load() {
		t.Errorf("abort: %v, done: %v", err, m.aborted.Load())
	}
}

func TestADaemonSaysWhyNot(t *testing.T) {
	rec := serve(t, table(t), Record{Dir: "/mnt"}, &mountStub{drainErr: errors.New("no space on the server")}).Record()
	for op, want := range map[Op]string{
		OpDrain:       "no space on the server",
		"make coffee": `mounttab: operation "make coffee" is unknown to this daemon`,
	} {
		_, err := Call(within30s(t), rec, Request{Op: op})
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Message != want || refused.Op != op {
			t.Errorf("%s: %v", op, err)
		}
	}
}

func TestDrainEndsWhenTheAskerLeaves(t *testing.T) {
	m := &mountStub{draining: make(chan struct{})}
	rec := serve(t, table(t), Record{Dir: "/mnt"}, m).Record()
	ctx, leave := context.WithCancel(within30s(t))
	go func() { <-m.draining; leave() }() // ends when the daemon drains
	if _, err := Call(ctx, rec, Request{Op: OpDrain}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// serve's Close waits for Drain to have ended.
}

func TestDrainEndsWithTheEntry(t *testing.T) {
	m := &mountStub{draining: make(chan struct{})}
	e := serve(t, table(t), Record{Dir: "/mnt"}, m)
	closed := make(chan error, 1)
	go func() { <-m.draining; closed <- e.Close() }() // ends when the daemon drains
	if _, err := Call(within30s(t), e.Record(), Request{Op: OpDrain}); err == nil {
		t.Error("drained, it says")
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestOneConnectionCanAskOften(t *testing.T) {
	e := serve(t, table(t), Record{Dir: "/mnt"}, &mountStub{})
	c := dial(t, e)
	for _, op := range []Op{OpPing, OpDrain, OpPing, OpStatus} {
		var resp Response
		if err := errors.Join(writeMessage(c, &Request{Op: op}), readMessage(c, &resp)); err != nil || resp.Error != "" {
			t.Fatalf("%s: %v, %+v", op, err, resp)
		}
	}
}

func dial(t *testing.T, e *Entry) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(e.dir, e.base+socketSuffix), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// Whatever comes in, the daemon ends the conversation and answers the next one.
func TestHostilePeers(t *testing.T) {
	frame := func(body ...byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	deep := bytes.Repeat([]byte{0x91}, maxMessage)
	for name, b := range map[string][]byte{
		"garbage":                    []byte("GET / HTTP/1.0\r\n\r\n"),
		"a length of 4 GiB":          {0xff, 0xff, 0xff, 0xff},
		"an empty message":           frame(),
		"a message that is no map":   frame(0x01),
		"a map longer than it is":    frame(0xdf, 0xff, 0xff, 0xff, 0xff),
		"a string longer than it is": frame(0x81, 0xa2, 'o', 'p', 0xdb, 0x7f, 0xff, 0xff, 0xff),
		"arrays without end":         frame(deep...),
		"a code that does not exist": frame(0xc1),
		"something behind the map":   frame(0x80, 0x80),
	} {
		e := serve(t, table(t), Record{Dir: "/mnt"}, &mountStub{})
		c := dial(t, e)
		if _, err := c.Write(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var resp Response
		if err := readMessage(c, &resp); err != nil || !strings.Contains(resp.Error, "malformed message") {
			t.Errorf("%s: answered %+v, %v", name, resp, err)
		}
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%s: the conversation goes on", name)
		}
		if _, err := Call(within30s(t), e.Record(), Request{Op: OpPing}); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

func TestSlowPeersAreLeft(t *testing.T) {
	tab := table(t)
	e, err := tab.Add(Record{Dir: "/mnt"})
	if err != nil {
		t.Fatal(err)
	}
	e.patience, e.idle = 50*time.Millisecond, 50*time.Millisecond
	done := make(chan error, 1)
	go func() { done <- e.Serve(&mountStub{}) }() // ends with Close below
	for name, b := range map[string][]byte{
		"one that says nothing":            nil,
		"one that stops in the length":     {0, 0},
		"one that stops in the message":    {0, 0, 0, 9, 0x81},
		"one that announces and then does": {0, 3, 0, 0},
	} {
		c := dial(t, e)
		_, werr := c.Write(b)                                                // fails where we are left before we begin
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) { // that of dial
			t.Errorf("%s is not left: %v, %v", name, werr, err)
		}
	}
	if err := errors.Join(e.Close(), <-done); err != nil {
		t.Error(err)
	}
}

func TestManyAskersWaitForEachOther(t *testing.T) {
	e := serve(t, table(t), Record{Dir: "/mnt"}, &mountStub{})
	for range maxAskers - 1 {
		c := dial(t, e) // says nothing, and keeps its place
		var resp Response
		if err := errors.Join(writeMessage(c, &Request{Op: OpPing}), readMessage(c, &resp)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := Call(within30s(t), e.Record(), Request{Op: OpPing}); err != nil {
			t.Error(err)
		}
	}
}

func TestCallsThatNobodyAnswers(t *testing.T) {
	tab := table(t)
	e, err := tab.Add(Record{Dir: "/mnt"})
	if err != nil {
		t.Fatal(err)
	}
	rec := e.Record()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Call(ctx, rec, Request{Op: OpPing}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a daemon that does not answer: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Call(within30s(t), rec, Request{Op: OpPing}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a daemon that has gone: %v", err)
	}
	if _, err := Call(within30s(t), Record{Dir: "/mnt"}, Request{Op: OpPing}); err == nil {
		t.Error("a record from nowhere can be called")
	}
}

// asUser runs f on a thread that is user uid for the kernel.
func asUser(t *testing.T, uid int, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be somebody else for a moment")
	}
	done := make(chan syscall.Errno)
	go func() { // ends with f, and its thread with it: it stays locked
		runtime.LockOSThread()
		_, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0))
		if errno == 0 {
			f()
		}
		done <- errno
	}()
	if errno := <-done; errno != 0 {
		t.Fatal(errno)
	}
}

func TestAStrangerIsNotAnswered(t *testing.T) {
	tab := table(t)
	e := serve(t, tab, Record{Dir: "/mnt"}, &mountStub{})
	for p := tab.dir; p != "/tmp" && p != "/"; p = filepath.Dir(p) { // let him in, for once
		if err := os.Chmod(p, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(e.dir, e.base+socketSuffix), 0o666); err != nil {
		t.Fatal(err)
	}
	asUser(t, 12345, func() {
		c, err := net.Dial("unix", filepath.Join(e.dir, e.base+socketSuffix))
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		_ = writeMessage(c, &Request{Op: OpPing}) // he may have hung up already
		var resp Response
		if err := readMessage(c, &resp); err == nil {
			t.Error("another user is answered")
		}
	})
}

func TestAStrangerIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	for p := dir; p != "/tmp" && p != "/"; p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	rec := Record{Dir: "/mnt", socket: dir + "/s"}
	var l net.Listener
	asUser(t, 12345, func() {
		var err error
		if l, err = net.Listen("unix", rec.socket); err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		return
	}
	defer l.Close()
	if _, err := Call(within30s(t), rec, Request{Op: OpPing}); !errors.Is(err, ErrStranger) {
		t.Errorf("got %v", err)
	}
}

func TestResultsGoThroughAPipe(t *testing.T) {
	want := &Result{Code: 32, Message: "access denied by server", Warnings: []string{"one"}, Record: &Record{Dir: "/mnt", PID: 7}}
	var b bytes.Buffer
	if err := WriteResult(&b, want); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	got, err := ReadResult(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if got.Code != 32 || got.Message != want.Message || len(got.Warnings) != 1 || got.Record.PID != 7 {
		t.Errorf("got %+v", got)
	}
	for n := range whole {
		if _, err := ReadResult(bytes.NewReader(whole[:n])); !errors.Is(err, ErrNoResult) {
			t.Errorf("after %d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := ReadResult(strings.NewReader("panic: runtime error")); !errors.As(err, new(*MessageError)) {
		t.Errorf("garbage: %v", err)
	}
	if err := WriteResult(io.Discard, &Result{Message: strings.Repeat("x", maxMessage)}); !errors.As(err, new(*MessageError)) {
		t.Errorf("a message without end: %v", err)
	}
}

// No message makes the decoder allocate more than it warrants, or fall over.
func FuzzMessage(f *testing.F) {
	for _, v := range []any{&Request{Op: OpPing}, &Response{Status: &Status{Procs: []ProcStats{{Name: "READ", Latency: []uint64{1 << 63}}}}},
		&Result{Record: &Record{Created: time.Unix(1, 2)}}} {
		b, err := marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range []any{new(Request), new(Response), new(Result), new(Record)} {
			if err := unmarshal(b, v); err != nil && !errors.As(err, new(*MessageError)) {
				t.Fatalf("%T: %v", v, err)
			}
		}
	})
}
