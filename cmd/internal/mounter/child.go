package mounter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/mounttab"
)

// ChildMain must be the first thing that main does. In the child of Background
// it serves the mount and exits; elsewhere it returns.
func ChildMain() {
	r, err := takeRequest()
	if r == nil && err == nil {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitcodes.UsageError)
	}
	p := &parent{pipe: os.NewFile(3, "pipe to the parent")}
	ctx, cancel := context.WithCancelCause(context.Background())
	go p.watch(cancel) // ends when the parent was told, or is dead
	err = Serve(ctx, *r, p)
	if err != nil {
		p.tell(mounttab.Result{Code: exitcodes.Of(err), Message: message(err)})
	}
	os.Exit(exitcodes.Of(err))
}

// Ready is told when the mount is there, with lines for the user. rec is nil if
// nothing was really mounted (Request.Fake).
type Ready interface {
	Ready(warnings []string, rec *mounttab.Record) error
	// Background is called before Ready, if at all: r is not mounted yet, and
	// will be tried for as long as it takes (option bg).
	Background(r Request) error
}

// parent is the process that waits for us.
type parent struct {
	mu   sync.Mutex // guards all below
	pipe *os.File   // nil after it was told
}

// Ready tells the parent that all is well, and lets go of its terminal.
func (p *parent) Ready(warnings []string, rec *mounttab.Record) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0) // first: a parent that was told of a mount has one
	if err != nil {
		return err
	}
	defer null.Close()
	if err := p.tell(mounttab.Result{Warnings: warnings, Record: rec}); err != nil {
		return err
	}
	for fd := range 3 {
		if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
			return err
		}
	}
	return nil
}

// Background sends the parent away with exit code 0.
func (p *parent) Background(r Request) error {
	return p.Ready([]string{fmt.Sprintf("backgrounding %q", r.Spec), fmt.Sprintf("mount options: %q", r.Options)}, nil)
}

// tell says how it went, once.
func (p *parent) tell(r mounttab.Result) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pipe == nil {
		return nil
	}
	err := errors.Join(mounttab.WriteResult(p.pipe, &r), p.pipe.Close())
	p.pipe = nil
	return err
}

// errOrphan ends a mount that nobody waits for any more.
var errOrphan = errors.New("the command that started the mount is gone")

// watch cancels the mount when the parent dies before it was told.
func (p *parent) watch(cancel context.CancelCauseFunc) {
	for {
		p.mu.Lock()
		if p.pipe == nil {
			p.mu.Unlock()
			return
		}
		// A pipe whose other end is closed is in error, which poll tells
		// without being asked.
		fds := []unix.PollFd{{Fd: int32(p.pipe.Fd())}}
		n, err := unix.Poll(fds, 0)
		p.mu.Unlock()
		if err == nil && n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
			cancel(errOrphan)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}
