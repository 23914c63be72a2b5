package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// registered is what a server had, as it told version 4.
var registered = []portmap.Rpcb{
	{Prog: 100000, Vers: 4, Netid: "tcp6", Addr: "::.0.111", Owner: "superuser"},
	{Prog: 100000, Vers: 2, Netid: "tcp", Addr: "0.0.0.0.0.111", Owner: "superuser"},
	{Prog: 100000, Vers: 3, Netid: "local", Addr: "/run/rpcbind.sock", Owner: "superuser"},
	{Prog: 100005, Vers: 1, Netid: "tcp", Addr: "0.0.0.0.2.123", Owner: "1000"},
	{Prog: 100005, Vers: 3, Netid: "udp", Addr: "0.0.0.0.2.123", Owner: "1000"},
	{Prog: 100005, Vers: 3, Netid: "tcp", Addr: "0.0.0.0.2.123", Owner: "1000"},
	{Prog: 100005, Vers: 3, Netid: "tcp6", Addr: "::.2.124", Owner: "1000"},
	{Prog: 391002, Vers: 2, Netid: "tcp", Addr: "0.0.0.0.4.0", Owner: "a\x1b[2Jb"},
}

// The forms are those of rpcinfo(8) 1.2.6, to the byte.
func TestFormsOfRpcinfo(t *testing.T) {
	for name, tt := range map[string]struct {
		print func(*bytes.Buffer)
		want  string
	}{
		"all": {func(b *bytes.Buffer) { printAll(b, registered) }, `
   program version netid     address                service    owner
    100000    4    tcp6      ::.0.111               portmapper superuser
    100000    2    tcp       0.0.0.0.0.111          portmapper superuser
    100000    3    local     /run/rpcbind.sock      portmapper superuser
    100005    1    tcp       0.0.0.0.2.123          mountd     1000
    100005    3    udp       0.0.0.0.2.123          mountd     1000
    100005    3    tcp       0.0.0.0.2.123          mountd     1000
    100005    3    tcp6      ::.2.124               mountd     1000
    391002    2    tcp       0.0.0.0.4.0            -          a?[2Jb
`},
		"-p": {func(b *bytes.Buffer) { printOld(b, registered) }, `
   program vers proto   port  service
    100000    2   tcp    111  portmapper
    100005    1   tcp    635  mountd
    100005    3   udp    635  mountd
    100005    3   tcp    635  mountd
    391002    2   tcp   1024
`},
		"-s": {func(b *bytes.Buffer) { printShort(b, registered) }, `
   program version(s) netid(s)                         service     owner
    100000  2,3,4     tcp6,tcp,local                   portmapper  superuser
    100005  1,3       tcp,udp,tcp6                     mountd      1000
    391002  2         tcp                              -           a?[2Jb
`},
	} {
		var b bytes.Buffer
		if tt.print(&b); b.String() != tt.want[1:] {
			t.Errorf("%s:\n%swant\n%s", name, b.String(), tt.want[1:])
		}
	}
}

// What is printed as JSON has arrays, empty ones too, and keys as elsewhere.
func TestListsAsJSON(t *testing.T) {
	for want, v := range map[string]any{
		`[{"program":391002,"version":2,"netid":"tcp","address":"0.0.0.0.4.0","owner":"a\u001b[2Jb"}]`: shownPrograms(registered[7:]),
		`[]`:                                     shownPrograms(nil),
		`{"mounts":[]}`:                          (&mountLists{}).shown(),
		`{"mounts":[{"host":"h","dir":"/d"}]}`:   (&mountLists{Mounts: []mountd.Mount{{Host: "h", Dir: "/d"}}}).shown(),
		`{"exports":[]}`:                         (&mountLists{exports: true}).shown(),
		`{"exports":[{"dir":"/e","groups":[]}]}`: (&mountLists{exports: true, Exports: []mountd.Export{{Dir: "/e"}}}).shown(),
		`{"exports":[{"dir":"/e","groups":["a","198.18.0.0/24"]}]}`: (&mountLists{exports: true, Exports: []mountd.Export{{Dir: "/e", Groups: []string{"a", "198.18.0.0/24"}}}}).shown(),
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}

func TestWaysToAProgram(t *testing.T) {
	if got, want := fmt.Sprint(ways(registered, 100005, netip.MustParseAddr("192.0.2.1"))), "[{3 tcp 635} {3 udp 635} {1 tcp 635}]"; got != want {
		t.Errorf("IPv4: %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(ways(registered, 100005, netip.IPv6Loopback())), "[{3 tcp6 636}]"; got != want {
		t.Errorf("IPv6: %s, want %s", got, want)
	}
}

func TestPing(t *testing.T) {
	s := nfstest.New(nfstest.Options{})
	if err := s.Start("tcp", "udp"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, mount, nfs := s.Ports()
	for _, tt := range []struct {
		args string
		code int
		want string // in the output or the error
	}{
		{fmt.Sprintf("-n %d 127.0.0.1 nfs", nfs), 0, "program 100003 version 3 ready and waiting"},
		{fmt.Sprintf("-n %d -T udp 127.0.0.1 100003 3", nfs), 0, "program 100003 version 3 ready and waiting"},
		{fmt.Sprintf("-n %d 127.0.0.1 mountd 0x3", mount), 0, "program 100005 version 3 ready and waiting"},
		{fmt.Sprintf("-n %d 127.0.0.1 nfs 9", nfs), 1, "program 100003 version 9 is not available: rpc: program 100003 version 9 procedure 0: PROG_MISMATCH"},
		{fmt.Sprintf("-n %d 127.0.0.1 4711 1", nfs), 1, "program 4711 version 1 is not available"},
		{"-n 1 127.0.0.1 nfs 3", 1, "connection refused"},
		{"-n 1 -T tcp6 127.0.0.1 nfs 3", 1, "127.0.0.1 is not an address of tcp6"},
		{"-T sctp 127.0.0.1 nfs", 1, "-T sctp: tcp, udp, tcp6 and udp6 are known"},
		{"-n 65536 127.0.0.1 nfs", 1, "not a port"},
		{"127.0.0.1 nothing", 1, `program "nothing" is neither a number nor a known name`},
		{"127.0.0.1 nfs three", 1, `version "three" is not a number`},
		{"-l 127.0.0.1 nfs", 1, "-l wants PROGRAM and VERSION"},
		{"127.0.0.1 nfs 3 4", 1, "got 4 operands"},
	} {
		out, code, err := command(t, append([]string{"rpcinfo"}, strings.Fields(tt.args)...)...)
		if code != tt.code || !strings.Contains(fmt.Sprint(out, err), tt.want) {
			t.Errorf("%s: exit code %d, %q, %v\nwant %d, %q", tt.args, code, out, err, tt.code, tt.want)
		}
	}
}

// The rpcbind of the test server listens elsewhere than at 111, and has all
// three versions.
func TestListsOverTheNet(t *testing.T) {
	s := nfstest.New(nfstest.Options{})
	if err := s.Start("tcp", "udp"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rpcbind, mount, nfs := s.Ports()
	local := netip.MustParseAddr("127.0.0.1")
	for _, netid := range []string{"tcp", "udp"} {
		err := askServer(t.Context(), netid, local, rpcbind, func(ctx context.Context, c *rpc.Client) error {
			all, err := dumpAll(ctx, c)
			if err == nil && (len(ways(all, 100003, local)) != 2 || ways(all, 100003, local)[0] != way{3, "tcp", nfs}) {
				t.Errorf("%s: %+v", netid, all)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", netid, err)
		}
	}
	var l mountLists
	l.exports = true
	if err := l.askAt(t.Context(), local, way{3, "tcp", mount}); err != nil || len(l.Exports) != 1 || l.Exports[0].Dir != "/export" {
		t.Errorf("exports: %+v, %v", l, err)
	}
}

func TestFormsOfShowmount(t *testing.T) {
	l := mountLists{Mounts: []mountd.Mount{{Host: "b", Dir: "/y"}, {Host: "a", Dir: "/y"}, {Host: "b", Dir: "/x\n"}, {Host: "b", Dir: "/y"}}}
	x := mountLists{exports: true, Exports: []mountd.Export{{Dir: "/long/one", Groups: []string{"10.0.0.0/8", "@g"}}, {Dir: "/b"}}}
	for _, tt := range []struct {
		l        *mountLists
		dirs, on bool
		headers  bool
		want     string
	}{
		{&l, false, false, true, "Hosts on h:\na\nb\n"},
		{&l, true, false, true, "Directories on h:\n/x?\n/y\n"},
		{&l, false, true, true, "All mount points on h:\na:/y\nb:/x?\nb:/y\n"},
		{&l, false, true, false, "a:/y\nb:/x?\nb:/y\n"},
		{&x, false, false, true, "Export list for h:\n/long/one 10.0.0.0/8,@g\n/b        (everyone)\n"},
	} {
		var b bytes.Buffer
		if tt.l.print(&b, "h", tt.dirs, tt.on, tt.headers); b.String() != tt.want {
			t.Errorf("got  %q\nwant %q", b.String(), tt.want)
		}
	}
	if _, code, err := command(t, "showmount", "-a", "-e", "127.0.0.1"); code != 1 || err == nil {
		t.Errorf("-a and -e: exit code %d, %v", code, err)
	}
}
