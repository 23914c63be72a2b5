package mounter

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/mounttab"
	"github.com/gonfs/gonfs/nfs3"
)

// Version returns the version of the program, as the Go toolchain knows it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// record puts the mount into the table, before anybody can see it, and answers
// at its socket. So a mount without a record has no daemon.
func (l *live) record(spec mountopt.Spec, asked string) (*mounttab.Entry, error) {
	tab, err := mounttab.Open()
	if err != nil {
		return nil, err
	}
	e, err := tab.Add(mounttab.Record{
		Spec: spec.String(), Dir: l.dir, FSType: "fuse.gonfs", Options: l.session.Options().String(), Asked: asked,
		Version: Version(), Created: time.Now(),
	})
	if err != nil {
		return nil, err
	}
	go e.Serve(l) // ends with Close
	return e, nil
}

// Status implements mounttab.Handler.
func (l *live) Status() mounttab.Status {
	r := l.session.NFS().RPC().Stats()
	f := l.fs.Footprint()
	s := mounttab.Status{
		Server: l.session.Server(), State: mounttab.OK,
		Options: l.session.Options().String(), Warnings: l.session.Options().Warnings,
		Rsize: l.session.Rsize(), Wsize: l.session.Wsize(), DirtyBytes: f.Dirty, DirtyLimit: f.DirtyLimit,
		Memory: mounttab.Memory{
			Inodes: f.Inodes, InodesKept: f.Kept, InodesLimit: f.KeptLimit,
			Names: f.Names, NamesLimit: f.NamesLimit, Listed: f.Listed, ListedLimit: f.ListedLimit,
			ReadAheadFiles: f.AheadFiles, ReadAheadBytes: f.Ahead, ReadAheadLimit: f.AheadLimit,
		},
		Connections: r.ConnectedCount, CallsInFlight: r.CallsInFlight,
		Connects: r.Connects, Disconnects: r.Disconnects, Replaced: r.Replaced,
		MinorTimeouts: r.MinorTimeouts, MajorTimeouts: r.MajorTimeouts,
		UnknownReplies: r.UnknownXIDs, BadReplies: r.BadReplies,
	}
	switch {
	case r.NotResponding:
		s.State, s.SilentSince = mounttab.NotResponding, r.SilentSince
	case r.ConnectedCount == 0:
		s.State = mounttab.Disconnected
	}
	for _, p := range r.Procs {
		s.Procs = append(s.Procs, mounttab.ProcStats{
			Name: procName(p.Proc), Calls: p.Calls, Transmissions: p.Transmissions,
			BytesSent: p.BytesSent, BytesReceived: p.BytesReceived, Errors: p.Errors,
			Total: p.Total, Latency: p.Latency[:],
		})
	}
	return s
}

// Drain implements mounttab.Handler.
func (l *live) Drain(ctx context.Context) error { return l.fs.Sync(ctx) }

// Abort implements mounttab.Handler.
func (l *live) Abort() { l.fs.Abort() }

// procName returns the name of an NFS procedure.
func procName(n uint32) string {
	if int(n) < len(nfs3.Procs) {
		return nfs3.Procs[n].Name
	}
	return fmt.Sprintf("procedure %d", n)
}
