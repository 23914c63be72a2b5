package mounter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/mounttab"
)

// Background mounts in a child that stays, and returns when the mount is there
// or has failed. What the child has to say meanwhile goes to stderr. The error
// carries the exit code. The record is nil after Request.Fake. When ctx ends
// first, the child is told to give up and is waited for.
func Background(ctx context.Context, r Request, stderr io.Writer) (*mounttab.Record, error) {
	request, err := json.Marshal(r)
	if err != nil {
		return nil, &exitcodes.Error{Code: exitcodes.Internal, Err: err}
	}
	in, out, err := os.Pipe()
	if err != nil {
		return nil, &exitcodes.Error{Code: exitcodes.System, Err: err}
	}
	defer in.Close()

	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{r.Program, r.Spec, r.Dir, "-o", r.Options} // for ps; the request is in the environment
	cmd.Env = append(os.Environ(), requestEnv+"="+string(request))
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{out} // fd 3
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(exitcodes.New(exitcodes.System, "the mount daemon could not be started: %w", err), out.Close())
	}
	out.Close()

	stop := context.AfterFunc(ctx, func() {
		cmd.Process.Signal(syscall.SIGTERM) // an error means that it is gone already
	})
	defer stop()
	res, err := mounttab.ReadResult(in)
	if err != nil { // no word, or none that makes sense
		werr := cmd.Wait()
		if ctx.Err() != nil {
			return nil, exitcodes.New(exitcodes.Interrupted, "interrupted")
		}
		return nil, exitcodes.New(exitcodes.Failure, "the mount daemon died before the mount was there (%v; %v)", err, werr)
	}
	for _, n := range res.Warnings {
		fmt.Fprintf(stderr, "%s: %s\n", r.Program, n)
	}
	if res.Code == exitcodes.OK {
		return res.Record, cmd.Process.Release()
	}
	cmd.Wait() // its word counts, not its exit code
	return nil, exitcodes.New(res.Code, "%s", res.Message)
}
