package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// world is what contenders run in: a null server at 127.0.0.1:2049 and
// rpcbind's port, in a network namespace of our own.
type world struct {
	ctx    context.Context
	bin    string // where the programs are
	log    *slog.Logger
	server *exec.Cmd
	pinned bool     // programs run on processor 0
	as     []string // words before a program that make it another user's
}

// runTime bounds one run of one contender.
const runTime = 6 * time.Minute

// startServer starts the null server and waits until it listens.
func (w *world) startServer() error {
	w.server = exec.CommandContext(w.ctx, w.path("nullnfsd"), "-r") // ends with w.ctx or stopServer
	w.server.Stderr = os.Stderr
	return startAndWait(w.server, "listening")
}

func (w *world) stopServer() {
	_ = w.server.Process.Kill()
	_ = w.server.Wait() // "signal: killed" it says
}

// startAndWait starts a program and waits for a line with word in it.
func startAndWait(cmd *exec.Cmd, word string) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, word) {
		return errors.Join(fmt.Errorf("%s: %q instead of a word that it is %s", filepath.Base(cmd.Path), line, word), err, cmd.Process.Kill(), cmd.Wait())
	}
	return nil
}

func (w *world) path(name string) string { return filepath.Join(w.bin, name) }

// pin confines the server to processor 0, and the programs that are started
// from now on; or lets them go again.
func (w *world) pin(pinned bool) error {
	cpus := "0"
	if !pinned {
		cpus = "0-" + strconv.Itoa(runtime.NumCPU()-1)
	}
	w.pinned = pinned
	out, err := exec.CommandContext(w.ctx, "taskset", "-a", "-c", "-p", cpus, strconv.Itoa(w.server.Process.Pid)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, out)
	}
	return nil
}

// keepAwake makes each processor busy with a program that gives way to all
// others (SCHED_IDLE), until the returned function is called: so no wake-up
// waits for a processor that sleeps.
func (w *world) keepAwake() (stop func(), err error) {
	ctx, cancel := context.WithCancel(w.ctx)
	var spinners []*exec.Cmd
	stop = func() {
		cancel()
		for _, s := range spinners {
			_ = s.Wait() // "signal: killed" it says
		}
	}
	for cpu := range runtime.NumCPU() {
		s := exec.CommandContext(ctx, "chrt", "-i", "0", "taskset", "-c", strconv.Itoa(cpu), "sh", "-c", "while :; do :; done")
		if err := s.Start(); err != nil {
			stop()
			return nil, fmt.Errorf("chrt: %w", err)
		}
		spinners = append(spinners, s)
	}
	return stop, nil
}

// argv returns the words that run a program as the world wants it.
func (w *world) argv(name string, args ...string) []string {
	argv := slices.Clone(w.as)
	if w.pinned {
		argv = append(argv, "taskset", "-c", "0")
	}
	return append(append(argv, w.path(name)), args...)
}

// program runs a benchmark program and returns the line that it printed.
func (w *world) program(name string, args ...string) (sample, error) {
	ctx, cancel := context.WithTimeout(w.ctx, runTime)
	defer cancel()
	argv := w.argv(name, args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return parseSample(bytes.TrimSpace(out))
}

// gonfsBench returns a run of gonfs bench.
func gonfsBench(mode string, flags ...any) func(*world) (sample, error) {
	args := append([]string{"bench", mode, "127.0.0.1:/", "--json", "-o", "mountproto=tcp"}, texts(flags)...)
	return func(w *world) (sample, error) { return w.program("gonfs", args...) }
}

// libnfsBench returns a run of libnfs-bench; after the file, options are pairs
// of a name and a value.
func libnfsBench(mode string, options ...any) func(*world) (sample, error) {
	args := append([]string{mode, "nfs://127.0.0.1/"}, pairs(options)...)
	return func(w *world) (sample, error) { return w.program("libnfs-bench", args...) }
}

func willscottBench(mode string, options ...any) func(*world) (sample, error) {
	args := append([]string{mode, "127.0.0.1"}, pairs(options)...)
	return func(w *world) (sample, error) { return w.program("willscott-bench", args...) }
}

func texts(values []any) (out []string) {
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// pairs makes name=value of two values each, leaving what has a "=" as it is.
func pairs(values []any) (out []string) {
	t := texts(values)
	for len(t) > 0 {
		if strings.Contains(t[0], "=") {
			out, t = append(out, t[0]), t[1:]
			continue
		}
		out, t = append(out, t[0]+"="+t[1]), t[2:]
	}
	return out
}
