package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// capture reads one file of testdata/wire.
func capture(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "wire", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.TrimSpace(line))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

// replay returns a client whose server knows one captured call and answers
// only that, with the captured reply; XIDs are the client's.
func replay(t *testing.T, name string, prog, vers uint32) *rpc.Client {
	t.Helper()
	call, reply := capture(t, name+"-call"), capture(t, name+"-reply")
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() { // ends after one call, or when the client closes its end
		defer close(done)
		var mark [4]byte
		if _, err := io.ReadFull(theirs, mark[:]); err != nil {
			return
		}
		got := make([]byte, binary.BigEndian.Uint32(mark[:])&^(1<<31))
		if _, err := io.ReadFull(theirs, got); err != nil {
			return
		}
		if !bytes.Equal(got[4:], call[4:]) {
			t.Errorf("%s: the call is\n%x, captured\n%x", name, got[4:], call[4:])
		}
		copy(reply, got[:4])
		_, _ = theirs.Write(append(binary.BigEndian.AppendUint32(nil, 1<<31|uint32(len(reply))), reply...))
	}()
	c := rpc.NewClient(rpc.Options{
		Program: prog, Version: vers,
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			return transport.NewStream(ours, 0), nil
		},
		Auth:   rpc.AuthSys("client.example"),
		Cred:   *rpc.NewCred(0, 0, []uint32{4, 27}),
		Policy: rpc.Policy{Recovery: rpc.Soft, SoftConn: true},
	})
	t.Cleanup(func() { c.Close(); theirs.Close(); <-done })
	return c
}

func TestRpcbindCapturesAreUnderstood(t *testing.T) {
	ctx := t.Context()
	nfs := portmap.Mapping{Prog: nfs3.Program, Vers: nfs3.Version, Prot: portmap.ProtTCP}
	absent := portmap.Rpcb{Prog: 100099, Vers: 1, Netid: "tcp"}
	v2 := func(name string) *portmap.Client {
		return portmap.NewClient(replay(t, "portmap/"+name, portmap.Program, portmap.Version2))
	}
	v := func(version uint32, name string) *portmap.Rpcbind {
		return portmap.NewRpcbind(replay(t, "portmap/"+name, portmap.Program, version), version)
	}
	if err := v2("001-NULL-v2").Null(ctx); err != nil {
		t.Error(err)
	}
	if port, err := v2("002-GETPORT-v2").Getport(ctx, nfs); err != nil || port != 2049 {
		t.Errorf("GETPORT is %d, %v; want 2049", port, err)
	}
	if _, err := v2("003-GETPORT-v2-absent").Getport(ctx, portmap.Mapping{Prog: 100099, Vers: 1, Prot: portmap.ProtUDP}); !errors.Is(err, portmap.ErrNotRegistered) {
		t.Errorf("GETPORT of an absent program: %v", err)
	}
	list, err := v2("004-DUMP-v2").Dump(ctx)
	nfs.Port = 2049
	if err != nil || len(list) == 0 || list[0].Prog != portmap.Program || !slices.Contains(list, nfs) {
		t.Errorf("DUMP of version 2 is %v, %v; want %v in it", list, err, nfs)
	}
	for version, names := range map[uint32][4]string{
		3: {"005-NULL-v3", "006-GETADDR-v3", "008-GETADDR-v3-absent", "009-DUMP-v3"},
		4: {"010-NULL-v4", "011-GETADDR-v4", "013-GETADDR-v4-absent", "014-DUMP-v4"},
	} {
		if err := v(version, names[0]).Null(ctx); err != nil {
			t.Error(err)
		}
		mount := portmap.Rpcb{Prog: mountd.Program, Vers: mountd.Version, Netid: "tcp"}
		if a, err := v(version, names[1]).Getaddr(ctx, mount); err != nil || a.Port() != 635 {
			t.Errorf("GETADDR of version %d is %v, %v; want port 635", version, a, err)
		}
		if _, err := v(version, names[2]).Getaddr(ctx, absent); !errors.Is(err, portmap.ErrNotRegistered) {
			t.Errorf("GETADDR of an absent program: %v", err)
		}
		want := portmap.Rpcb{Prog: nfs3.Program, Vers: nfs3.Version, Netid: "tcp6", Addr: "::.8.1", Owner: "superuser"}
		if list, err := v(version, names[3]).Dump(ctx); err != nil || !slices.Contains(list, want) {
			t.Errorf("DUMP of version %d is %v, %v; want %v in it", version, list, err, want)
		}
	}
}

func TestMountdCapturesAreUnderstood(t *testing.T) {
	ctx := t.Context()
	c := func(name string) *mountd.Client {
		return mountd.NewClient(replay(t, "mountd/"+name, mountd.Program, mountd.Version))
	}
	if err := c("001-NULL").Null(ctx); err != nil {
		t.Error(err)
	}
	r, err := c("002-MNT").Mnt(ctx, "/rw")
	if err != nil || len(r.FH) != 24 || len(r.Flavors) != 2 || r.Flavors[0] != 1 || r.Flavors[1] != 0 {
		t.Errorf("MNT is %+v, %v; want a handle of 24 bytes and the flavors 1 and 0", r, err)
	}
	if _, err := c("005-MNT-acces").Mnt(ctx, "/deny"); !errors.Is(err, mountd.ErrAcces) {
		t.Errorf("MNT of /deny: %v", err)
	}
	exports, err := c("006-EXPORT").Export(ctx)
	if err != nil || len(exports) != 7 || exports[0].Dir != "/rw" {
		t.Errorf("EXPORT is %+v, %v; want 7 of them, /rw first", exports, err)
	}
	mounts, err := c("007-DUMP").Dump(ctx)
	if err != nil || len(mounts) != 0 {
		t.Errorf("DUMP is %+v, %v; nfs-ganesha keeps no list", mounts, err)
	}
	if err := c("008-UMNT").Umnt(ctx, "/ro"); err != nil {
		t.Error(err)
	}
	if err := c("009-UMNTALL").Umntall(ctx); err != nil {
		t.Error(err)
	}
}

// refusal decodes one reply of testdata/wire/rpc with a client that asks NULL;
// the replies answer other calls, which is all the same to a client.
func refusal(t *testing.T, name string) error {
	t.Helper()
	srv := capture(t, "rpc/"+name+"-reply")
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() { // answers each call alike, until the client closes its end
		defer close(done)
		var head [8]byte
		for {
			if _, err := io.ReadFull(theirs, head[:]); err != nil {
				return
			}
			rest := int64(binary.BigEndian.Uint32(head[:4])&^(1<<31)) - 4
			if _, err := io.CopyN(io.Discard, theirs, rest); err != nil {
				return
			}
			copy(srv, head[4:])
			if _, err := theirs.Write(append(binary.BigEndian.AppendUint32(nil, 1<<31|uint32(len(srv))), srv...)); err != nil {
				return
			}
		}
	}()
	c := rpc.NewClient(rpc.Options{
		Program: nfs3.Program, Version: nfs3.Version,
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			return transport.NewStream(ours, 0), nil
		},
		Policy: rpc.Policy{Recovery: rpc.Soft, SoftConn: true},
	})
	defer func() { c.Close(); theirs.Close(); <-done }()
	return nfs3.NewClient(c).Null(t.Context())
}

func TestRefusalsOfRPCAreTyped(t *testing.T) {
	for _, k := range []struct {
		name   string
		accept rpc.AcceptStat
		low    uint32
	}{
		{"002-PROG_UNAVAIL", rpc.ProgUnavail, 0},
		{"003-PROG_MISMATCH", rpc.ProgMismatch, 3},
		{"004-PROC_UNAVAIL", rpc.ProcUnavail, 0},
		{"005-GARBAGE_ARGS", rpc.GarbageArgs, 0},
	} {
		var e *rpc.AcceptError
		if err := refusal(t, k.name); !errors.As(err, &e) || e.Stat != k.accept || e.Low != k.low {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	for _, k := range []struct {
		name string
		auth rpc.AuthStat
	}{{"006-AUTH_ERROR", rpc.AuthRejectedCred}, {"007-AUTH_ERROR-badcred", rpc.AuthBadCred}} {
		var e *rpc.DeniedError
		if err := refusal(t, k.name); !errors.As(err, &e) || e.Stat != rpc.AuthError || e.Auth != k.auth {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	if err := refusal(t, "001-SUCCESS"); err != nil {
		t.Error(err)
	}
}
