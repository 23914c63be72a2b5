package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/gonfs/gonfs/nfs3"
)

// Words of an RPC message (RFC 5531 section 9).
const (
	call      = 0
	rpcvers   = 2
	authSys   = 1
	ypserv    = 100004  // a program that Wireshark knows and nfs-ganesha does not have
	maxRecord = 1 << 16 // the replies to expect are a few words
)

// talkRPC sends calls that are wrong in the ways that RPC has a word for (but
// RPC_MISMATCH: nfs-ganesha hangs up at another version of RPC). They
// are put together by hand: a client that could make them would be broken.
func talkRPC(ctx context.Context, s *script, server string, root nfs3.FH) {
	var none = []uint32{0, 0, 0, 0} // credential and verifier of AUTH_NONE
	fh := root.Bytes()
	handle := []uint32{uint32(len(fh))}
	for i := 0; i+4 <= len(fh); i += 4 {
		handle = append(handle, binary.BigEndian.Uint32(fh[i:]))
	}
	for i, k := range []struct {
		label string
		words []uint32
	}{
		{"SUCCESS", append([]uint32{call, rpcvers, nfs3.Program, nfs3.Version, nfs3.ProcNull}, none...)},
		{"PROG_UNAVAIL", append([]uint32{call, rpcvers, ypserv, 2, 0}, none...)},
		{"PROG_MISMATCH", append([]uint32{call, rpcvers, nfs3.Program, 2, 0}, none...)},
		{"PROC_UNAVAIL", append([]uint32{call, rpcvers, nfs3.Program, nfs3.Version, 99}, none...)},
		{"GARBAGE_ARGS", append(append([]uint32{call, rpcvers, nfs3.Program, nfs3.Version, nfs3.ProcGetattr}, none...), 0xffff)},
		{"AUTH_ERROR", append(append([]uint32{call, rpcvers, nfs3.Program, nfs3.Version, nfs3.ProcGetattr,
			99, 0, 0, 0}, handle...), 0)},
		{"AUTH_ERROR-badcred", append([]uint32{call, rpcvers, nfs3.Program, nfs3.Version, nfs3.ProcGetattr,
			authSys, 4, 1, 0, 0}, handle...)},
	} {
		s.ok("rpc", k.label, "", func() error { return exchange(ctx, server, append([]uint32{0x67660000 + uint32(i)}, k.words...)) })
	}
}

// exchange sends one message over a connection of its own and waits for the
// reply to it, or for the server to hang up.
func exchange(ctx context.Context, server string, words []uint32) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(server, "2049"))
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	msg := binary.BigEndian.AppendUint32(nil, 1<<31|uint32(4*len(words)))
	for _, w := range words {
		msg = binary.BigEndian.AppendUint32(msg, w)
	}
	if _, err := conn.Write(msg); err != nil {
		return err
	}
	var mark [4]byte
	if _, err := io.ReadFull(conn, mark[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(mark[:]) &^ (1 << 31)
	if n > maxRecord {
		return fmt.Errorf("a reply of %d bytes", n)
	}
	_, err = io.ReadFull(conn, make([]byte, n))
	return err
}
