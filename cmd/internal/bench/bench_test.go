package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig starts a server and mounts it as cfg's mode wants it.
func rig(t *testing.T, mode string) (*nfstest.Server, *gonfs.FS) {
	t.Helper()
	s := nfstest.Start(t, nfstest.Options{})
	must(t, s.Mkdir("dir", 0o777))
	options := s.MountOptions()
	if o := MountOptions(mode); o != "" {
		options = o + "," + options
	}
	fs, err := gonfs.Dial(t.Context(), s.Export(), gonfs.Options{Mount: options})
	must(t, err)
	t.Cleanup(func() { must(t, fs.Close(context.Background())) })
	return s, fs
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachModeDoesWhatItSaysAndCleansUp(t *testing.T) {
	const kib = 1 << 10
	for _, tt := range []struct {
		cfg        Config
		ops, bytes int64
		calls      map[string]int // that the server must have seen, at least
	}{
		{Config{Mode: "null", Ops: 20, Depth: 4}, 20, 0, map[string]int{"NULL": 20}},
		{Config{Mode: "getattr", Ops: 30}, 30, 0, map[string]int{"GETATTR": 30}},
		{Config{Mode: "lookup", Files: 25, Depth: 3}, 25, 0, map[string]int{"CREATE": 25, "LOOKUP": 50, "GETATTR": 25, "REMOVE": 25}},
		// Calls for blocks side by side may be merged, as of three at once.
		{Config{Mode: "read", Size: 300 * kib, BlockSize: 64 * kib, Depth: 4}, 4, 256 * kib, map[string]int{"READ": 2}},
		{Config{Mode: "read", Size: 256 * kib, BlockSize: 64 * kib, Depth: 1}, 4, 256 * kib, map[string]int{"READ": 1}},
		{Config{Mode: "write", Size: 256 * kib, BlockSize: 64 * kib, Depth: 2}, 4, 256 * kib, map[string]int{"WRITE": 1}},
		// Some offsets follow one another by chance, and are read ahead for.
		{Config{Mode: "randread", Size: 4096 * kib, BlockSize: 4 * kib, Ops: 40, Depth: 5}, 40, 160 * kib, map[string]int{"READ": 10}},
		{Config{Mode: "randwrite", Size: 256 * kib, BlockSize: 4 * kib, Ops: 40, Depth: 5}, 40, 160 * kib, map[string]int{"WRITE": 1}},
		{Config{Mode: "readdir", Files: 35}, 35, 0, map[string]int{"READDIRPLUS": 1}},
		{Config{Mode: "smallfiles", Files: 15, Depth: 2, BlockSize: 100}, 15, 1500, map[string]int{"CREATE": 15, "WRITE": 15, "REMOVE": 15}},
	} {
		t.Run(fmt.Sprintf("%s with depth %d", tt.cfg.Mode, tt.cfg.Depth), func(t *testing.T) {
			s, fs := rig(t, tt.cfg.Mode)
			r, err := Run(t.Context(), fs, "/dir", tt.cfg, nil)
			must(t, err)
			if r.Mode != tt.cfg.Mode || r.Ops != tt.ops || r.Bytes != tt.bytes {
				t.Errorf("%s: %d ops, %d bytes; want %d and %d", r.Mode, r.Ops, r.Bytes, tt.ops, tt.bytes)
			}
			if r.Seconds <= 0 || r.OpsPerSec <= 0 || r.P50 <= 0 || r.P99 < r.P50 || (r.Bytes > 0) != (r.MiBPerSec > 0) {
				t.Errorf("not plausible: %+v", r)
			}
			counts := s.Counts()
			for name, n := range tt.calls {
				if counts[name] < n {
					t.Errorf("the server saw %d calls of %s, want %d at least: %v", counts[name], name, n, counts)
				}
			}
			if tree, err := s.Tree(); err != nil || slices.ContainsFunc(tree, func(p string) bool { return strings.Contains(p, "gonfs-bench") }) {
				t.Errorf("left on the server: %q, %v", tree, err)
			}
		})
	}
}

func TestGivenFilesAreUsedAndStay(t *testing.T) {
	for _, tt := range []struct {
		cfg Config
		ops int64
		err string
	}{
		{Config{Mode: "read", File: "data", Size: 8192, BlockSize: 4096}, 2, ""},
		{Config{Mode: "read", File: "data", Size: 1 << 20}, 0, "8192 bytes, fewer than"},
		{Config{Mode: "read", File: "sub", Size: 8192, BlockSize: 4096}, 0, "is no regular file"},
		{Config{Mode: "read", File: "none"}, 0, "NOENT"},
		{Config{Mode: "write", File: "data", Size: 8192, BlockSize: 4096}, 2, ""},
		{Config{Mode: "getattr", File: "data", Ops: 3}, 3, ""},
		{Config{Mode: "lookup", File: "sub"}, 2, ""},
		{Config{Mode: "readdir", File: "sub"}, 2, ""},
		{Config{Mode: "readdir", File: "data"}, 0, "not a directory"},
		{Config{Mode: "readdir", File: "empty"}, 0, "nothing to measure"},
	} {
		t.Run(tt.cfg.Mode+" of "+tt.cfg.File, func(t *testing.T) {
			s, fs := rig(t, tt.cfg.Mode)
			must(t, s.WriteFile("dir/data", make([]byte, 8192), 0o666))
			must(t, s.Mkdir("dir/empty", 0o777))
			must(t, s.Mkdir("dir/sub", 0o777))
			must(t, s.WriteFile("dir/sub/a", nil, 0o666))
			must(t, s.WriteFile("dir/sub/b", nil, 0o666))
			before, err := s.Tree()
			must(t, err)
			r, err := Run(t.Context(), fs, "/dir", tt.cfg, nil)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want an error with %q", err, tt.err)
				}
			} else if err != nil || r.Ops != tt.ops {
				t.Errorf("%+v, %v; want %d ops", r, err, tt.ops)
			}
			if after, err := s.Tree(); err != nil || !slices.Equal(before, after) {
				t.Errorf("the server had %q and has %q, %v", before, after, err)
			}
		})
	}
}

func TestAnErrorEndsTheMeasurementAndWhatWasMadeIsRemoved(t *testing.T) {
	s, fs := rig(t, "smallfiles")
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Skip: 5, Times: 1, Do: []nfstest.Action{nfstest.Status(nfs3.ErrNospc)}})
	_, err := Run(t.Context(), fs, "/dir", Config{Mode: "smallfiles", Files: 1000, Depth: 3}, nil)
	if !errors.Is(err, nfs3.ErrNospc) {
		t.Errorf("%v, want that there is no room", err)
	}
	if n := s.Counts()["WRITE"]; n > 20 {
		t.Errorf("%d WRITEs, though the sixth failed", n)
	}
	if tree, _ := s.Tree(); len(tree) != 1 {
		t.Errorf("left on the server: %q", tree)
	}
}

func TestAnInterruptRemovesWhatWasMade(t *testing.T) {
	s, fs := rig(t, "getattr")
	ctx, interrupt := context.WithCancel(t.Context())
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcGetattr}, If: func(*nfstest.Call) bool {
		interrupt()
		return false
	}})
	if _, err := Run(ctx, fs, "/dir", Config{Mode: "getattr"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
	if tree, _ := s.Tree(); len(tree) != 1 {
		t.Errorf("left on the server: %q", tree)
	}
}

func TestWrongConfigsAreRefusedWithTheWayOut(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"no such mode", Config{Mode: "reads"}, "one of null, getattr, lookup"},
		{"a number that the mode has no use for", Config{Mode: "read", Ops: 5}, "it heeds --size, --bs, --qd, --file"},
		{"a depth that the mode has no use for", Config{Mode: "readdir", Depth: 5}, "no use for --qd"},
		{"a file that the mode has no use for", Config{Mode: "null", File: "x"}, "no use for --file"},
		{"too many at once", Config{Mode: "read", Depth: 257}, "1 to 256"},
		{"a negative number", Config{Mode: "getattr", Ops: -1}, "--ops -1"},
		{"a block larger than the file", Config{Mode: "read", Size: 10, BlockSize: 20}, "less than one block"},
		{"files to make in a directory that is there", Config{Mode: "readdir", File: "d", Files: 5}, "has its own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := Check(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestTheLineOfJSONHasTheseNames(t *testing.T) {
	var out strings.Builder
	must(t, (&Result{Mode: "read", Ops: 1}).WriteJSON(&out))
	if strings.Count(out.String(), "\n") != 1 || !strings.HasSuffix(out.String(), "\n") {
		t.Errorf("not one line: %q", out.String())
	}
	var m map[string]any
	must(t, json.Unmarshal([]byte(out.String()), &m))
	for _, name := range strings.Fields("mode seconds bytes ops mib_s ops_s p50_us p99_us cpu_user_s cpu_sys_s allocs_per_op") {
		if _, ok := m[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		delete(m, name)
	}
	if len(m) > 0 {
		t.Errorf("nobody knows of %v", m)
	}
}
