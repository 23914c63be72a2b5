package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mounted is an export that a test has mounted.
type mounted struct {
	dir string
	uid int
}

// mountPoint makes an empty directory of uid's.
func (v *world) mountPoint(t *testing.T, uid int) string {
	t.Helper()
	v.names++
	dir := filepath.Join(v.dir, "mnt"+strconv.Itoa(v.names))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mount mounts spec as uid, by the argv that mount(8) uses. The test unmounts
// it; if it ends early, the mount is taken down by force.
func (v *world) mount(t *testing.T, uid int, spec, options string) *mounted {
	t.Helper()
	dir := v.mountPoint(t, uid)
	r := v.run(t, 30*time.Second, uid, v.bin("mount.gonfs"), spec, dir, "-o", "rw,"+options)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("mount.gonfs %s -o %s: exit code %d\n%s", spec, options, r.code, r.stderr)
	}
	m := &mounted{dir, uid}
	t.Cleanup(func() {
		if fields := mountEntry(t, dir); fields != nil {
			_ = v.command(context.Background(), 0, "umount", "-l", dir).Run() // the test's own context has ended
		}
	})
	fields := mountEntry(t, dir)
	if fields == nil {
		t.Fatalf("mount.gonfs ended with 0, but nothing is mounted on %s", dir)
	}
	if fields[1] != "fuse.gonfs" || fields[2] != spec {
		t.Errorf("the mount is of type %s and source %s, want fuse.gonfs and %s", fields[1], fields[2], spec)
	}
	return m
}

// umount unmounts with umount.gonfs; soon nothing may be left.
func (m *mounted) umount(t *testing.T) {
	t.Helper()
	if r := w.run(t, 30*time.Second, m.uid, w.bin("umount.gonfs"), m.dir); r.code != 0 {
		t.Fatalf("umount.gonfs %s: exit code %d\n%s", m.dir, r.code, r.stderr)
	}
	nothingLeft(t)
}

// nothingLeft gives the end of a mount some time (mostly none is needed), and
// then wants no process, no mount entry, no record and no connection of ours to
// be there. Tests that call it have one mount at a time.
func nothingLeft(t *testing.T) {
	t.Helper()
	var left []string
	const limit = 10 * time.Second
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		left = nil
		left = append(left, processes(t)...)
		left = append(left, mountEntries(t)...)
		left = append(left, records(t)...)
		left = append(left, connections(t)...)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%v after the unmount there is left:\n%s", limit, strings.Join(left, "\n"))
			return
		}
	}
}

// processes lists what runs of our commands.
func processes(t *testing.T) (list []string) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		exe, err := os.Readlink(path)
		if err != nil || !strings.HasPrefix(exe, filepath.Join(w.dir, "bin")) {
			continue // it has ended, or is none of ours
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		list = append(list, "process "+path+": "+strings.ReplaceAll(string(line), "\x00", " "))
	}
	return list
}

// mountEntry returns mount point, type and source of what is mounted on dir.
func mountEntry(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		before, after, ok := strings.Cut(line, " - ")
		if f, g := strings.Fields(before), strings.Fields(after); ok && f[4] == dir {
			found = []string{f[4], g[0], g[1]} // the topmost is the last
		}
	}
	return found
}

// mountEntries lists our mounts: those of the world outside are seen, too.
func mountEntries(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); strings.HasPrefix(f[4], w.dir+"/") && strings.Contains(line, "fuse.gonfs") {
			list = append(list, "mount entry "+strings.TrimSpace(line))
		}
	}
	return list
}

// records lists the files of mounttab.
func records(t *testing.T) (list []string) {
	t.Helper()
	for _, dir := range []string{"/run/gonfs", filepath.Join(w.home(0), "gonfs"), filepath.Join(w.home(nobody), "gonfs")} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				list = append(list, "record "+path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// connections lists TCP connections to the server's programs. TIME_WAIT is the
// kernel's affair: whoever closes first has it.
func connections(t *testing.T) (list []string) {
	t.Helper()
	const timeWait = "06"
	server := map[string]bool{fmt.Sprintf("%04X", 111): true, fmt.Sprintf("%04X", 635): true, fmt.Sprintf("%04X", 2049): true}
	for _, file := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			_, port, ok := strings.Cut(f[2], ":")
			if ok && server[port] && f[3] != timeWait {
				list = append(list, "connection "+strings.TrimSpace(line))
			}
		}
	}
	return list
}
