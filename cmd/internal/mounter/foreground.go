package mounter

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/gonfs/gonfs/mounttab"
)

// Foreground serves the mount in this process until it is gone or a signal
// ends it. Under systemd (Type=notify) the manager is told when the mount is
// there.
func Foreground(ctx context.Context, r Request) error { return Serve(ctx, r, terminal{r.Program}) }

// terminal is a Ready for a process that stays where it is.
type terminal struct{ program string }

func (t terminal) Ready(warnings []string, rec *mounttab.Record) error {
	for _, w := range warnings {
		fmt.Fprintf(os.Stderr, "%s: %s\n", t.program, w)
	}
	return notifySystemd("READY=1")
}

// Background does not go there: this process was asked to stay.
func (t terminal) Background(r Request) error {
	fmt.Fprintf(os.Stderr, "%s: %s is not mounted yet: trying again\n", t.program, r.Spec)
	return nil
}

// notifySystemd sends a datagram to the socket of sd_notify(3), if there is
// one.
func notifySystemd(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}
