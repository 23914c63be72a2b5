package nfs3

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

// captures is where recorded traffic with real servers lies: a file NNN-PROC-
// call.hex or -reply.hex holds one RPC message without its record mark, as
// lines of hexadecimal with comments after "#". There is at least one of each
// procedure.
const captures = "../testdata/wire/nfs3"

// Every recorded message must decode to its end, and encode to the same bytes
// again.
func TestCapturesOfRealServersDecodeAndEncodeToTheSameBytes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(captures, "*.hex"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Procs {
		for _, kind := range []string{"call", "reply"} {
			if m, _ := filepath.Glob(filepath.Join(captures, "*-"+p.Name+"-*"+kind+".hex")); len(m) == 0 {
				t.Errorf("there is no captured %s of %s", kind, p.Name)
			}
		}
	}
	named := regexp.MustCompile(`^\d+-([A-Za-z]+)[-.].*?(call|reply)\.hex$`)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m := named.FindStringSubmatch(filepath.Base(file))
			if m == nil {
				t.Fatal("the name is not NNN-PROC-call.hex or NNN-PROC-reply.hex")
			}
			proc, ok := procNamed(m[1])
			if !ok {
				t.Fatalf("there is no procedure %s", m[1])
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			body := rpcBody(t, unhex(t, string(text)), m[2] == "reply", proc)
			if proc == ProcNull {
				if len(body) != 0 {
					t.Errorf("NULL with a body: %x", body)
				}
				return
			}
			v := messageFor(proc, m[2] == "reply").new()
			if err := decode(body, v); err != nil {
				t.Fatalf("%v in %x", err, body)
			}
			if again := encode(t, v); !bytes.Equal(again, body) {
				t.Errorf("encoded\n%x, captured\n%x", again, body)
			}
		})
	}
}

func procNamed(name string) (uint32, bool) {
	for _, p := range Procs {
		if strings.EqualFold(p.Name, name) {
			return p.Number, true
		}
	}
	return 0, false
}

// unhex reads lines of hexadecimal with comments.
func unhex(t *testing.T, text string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rpcBody returns the arguments or results of an RPC message (RFC 5531 section
// 9), which must be a call of proc, or a reply of SUCCESS.
func rpcBody(t *testing.T, msg []byte, reply bool, proc uint32) []byte {
	t.Helper()
	var (
		c    = xdr.NewDecoder(msg)
		word = func() (v uint32) { c.Uint32(&v); return v }
		want = func(what string, v uint32) {
			if got := word(); got != v {
				t.Fatalf("%s is %d, want %d", what, got, v)
			}
		}
		opaque = func() { var b []byte; word(); c.Opaque(&b, 400) }
	)
	word() // XID
	if reply {
		want("message type", 1)
		want("reply_stat", 0)
		opaque() // verifier
		want("accept_stat", 0)
	} else {
		want("message type", 0)
		want("RPC version", 2)
		want("program", Program)
		want("version", Version)
		want("procedure", proc)
		opaque() // credential
		opaque() // verifier
	}
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	return c.Rest()
}
