package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/argv"
	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/cmd/internal/mounter"
)

func main() {
	mounter.ChildMain() // does not return in the child that gonfs mount and gonfs demo start
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	msg, code := ending(run(ctx, newApp(), os.Args))
	if msg != "" {
		fmt.Fprintln(os.Stderr, "gonfs: "+msg)
	}
	stop()
	os.Exit(code)
}

// ending returns what is said of the error that a command ended with, and the
// exit code.
func ending(err error) (msg string, code int) {
	if err == nil {
		return "", exitcodes.OK
	}
	msg, code = err.Error(), exitcodes.Of(err)
	if errors.Is(err, context.Canceled) { // only signals do that
		msg, code = strings.Replace(msg, context.Canceled.Error(), "interrupted by a signal", 1), exitcodes.Interrupted
	}
	return msg, code
}

// run runs the command that args name. What could not be printed is an error as
// well.
func run(ctx context.Context, app *cli.App, args []string) error {
	out := &output{w: app.Writer}
	app.Writer = out
	err := app.RunContext(ctx, argv.Permute(app, withMount(args)))
	if err == nil {
		err = out.failed()
	}
	return err
}

func newApp() *cli.App {
	app := &cli.App{
		Name:      "gonfs",
		Usage:     "an NFS version 3 client: mount exports through FUSE, or use them without a mount",
		UsageText: "gonfs COMMAND [-o OPTIONS] …\n   gonfs SERVER:/EXPORT DIR [-o OPTIONS]    the same as gonfs mount",
		Description: "SERVER:/PATH names an export, or a file or directory in one: gonfs finds out where\n" +
			"the export ends. [IPv6-ADDRESS]:/PATH and nfs://SERVER/PATH are understood as well.\n" +
			"OPTIONS are those of nfs(5); gonfs mount --help and mount.gonfs(8) list them.",
		Version:                   mounter.Version(),
		Writer:                    os.Stdout,
		DisableSliceFlagSeparator: true, // -o a,b is one value
		HideHelpCommand:           true,
		ExitErrHandler:            func(*cli.Context, error) {}, // main prints and exits
		OnUsageError: func(_ *cli.Context, err error, _ bool) error {
			return exitcodes.Usage(err)
		},
		Commands: []*cli.Command{
			mountCommand(), umountCommand(), statusCommand(), locksCommand(), explainCommand(),
			doctorCommand(), showmountCommand(), rpcinfoCommand(),
			lsCommand(), catCommand(), cpCommand(), rmCommand(), findCommand(), duCommand(), dfCommand(), statCommand(), getfaclCommand(), setfaclCommand(),
			demoCommand(), benchCommand(),
		},
		Action: func(c *cli.Context) error {
			switch first := c.Args().First(); {
			case first == "", first == "help" && c.NArg() == 1:
				return cli.ShowAppHelp(c)
			case first == "help" && c.App.Command(c.Args().Get(1)) != nil:
				return cli.ShowCommandHelp(c, c.Args().Get(1))
			}
			name := c.Args().First()
			if name == "help" {
				name = c.Args().Get(1)
			}
			return exitcodes.Usage(fmt.Errorf("no command %q; gonfs --help lists them", name))
		},
	}
	for _, c := range app.Commands {
		c.HideHelpCommand = true // "h" and "help" are names of files and servers
		c.OnUsageError = func(c *cli.Context, err error, _ bool) error {
			return exitcodes.Usage(fmt.Errorf("%s: %w; see gonfs %s --help", c.Command.Name, err, c.Command.Name))
		}
	}
	return app
}

// withMount returns a command line that names an export where a command should
// be, which is how mount.fuse3(8) calls us, as one of gonfs mount.
func withMount(args []string) []string {
	if len(args) > 1 && looksRemote(args[1]) {
		return slices.Insert(slices.Clone(args), 1, "mount")
	}
	return args
}

// optionFlag is -o, which all commands that talk to a server have.
func optionFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "o", Usage: "mount `OPTIONS` of nfs(5), separated by commas; may be given more than once"}
}

// args returns the operands of a command, of which there must be at least min
// and at most max (0: any number).
func args(c *cli.Context, min, max int, what string) ([]string, error) {
	if n := c.NArg(); n < min || max > 0 && n > max {
		return nil, exitcodes.Usage(fmt.Errorf("%s: %s expected, got %d operands; see gonfs %s --help", c.Command.Name, what, n, c.Command.Name))
	}
	return c.Args().Slice(), nil
}
