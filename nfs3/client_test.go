package nfs3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"reflect"
	"testing"

	"go.uber.org/goleak"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// pair returns a client of s, connected in memory.
func pair(t testing.TB, s Server) *Client {
	t.Helper()
	srv := &rpc.Server{}
	srv.Register(Program, Version, Serve(s))
	ctx, cancel := context.WithCancel(context.Background())
	r := rpc.NewClient(rpc.Options{
		Program: Program, Version: Version,
		Policy: rpc.TCPPolicy(0, -1, rpc.Hard),
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			a, b := transport.Pipe()
			go srv.ServeConn(ctx, b) // ends when the client closes a
			return a, nil
		},
	})
	t.Cleanup(func() { r.Close(); cancel() })
	return NewClient(r)
}

// call calls the Client's method of a procedure by its name.
func call(c *Client, p Procedure, args, reply xdr.Value, dst []byte) error {
	name := p.Name[:1] + string(bytes.ToLower([]byte(p.Name[1:])))
	in := []reflect.Value{reflect.ValueOf(context.Background()), reflect.ValueOf((*rpc.Cred)(nil)),
		reflect.ValueOf(args), reflect.ValueOf(reply)}
	if p.Number == ProcRead {
		in = append(in, reflect.ValueOf(dst))
	}
	err, _ := reflect.ValueOf(c).MethodByName(name).Call(in)[0].Interface().(error)
	return err
}

func TestEachMethodCallsItsProcedureAndFillsTheReply(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := seeded(6)
	var want xdr.Value
	var called string
	c := pair(t, &echo{
		args:  func(proc string, _ any) { called = proc },
		reply: func(_ string, reply any) { reflect.ValueOf(reply).Elem().Set(reflect.ValueOf(want).Elem()) },
	})
	if err := c.Null(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, p := range Procs[1:] {
		for range 10 {
			args, reply := messageFor(p.Number, false).new(), messageFor(p.Number, true).new()
			want = messageFor(p.Number, true).new()
			fill(r, args)
			fill(r, want)
			fill(r, reply) // what was there before must not shine through
			if a, ok := args.(*ReadArgs); ok {
				a.Count = 100
			}
			if w, ok := want.(*WriteReply); ok {
				w.Count = min(w.Count, args.(*WriteArgs).Count)
			}
			status := Status(reflect.ValueOf(want).Elem().FieldByName("Status").Uint())
			err := call(c, p, args, reply, make([]byte, 100))
			var e *Error
			switch {
			case status == OK && err != nil:
				t.Errorf("%s: %v", p.Name, err)
			case status != OK && (!errors.As(err, &e) || *e != Error{p.Number, status, 1}):
				t.Errorf("%s: got %v, want %v", p.Name, err, status)
			case called != p.Name:
				t.Errorf("%s called %s", p.Name, called)
			}
			if w, ok := want.(*AccessReply); ok {
				w.Access &= args.(*AccessArgs).Access
			}
			fresh := messageFor(p.Number, true).new()
			if err := decode(encode(t, want), fresh); err != nil {
				t.Fatal(err)
			}
			if a, b := fmt.Sprintf("%+v", fresh), fmt.Sprintf("%+v", reply); a != b {
				t.Errorf("%s: got\n%s, want\n%s", p.Name, b, a)
			}
		}
	}
	c.RPC().Close()
}

func TestReadPutsTheDataIntoTheCallersMemory(t *testing.T) {
	c := pair(t, &echo{reply: func(_ string, reply any) {
		r := reply.(*ReadReply)
		r.Attr, r.Count, r.EOF, r.Data = PostOpAttr{true, goldenAttr}, 5, true, []byte("hello")
	}})
	dst := []byte("..........")
	var r ReadReply
	if err := c.Read(context.Background(), nil, &ReadArgs{File: mustFH(t, "F"), Count: 8}, &r, dst); err != nil {
		t.Fatal(err)
	}
	if &r.Data[0] != &dst[0] || string(r.Data) != "hello" || r.Count != 5 || !r.EOF || r.Attr.Attr != goldenAttr {
		t.Errorf("%+v", r)
	}
	if string(dst[8:]) != ".." {
		t.Errorf("bytes that were not asked for were touched: %q", dst)
	}
}

// sinkOf returns a Sink of slices.
func sinkOf(dst ...[]byte) *transport.Sink {
	s := new(transport.Sink)
	s.Reset(dst[0])
	for _, d := range dst[1:] {
		s.Add(d)
	}
	return s
}

func TestReadvPutsTheDataIntoSeveralSlices(t *testing.T) {
	data := bytes.Repeat([]byte("hello"), 100)
	n, eof := 0, false
	c := pair(t, &echo{reply: func(_ string, reply any) {
		r := reply.(*ReadReply)
		r.Attr, r.Count, r.EOF, r.Data = PostOpAttr{true, goldenAttr}, uint32(n), eof, data[:n]
	}})
	for _, tt := range []struct {
		n   int
		eof bool
	}{{10, false}, {7, true}, {500, false}, {0, true}} {
		n, eof = tt.n, tt.eof
		dst := [][]byte{make([]byte, 4), make([]byte, 490), make([]byte, 6)}
		var r ReadvReply
		if err := c.Readv(context.Background(), nil, &ReadArgs{File: mustFH(t, "F"), Count: 500}, &r, sinkOf(dst...)); err != nil {
			t.Fatal(err)
		}
		got := bytes.Join(dst, nil)
		if int(r.Count) != n || r.EOF != eof || r.Attr.Attr != goldenAttr || !bytes.Equal(got[:n], data[:n]) || !bytes.Equal(got[n:], make([]byte, 500-n)) {
			t.Errorf("%d bytes: %+v", n, r)
		}
	}
	var ae *ArgsError
	if err := c.Readv(context.Background(), nil, &ReadArgs{Count: 8}, new(ReadvReply), sinkOf(make([]byte, 4), make([]byte, 3))); !errors.As(err, &ae) {
		t.Errorf("READ into too little memory: %v", err)
	}
	var status *Error
	c = pair(t, &echo{reply: func(_ string, reply any) {
		reply.(*ReadReply).Status, reply.(*ReadReply).Attr = ErrIO, PostOpAttr{true, goldenAttr}
	}})
	var r ReadvReply
	if err := c.Readv(context.Background(), nil, &ReadArgs{Count: 4}, &r, sinkOf(make([]byte, 4))); !errors.As(err, &status) || r.Attr.Attr != goldenAttr {
		t.Errorf("an error: %v, %+v", err, r)
	}
}

func TestTheClientRefusesRepliesThatDoNotFitTheCall(t *testing.T) {
	ctx := context.Background()
	c := pair(t, &echo{reply: func(_ string, reply any) {
		switch r := reply.(type) {
		case *ReadReply:
			r.Count, r.Data = 9, []byte("123456789")
		case *WriteReply:
			r.Count = 3
		case *AccessReply:
			r.Access = 0xffffffff
		}
	}})
	var xe *xdr.Error
	err := c.Read(ctx, nil, &ReadArgs{Count: 8}, new(ReadReply), make([]byte, 20))
	var re *ReplyError
	if !errors.As(err, &xe) && !errors.As(err, &re) {
		t.Errorf("READ of more than was asked for: %v", err)
	}
	err = c.Readv(ctx, nil, &ReadArgs{Count: 8}, new(ReadvReply), sinkOf(make([]byte, 4), make([]byte, 4)))
	if !errors.As(err, &xe) && !errors.As(err, &re) {
		t.Errorf("READ of more than was asked for, into two slices: %v", err)
	}
	err = c.Write(ctx, nil, &WriteArgs{Data: []byte("12")}, new(WriteReply))
	if !errors.As(err, &re) || *re != (ReplyError{ProcWrite, "count", 3, 2}) {
		t.Errorf("WRITE of more than was sent: %v", err)
	}
	var a AccessReply
	if err := c.Access(ctx, nil, &AccessArgs{Access: AccessRead}, &a); err != nil || a.Access != AccessRead {
		t.Errorf("ACCESS that grants what was not asked for: %#x, %v", a.Access, err)
	}
	var ae *ArgsError
	if err := c.Read(ctx, nil, &ReadArgs{Count: 8}, new(ReadReply), make([]byte, 7)); !errors.As(err, &ae) {
		t.Errorf("READ into too little memory: %v", err)
	}
}

func TestARefusalIsAnErrorThatTheStandardLibraryKnows(t *testing.T) {
	c := pair(t, &echo{reply: func(_ string, reply any) {
		r := reply.(*LookupReply)
		r.Status, r.DirAttr = ErrNoent, PostOpAttr{true, goldenAttr}
	}})
	var r LookupReply
	err := c.Lookup(context.Background(), nil, &LookupArgs{DirOpArgs{mustFH(t, "D"), "x"}}, &r)
	if !errors.Is(err, fs.ErrNotExist) || r.DirAttr.Attr != goldenAttr {
		t.Errorf("%v, %+v", err, r)
	}
}

// A call in the steady state must not allocate for itself: what remains is
// what rpc and the in-memory server cost, which NULL shows.
func TestACallAllocatesNothingOfItsOwn(t *testing.T) {
	data := []byte("data")
	c := pair(t, &echo{reply: func(_ string, reply any) {
		switch r := reply.(type) {
		case *GetattrReply:
			r.Attr = goldenAttr
		case *ReadReply:
			r.Count, r.Data = 4, data
		}
	}})
	ctx := context.Background()
	var (
		ga  GetattrReply
		ra  ReadReply
		wa  WriteReply
		buf = make([]byte, 4)
		get = GetattrArgs{mustFH(t, "F")}
		red = ReadArgs{File: get.Object, Count: 4}
		wri = WriteArgs{File: get.Object, Data: buf}
	)
	// The least of many runs: the race detector makes pools forget at random.
	allocs := func(f func() error) float64 {
		least := math.Inf(1)
		for range 200 {
			least = min(least, testing.AllocsPerRun(1, func() {
				if err := f(); err != nil {
					t.Fatal(err)
				}
			}))
		}
		return least
	}
	base := allocs(func() error { return c.Null(ctx) })
	const server = 2 // its arguments and its reply
	for name, f := range map[string]func() error{
		"READ":    func() error { return c.Read(ctx, nil, &red, &ra, buf) },
		"WRITE":   func() error { return c.Write(ctx, nil, &wri, &wa) },
		"GETATTR": func() error { return c.Getattr(ctx, nil, &get, &ga) },
	} {
		if got := allocs(f); got > base+server {
			t.Errorf("%s: %.0f allocations, NULL %.0f", name, got, base)
		}
	}
}
