package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestMountWorkUnmount(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "rsize=65536,nosuid,_netdev,x-systemd.automount")
	if line := mountLine(t, dir); !strings.HasPrefix(line, s.Export()+" "+dir+" fuse.gonfs rw,nosuid") {
		t.Errorf("the kernel shows %q", line)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v", got, err)
	}
	if got, err := s.ReadFile("/file"); err != nil || string(got) != "hello" {
		t.Errorf("the server has %q, %v", got, err)
	}
	if o := must(t, "umount.gonfs", dir, "-v"); !strings.Contains(o.out, dir+" unmounted") {
		t.Errorf("-v says %s", o)
	}
	nothingLeft(t, dir)
	if m := s.Mounts(); len(m) != 0 {
		t.Errorf("the server was not told: %v", m)
	}
}

func TestMountOverUDP(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := mounted(t, s, "udp")
	if err := os.WriteFile(dir+"/file", make([]byte, 100_000), 0o644); err != nil {
		t.Error(err)
	}
	must(t, "umount.fuse.gonfs", dir)
	nothingLeft(t, dir)
}

// The ways in which mount(8), fstab and people write it.
func TestFormsOfInvocation(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	o := s.MountOptions()
	for name, args := range map[string][]string{
		"mount(8)":               {"mount.gonfs", s.Export(), dir, "-s", "-n", "-v", "-o", "rw," + o + ",_netdev,user", "-t", "fuse.gonfs"},
		"flags first":            {"mount.gonfs", "-o", o, s.Export(), dir},
		"-o several times":       {"mount.gonfs", "-o", "rw", s.Export(), "-o", o, dir},
		"-o attached":            {"mount.gonfs", "-no" + o, s.Export(), dir},
		"an end to the flags":    {"mount.gonfs", "-o", o, "--", s.Export(), dir},
		"the type fuse.gonfs":    {"mount.fuse.gonfs", s.Export(), dir, "-o", o + ",dev,suid"},
		"the type fuse":          {"mount.fuse.gonfs", "gonfs#" + s.Export(), dir, "-o", o},
		"a path of its own":      {"/sbin/mount.gonfs", s.Export(), dir, "-o", o},
		"a log file":             {"mount.gonfs", s.Export(), dir, "--log", dir + ".log", "-o", o},
		"unknown names, sloppy":  {"mount.gonfs", s.Export(), dir, "-so", o + ",frobnicate"},
		"a directory with slash": {"mount.gonfs", s.Export(), dir + "/", "-o", o},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, args[0], args[1:]...)
			if !isMounted(t, dir) {
				t.Error("not mounted")
			}
			must(t, "umount.gonfs", dir)
			nothingLeft(t, dir)
		})
	}
	if st, err := os.Stat(dir + ".log"); err != nil || st.Size() == 0 {
		t.Errorf("the log file: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	needMounts(t)
	s := server(t)
	for name, flags := range map[string][]string{
		"-r":               {"-r"},
		"-o ro":            {"-o", "ro"},
		"-w, but -o ro":    {"-w", "-o", "ro"},
		"-r and then -o w": {"-r", "-o", "rw"},
	} {
		dir := mounted(t, s, "", flags...)
		err := os.WriteFile(dir+"/file", nil, 0o644)
		if want := name == "-r and then -o w"; (err == nil) != want {
			t.Errorf("%s: writing gives %v", name, err)
		}
		must(t, "umount.gonfs", dir)
	}
}

// Nothing is mounted, and one line says why.
func TestWhatGoesWrong(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const nobody = "port=9,mountport=9,tcp,retry=0"
	for name, tt := range map[string]struct {
		args []string
		code int
		text string
	}{
		"nothing to mount":   {[]string{}, 1, "what to mount, and where, are expected: got 0 operands; mount.gonfs --help explains"},
		"three operands":     {[]string{"h:/e", dir, "x"}, 1, "what to mount, and where, are expected: got 3 operands; mount.gonfs --help explains"},
		"an unknown flag":    {[]string{"h:/e", dir, "-x"}, 1, "flag provided but not defined: -x; mount.gonfs --help explains"},
		"-o without options": {[]string{"h:/e", dir, "-o"}, 1, "flag needs an argument: -o; mount.gonfs --help explains"},
		"another type":       {[]string{"h:/e", dir, "-t", "nfs"}, 1, `type "nfs" is not gonfs; mount.gonfs --help explains`},
		"no spec":            {[]string{"/dev/sda", dir}, 32, "/dev/sda: remote share not in 'host:dir' format"},
		"an unknown option":  {[]string{"h:/e", dir, "-o", "frob"}, 32, "an incorrect mount option was specified: 'frob' is unknown to gonfs"},
		"a later option":     {[]string{"h:/e", dir, "-o", "softreval"}, 32, "option 'softreval' is not supported yet by gonfs"},
		"a bad value":        {[]string{"h:/e", dir, "-so", "timeo=abc"}, 32, "invalid value for 'timeo=' option: 'abc' is not a number of tenths of a second (1 to 2147483647)"},
		"two versions":       {[]string{"h:/e", dir, "-o", "vers=3,v3"}, 32, "multiple version options not permitted"},
		"version 4":          {[]string{"h:/e", dir, "-o", "vers=4.1"}, 32, "requested NFS version or transport protocol is not supported: 'vers=4.1': gonfs speaks NFS version 3"},
		"Kerberos":           {[]string{"h:/e", dir, "-o", "sec=krb5p"}, 32, "option 'sec=krb5p' is not supported by gonfs: it has no Kerberos yet, and does not go on with less security than was asked for"},
		"TLS":                {[]string{"h:/e", dir, "-o", "xprtsec=tls"}, 32, "option 'xprtsec=tls' is not supported yet by gonfs"},
		"RDMA":               {[]string{"h:/e", dir, "-o", "proto=rdma"}, 32, "requested NFS version or transport protocol is not supported: 'proto=rdma': gonfs has TCP and UDP, and does not go on over another transport than was asked for"},
		"an empty name":      {[]string{"127.0.0.1:/e", "", "-o", nobody}, 32, "the mount point is an empty name"},
		"no mount point":     {[]string{"127.0.0.1:/e", dir + "/none", "-o", nobody}, 32, "mount point " + dir + "/none does not exist"},
		"a file":             {[]string{"127.0.0.1:/e", file, "-o", nobody}, 32, "mount point " + file + " is not a directory"},
		"nobody listens":     {[]string{"127.0.0.1:/e", dir, "-o", nobody}, 32, "Connection refused"},
		"bg, for good":       {[]string{"127.0.0.1:/e", dir + "/none", "-o", "bg"}, 32, "mount point " + dir + "/none does not exist"},
		"nothing to remount": {[]string{"h:/e", dir, "-o", "remount,ro"}, 32, "mount point " + dir + " is not mounted by gonfs, or its daemon is gone"},
		"no such namespace":  {[]string{"h:/e", dir, "-N", "/none"}, 2, "mount namespace: open /none: no such file or directory"},
	} {
		o := finish(t, command("mount.gonfs", tt.args...))
		if o.code != tt.code || o.stderr != "mount.gonfs: "+tt.text+"\n" || o.out != "" {
			t.Errorf("%s: %s\nwant code %d, %q", name, o, tt.code, tt.text)
		}
		if isMounted(t, dir) || len(daemons(t, dir)) > 0 {
			t.Errorf("%s: something is left", name)
		}
	}
}

func TestAnExportThatIsNotThere(t *testing.T) {
	s := server(t)
	o := finish(t, command("mount.gonfs", "127.0.0.1:/export/none", t.TempDir(), "-o", s.MountOptions()))
	const want = "mount.gonfs: mounting 127.0.0.1:/export/none failed, reason given by server: No such file or directory\n"
	if o.code != 32 || o.stderr != want {
		t.Errorf("got %s\nwant %q", o, want)
	}
}

func TestFakeAsksTheServerAndMountsNothing(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	must(t, "mount.gonfs", s.Export(), dir, "-f", "-o", s.MountOptions())
	nothingLeft(t, dir)
	if o := finish(t, command("mount.gonfs", "127.0.0.1:/export/none", dir, "-f", "-o", s.MountOptions())); o.code != 32 {
		t.Errorf("a fake mount of nothing: %s", o)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, name := range []string{"mount.gonfs", "mount.fuse.gonfs", "umount.gonfs", "umount.fuse.gonfs"} {
		for _, flag := range []string{"-h", "--help"} {
			if o := must(t, name, flag); !strings.HasPrefix(o.out, "Usage: "+name+" ") || o.stderr != "" {
				t.Errorf("%s %s: %s", name, flag, o)
			}
		}
		if o := must(t, name, "-V"); !strings.HasPrefix(o.out, name+" ") {
			t.Errorf("%s -V: %s", name, o)
		}
	}
}

func TestWarningsAreSaidOnceAtTheMount(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	options := s.MountOptions() + ",intr,intr"
	o := must(t, "mount.gonfs", s.Export(), dir, "-o", options)
	if want := "option 'intr' has no effect"; strings.Count(o.stderr, "mount.gonfs: "+want) != 1 || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("%q is not said once, or more is: %s", want, o)
	}
	must(t, "umount.gonfs", dir)
}

// While the server says nothing the command can be stopped, and then the daemon
// goes too: even if the command is killed.
func TestAMountThatIsInterrupted(t *testing.T) {
	needMounts(t)
	s := server(t)
	s.Freeze()
	defer s.Thaw()
	for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 8, syscall.SIGTERM: 8, syscall.SIGKILL: -1} {
		dir := t.TempDir()
		cmd := command("mount.gonfs", s.Export(), dir, "-o", s.MountOptions())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the daemon begins", func() bool { return len(daemons(t, dir)) == 2 })
		if err := cmd.Process.Signal(sig); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // its exit code is looked at
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("%v: exit code %d, want %d", sig, got, code)
		}
		eventually(t, "the daemon ends", func() bool { return len(daemons(t, dir)) == 0 })
		nothingLeft(t, dir)
	}
}
