package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

func showmountCommand() *cli.Command {
	return &cli.Command{
		Name:      "showmount",
		Usage:     "show what a server exports, and what is mounted from it",
		ArgsUsage: "[SERVER]",
		Description: "Without a flag the hosts that have mounted something are shown. The list is what the\n" +
			"server remembers: a client that vanished stays in it. SERVER is this host by default.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "exports", Aliases: []string{"e"}, Usage: "the exports, and who may mount them"},
			&cli.BoolFlag{Name: "directories", Aliases: []string{"d"}, Usage: "the directories that are mounted"},
			&cli.BoolFlag{Name: "all", Aliases: []string{"a"}, Usage: "hosts and directories, as HOST:DIR"},
			&cli.BoolFlag{Name: "no-headers", Usage: "no line that says what follows"},
			&cli.BoolFlag{Name: "json", Usage: "as a JSON object"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 0, 1, "at most one SERVER")
			if err != nil {
				return err
			}
			host := "localhost"
			if len(operands) > 0 {
				host = operands[0]
			}
			what := 0
			for _, f := range []string{"exports", "directories", "all"} {
				if c.Bool(f) {
					what++
				}
			}
			if what > 1 {
				return exitcodes.Usage(errors.New("showmount: only one of -a, -d and -e can be shown"))
			}
			var l mountLists
			if err := l.ask(c.Context, host, c.Bool("exports")); err != nil {
				return fmt.Errorf("showmount: %s: %w", host, err)
			}
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(l.shown())
			}
			l.print(c.App.Writer, host, c.Bool("directories"), c.Bool("all"), !c.Bool("no-headers"))
			return nil
		},
	}
}

// mountLists is what mountd told: one of the two.
type mountLists struct {
	Exports []mountd.Export
	Mounts  []mountd.Mount
	exports bool
}

// shownMounts is the object that --json prints: one of the two, which may be
// empty.
type shownMounts struct {
	Exports []shownExport `json:"exports,omitzero"`
	Mounts  []shownMount  `json:"mounts,omitzero"`
}

type shownExport struct {
	Dir    string   `json:"dir"`
	Groups []string `json:"groups"` // empty: everyone
}

type shownMount struct {
	Host string `json:"host"`
	Dir  string `json:"dir"`
}

func (l *mountLists) shown() (s shownMounts) {
	if !l.exports {
		s.Mounts = make([]shownMount, 0, len(l.Mounts))
		for _, m := range l.Mounts {
			s.Mounts = append(s.Mounts, shownMount(m))
		}
		return s
	}
	s.Exports = make([]shownExport, 0, len(l.Exports))
	for _, e := range l.Exports {
		s.Exports = append(s.Exports, shownExport{e.Dir, append([]string{}, e.Groups...)})
	}
	return s
}

// ask finds the mountd of host and asks it: version 3, or 1 where that is all
// there is or where 3 does not answer.
func (l *mountLists) ask(ctx context.Context, host string, exports bool) error {
	l.exports = exports
	at, all, err := registrations(ctx, host)
	if err != nil {
		return l.withoutRpcbind(ctx, host, err)
	}
	var first error
	for _, w := range ways(all, mountd.Program, at) {
		if w.vers != mountd.Version && w.vers != mountd.Version1 {
			continue
		}
		err := l.askAt(ctx, at, w)
		if err == nil || ctx.Err() != nil {
			return err
		}
		first = cmp.Or(first, err)
	}
	if first == nil {
		first = &portmap.Error{Prog: mountd.Program, Vers: mountd.Version, Netid: "tcp or udp", Err: portmap.ErrNotRegistered}
	}
	return first
}

// withoutRpcbind tries the usual port: firewalls hide rpcbind.
func (l *mountLists) withoutRpcbind(ctx context.Context, host string, why error) error {
	addrs, err := resolve(ctx, host, "")
	if err != nil || ctx.Err() != nil {
		return why
	}
	for _, a := range addrs {
		if l.askAt(ctx, a, way{mountd.Version, netidOf(portmap.NetidTCP, a), mountd.DefaultPort}) == nil {
			return nil
		}
	}
	return why
}

func (l *mountLists) askAt(ctx context.Context, at netip.Addr, w way) error {
	return askServer(ctx, w.netid, at, w.port, func(ctx context.Context, c *rpc.Client) (err error) {
		m := mountd.NewLister(c, w.vers)
		if l.exports {
			l.Exports, err = m.Export(ctx)
		} else {
			l.Mounts, err = m.Dump(ctx)
		}
		return err
	})
}

// print writes the list in the form of showmount(8).
func (l *mountLists) print(w io.Writer, host string, directories, all, headers bool) {
	header := "Hosts on"
	var lines []string
	switch {
	case l.exports:
		header = "Export list for"
		width := 0
		for _, e := range l.Exports {
			width = max(width, len(printable(e.Dir)))
		}
		for _, e := range l.Exports {
			groups := printable(strings.Join(e.Groups, ","))
			if groups == "" {
				groups = "(everyone)"
			}
			lines = append(lines, fmt.Sprintf("%-*s %s", width, printable(e.Dir), groups))
		}
	case directories:
		header = "Directories on"
		for _, m := range l.Mounts {
			lines = append(lines, printable(m.Dir))
		}
	case all:
		header = "All mount points on"
		for _, m := range l.Mounts {
			lines = append(lines, printable(m.Host+":"+m.Dir))
		}
	default:
		for _, m := range l.Mounts {
			lines = append(lines, printable(m.Host))
		}
	}
	if !l.exports { // exports are in the server's order
		slices.Sort(lines)
		lines = slices.Compact(lines)
	}
	if headers {
		fmt.Fprintf(w, "%s %s:\n", header, host)
	}
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}
