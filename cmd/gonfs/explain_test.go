package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
)

// command runs a command and returns its standard output and exit code.
func command(t *testing.T, args ...string) (string, int, error) {
	t.Helper()
	app := newApp()
	var out bytes.Buffer
	app.Writer, app.ErrWriter = &out, &out
	err := run(t.Context(), app, append([]string{"gonfs"}, args...))
	return out.String(), exitcodes.Of(err), err
}

// explained is what explain --json says.
func explained(t *testing.T, args ...string) (e explanation, code int) {
	t.Helper()
	t.Setenv("GONFS_NFSMOUNT_CONF", "")
	out, code, _ := command(t, append([]string{"explain", "--json"}, args...)...)
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return e, code
}

// The rules of nfs(5), "Using the mountproto mount option".
func TestExplainFollowsTheRules(t *testing.T) {
	for _, tt := range []struct{ name, spec, opts, want string }{
		{"nothing given", "h:/e", "", "udp,tcp | udp 0 ? | tcp 0 ?"},
		{"proto=tcp", "h:/e", "proto=tcp", "tcp | tcp 0 | tcp 0"},
		{"proto=udp", "h:/e", "proto=udp", "udp | udp 0 | udp 0"},
		{"udp", "h:/e", "udp", "udp | udp 0 | udp 0"},
		{"tcp", "h:/e", "tcp", "tcp | tcp 0 | tcp 0"},
		{"proto=tcp6", "h:/e", "proto=tcp6", "tcp6 | tcp6 0 | tcp6 0"},
		{"proto=udp6", "h:/e", "proto=udp6", "udp6 | udp6 0 | udp6 0"},
		{"mountproto=udp only", "h:/e", "mountproto=udp", "udp,tcp | udp 0 | tcp 0 ?"},
		{"mountproto=tcp only", "h:/e", "mountproto=tcp", "udp,tcp | tcp 0 | tcp 0 ?"},
		{"both", "h:/e", "mountproto=udp,proto=tcp", "udp,tcp | udp 0 | tcp 0"},
		{"both, the other way round", "h:/e", "proto=tcp,mountproto=udp", "udp,tcp | udp 0 | tcp 0"},
		{"both, by a flag", "h:/e", "udp,mountproto=tcp", "udp,tcp | tcp 0 | udp 0"},
		{"the rightmost of proto, udp and tcp", "h:/e", "udp,proto=tcp6,tcp", "tcp | tcp 0 | tcp 0"},
		{"the rightmost mountproto", "h:/e", "tcp,mountproto=tcp,mountproto=udp", "udp,tcp | udp 0 | tcp 0"},
		{"port=", "h:/e", "tcp,port=2050", "tcp | tcp 0 | tcp 2050"},
		{"both ports: rpcbind is not asked", "h:/e", "tcp,port=2050,mountport=635", " | tcp 635 | tcp 2050"},
		{"both ports, transports open", "h:/e", "port=2050,mountport=635", " | udp 635 ? | tcp 2050 ?"},
		{"port=0 is none", "h:/e", "tcp,port=0", "tcp | tcp 0 | tcp 0"},
		{"the port of a URL", "nfs://h:4711/e", "", "udp,tcp | udp 0 ? | tcp 4711 ?"},
		{"an IPv6 address", "[::1]:/e", "", "udp6,tcp6 | udp6 0 ? | tcp6 0 ?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, code := explained(t, tt.spec, "-o", tt.opts)
			if code != 0 || e.Error != "" || e.Spec.Path != "/e" {
				t.Fatalf("exit code %d, %+v", code, e)
			}
			s := e.Services
			port := func(v viaPort) string {
				return fmt.Sprint(v.Transport, " ", v.Port) + map[bool]string{true: " ?"}[v.Discover]
			}
			if got := s.Rpcbind.Transport + " | " + port(s.Mountd) + " | " + port(s.NFS); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if s.NLM.Transport != s.NFS.Transport || s.NFSACL.Transport != s.NFS.Transport || s.NSMNotify.Transport != "udp" || s.NSMListen.Transport != "udp,tcp" {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestExplainTellsWhatHolds(t *testing.T) {
	for _, tt := range []struct{ opts, want string }{
		{"", "60000 2 linear hard 0 0 sys false 2"},
		{"udp", "1100 3 exponential hard 0 0 sys false 2"},
		{"timeo=50,retrans=5,softerr,bg", "5000 5 linear softerr 0 0 sys true 10000"},
		{"timeo=100000,soft,retry=0", "600000 2 linear soft 0 0 sys false 0"},
		{"udp,timeo=100000", "60000 3 exponential hard 0 0 sys false 2"},
		{"rsize=64k,wsize=1000,sec=none:sys", "60000 2 linear hard 65536 4096 none:sys false 2"},
		{"udp,rsize=1m,wsize=5000", "1100 3 exponential hard 32768 4096 sys false 2"},
	} {
		e, _ := explained(t, "h:/e", "-o", tt.opts)
		got := fmt.Sprintf("%d %d %s %s %d %d %s %v %d", e.TimeoMS, e.Retrans, e.Backoff, e.Recovery, e.Rsize, e.Wsize,
			strings.Join(e.Sec, ":"), e.Background, e.RetryMinutes)
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.opts, got, tt.want)
		}
		if !strings.HasPrefix(e.Effective, "rw,vers=3,") || e.LocalLock != "none" || len(e.Warnings) != 0 {
			t.Errorf("%s: %+v", tt.opts, e)
		}
	}
}

func TestExplainOfAnErrorIsNothingElse(t *testing.T) {
	for _, tt := range [][2]string{
		{"h:/e", "vers=4"}, {"h:/e", "frob"}, {"h", ""}, {"h:/e", "retry=x"}, {"h:/e", `x="`},
	} {
		e, code := explained(t, tt[0], "-o", tt[1])
		why := e.Error
		e.Error = ""
		if got := fmt.Sprintf("%+v", e); code != 32 || why == "" || got != fmt.Sprintf("%+v", explanation{}) {
			t.Errorf("%s: exit code %d, error %q, %s", tt, code, why, got)
		}
		if out, code, err := command(t, "explain", tt[0], "-o", tt[1]); code != 32 || out != "" || err.Error() != why {
			t.Errorf("%s, as text: exit code %d, %q, %v", tt, code, out, err)
		}
	}
}

// The names and the order of what --json prints are for others to rely on.
func TestTheFormOfExplain(t *testing.T) {
	t.Setenv("GONFS_NFSMOUNT_CONF", "")
	out, _, err := command(t, "explain", "h:/e", "-o", "nolock", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(out)); err != nil {
		t.Fatal(err)
	}
	const want = `{"spec":{"host":"h","path":"/e"},"error":"","services":{"rpcbind":{"transport":"udp,tcp"},` +
		`"mountd":{"transport":"udp","port":0,"discover":true},"nfs":{"transport":"tcp","port":0,"discover":true},` +
		`"nlm":{"transport":"tcp"},"nfsacl":{"transport":"tcp"},"nsm_notify":{"transport":"udp"},"nsm_listen":{"transport":"udp,tcp"}},` +
		`"timeo_ms":60000,"retrans":2,"backoff":"linear","recovery":"hard","rsize":0,"wsize":0,"sec":["sys"],"local_lock":"all",` +
		`"background":false,"retry_minutes":2,"effective":"rw,vers=3,hard,nolock,local_lock=all","warnings":[]}`
	if b.String() != want {
		t.Errorf("got  %s\nwant %s", b.String(), want)
	}
	text, _, err := command(t, "explain", "h:/e", "-o", "nolock,bg")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"by rpcbind", "NSM, listening", "in the background", "rw,vers=3,hard,nolock,local_lock=all"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestExplainReadsNfsmountConf(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(conf, []byte("[ MountPoint /mnt ]\nrsize=8k\n[ NFSMount_Global_Options ]\nProto=udp\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GONFS_NFSMOUNT_CONF", conf)
	for args, want := range map[string]string{
		"explain h:/e":                   "rw,vers=3,hard,proto=udp,local_lock=none",
		"explain h:/e -o udpfrag=refuse": "rw,vers=3,hard,proto=udp,udpfrag=refuse,local_lock=none",
		"explain h:/e /mnt":              "rw,vers=3,rsize=8192,hard,proto=udp,local_lock=none",
		"explain h:/e /mnt -o tcp":       "rw,vers=3,rsize=8192,hard,proto=tcp,local_lock=none",
	} {
		if out, _, err := command(t, strings.Fields(args)...); err != nil || !strings.Contains(out, " "+want+"\n") {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
}
