package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rodaine/table"
	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/mounttab"
)

// mountStatus is one mount in the output of status --json.
type mountStatus struct {
	mounttab.Record
	Status *mounttab.Status `json:"status,omitempty"`
	Error  string           `json:"error,omitempty"` // why there is no status
}

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "show the mounts of gonfs: options in effect, server, statistics",
		ArgsUsage: "[DIR…]",
		Description: "Without DIR all mounts of this user are shown; root sees everybody's. The options\n" +
			"are those in effect, in the form of /proc/mounts.",
		Flags:  []cli.Flag{jsonFlag()},
		Action: eachMount(ask, show),
	}
}

func ask(ctx context.Context, rec mounttab.Record) mountStatus {
	m := mountStatus{Record: rec}
	resp, err := mounttab.Call(ctx, rec, mounttab.Request{Op: mounttab.OpStats})
	if err != nil {
		m.Error = err.Error()
		return m
	}
	m.Status = resp.Status
	return m
}

func show(w io.Writer, m mountStatus) {
	fmt.Fprintf(w, "%s on %s\n", printable(m.Spec), printable(m.Dir))
	fmt.Fprintf(w, "  mounted    %s by process %d\n", m.Created.Local().Format("2006-01-02 15:04:05"), m.PID)
	fmt.Fprintf(w, "  options    %s\n", m.Options)
	s := m.Status
	if s == nil {
		fmt.Fprintf(w, "  status     unknown: %s\n", m.Error)
		return
	}
	state := string(s.State)
	if !s.SilentSince.IsZero() {
		state += " since " + s.SilentSince.Local().Format("15:04:05")
	}
	fmt.Fprintf(w, "  server     %s, %s, %d connection(s), %d call(s) under way\n", s.Server, state, s.Connections, s.CallsInFlight)
	fmt.Fprintf(w, "  unsaved    %s of at most %s\n", human(s.DirtyBytes), human(s.DirtyLimit))
	if k := s.Memory; k.InodesLimit > 0 { // a daemon of an earlier version does not tell
		fmt.Fprintf(w, "  cached     %d inode(s), of which %d are not in use (at most %d), %d name(s) (at most %d)\n",
			k.Inodes, k.InodesKept, k.InodesLimit, k.Names, k.NamesLimit)
		fmt.Fprintf(w, "  listed     %d entries of open directories (at most %d)\n", k.Listed, k.ListedLimit)
		fmt.Fprintf(w, "  ahead      %s of at most %s read ahead, of %d file(s)\n", human(k.ReadAheadBytes), human(k.ReadAheadLimit), k.ReadAheadFiles)
	}
	for _, note := range s.Warnings {
		fmt.Fprintf(w, "  note       %s\n", note)
	}
	if s.MinorTimeouts+s.MajorTimeouts+s.Disconnects+s.UnknownReplies+s.BadReplies > 0 {
		fmt.Fprintf(w, "  trouble    %d timeout(s), %d major, %d connection(s) lost, %d of them in silence, %d late or unknown and %d bad replies\n",
			s.MinorTimeouts, s.MajorTimeouts, s.Disconnects, s.Replaced, s.UnknownReplies, s.BadReplies)
	}
	if len(s.Procs) == 0 {
		return
	}
	t := table.New("  procedure", "calls", "again", "errors", "sent", "received", "mean").WithWriter(w)
	for _, p := range s.Procs {
		mean := time.Duration(0)
		if p.Calls > 0 {
			mean = (p.Total / time.Duration(p.Calls)).Round(time.Microsecond)
		}
		t.AddRow("  "+p.Name, p.Calls, p.Transmissions-min(p.Transmissions, p.Calls), p.Errors, human(p.BytesSent), human(p.BytesReceived), mean)
	}
	t.Print()
}
