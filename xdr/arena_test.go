package xdr_test

import (
	"strings"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

func TestStringsInAnArenaAreEachTheirOwn(t *testing.T) {
	var in []string
	for i := range 300 {
		in = append(in, strings.Repeat(string(rune('a'+i%26)), i*i%2000))
	}
	e := xdr.NewEncoder(nil)
	for i := range in {
		e.StringIn(&in[i], 4096, nil)
	}
	var (
		a   xdr.Arena
		d   = xdr.NewDecoder(e.Bytes())
		out = make([]string, len(in))
	)
	for i := range out {
		d.StringIn(&out[i], 4096, &a)
	}
	for i := range in {
		if in[i] != out[i] {
			t.Errorf("string %d of %d bytes became %q", i, len(in[i]), out[i])
		}
	}
	d = xdr.NewDecoder(e.Bytes())
	if d.StringIn(&out[0], 4096, &a); d.Err() != nil || out[0] != "" {
		t.Errorf("an empty string: %q, %v", out[0], d.Err())
	}
	if d.StringIn(&out[1], 0, &a); d.Err() == nil {
		t.Error("a string beyond the limit was taken")
	}
}
