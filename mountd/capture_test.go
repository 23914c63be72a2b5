package mountd

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

// captures is where recorded traffic with real servers lies: NNN-PROC-call.hex
// and NNN-PROC-reply.hex hold one RPC message each without its record mark, as
// lines of hexadecimal with comments after "#".
const captures = "../testdata/wire/mountd"

var captureName = regexp.MustCompile(`^(\d+-([A-Za-z]+).*)-(call|reply)\.hex$`)

// Every recorded message must decode to its end, and encode to the same bytes
// again.
func TestCapturesOfRealServersDecodeAndEncodeToTheSameBytes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(captures, "*.hex"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Logf("no captures in %s", captures)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			name := captureName.FindStringSubmatch(filepath.Base(file))
			if name == nil {
				t.Fatal("the name is not NNN-PROC-call.hex or NNN-PROC-reply.hex")
			}
			var body []byte
			if name[3] == "reply" {
				body = resultsOf(t, unhex(t, file))
			} else {
				body = argsOf(t, unhex(t, file))
			}
			v := valueOf(strings.ToUpper(name[2]), name[3] == "reply")
			if v == nil {
				if len(body) != 0 {
					t.Errorf("%s with a body: %x", name[2], body)
				}
				return
			}
			d := xdr.NewDecoder(body)
			if v.XDR(d); d.Err() != nil || d.Remaining() != 0 {
				t.Fatalf("%v, %d bytes left of %x", d.Err(), d.Remaining(), body)
			}
			c := xdr.NewEncoder(nil)
			if v.XDR(c); !bytes.Equal(c.Bytes(), body) {
				t.Errorf("encoded\n%x, captured\n%x", c.Bytes(), body)
			}
		})
	}
}

// valueOf returns what the arguments or results of a procedure are; nil is
// void.
func valueOf(proc string, reply bool) xdr.Value {
	switch {
	case proc == "MNT" && reply:
		return new(MntReply)
	case proc == "MNT", proc == "UMNT" && !reply:
		return new(dirpath)
	case proc == "DUMP" && reply:
		return new(mounts)
	case proc == "EXPORT" && reply:
		return new(exports)
	}
	return nil
}

func unhex(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// argsOf takes a call message apart (RFC 5531 section 9).
func argsOf(t *testing.T, msg []byte) []byte {
	t.Helper()
	c := xdr.NewDecoder(msg)
	var xid, kind, rpcvers, prog, vers, proc uint32
	for _, w := range []*uint32{&xid, &kind, &rpcvers, &prog, &vers, &proc} {
		c.Uint32(w)
	}
	opaqueAuth(c)
	opaqueAuth(c)
	if c.Err() != nil || kind != 0 || rpcvers != 2 || prog != Program || vers != Version {
		t.Fatalf("no call of program %d version %d: %v", Program, Version, c.Err())
	}
	return c.Rest()
}

// resultsOf takes a reply of SUCCESS apart.
func resultsOf(t *testing.T, msg []byte) []byte {
	t.Helper()
	c := xdr.NewDecoder(msg)
	var xid, kind, stat, accept uint32
	c.Uint32(&xid)
	c.Uint32(&kind)
	c.Uint32(&stat)
	opaqueAuth(c)
	c.Uint32(&accept)
	if c.Err() != nil || kind != 1 || stat != 0 || accept != 0 {
		t.Fatalf("no reply of SUCCESS: %v", c.Err())
	}
	return c.Rest()
}

func opaqueAuth(c *xdr.Codec) {
	var flavor uint32
	var body []byte
	c.Uint32(&flavor)
	c.Opaque(&body, 400)
}
