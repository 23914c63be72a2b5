package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// TestDoctor examines exports of a real server, well and ill.
func TestDoctor(t *testing.T) {
	need(t)
	for _, c := range []struct {
		name  string
		uid   int
		args  string
		code  int
		check string // a finding: "result check"
		want  string // in its answer or cause
	}{
		{"all is well", 0, "nfsserver:/rw -o nolock", 0, "ok MNT", "flavours sys:none"},
		{"for an ordinary user", nobody, "nfsserver:/rw -o nolock", 0, "ok ports", "this user cannot have one below 1024"},
		{"over UDP and IPv6", 0, "[fd99::2]:/rw -o nolock,proto=udp6", 0, "ok udp", "it got through"},
		{"a connection that is idle", 0, "127.0.0.1:/rw -o nolock --idle 1", 0, "ok nat", "the connection lives"},
		{"locks without a status monitor", 0, "127.0.0.1:/rw", 1, "warning program", "cannot tell who crashed"},
		{"a server", 0, "127.0.0.1 -o nolock", 0, "ok exports", "/rw"},
		{"an export for others", 0, "127.0.0.1:/deny -o nolock", 32, "failure MNT", "not to this host"},
		{"the wrong transport", 0, "127.0.0.1:/tcponly -o nolock,udp", 32, "failure FSINFO", "try proto=tcp"},
		{"a reserved port is wanted", nobody, "127.0.0.1:/priv -o nolock", 32, "failure FSINFO", "run as root or export it insecure"},
		{"a reserved port is wanted, and had", 0, "127.0.0.1:/priv -o nolock", 0, "note ports", "ordinary users cannot mount it"},
		{"read-only", 0, "127.0.0.1:/ro -o nolock", 0, "note rights", "the export is read-only"},
		{"nobody is there", 0, "198.18.0.99:/rw -o nolock", 32, "", ""},
		{"a wrong port", 0, "127.0.0.1:/rw -o nolock,port=9,tcp", 32, "failure connect", "nobody listens there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.run(t, time.Minute, c.uid, w.bin("gonfs"), append([]string{"doctor", "--json"}, strings.Fields(c.args)...)...)
			var said struct {
				Well, Mounts bool
				Findings     []struct {
					Check, Result, Asked, Answer, Cause string
					Try                                 []string
				}
			}
			if err := json.Unmarshal([]byte(r.stdout), &said); err != nil {
				t.Fatalf("%v\n%s%s", err, r.stdout, r.stderr)
			}
			if r.code != c.code || said.Well != (c.code == 0) || said.Mounts != (c.code != 32) || r.stderr != "" {
				t.Errorf("exit code %d, want %d; %q", r.code, c.code, r.stderr)
			}
			found := c.check == ""
			for _, f := range said.Findings {
				found = found || f.Result+" "+f.Check == c.check && strings.Contains(f.Answer+f.Cause, c.want)
			}
			if !found {
				t.Errorf("%s with %q is not found:\n%s", c.check, c.want, r.stdout)
			}
			nothingLeft(t)
		})
	}
	before, err := os.ReadDir(w.backing + "/rw")
	if err != nil {
		t.Fatal(err)
	}
	r := w.run(t, time.Minute, 0, w.bin("gonfs"), "doctor", "nfsserver:/rw", "-o", "nolock")
	if !strings.HasSuffix(r.stdout, "\nnfsserver:/rw: all is well\n") {
		t.Errorf("as text:\n%s", r.stdout)
	}
	after, err := os.ReadDir(w.backing + "/rw")
	if err != nil || len(after) != len(before) {
		t.Errorf("something was left on the server: %v, %v", after, err)
	}
}
