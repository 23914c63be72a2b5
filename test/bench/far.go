package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// farRow reads over a link on which each packet is under way for a while, as an
// ordinary user's program does: with his mount, and with nothing but TCP.
func farRow(s scale) row {
	bytes := int64(s.mib) << 18
	return row{
		id: "far", title: "sequential READ with 20 ms of delay each way, through FUSE without root",
		note: "One TCP connection each, over the same link; its packets are 9,000 bytes long",
		contenders: []contender{
			{ours, overThere(farMount, "read", fmt.Sprintf("big%d", s.mib), "size", bytes, "bs", 1<<20)},
			{rawTCP, overThere(farStream, "size", bytes, "bs", 1<<20)},
		},
		goals: []goal{{mibPerSec, ours, rawTCP, 0.7, 0.9}},
	}
}

const rawTCP = "raw TCP stream"

// The other end of the link, and the port of stream-bench there.
const (
	hereAddress = "198.18.4.1"
	farAddress  = "198.18.4.2"
	streamPort  = "4000"
	farDelay    = "delay=20ms"
	farMTU      = "9000"
)

// nobody is the ordinary user.
const nobody = "65534"

// overThere returns a run of do with servers at the other end of a link that is
// made for it.
func overThere(do func(*world, ...any) (sample, error), options ...any) func(*world) (sample, error) {
	return func(w *world) (s sample, err error) {
		ctx, cancel := context.WithCancel(w.ctx)
		var started []*exec.Cmd
		defer func() {
			cancel()
			for _, cmd := range started {
				_ = cmd.Wait() // "signal: killed" they say
			}
			err = errors.Join(err, w.command("ip", "netns", "del", "far"))
		}()
		if err := w.command("ip", "netns", "add", "far"); err != nil {
			return s, err
		}
		// It ends with ctx, and when its standard input does.
		link := exec.CommandContext(ctx, w.path("link"), "/proc/self/ns/net", "near0", "/run/netns/far", "far0", farDelay)
		in, err := link.StdinPipe()
		if err != nil {
			return s, err
		}
		defer in.Close()
		if err := startAndWait(link, "ready"); err != nil {
			return s, err
		}
		started = append(started, link)
		for _, line := range []string{
			"ip addr add " + hereAddress + "/24 dev near0",
			"ip link set near0 up mtu " + farMTU + " txqueuelen 10000",
			"ip -n far addr add " + farAddress + "/24 dev far0",
			"ip -n far link set far0 up mtu " + farMTU + " txqueuelen 10000",
		} {
			if err := w.command(strings.Fields(line)...); err != nil {
				return s, err
			}
		}
		for _, server := range [][]string{
			{w.path("nullnfsd"), "-r", "-a", farAddress},
			{w.path("stream-bench"), "send", farAddress, streamPort},
		} {
			cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", "far"}, server...)...) // ends with ctx
			if err := startAndWait(cmd, "listening"); err != nil {
				return s, err
			}
			started = append(started, cmd)
		}
		return do(w, options...)
	}
}

// command runs a program that says nothing if all is well.
func (w *world) command(argv ...string) error {
	if out, err := exec.CommandContext(w.ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return nil
}

func farStream(w *world, options ...any) (sample, error) {
	return w.program("stream-bench", append([]string{"read", farAddress, streamPort}, pairs(options)...)...)
}

// farMount is a run of file-bench in a mount of nobody's.
func farMount(w *world, options ...any) (s sample, err error) {
	home, err := os.MkdirTemp("", "gonfs-bench-home-")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	dir := filepath.Join(home, "mnt")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return s, err
	}
	// What an ordinary user runs must be where he can read.
	if err := w.command("cp", w.path("gonfs"), w.path("file-bench"), home); err != nil {
		return s, err
	}
	if err := w.command("chown", "-R", nobody, home); err != nil {
		return s, err
	}
	u := *w
	u.bin, u.as = home, []string{"setpriv", "--reuid=" + nobody, "--regid=" + nobody, "--clear-groups", "env", "HOME=" + home, "XDG_RUNTIME_DIR=" + home}
	argv := u.argv("gonfs", "mount", "--foreground", "-o", "mountproto=tcp", farAddress+":/", dir)
	d, err := u.mount(argv, dir)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, d.unmount()) }()
	mode, name := options[0].(string), options[1].(string)
	return d.watch(func() (sample, error) {
		return u.program("file-bench", append([]string{mode, filepath.Join(dir, name)}, pairs(options[2:])...)...)
	})
}
