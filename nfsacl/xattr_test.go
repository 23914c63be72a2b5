package nfsacl

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What getfattr -e hex shows on ext4 of a file with the list full.
const fullXattr = "02000000" + "01000700ffffffff" + "02000600e9030000" + "04000500ffffffff" +
	"0800040032000000" + "10000700ffffffff" + "20000100ffffffff"

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestXattrIsWhatTheKernelHas(t *testing.T) {
	if got := full.Xattr(); !bytes.Equal(got, unhex(t, fullXattr)) {
		t.Errorf("%x, want %s", got, fullXattr)
	}
	for _, tt := range []struct {
		name, hex string
		want      ACL
	}{
		{"a list", fullXattr, full},
		{"entries in another order", "02000000" + "20000000ffffffff" + "0400040000000000" + "0100060007000000", plain},
		{"no bytes", "", nil},
		{"no entries", "02000000", nil},
	} {
		got, err := ParseXattr(unhex(t, tt.hex))
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", tt.name, err, diff)
		}
	}
}

func TestHostileXattrsAreErrors(t *testing.T) {
	for _, tt := range []struct{ name, hex string }{
		{"three bytes", "020000"},
		{"half an entry", "02000000" + "01000700"},
		{"version 1", "01000000" + fullXattr[8:]},
		{"1025 entries", "02000000" + strings.Repeat("02000700e9030000", 1025)},
		{"an unknown tag", "02000000" + "03000700ffffffff" + fullXattr[8:]},
		{"permissions of 8", strings.Replace(fullXattr, "02000600", "02000800", 1)},
		{"a user without an id", strings.Replace(fullXattr, "e9030000", "ffffffff", 1)},
		{"a user twice", fullXattr + "02000600e9030000"},
		{"no owner", "02000000" + fullXattr[24:]},
		{"no mask", strings.Replace(fullXattr, "10000700ffffffff", "", 1)},
	} {
		var e *ListError
		if got, err := ParseXattr(unhex(t, tt.hex)); !errors.As(err, &e) {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
}
