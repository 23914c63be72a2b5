package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/argv"
	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/cmd/internal/mounter"
)

// The flag -N moves a thread into another mount namespace. It must be the first
// one, because /proc/self and child processes go by that; and the first
// goroutine has it only if it says so before main begins.
func init() { runtime.LockOSThread() }

func main() {
	mounter.ChildMain() // does not return in the daemon that mount starts
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args)
	stop()
	os.Exit(code)
}

// run does what the name in args[0] and the rest of args ask for, and returns
// the exit code.
func run(ctx context.Context, args []string) int {
	name := "mount.gonfs"
	if len(args) > 0 {
		name = filepath.Base(args[0])
	} else {
		args = []string{name}
	}
	app := mountApp(name)
	if strings.HasPrefix(name, "umount") {
		app = umountApp(name)
	}
	err := app.RunContext(ctx, argv.PermuteFlags(joinLong(args), "oNt"))
	if err == nil {
		return exitcodes.OK
	}
	fmt.Fprintf(app.ErrWriter, "%s: %v\n", name, err)
	if errors.Is(err, context.Canceled) {
		return exitcodes.Interrupted
	}
	return exitcodes.Of(err)
}

// newApp returns what both commands have in common.
func newApp(name, help string, action func(*cli.Context) error) *cli.App {
	return &cli.App{
		Name:                      name,
		HideVersion:               true, // -v is "verbose" here
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true, // -o a,b is one value
		CustomAppHelpTemplate:     strings.ReplaceAll(help, "PROGRAM", name),
		Writer:                    os.Stdout,
		ErrWriter:                 os.Stderr,
		ExitErrHandler:            func(*cli.Context, error) {}, // run prints, main exits
		OnUsageError:              func(_ *cli.Context, err error, _ bool) error { return usage(name, err) },
		Action: func(c *cli.Context) error {
			if c.Bool("V") {
				fmt.Fprintln(c.App.Writer, name, mounter.Version())
				return nil
			}
			if t := c.String("t"); t != "" && t != "gonfs" && t != "fuse.gonfs" {
				return usage(name, fmt.Errorf("type %q is not gonfs", t))
			}
			return action(c)
		},
	}
}

// commonFlags are those of both commands.
func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "n"}, // no mtab is written in any case
		&cli.BoolFlag{Name: "v"},
		&cli.StringFlag{Name: "N"},
		&cli.StringFlag{Name: "t"},
		&cli.BoolFlag{Name: "V", Aliases: []string{"version"}},
	}
}

// usage makes err an error of invocation.
func usage(name string, err error) error {
	return exitcodes.Usage(fmt.Errorf("%w; %s --help explains", err, name))
}

// longValues are the long flags that take a value.
var longValues = []string{"--log"}

// joinLong turns "--log FILE" into "--log=FILE", which package argv can tell
// from a flag that is followed by an operand.
func joinLong(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return append(out, args[i:]...)
		}
		for _, l := range longValues {
			if a == l && i+1 < len(args) {
				i++
				a += "=" + args[i]
			}
		}
		out = append(out, a)
	}
	return out
}
