package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/rodaine/table"
	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/mounttab"
)

// mountLocks is one mount in the output of locks --json.
type mountLocks struct {
	Spec  string          `json:"spec"`
	Dir   string          `json:"dir"`
	PID   int             `json:"pid"`
	Locks *mounttab.Locks `json:"locks,omitempty"`
	Error string          `json:"error,omitempty"` // why there are none
}

func locksCommand() *cli.Command {
	return &cli.Command{
		Name:      "locks",
		Usage:     "show what is locked on the mounts of gonfs, who waits, and what was lost",
		ArgsUsage: "[DIR…]",
		Description: "Without DIR all mounts of this user are shown; root sees everybody's. Each lock is\n" +
			"shown with the file, the bytes, and the process that asked for it.",
		Flags:  []cli.Flag{jsonFlag()},
		Action: eachMount(askLocks, showLocks),
	}
}

func askLocks(ctx context.Context, rec mounttab.Record) mountLocks {
	m := mountLocks{Spec: rec.Spec, Dir: rec.Dir, PID: rec.PID}
	resp, err := mounttab.Call(ctx, rec, mounttab.Request{Op: mounttab.OpLocks})
	if err != nil {
		m.Error = err.Error()
		return m
	}
	m.Locks = resp.Locks
	return m
}

// showLocks prints the locks of one mount.
func showLocks(w io.Writer, m mountLocks) {
	fmt.Fprintf(w, "%s on %s\n", printable(m.Spec), printable(m.Dir))
	l := m.Locks
	if l == nil {
		fmt.Fprintf(w, "  locks      unknown: %s\n", m.Error)
		return
	}
	fmt.Fprintf(w, "  local      %s\n", l.Local)
	if l.Local != "all" {
		fmt.Fprintf(w, "  callbacks  %s\n", callbacks(l))
		if l.Unmonitored {
			fmt.Fprintf(w, "  monitored  no: the server has no status monitor, and keeps locks if this host crashes\n")
		}
		for _, p := range l.Peers {
			by := "this host's gonfs"
			if p.Statd {
				by = "rpc.statd of this host"
			}
			fmt.Fprintf(w, "  peer       %s (%s), watched by %s, state %d\n", printable(p.Name), p.Addr, by, l.State)
		}
		if l.Recovering {
			fmt.Fprintf(w, "  recovery   the server may have restarted: its locks are being looked at\n")
		}
	}
	fmt.Fprintf(w, "  locks      %d held, %d waited for, %d reclaimed, %d lost\n", l.HeldCount, l.WaitCount, l.Reclaimed, len(l.Lost))
	if len(l.Held)+len(l.Wait)+len(l.Lost) == 0 {
		return
	}
	t := table.New("  state", "kind", "type", "bytes", "process", "file").WithWriter(w)
	add := func(state string, locks []mounttab.Lock) {
		for _, k := range locks {
			t.AddRow("  "+state, k.Kind, k.Type, lockBytes(k), lockProcess(k), lockFile(k))
		}
	}
	add("held", l.Held)
	add("waits", l.Wait)
	add("lost", l.Lost)
	t.Print()
	if told := uint64(len(l.Held) + len(l.Wait)); told < l.HeldCount+l.WaitCount {
		fmt.Fprintf(w, "  … and %d more\n", l.HeldCount+l.WaitCount-told)
	}
}

// callbacks tells how locks that wait are granted.
func callbacks(l *mounttab.Locks) string {
	switch {
	case l.Agent && l.CalledBack:
		return "heard by this daemon, for all of this host; the server calls"
	case l.Agent:
		return "heard by this daemon, for all of this host"
	case l.CalledBack:
		return "heard by another daemon, the server calls"
	}
	return "none came yet: locks that wait are polled for"
}

// lockBytes is the range: 10-19, or 10- to the end of the file.
func lockBytes(l mounttab.Lock) string {
	s := strconv.FormatUint(l.Start, 10) + "-"
	if l.End != nil {
		s += strconv.FormatUint(*l.End, 10)
	}
	return s
}

// lockProcess is who asked.
func lockProcess(l mounttab.Lock) string {
	if l.PID == 0 {
		return "?"
	}
	return strconv.FormatUint(uint64(l.PID), 10)
}

// lockFile is the path or, where that is not known, the file handle.
func lockFile(l mounttab.Lock) string {
	if l.Path == "" {
		return "handle " + l.FH
	}
	return printable(l.Path)
}
