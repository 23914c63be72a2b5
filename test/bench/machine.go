package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// fact is a line of the description of the machine and the programs.
type fact struct{ name, value string }

// machine tells what the results were measured on and with.
func machine(ctx context.Context, bin string) []fact {
	return []fact{
		{"processor", fmt.Sprintf("%d × %s", runtime.NumCPU(), entry("/proc/cpuinfo", "model name"))},
		{"memory", memory()},
		{"kernel", kernel()},
		{"Go", runtime.Version()},
		{"gonfs", said(ctx, "git", "describe", "--always", "--dirty", "--exclude=*")},
		{"libnfs", said(ctx, "dpkg-query", "-W", "-f", "${Version} (Debian)", "libnfs13")},
		{"C compiler", said(ctx, "gcc", "--version")},
		{"go-fuse", moduleOf(filepath.Join(bin, "nullfuse"), "github.com/hanwen/go-fuse/v2")},
		{"go-nfs-client", moduleOf(filepath.Join(bin, "willscott-bench"), "github.com/willscott/go-nfs-client")},
	}
}

// entry returns the value of a "name: value" line.
func entry(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memory() string {
	var s unix.Sysinfo_t
	if err := unix.Sysinfo(&s); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f GiB", float64(s.Totalram)*float64(s.Unit)/(1<<30))
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}

// said returns the first line that a program says.
func said(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}

// moduleOf returns the version of a module that a program was built with.
func moduleOf(program, module string) string {
	out, err := exec.Command("go", "version", "-m", program).Output()
	if err != nil {
		return "unknown"
	}
	_, rest, ok := strings.Cut(string(out), module+"\t")
	if !ok {
		return "unknown"
	}
	version, _, _ := strings.Cut(rest, "\t")
	return strings.TrimSpace(version)
}
