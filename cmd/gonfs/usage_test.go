package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
)

// A wrong invocation is told in one line, which says where to read more.
func TestWrongInvocationsAreOneLine(t *testing.T) {
	for args, want := range map[string]string{
		"frob":                  `no command "frob"; gonfs --help lists them`,
		"help frob":             `no command "frob"; gonfs --help lists them`,
		"ls h:/e -o":            "ls: flag needs an argument: -o; see gonfs ls --help",
		"ls -lax h:/e":          "ls: flag provided but not defined: -x; see gonfs ls --help",
		"status -jsn":           "status: flag provided but not defined: -jsn; see gonfs status --help",
		"ls":                    "ls: SERVER:/PATH expected, got 0 operands; see gonfs ls --help",
		"df --frob h:/e":        "df: flag provided but not defined: -frob; see gonfs df --help",
		"doctor --idle x h:/e":  `doctor: invalid value "x" for flag -idle: parse error; see gonfs doctor --help`,
		"doctor":                "doctor: SERVER or SERVER:/EXPORT expected, got 0 operands; see gonfs doctor --help",
		"mount --log":           "mount: flag needs an argument: -log; see gonfs mount --help",
		"demo --at /none":       "demo: --at: stat /none: no such file or directory",
		"demo --at /etc/hosts":  "demo: --at: /etc/hosts is not a directory",
		"rpcinfo -ps h":         "rpcinfo: only one of -p, -s, -m and --json can be shown",
		"rpcinfo --json h nfs":  "rpcinfo: -p, -s, -m and --json are for the list of all programs: leave PROGRAM out",
		"rpcinfo -T udp h":      "rpcinfo: -T and -n are for a call: name the PROGRAM",
		"demo /none":            "demo: stat /none: no such file or directory",
		"cp /etc/hosts /tmp/no": "cp: both names are local: use cp(1), or name one as SERVER:/PATH",
	} {
		out, code, err := command(t, strings.Fields(args)...)
		if code != 1 || out != "" || err == nil || err.Error() != want {
			t.Errorf("gonfs %s: exit code %d, %q, %v; want %s", args, code, out, err, want)
		}
	}
	for args, want := range map[string]string{"help": "COMMANDS:", "help df": "gonfs df", "df --help": "gonfs df", "df h:/e -Hh": "gonfs df", "": "COMMANDS:"} {
		if out, code, err := command(t, strings.Fields(args)...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("gonfs %s: exit code %d, %v, no %q in\n%s", args, code, err, want, out)
		}
	}
	if out, code, _ := command(t, "df", "foo"); code != 1 || out != "gonfs df: foo: remote share not in 'host:dir' format\n" {
		t.Errorf("gonfs df foo: exit code %d, %q", code, out)
	}
}

func TestEndings(t *testing.T) {
	for _, c := range []struct {
		err  error
		msg  string
		code int
	}{
		{nil, "", 0},
		{errors.New("cp: no such file"), "cp: no such file", 1},
		{cli.Exit("", 1), "", 1},
		{exitcodes.New(32, "access denied"), "access denied", 32},
		{context.Canceled, "interrupted by a signal", 8},
		{fmt.Errorf("showmount: h: %w", context.Canceled), "showmount: h: interrupted by a signal", 8},
		{context.DeadlineExceeded, "context deadline exceeded", 1},
	} {
		if msg, code := ending(c.err); msg != c.msg || code != c.code {
			t.Errorf("%v: %q, %d, want %q, %d", c.err, msg, code, c.msg, c.code)
		}
	}
}

// full is where nothing more can be written.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A script that keeps what is printed must learn that it did not get all.
func TestLinesThatAreLostAreAnError(t *testing.T) {
	s := planted(t)
	for _, line := range []string{
		"ls EXPORT", "ls -l EXPORT", "cat EXPORT/f", "find EXPORT", "du -a EXPORT", "stat EXPORT", "df EXPORT", "getfacl EXPORT", "rm -v EXPORT/f",
		"cp -v EXPORT/d/a.txt EXPORT/b", "explain EXPORT", "explain --json EXPORT", "bench null --ops 1 EXPORT", "--help", "ls --help", "--version",
	} {
		args := []string{"gonfs"}
		for a := range strings.FieldsSeq(line) {
			args = append(args, strings.ReplaceAll(a, "EXPORT", s.Export()))
		}
		if len(args) > 2 && args[2] != "--help" {
			args = append(args, "-o", s.MountOptions())
		}
		app := newApp()
		var errs strings.Builder
		app.Writer, app.ErrWriter = full{}, &errs
		err := run(t.Context(), app, args)
		if !errors.Is(err, syscall.ENOSPC) && (err == nil || !strings.Contains(errs.String(), "no space left")) {
			t.Errorf("gonfs %s: %v, %q", line, err, errs.String())
		}
	}
}
