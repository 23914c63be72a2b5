package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// namespaceEnv tells a test that it runs in a namespace, and which part of it
// is wanted.
const namespaceEnv = "GONFS_TEST_NAMESPACE"

// inNamespaces runs parts of the test once more, side by side, each as root of a
// network namespace of its own, in which ports 111 and 2049 are free. There it
// returns the part. Who may not make namespaces skips the test.
func inNamespaces(t *testing.T, parts ...string) string {
	t.Helper()
	if part := os.Getenv(namespaceEnv); part != "" {
		ip(t, "link set lo up")
		return part
	}
	for _, part := range parts {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			namespace(t, part)
		})
	}
	return ""
}

// namespace runs one part.
func namespace(t *testing.T, part string) {
	name, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.Command(os.Args[0], "-test.run=^"+name+"$", "-test.v")
	cmd.Env = append(os.Environ(), namespaceEnv+"="+part, "GONFS_NFSMOUNT_CONF=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		if os.Getenv("CI") != "" {
			t.Fatalf("no network namespace: %v", err)
		}
		t.Skipf("no network namespace: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+name) {
		t.Errorf("in the namespace: %v\n%s", err, out)
	}
}

// ip runs ip(8).
func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
}

// set sets a sysctl of IPv4, which is the namespace's own.
func set(t *testing.T, name, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// examined is what gonfs doctor --json says of the server of the namespace.
func examined(t *testing.T, args ...string) (r report, code int) {
	t.Helper()
	out, code, _ := command(t, append([]string{"doctor", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r, code
}

// always is a fault that meets all calls of some procedures.
func always(prog uint32, procs []uint32, do ...nfstest.Action) nfstest.Fault {
	return nfstest.Fault{Program: prog, Procs: procs, Times: nfstest.Forever, Do: do}
}

// large is a fault's condition: a call that fills more than one frame.
func large(c *nfstest.Call) bool { return c.Size() > 1500 }

// TestDoctorFindsWhatIsWrong makes a server, or the way to it, wrong in one way
// at a time.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	null, mnt := []uint32{0}, []uint32{mountd.ProcMnt}
	rows := []struct {
		name, spec, args string
		slow             bool // it takes seconds
		o                nfstest.Options
		faults           []nfstest.Fault
		before           func(t *testing.T)
		code             int
		finding          string // "result check: " and something of its answer or cause
	}{
		{name: "nothing", args: "-o nolock", finding: "ok FSINFO: owner 0:0"},
		{name: "nothing, over UDP", args: "-o nolock,udp", finding: "ok connect: from port"},
		{name: "an option", args: "-o frob", code: 32, finding: "failure options: 'frob' is unknown"},
		{name: "a name", spec: "absent.invalid:/export", args: "-o nolock", code: 32, finding: "failure names: "},
		{name: "no rpcbind and no ports", slow: true, args: "-o nolock", code: 32, finding: "failure MNT: nobody listens there: mountd does not run"},
		{name: "a rpcbind that is silent over UDP", slow: true, args: "-o nolock", code: 0,
			faults:  []nfstest.Fault{{Program: portmap.Program, Network: "udp", Procs: []uint32{3, 4}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DropCall()}}},
			finding: "note rpcbind: swallows port 111 over udp"},
		{name: "a rpcbind that says port 65536", args: "-o nolock", code: 32, faults: []nfstest.Fault{always(portmap.Program, []uint32{portmap.ProcGetport},
			nfstest.Message(func(m []byte) []byte { m[24], m[25], m[26], m[27] = 0, 1, 0, 0; return m }))}, finding: "failure rpcbind: it is none, or broken"},
		{name: "a rpcbind that says port 0", args: "-o nolock", code: 32, faults: []nfstest.Fault{always(portmap.Program, []uint32{portmap.ProcGetport},
			nfstest.Message(func(m []byte) []byte { m[24], m[25], m[26], m[27] = 0, 0, 0, 0; return m }))}, finding: "failure rpcbind: does not run on the server"},
		{name: "a rpcbind that names the port of another program", args: "-o nolock", code: 1, faults: []nfstest.Fault{always(nfs3.Program, null, nfstest.Accept(rpc.ProgUnavail))},
			finding: "warning program: another program or version listens"},
		{name: "a port that hangs up", args: "-o nolock", code: 1, faults: []nfstest.Fault{{Program: mountd.Program, Procs: null, Network: "tcp", Times: nfstest.Forever, Do: []nfstest.Action{nfstest.FinAt(0)}}},
			finding: "warning program: "},
		{name: "not exported to us", args: "-o nolock", code: 32, faults: []nfstest.Fault{always(mountd.Program, mnt, nfstest.Status(nfs3.ErrAcces))}, finding: "failure MNT: not to this host"},
		{name: "no such path", args: "-o nolock", code: 32, faults: []nfstest.Fault{always(mountd.Program, mnt, nfstest.Status(nfs3.ErrNoent))}, finding: "failure MNT: no such path"},
		{name: "Kerberos alone", args: "-o nolock", o: nfstest.Options{Flavors: []rpc.Flavor{390003}}, code: 32, finding: "failure sec: other flavours"},
		{name: "a reserved port is wanted", args: "-o nolock,noresvport", o: nfstest.Options{PrivilegedPort: true}, code: 32, finding: "failure FSINFO: the export wants a reserved port"},
		{name: "a reserved port is wanted, and had", args: "-o nolock", o: nfstest.Options{PrivilegedPort: true}, finding: "note ports: ordinary users cannot mount it"},
		{name: "the wrong transport", args: "-o nolock,udp", faults: []nfstest.Fault{always(nfs3.Program, nil, nfstest.Deny(uint32(rpc.AuthFailed)))}, code: 32, finding: "failure FSINFO: this export does not serve this transport (udp)"},
		{name: "a handle that is stale", args: "-o nolock", faults: []nfstest.Fault{always(nfs3.Program, nil, nfstest.Status(nfs3.ErrStale))}, code: 32, finding: "failure FSINFO: disagree"},
		{name: "root is squashed", args: "-o nolock", o: nfstest.Options{RootSquash: true, RootMode: 0o700}, code: 1, finding: "warning rights: root is squashed to nobody"},
		{name: "read-only", args: "-o nolock", o: nfstest.Options{ReadOnly: true}, finding: "note rights: the export is read-only"},
		{name: "read-only, as asked for", args: "-o nolock,ro", o: nfstest.Options{ReadOnly: true}, finding: "ok rights: granted: read, lookup"},
		{name: "fragments over UDP", args: "-o nolock,udp,rsize=32k", before: func(t *testing.T) { ip(t, "link set lo mtu 1500") }, code: 1, finding: "warning udp: pieces of two messages"},
		{name: "fragments over UDP, allowed", args: "-o nolock,udp,rsize=32k,udpfrag=allow", before: func(t *testing.T) { ip(t, "link set lo mtu 1500") }, finding: "note udp: pieces of two messages"},
		{name: "fragments over UDP, refused", args: "-o nolock,udp,rsize=32k,udpfrag=refuse", before: func(t *testing.T) { ip(t, "link set lo mtu 1500") }, code: 32, finding: "failure sizes: udpfrag=refuse"},
		{name: "no jumbo frames", args: "-o nolock", before: func(t *testing.T) { ip(t, "link set lo mtu 1500") }, finding: "ok udp: room for 1472 bytes in a frame: no jumbo frames"},
		{name: "a station that swallows jumbo frames", slow: true, args: "-o nolock", before: func(t *testing.T) { ip(t, "link set lo mtu 9000") }, code: 1,
			faults:  []nfstest.Fault{{Procs: null, Network: "udp", Times: nfstest.Forever, If: large, Do: []nfstest.Action{nfstest.DropCall()}}},
			finding: "warning udp: some station on the way does not pass such frames"},
		{name: "a station that swallows full segments", slow: true, args: "-o nolock", code: 1,
			faults:  []nfstest.Fault{{Procs: null, Network: "tcp", Times: nfstest.Forever, If: large, Do: []nfstest.Action{nfstest.DropCall()}}},
			finding: "warning tcp: small calls are answered"},
		{name: "full segments", args: "-o nolock", finding: "ok tcp: they got through"},
		{name: "a NAT that forgets", slow: true, args: "--idle 1 -o nolock,keepalive=300", code: 1,
			faults:  []nfstest.Fault{{Procs: null, Network: "tcp", Skip: 3, Do: []nfstest.Action{nfstest.HalfOpen()}}},
			finding: "warning nat: is dead in silence"},
		{name: "a NAT that resets", slow: true, args: "--idle 1 -o nolock,keepalive=300", code: 1,
			faults:  []nfstest.Fault{{Procs: null, Network: "tcp", Skip: 3, Do: []nfstest.Action{nfstest.ResetAt(0)}}},
			finding: "warning nat: was reset"},
		{name: "no NAT", slow: true, args: "--idle 1 -o nolock", finding: "ok nat: the connection lives"},
		{name: "many connections", args: "-o nolock,nconnect=16", finding: "note nat: many connections"},
		{name: "reserved ports for everybody", args: "-o nolock", code: 1, before: func(t *testing.T) {
			set(t, "ip_unprivileged_port_start", "512") // or else the kernel does not let us
			set(t, "ip_local_port_range", "700 60999")
		}, finding: "warning ports: programs that do not care"},
		{name: "a server without its path", spec: "127.0.0.1", args: "-o nolock", finding: "ok exports: 1 exports: /export"},
		{name: "a server that nobody has", slow: true, spec: "127.0.0.77:/export", args: "-o nolock,port=2049,mountport=20048", code: 32, finding: "note rpcbind: the server has no rpcbind"},
	}
	parts := []string{"what is quick"}
	for _, tt := range rows {
		if tt.slow {
			parts = append(parts, tt.name)
		}
	}
	part := inNamespaces(t, parts...)
	for _, tt := range rows {
		if part == "" || tt.slow && part != tt.name || !tt.slow && part != parts[0] {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			tt.o.UsualPorts = tt.name != "no rpcbind and no ports"
			srv := nfstest.New(tt.o)
			if err := srv.Start(); err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			for _, f := range tt.faults {
				srv.Fault(f)
			}
			if tt.before != nil {
				tt.before(t)
				defer func() {
					ip(t, "link set lo mtu 65536")
					set(t, "ip_local_port_range", "32768 60999")
				}()
			}
			spec := tt.spec
			if spec == "" {
				spec = "127.0.0.1:/export"
			}
			r, code := examined(t, append(strings.Fields(tt.args), spec)...)
			if code != tt.code || r.Well != (code == 0) || r.Mounts != (code != 32) {
				t.Errorf("exit code %d, want %d; well %v, mounts %v", code, tt.code, r.Well, r.Mounts)
			}
			head, what, _ := strings.Cut(tt.finding, ": ")
			found := false
			for _, f := range r.Findings {
				if string(f.Result)+" "+f.Check == head && strings.Contains(f.Answer+" "+f.Cause, what) {
					found = true
				}
				if f.Result == isFailure && f.Check != "mount" && len(f.Try) == 0 || f.Result == isWarning && f.Cause == "" {
					t.Errorf("nothing is said to be done about %+v", f)
				}
			}
			if !found || testing.Verbose() && t.Failed() {
				t.Errorf("%q is not found:", tt.finding)
				for _, f := range r.Findings {
					t.Logf("%s %s: %s | %s: %s | %s", f.Result, f.Check, f.Server, f.Asked, f.Answer, f.Cause)
				}
			}
		})
	}
}

// What rpcbind does not list is missed.
func TestDoctorMissesPrograms(t *testing.T) {
	for _, tt := range []struct {
		name, opts string
		all        []portmap.Rpcb
		want       string // results of NFS, MOUNT, NLM, NSM and NFSACL
	}{
		{"nothing is there", "", []portmap.Rpcb{{Prog: 1}}, "warning warning warning warning note"},
		{"nothing is there, and no locks are wanted", "nolock", []portmap.Rpcb{{Prog: 1}}, "warning warning note note note"},
		{"version 4 alone", "nolock", []portmap.Rpcb{{Prog: nfs3.Program, Vers: 4, Netid: "tcp", Addr: "127.0.0.1.8.1"}}, "warning warning note note note"},
		{"the other family alone", "nolock", []portmap.Rpcb{{Prog: nfs3.Program, Vers: 3, Netid: "tcp6", Addr: "::1.8.1"}}, "warning warning note note note"},
		{"a port where nobody listens", "nolock", []portmap.Rpcb{{Prog: nfs3.Program, Vers: 3, Netid: "tcp", Addr: "127.0.0.1.0.1"}}, "warning warning note note note"},
	} {
		o, err := mountopt.Parse(tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		d := &doctor{opts: o}
		d.w = &b
		d.programs(t.Context(), "h", netip.MustParseAddr("127.0.0.1"), tt.all)
		var got []string
		for _, f := range d.Findings {
			got = append(got, string(f.Result))
		}
		if fmt.Sprint(got) != "["+tt.want+"]" {
			t.Errorf("%s: %v, want %s\n%s", tt.name, got, tt.want, b.String())
		}
	}
}
