package nfsacl

import (
	"bytes"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

// The results of GETACL as Linux 6.1's server sent them, of files on its tmpfs,
// recorded on the wire.
func TestRepliesOfLinuxsServer(t *testing.T) {
	for _, tt := range []struct{ name, hex, access, initial string }{
		{"a file whose mode says it all",
			"000000000000000100000001000001a000000001000000000000000000000000000000000000000000000000000000000000000000000000" +
				"00000001000000000000000a6b0b3589040d8f876b0b3589040d8f876b0b3589040d8f870000000500000004000000040000000100000000" +
				"000000060000000400000000000000040000001000000000000000040000002000000000000000000000000000000000",
			"user::rw-,group::r--,other::---", ""},
		{"a file with a list",
			"000000000000000100000001000001b800000001000000000000000000000000000000000000000000000000000000000000000000000000" +
				"00000001000000000000000a6b0b3589040d8f876b0b3589040d8f876b0b3589053ebc860000000500000006000000060000000100000000" +
				"0000000600000002000003e90000000600000004000000000000000400000008000000320000000100000010000000000000000700000020" +
				"00000000000000000000000000000000",
			"user::rw-,user:1001:rw-,group::r--,group:50:--x,mask::rwx,other::---", ""},
		{"a directory with a default list",
			"000000000000000100000002000001ed00000003000000000000000000000000000000640000000000000000000000000000000000000000" +
				"0000000100000000000000036b0b357a03d089656b0b357a053ebf646b0b3589057bc5860000000500000004000000040000000100000000" +
				"0000000700000004000000000000000500000010000000000000000500000020000000000000000500000006000000060000100100000000" +
				"000000070000100200000007000000040000100200000fa00000000700001004000000000000000000001010000000000000000700001020" +
				"0000000000000000",
			"user::rwx,group::r-x,other::r-x", "user::rwx,user:7:r--,user:4000:rwx,group::---,mask::rwx,other::---"},
	} {
		msg := unhex(t, tt.hex)
		var r GetaclReply
		d := xdr.NewDecoder(msg)
		if r.XDR(d); d.Err() != nil || d.Remaining() != 0 {
			t.Fatalf("%s: %v, %d bytes left", tt.name, d.Err(), d.Remaining())
		}
		if got := r.Lists.Access.String(); got != tt.access {
			t.Errorf("%s: access list %s", tt.name, got)
		}
		if got := r.Lists.Default.String(); got != tt.initial {
			t.Errorf("%s: default list %s", tt.name, got)
		}
		if r.Lists.Mask != MaskACL|MaskDefault || !r.Attr.Present {
			t.Errorf("%s: mask %#x, attributes %v", tt.name, r.Lists.Mask, r.Attr.Present)
		}
		if again := encode(t, &r); !bytes.Equal(again, msg) {
			t.Errorf("%s: encoded again as\n%x, was\n%x", tt.name, again, msg)
		}
	}
}
