package e2e

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheJudgeOfCapturesCondemns shows rpc.sh a client that does everything
// wrong: a check that finds nothing must be one that could.
func TestTheJudgeOfCapturesCondemns(t *testing.T) {
	need(t)
	stop := startCapture(t)
	conn, err := net.Dial("udp", "127.0.0.1:2049")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(words ...uint32) {
		t.Helper()
		var msg []byte
		for _, word := range words {
			msg = binary.BigEndian.AppendUint32(msg, word)
		}
		if _, err := conn.Write(msg); err != nil {
			t.Fatal(err)
		}
		// A duplicate may or may not be answered: what counts is on the wire.
		_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, _ = io.ReadAtLeast(conn, make([]byte, 4096), 1)
	}
	const call, reply, rpcvers, nfs = 0, 1, 2, 100003
	ask(1, call, rpcvers, nfs, 3, 0, 0, 0, 0, 0)
	ask(1, call, rpcvers, nfs, 3, 0, 0, 0, 0, 0)         // sent twice
	ask(1, call, rpcvers, nfs, 3, 1, 0, 0, 0, 0, 0)      // its XID used again
	ask(2, call, rpcvers, nfs, 2, 0, 0, 0, 0, 0)         // a version that the server does not have
	ask(3, call, rpcvers, nfs, 3, 1, 1, 4, 1, 0, 0)      // a credential that it cannot read
	ask(4, call, rpcvers, 100004, 2, 0, 0, 0, 0, 0)      // a program that is none of ours
	ask(5, reply, 0, 0, 0, 0)                            // a reply to nothing, which Wireshark takes for no RPC
	silent, err := net.ListenPacket("udp", "127.0.0.1:") // and a call that nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if conn, err = net.Dial("udp", silent.LocalAddr().String()); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask(6, call, rpcvers, nfs, 3, 0, 0, 0, 0, 0)

	r := w.run(t, time.Minute, 0, "bash", filepath.Join(w.dir, "checks", "rpc.sh"), stop(), "reserved=yes")
	if r.code == 0 {
		t.Error("rpc.sh is content")
	}
	for _, want := range []string{
		"denied calls", "accepted calls without SUCCESS", "UDP data that is no RPC", "calls of another program",
		"NFS calls of another version", "XIDs used again on a connection", "calls from ports above 1023", "calls without a reply", "calls sent twice",
	} {
		if !strings.Contains(r.stdout, "FAIL "+want) {
			t.Errorf("rpc.sh does not find %s", want)
		}
	}
	if t.Failed() {
		t.Log(r.stdout, r.stderr)
	}
}
