package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/nfstest"
)

func TestBenchPrintsALineOfJSONAndLeavesNothing(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	profile := filepath.Join(t.TempDir(), "cpu")
	out, code, err := command(t, "bench", "read", s.Export(), "-o", s.MountOptions(), "--size", "1M", "--bs", "64k", "--qd", "2", "--json", "--cpuprofile", profile)
	if err != nil || code != 0 {
		t.Fatalf("exit code %d: %v", code, err)
	}
	var r struct {
		Mode       string
		Bytes, Ops int64
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Mode != "read" || r.Bytes != 1<<20 || r.Ops != 16 {
		t.Errorf("%s: %+v, %v", out, r, err)
	}
	if fi, err := os.Stat(profile); err != nil || fi.Size() == 0 {
		t.Errorf("the profile: %v, %v", fi, err)
	}
	if m := s.Mounts(); len(m) > 0 {
		t.Errorf("still mounted: %v", m)
	}
	if tree, err := s.Tree(); err != nil || len(tree) > 0 {
		t.Errorf("left on the server: %q, %v", tree, err)
	}
}

func TestBenchIsRefusedBeforeAnythingIsMounted(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no operands", nil, "MODE and SERVER:/DIR expected"},
		{"no such mode", []string{"copy", "h:/e"}, "one of null"},
		{"a size that is none", []string{"read", "h:/e", "--size", "5x"}, "--size 5x: a number of bytes is expected"},
		{"an empty size", []string{"read", "h:/e", "--size", ""}, "a number of bytes is expected"},
		{"a size that is only a unit", []string{"read", "h:/e", "--bs", "K"}, "a number of bytes is expected"},
		{"two units", []string{"read", "h:/e", "--bs", "1KM"}, "a number of bytes is expected"},
		{"a size beyond all bounds", []string{"read", "h:/e", "--size", "9999999T"}, "a number of bytes is expected"},
		{"a depth of zero", []string{"read", "h:/e", "--qd", "0"}, "--qd 0: 1 is the least"},
		{"a flag of another mode", []string{"null", "h:/e", "--bs", "4k"}, "no use for --bs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, code, err := command(t, append([]string{"bench"}, tt.args...)...)
			if err == nil || code != 1 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("exit code %d, %v; want 1 and %q", code, err, tt.want)
			}
		})
	}
}

func TestSizesArePowersOf1024(t *testing.T) {
	for s, want := range map[string]int64{"1": 1, "4096": 4096, "64K": 64 << 10, "64k": 64 << 10, "3M": 3 << 20, "10G": 10 << 30, "2T": 2 << 40} {
		if n, err := parseSize(s); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", s, n, err, want)
		}
	}
}
