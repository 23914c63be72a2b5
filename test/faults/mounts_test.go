package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gonfs/gonfs"
)

// TestManyMounts: mounts and unmounts, 600 of them in a minute, take no port,
// descriptor, process or goroutine with them.
func TestManyMounts(t *testing.T) {
	for _, c := range []struct{ name, options string }{
		{"by the library over TCP", "proto=tcp"},
		{"by the library over UDP", "proto=udp"},
		{"by the library from all transports", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			aloneInNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				n.mountOnce(t, c.options) // what is made once is made now
				files, routines := descriptors(t), runtime.NumGoroutine()
				begin := time.Now()
				for range 600 {
					n.mountOnce(t, c.options)
				}
				n.atMost(t, "600 mounts and unmounts", time.Since(begin), time.Minute)
				nothingLeft(t)
				for end := time.Now().Add(10 * time.Second); descriptors(t) > files || runtime.NumGoroutine() > routines; time.Sleep(10 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("%d descriptors and %d goroutines, before it %d and %d", descriptors(t), runtime.NumGoroutine(), files, routines)
					}
				}
			})
		})
	}
	t.Run("by mount.gonfs", func(t *testing.T) {
		aloneInNetwork(t, func(t *testing.T, n *network) {
			count := 60
			if soak() {
				count = 600
			}
			n.serve(t)
			dir := filepath.Join(n.dir, "mnt")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			for range count {
				n.run(t, 10*time.Second, "mount.gonfs", serverAddr+":/rw", dir, "-o", "nolock")
				n.run(t, 10*time.Second, "umount.gonfs", dir)
			}
			n.atMost(t, "all mounts and unmounts", time.Since(begin), time.Duration(count)*time.Minute/600)
			nothingLeft(t)
			n.noProcess(t)
		})
	})
}

// mountOnce mounts, asks once, and unmounts.
func (n *network) mountOnce(t *testing.T, options string) {
	t.Helper()
	ctx := within(t, 30*time.Second)
	fsys, err := gonfs.Dial(ctx, serverAddr+":/rw", gonfs.Options{Mount: options})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fsys.StatFS(ctx, "/"); err != nil {
		t.Error(err)
	}
	if err := fsys.Close(ctx); err != nil {
		t.Error(err)
	}
}

// descriptors counts those that we have open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// nothingLeft wants no socket in the namespace of the client, and no TIME_WAIT
// either: what is not needed again ends with RST.
func nothingLeft(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out, err := exec.Command("ss", "-Htuan").CombinedOutput()
		if err != nil {
			t.Fatalf("ss: %v\n%s", err, out)
		}
		if len(out) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d sockets are left:\n%.2000s", strings.Count(string(out), "\n"), out)
		}
	}
}

// noProcess wants none of our commands to run.
func (n *network) noProcess(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		running := ""
		paths, err := filepath.Glob("/proc/[0-9]*/exe")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if exe, err := os.Readlink(path); err == nil && strings.HasPrefix(exe, n.bin) {
				running += path + " is " + exe + "\n"
			}
		}
		if running == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("processes are left:\n%s", running)
		}
	}
}
