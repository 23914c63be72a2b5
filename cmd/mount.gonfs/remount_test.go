package main

import (
	"os"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/mounttab"
)

func TestRemount(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "noexec,rsize=65536")
	write := func() error { return os.WriteFile(dir+"/file", nil, 0o644) }
	if err := write(); err != nil {
		t.Fatal(err)
	}
	// As libmount calls it for "mount -o remount,ro".
	must(t, "mount.fuse.gonfs", s.Export(), dir, "-o", "ro,noexec,relatime,remount,user_id=0,group_id=0,max_read=1048576", "-t", "fuse.gonfs")
	if err := write(); err == nil {
		t.Error("it can be written")
	}
	// As a person does: what is not mentioned stays.
	must(t, "mount.gonfs", s.Export(), dir, "-o", "remount,rw")
	if err := write(); err != nil {
		t.Error(err)
	}
	if line := mountLine(t, dir); !strings.Contains(line, "noexec") || strings.Contains(line, " ro,") {
		t.Errorf("the kernel shows %q", line)
	}
	// What holds already may be said again, a change may not.
	must(t, "mount.gonfs", s.Export(), dir, "-o", "remount,hard,proto=tcp,rsize=65536,vers=3")
	o := finish(t, command("mount.gonfs", s.Export(), dir, "-o", "remount,soft"))
	if want := "mount.gonfs: " + dir + ": remount cannot change 'soft': unmount it, and mount it anew\n"; o.code != 32 || o.stderr != want {
		t.Errorf("got %s", o)
	}
	must(t, "mount.gonfs", "-f", s.Export(), dir, "-o", "remount,ro")
	if err := write(); err != nil {
		t.Errorf("after a fake remount: %v", err)
	}
	f, err := os.OpenFile(dir+"/file", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if o := finish(t, command("mount.gonfs", s.Export(), dir, "-o", "remount,ro")); o.code != 32 || !strings.Contains(o.stderr, "busy") {
		t.Errorf("with a writer: %s", o)
	}
	f.Close()
	must(t, "umount.gonfs", dir)
	nothingLeft(t, dir)
}

func TestWhatARemountWouldChange(t *testing.T) {
	for name, tt := range map[string]struct{ asked, effective, given, want string }{
		"nothing is given":             {"soft", "rw,vers=3,soft", "", ""},
		"flags of the kernel":          {"", "rw,vers=3,hard", "ro,nosuid,noatime,sync", ""},
		"the same again":               {"soft,rsize=1000", "rw,rsize=4096,soft", "soft,rsize=1000", ""},
		"the same in another spelling": {"rsize=1m,vers=3", "rw,rsize=1048576", "rsize=0x100000,nfsvers=3", ""},
		"what is in effect anyway":     {"", "rw,hard,proto=tcp,rsize=1048576", "tcp,rsize=1m,hard", ""},
		"the security asked for":       {"sec=sys", "rw,sec=sys", "sec=sys", ""},
		"another kind of recovery":     {"", "rw,vers=3,hard", "softerr", "softerr"},
		"hard again":                   {"soft", "rw,vers=3,soft", "hard", "hard"},
		"another size":                 {"rsize=65536", "rw,rsize=65536", "rsize=32768", "rsize=32768"},
		"another time-out":             {"", "rw,timeo=600", "timeo=50", "timeo=50"},
		"a reserved port after all":    {"noresvport", "rw,noresvport", "resvport", "noresvport"},
		"no attribute cache":           {"", "rw", "noac", "noac"},
		"an attribute cache after all": {"noac", "rw,noac", "ac", "noac"},
		"other security":               {"sec=sys", "rw,sec=sys", "sec=none", "sec=none"},
		"locks that are local anyway":  {"nolock", "rw,nolock,local_lock=all", "local_lock=all", ""},
		"locks that are to be local":   {"", "rw,local_lock=none", "nolock", "nolock"},
	} {
		o, err := mountopt.Parse("remount," + tt.given)
		if err != nil {
			t.Fatal(err)
		}
		got, err := changes(o, mounttab.Record{Asked: tt.asked, Options: tt.effective})
		if err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, tt.want)
		}
	}
}
