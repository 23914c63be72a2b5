package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRefusedMounts: each fault gives one line in mount.nfs's own words and its
// exit code, and leaves nothing behind.
func TestRefusedMounts(t *testing.T) {
	need(t)
	file := filepath.Join(w.dir, "a-file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	const usage, failure = 1, 32
	dir := w.mountPoint(t, 0)
	theirs := w.mountPoint(t, nobody)
	for _, c := range []struct {
		name string
		uid  int
		args []string
		code int
		want string // in the line on stderr
	}{
		{"an unknown option", 0, []string{"127.0.0.1:/rw", dir, "-o", "colour=blue"}, failure, "incorrect mount option was specified"},
		{"an option with a wrong value", 0, []string{"127.0.0.1:/rw", dir, "-o", "rsize=many"}, failure, "invalid value for 'rsize=' option"},
		{"two versions", 0, []string{"127.0.0.1:/rw", dir, "-o", "vers=3,nfsvers=4"}, failure, "multiple version options not permitted"},
		{"version 4", 0, []string{"127.0.0.1:/rw", dir, "-o", "vers=4.2"}, failure, "requested NFS version or transport protocol is not supported"},
		{"Kerberos, which is never downgraded", 0, []string{"127.0.0.1:/rw", dir, "-o", "sec=krb5"}, failure, "krb5"},
		{"TLS, which is never downgraded", 0, []string{"127.0.0.1:/rw", dir, "-o", "xprtsec=tls"}, failure, "xprtsec"},
		{"RDMA", 0, []string{"127.0.0.1:/rw", dir, "-o", "proto=rdma"}, failure, "rdma"},
		{"a spec without a colon", 0, []string{"nonsense", dir}, failure, "nonsense"},
		{"a spec without a path", 0, []string{"127.0.0.1:", dir}, failure, "127.0.0.1:"},
		{"no mount point", 0, []string{"127.0.0.1:/rw"}, usage, ""},
		{"a mount point that is missing", 0, []string{"127.0.0.1:/rw", w.dir + "/absent"}, failure, "mount point " + w.dir + "/absent does not exist"},
		{"a mount point that is a file", 0, []string{"127.0.0.1:/rw", file}, failure, "mount point " + file + " is not a directory"},
		{"a host that does not exist", 0, []string{"absent.invalid:/rw", dir, "-o", "retry=0"}, failure, "Failed to resolve server absent.invalid"},
		{"a port where nobody listens", 0, []string{"127.0.0.1:/rw", dir, "-o", "port=9,mountport=9,retry=0"}, failure, "Connection refused"},
		{"an export that we may not mount", 0, []string{"127.0.0.1:/deny", dir}, failure, "access denied by server while mounting 127.0.0.1:/deny"},
		{"a path that is no export", 0, []string{"127.0.0.1:/absent", dir}, failure, "access denied by server while mounting 127.0.0.1:/absent"},
		{"an export that does not serve UDP", 0, []string{"127.0.0.1:/tcponly", dir, "-o", "proto=udp"}, failure, "access denied by server"},
		{"an export that wants a reserved port", 0, []string{"127.0.0.1:/priv", dir, "-o", "noresvport"}, failure, "noresvport"},
		{"a mount point of somebody else's", nobody, []string{"127.0.0.1:/rw", dir}, failure, ""},
		{"a user of an export that wants a reserved port", nobody, []string{"127.0.0.1:/priv", theirs}, failure, "reserved port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.run(t, 30*time.Second, c.uid, w.bin("mount.gonfs"), c.args...)
			if r.code != c.code {
				t.Errorf("exit code %d, want %d", r.code, c.code)
			}
			lines := strings.Count(r.stderr, "\n")
			if lines != 1 || !strings.HasPrefix(r.stderr, "mount.gonfs: ") || !strings.Contains(r.stderr, c.want) {
				t.Errorf("stderr is %q, want one line with %q", r.stderr, c.want)
			}
			t.Logf("%s", strings.TrimSpace(r.stderr))
			if r.stdout != "" {
				t.Errorf("stdout is %q", r.stdout)
			}
			nothingLeft(t)
		})
	}
}
