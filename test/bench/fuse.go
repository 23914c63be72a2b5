package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// daemon is a FUSE file system that is mounted.
type daemon struct {
	cmd *exec.Cmd
	dir string
	log bytes.Buffer
}

// mountTime bounds the mounting and the unmounting.
const mountTime = 30 * time.Second

// mount starts a program that mounts on dir and stays in the foreground.
func (w *world) mount(argv []string, dir string) (*daemon, error) {
	d := &daemon{cmd: exec.CommandContext(w.ctx, argv[0], argv[1:]...), dir: dir}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(mountTime); !mounted(dir); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) || d.gone() {
			return nil, errors.Join(fmt.Errorf("%s did not mount: %s", strings.Join(argv, " "), d.log.Bytes()), d.kill())
		}
	}
	return d, nil
}

// mounted reports whether something is mounted on dir.
func mounted(dir string) bool {
	text, err := os.ReadFile("/proc/self/mounts")
	return err == nil && strings.Contains(string(text), " "+dir+" ")
}

// gone reports whether the program has ended: its entry in /proc is a
// zombie's.
func (d *daemon) gone() bool {
	fields, err := d.stat()
	return err != nil || fields[0] == "Z"
}

func (d *daemon) kill() error {
	err := d.cmd.Process.Kill()
	_ = d.cmd.Wait() // "signal: killed" it says
	return err
}

// unmount ends the mount and waits for the program.
func (d *daemon) unmount() error {
	if err := syscall.Unmount(d.dir, 0); err != nil {
		return errors.Join(fmt.Errorf("unmount of %s: %w", d.dir, err), syscall.Unmount(d.dir, syscall.MNT_DETACH), d.kill())
	}
	defer time.AfterFunc(mountTime, func() { _ = d.cmd.Process.Kill() }).Stop()
	if err := d.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(d.cmd.Path), err, d.log.Bytes())
	}
	return nil
}

// stat returns the fields of /proc/PID/stat from the third, the state, on.
func (d *daemon) stat() ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		return nil, err
	}
	_, rest, ok := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 15 {
		return nil, fmt.Errorf("/proc/%d/stat is not as proc(5) has it: %s", d.cmd.Process.Pid, text)
	}
	return fields, nil
}

// ticks is USER_HZ, in which /proc counts processor time on all of Linux's
// common platforms.
const ticks = 100

// cpu returns the seconds of processor time that the program had so far.
func (d *daemon) cpu() (user, sys float64, err error) {
	fields, err := d.stat()
	if err != nil {
		return 0, 0, err
	}
	u, uerr := strconv.ParseUint(fields[11], 10, 64)
	s, serr := strconv.ParseUint(fields[12], 10, 64)
	return float64(u) / ticks, float64(s) / ticks, errors.Join(uerr, serr)
}

// peak returns the most memory that the program had resident, in MiB.
func (d *daemon) peak() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 1 {
		return 0, fmt.Errorf("/proc/%d/status has no VmHWM", d.cmd.Process.Pid)
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	return kib / 1024, err
}

// mounting is a way to mount: the program's words, to which the directory is
// added.
type mounting func(w *world) []string

func gonfsMount(w *world) []string {
	return []string{w.path("gonfs"), "mount", "--foreground", "-o", "mountproto=tcp", "127.0.0.1:/"}
}

func nullMount(w *world) []string { return []string{w.path("nullfuse")} }

// onMount returns a run of file-bench on name in a fresh mount. The processor
// time is the daemon's.
func onMount(how mounting, mode, name string, options ...any) func(*world) (sample, error) {
	return func(w *world) (s sample, err error) {
		dir, err := os.MkdirTemp("", "gonfs-bench-")
		if err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, os.Remove(dir)) }()
		d, err := w.mount(append(how(w), dir), dir)
		if err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, d.unmount()) }()
		if err := readAhead(dir); err != nil {
			return s, err
		}
		return d.watch(func() (sample, error) {
			return w.program("file-bench", append([]string{mode, filepath.Join(dir, name)}, pairs(options)...)...)
		})
	}
}

// watch runs do and puts the daemon's processor time and memory in place of
// the program's.
func (d *daemon) watch(do func() (sample, error)) (s sample, err error) {
	user, sys, err := d.cpu()
	if err != nil {
		return s, err
	}
	if s, err = do(); err != nil {
		return s, err
	}
	endUser, endSys, err := d.cpu()
	if err != nil {
		return s, err
	}
	s.CPUUser, s.CPUSys = endUser-user, endSys-sys
	s.RSS, err = d.peak()
	return s, err
}

// kernelReadAhead is what gonfs sets the kernel's read-ahead to, in KiB, where
// it may; a mount that is compared with it gets the same.
const kernelReadAhead = 1024

// readAhead gives the mount at dir as much of the kernel's read-ahead as gonfs
// has.
func readAhead(dir string) error {
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		return fmt.Errorf("stat of %s: %w", dir, err)
	}
	file := fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", st.Dev>>8&0xfff, st.Dev&0xff|st.Dev>>12&^0xff)
	return os.WriteFile(file, []byte(strconv.Itoa(kernelReadAhead)), 0o644)
}
