package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCommands uses the export by gonfs without a mount, then with one.
func TestCommands(t *testing.T) {
	need(t)
	for _, c := range []struct {
		name string
		uid  int
	}{{"root", 0}, {"an ordinary user", nobody}} {
		t.Run(c.name, func(t *testing.T) {
			gonfs := func(args ...string) string {
				t.Helper()
				r := w.run(t, time.Minute, c.uid, w.bin("gonfs"), args...)
				if r.code != 0 {
					t.Fatalf("gonfs %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
				}
				return r.stdout
			}
			want := func(got, text string) {
				t.Helper()
				if !strings.Contains(got, text) {
					t.Errorf("output is %q, want %q in it", got, text)
				}
			}
			data := make([]byte, 5<<20+7)
			for i := range data {
				data[i] = byte(rand.Uint32())
			}
			local := filepath.Join(w.home(c.uid), "data")
			if err := os.WriteFile(local, data, 0o644); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(filepath.Join(w.backing, "rw", "copied"))

			gonfs("cp", local, "nfsserver:/rw/copied")
			want(gonfs("ls", "-l", "nfsserver:/rw"), "copied")
			want(gonfs("stat", "nfsserver:/rw/copied"), "5242887")
			want(gonfs("df", "nfsserver:/rw"), "nfsserver:/rw")
			if got := gonfs("cat", "nfsserver:/rw/copied"); got != string(data) {
				t.Errorf("cat gives %d bytes, or other ones than were copied", len(got))
			}
			gonfs("cp", "nfsserver:/rw/copied", local+".back")
			if back, err := os.ReadFile(local + ".back"); err != nil || !bytes.Equal(back, data) {
				t.Errorf("copied back: %d bytes, %v; or other ones", len(back), err)
			}
			nothingLeft(t)

			dir := w.mountPoint(t, c.uid)
			gonfs("mount", "nfsserver:/rw", dir, "-o", "nolock")
			var status []map[string]any
			if err := json.Unmarshal([]byte(gonfs("status", "--json")), &status); err != nil || len(status) != 1 {
				t.Fatalf("status --json: %d mounts, %v", len(status), err)
			}
			info, err := exec.Command("findmnt", "-n", "-o", "ID,MAJ:MIN", dir).Output()
			told := fmt.Sprint(status[0]["mount_id"], " ", status[0]["device"])
			if id := strings.Join(strings.Fields(string(info)), " "); err != nil || told != id {
				t.Errorf("status --json: mount %s, the kernel says %s (%v)", told, id, err)
			}
			want(gonfs("status"), dir)
			gonfs("umount", dir)
			nothingLeft(t)
		})
	}
}

// TestDemo shows what README.md promises first.
func TestDemo(t *testing.T) {
	need(t)
	for _, c := range []struct {
		name string
		uid  int
	}{{"root", 0}, {"an ordinary user", nobody}} {
		t.Run(c.name, func(t *testing.T) {
			r := w.run(t, 30*time.Second, c.uid, w.bin("gonfs"), "demo", "--once")
			t.Logf("%s%s", r.stdout, r.stderr)
			if r.code != 0 || r.took > 25*time.Second { // 1 s here; README.md says 10
				t.Errorf("exit code %d after %.1f s, want 0, and soon", r.code, r.took.Seconds())
			}
			nothingLeft(t)
		})
	}
}
