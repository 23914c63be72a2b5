package mounter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/fuse"
	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/mounttab"
	"github.com/gonfs/gonfs/rpc"
)

// memoryLimit is what the garbage collector aims to stay below. It is no wall:
// dirty data and read-ahead have bounds of their own, far below it.
const memoryLimit = 512 << 20

// Serve mounts r and serves it until the mount is gone, in this process. ready
// is told as soon as the mount can be used. Before that, the end of ctx gives
// the mount up. The error carries an exit code.
func Serve(ctx context.Context, r Request, ready Ready) error {
	tune()
	options, err := mountopt.Parse(r.options())
	if err != nil {
		return exitcodes.New(exitcodes.Failure, "%w", err)
	}
	spec, err := mountopt.ParseSpec(r.Spec)
	if err != nil {
		return exitcodes.New(exitcodes.Failure, "%w", err)
	}
	dir, err := checkDir(r.Dir, spec.String())
	if err != nil {
		return err
	}
	log, logFile := newLog(r)
	defer logFile.Close()

	sig := catch(ctx) // from here on signals are ours
	defer sig.stop()
	t := newTrial(options, spec, log, func() error { return ready.Background(r) })
	var session *mount.Session
	c := mount.Config{Spec: spec, Options: options, Logger: log.With("mount", dir)}
	if r.Verbose {
		c.Trace = func(s mount.Step) { fmt.Fprintf(os.Stderr, "%s: %v\n", r.Program, s) }
	}
	err = t.run(sig.ctx, func() (err error) {
		session, err = mount.Dial(sig.ctx, c)
		return err
	})
	if err != nil {
		return sig.because(t.giveUp(err))
	}
	if r.Fake {
		return errors.Join(session.Umount(context.Background()), ready.Ready(session.Options().Warnings, nil))
	}
	m, err := attach(sig.ctx, session, spec, dir, r.Options, log)
	if err != nil {
		return sig.because(t.giveUp(errors.Join(err, session.Umount(context.Background()))))
	}
	rec := m.entry.Record()
	if err := ready.Ready(session.Options().Warnings, &rec); err != nil { // the parent is dead: nobody wants the mount
		m.unmount(true) // even if somebody has found it already: a dead mount would be worse
		return errors.Join(err, m.end(sig))
	}
	// Only now: what it has to say of this host (a dead daemon's locks were given
	// back, no status monitor) would reach the terminal, or not, by chance.
	m.locks.Start()
	log.Info("mounted", "spec", spec.String(), "dir", dir, "options", session.Options().String())
	return m.serve(sig)
}

// options returns -o with what other flags mean put in front.
func (r Request) options() string {
	if r.Sloppy {
		return "sloppy," + r.Options
	}
	return r.Options
}

// tune sets the runtime up for a daemon that serves FUSE.
func tune() {
	// A goroutine in read(2) of /dev/fuse holds a processor until the runtime
	// takes it back; with fewer than 4, calls in parallel wait for that
	// (GETATTR of 4 callers: 135 µs with 2, 103 µs with 4).
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(4, runtime.NumCPU()))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// live is a mount that is being served.
type live struct {
	session *mount.Session
	fs      *client.FS
	mount   *fuse.Mounted
	locks   *lock.Engine
	entry   *mounttab.Entry
	dir     string
	log     *slog.Logger
}

// attach makes the file system of a session visible at dir and records it.
func attach(ctx context.Context, s *mount.Session, spec mountopt.Spec, dir, asked string, log *slog.Logger) (*live, error) {
	l := &live{session: s, dir: dir, log: log, locks: newLocks(s, dir, log.With("mount", dir))}
	var err error
	if l.fs, err = client.New(ctx, s, client.Options{Cred: rpc.ProcessCred(), Logger: log.With("mount", dir), Locks: l.locks}); err != nil {
		l.endLocks()
		return nil, err
	}
	if l.entry, err = l.record(spec, asked); err != nil {
		l.fs.Abort()
		l.endLocks()
		return nil, exitcodes.New(exitcodes.Mtab, "the mount could not be recorded: %w", err)
	}
	l.mount, err = fuse.Mount(ctx, l.fs, fuse.Config{Dir: dir, Options: s.Options(), FsName: spec.String(), Logger: log})
	if err != nil {
		err = exitcodes.New(exitcodes.Failure, "%s: %w", dir, err)
	} else if err = l.entry.Mounted(l.mount.ID(), l.mount.Device()); err != nil {
		err = exitcodes.New(exitcodes.Mtab, "the mount could not be recorded: %w", err)
		l.unmount(true)
	}
	if err != nil {
		l.fs.Abort()
		l.endLocks()
		return nil, errors.Join(err, l.entry.Close())
	}
	return l, nil
}

// unmount asks the kernel to let go of the mount: if nobody uses it or, with
// detach, whoever does. Either way it is over within seconds, or is refused.
func (l *live) unmount(detach bool) {
	ctx, cancel := context.WithTimeout(context.Background(), abortTime)
	defer cancel()
	end := l.mount.Unmount
	if detach {
		end = l.mount.Detach
	}
	if err := end(ctx); err != nil {
		l.log.Warn("unmount", "dir", l.dir, "err", err)
	}
}

// serve waits until the mount is gone. A first signal unmounts it if it is not
// busy; a second one detaches it from the tree, whoever uses it.
func (l *live) serve(sig *signals) error {
	for n := 1; ; n++ {
		select {
		case <-l.mount.Done():
			return l.end(sig)
		case s := <-sig.c:
			l.log.Info("signal", "signal", s.String(), "dir", l.dir)
			l.unmount(n > 1)
		}
	}
}

// How long the end of a mount may take.
const (
	saveTime  = 10 * time.Second // saving data, once a signal has asked us to end
	lockTime  = 5 * time.Second  // giving locks back
	umntTime  = time.Second      // telling the server
	abortTime = 5 * time.Second  // for programs to let go of a mount that a signal ends
)

// end saves what is not saved yet, tells the server, and removes the record.
// On a hard mount whose server is away it waits for the server, until a signal
// comes: then it says what was lost.
func (l *live) end(sig *signals) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // ends with this function
		select {
		case <-sig.c:
			time.AfterFunc(saveTime, cancel)
		case <-ctx.Done():
		}
	}()
	err := l.fs.Close(ctx)
	if err != nil {
		l.log.Error("unmounted, but not all data was saved", "dir", l.dir, "err", err)
		err = exitcodes.New(exitcodes.Failure, "%s: %w", l.dir, err)
	}
	l.endLocks()
	uctx, ucancel := context.WithTimeout(context.Background(), umntTime)
	defer ucancel()
	if uerr := l.session.Umount(uctx); uerr != nil {
		l.log.Info("the server was not told of the unmount", "dir", l.dir, "err", uerr)
	}
	if rerr := l.entry.Close(); rerr != nil && err == nil {
		err = exitcodes.New(exitcodes.Mtab, "%s: the record of the mount: %w", l.dir, rerr)
	}
	l.log.Info("unmounted", "dir", l.dir)
	return err
}
