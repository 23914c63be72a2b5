package faults

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestBlockedCallsEnd: whoever waits for a server that does not answer on a
// hard mount can be killed, and cancelled.
func TestBlockedCallsEnd(t *testing.T) {
	for _, options := range []string{"hard,proto=tcp", "hard,proto=udp"} {
		t.Run(options, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				fsys := n.dial(t, options)
				dir := n.mount(t, options)
				if err := os.WriteFile(filepath.Join(dir, "file"), random(1<<20), 0o644); err != nil {
					t.Fatal(err)
				}
				n.signal(t, syscall.SIGSTOP)
				defer n.signal(t, syscall.SIGCONT)

				var running []*exec.Cmd
				for _, script := range []string{
					"exec stat -f $0", "exec cat $0/file >/dev/null", "exec mkdir $0/new", "exec rm $0/file", "echo x >$0/other",
					"exec ls -l $0", "exec mv $0/file $0/moved",
				} {
					cmd := exec.Command("bash", "-c", script, dir)
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					running = append(running, cmd)
				}
				time.Sleep(2 * time.Second)
				// All at once: those that wait in the kernel for the lock of the
				// directory, which another of them holds, wait for that one.
				begin := time.Now()
				for _, cmd := range running {
					if err := syscall.Kill(cmd.Process.Pid, syscall.SIGKILL); err != nil {
						t.Errorf("%s: did not wait: %v", cmd.Args[2], err)
					}
				}
				for _, cmd := range running {
					err := cmd.Wait()
					var exit *exec.ExitError
					if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
						t.Errorf("%s: ended by itself: %v", cmd.Args[2], err)
					}
					n.atMost(t, cmd.Args[2]+" after SIGKILL", time.Since(begin), time.Second)
				}

				for name, call := range map[string]func(context.Context) error{
					"StatFS":   func(ctx context.Context) error { _, err := fsys.StatFS(ctx, "/"); return err },
					"ReadFile": func(ctx context.Context) error { _, err := fsys.ReadFile(ctx, "file"); return err },
					"Mkdir":    func(ctx context.Context) error { return fsys.Mkdir(ctx, "cancelled", 0o755) },
					"WriteFile": func(ctx context.Context) error {
						return fsys.WriteFile(ctx, "written", bytes.Repeat([]byte{1}, 1<<20), 0o644)
					},
				} {
					ctx, cancel := context.WithCancel(t.Context())
					ended := make(chan error, 1)
					go func() { ended <- call(ctx) }()
					select {
					case err := <-ended:
						t.Errorf("%s ended by itself: %v", name, err)
					case <-time.After(300 * time.Millisecond):
						begin := time.Now()
						cancel()
						if err := <-ended; !errors.Is(err, context.Canceled) {
							t.Errorf("%s: error %v, want context.Canceled", name, err)
						}
						n.atMost(t, name+" after its context was cancelled", time.Since(begin), time.Second)
					}
					cancel()
				}
			})
		})
	}
}
