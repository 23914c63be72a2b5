package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The server comes up while the command waits for it.
func TestAMountIsTriedAgain(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	s.Down()
	cmd := command("mount.gonfs", s.Export(), dir, "-o", s.MountOptions())
	timer := time.AfterFunc(500*time.Millisecond, func() {
		if err := s.Up(); err != nil {
			t.Error(err)
		}
	})
	defer timer.Stop()
	if o := finish(t, cmd); o.code != 0 || o.stderr != "" || !isMounted(t, dir) {
		t.Errorf("got %s", o)
	}
	must(t, "umount.gonfs", dir)
	nothingLeft(t, dir)
}

// The command ends with 0 while the server is away, and a process goes on.
func TestAMountInTheBackground(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	s.Down()
	options := s.MountOptions() + ",bg"
	o := must(t, "mount.gonfs", s.Export(), dir, "-o", options)
	want := "mount.gonfs: backgrounding \"" + s.Export() + "\"\nmount.gonfs: mount options: \"" + options + "\"\n"
	if o.stderr != want || o.out != "" {
		t.Errorf("got %s\nwant %s", o, want)
	}
	if isMounted(t, dir) || len(daemons(t, dir)) != 1 {
		t.Errorf("mounted, or %d processes go on", len(daemons(t, dir)))
	}
	if err := s.Up(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is mounted", func() bool { return isMounted(t, dir) })
	must(t, "umount.gonfs", dir)
	nothingLeft(t, dir)
}

// In the background too, a refusal for good is the end; and what cannot be for
// good begins in the foreground.
func TestABackgroundMountThatIsRefused(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	log := filepath.Join(t.TempDir(), "log")
	bad := s.Export() + "/none"
	if o := finish(t, command("mount.gonfs", bad, dir, "-o", s.MountOptions()+",bg")); o.code != 32 || strings.Contains(o.stderr, "background") {
		t.Errorf("a refusal at once: %s", o)
	}
	s.Down()
	must(t, "mount.gonfs", bad, dir, "--log", log, "-o", s.MountOptions()+",bg")
	if err := s.Up(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process ends", func() bool { return len(daemons(t, dir)) == 0 })
	b, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(b), "mount to NFS server '127.0.0.1' failed: Connection refused, retrying") ||
		!strings.Contains(string(b), "reason given by server: No such file or directory, giving up") {
		t.Errorf("the log is %q, %v", b, err)
	}
	nothingLeft(t, dir)
}

// nfsmount.conf gives what the command line leaves open.
func TestDefaultsOfNfsmountConf(t *testing.T) {
	needMounts(t)
	s := server(t)
	dir := t.TempDir()
	conf := filepath.Join(t.TempDir(), "conf")
	text := "[ MountPoint \"" + dir + "\" ]\nNconnect=3\nRsize=8k\n[ Server \"127.0.0.1\" ]\nHard=False\nProto=udp\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GONFS_NFSMOUNT_CONF", conf)
	o := must(t, "mount.gonfs", s.Export(), dir, "-v", "-o", s.MountOptions()+",tcp,rsize=4096")
	for _, step := range []string{"mount.gonfs: MNT at 127.0.0.1 port ", "mount.gonfs: FSINFO at 127.0.0.1 port "} {
		if !strings.Contains(o.stderr, step) {
			t.Errorf("-v does not say %q: %s", step, o)
		}
	}
	for _, want := range []string{"nconnect=3", "rsize=4096", ",soft,", "proto=tcp"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("%s is not in effect: %s", want, o)
		}
	}
	must(t, "umount.gonfs", dir)
	if err := os.WriteFile(conf, []byte("[Server 127.0.0.1]\nFrob=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := finish(t, command("mount.gonfs", s.Export(), dir, "-o", s.MountOptions())); o.code != 32 || !strings.Contains(o.stderr, conf+":2: ") {
		t.Errorf("a wrong default: %s", o)
	}
	nothingLeft(t, dir)
}
