package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/portmap"
)

func rpcinfoCommand() *cli.Command {
	return &cli.Command{
		Name:      "rpcinfo",
		Usage:     "show the RPC programs of a server, or try whether one answers",
		ArgsUsage: "[SERVER [PROGRAM [VERSION]]]",
		Description: "SERVER is this host by default. PROGRAM is a number or a name: nfs, mountd,\n" +
			"nlockmgr, status, nfs_acl, portmapper, rquotad. With it, it is called over the\n" +
			"transport of -T; without VERSION in each version that it says it has.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "p", Usage: "in the form of version 2 of rpcbind"},
			&cli.BoolFlag{Name: "s", Usage: "one line a program"},
			&cli.BoolFlag{Name: "m", Usage: "what rpcbind was asked since it was started, and its clock"},
			&cli.BoolFlag{Name: "l", Usage: "all addresses of PROGRAM in VERSION"},
			&cli.StringFlag{Name: "T", Value: portmap.NetidTCP, Usage: "call PROGRAM over `NETID`: tcp, udp, tcp6 or udp6"},
			&cli.UintFlag{Name: "n", Usage: "call PROGRAM at `PORT` without asking rpcbind"},
			&cli.BoolFlag{Name: "json", Usage: "the list as JSON"},
		},
		Action: rpcinfo,
	}
}

func rpcinfo(c *cli.Context) error {
	operands, err := args(c, 0, 3, "SERVER, PROGRAM and VERSION at most")
	if err != nil {
		return err
	}
	if err := forms(c, len(operands) > 1); err != nil {
		return exitcodes.Usage(fmt.Errorf("rpcinfo: %w", err))
	}
	host := "localhost"
	if len(operands) > 0 {
		host = operands[0]
	}
	if len(operands) >= 2 {
		p, err := newPing(host, operands[1:], c.String("T"), c.Uint("n"))
		if err == nil && c.Bool("l") && !p.oneVersion {
			err = errors.New("-l wants PROGRAM and VERSION")
		}
		if err != nil {
			return exitcodes.Usage(fmt.Errorf("rpcinfo: %w", err))
		}
		if c.Bool("l") {
			return wrap(p.addresses(c.Context, c.App.Writer))
		}
		return wrap(p.run(c.Context, c.App.Writer))
	}
	if c.Bool("l") {
		return exitcodes.Usage(errors.New("rpcinfo: -l wants SERVER, PROGRAM and VERSION"))
	}
	if c.Bool("m") {
		return wrap(statistics(c.Context, c.App.Writer, host))
	}
	_, all, err := registrations(c.Context, host)
	if err != nil {
		return wrap(err)
	}
	switch {
	case c.Bool("json"):
		e := json.NewEncoder(c.App.Writer)
		e.SetIndent("", "  ")
		return e.Encode(shownPrograms(all))
	case c.Bool("p"):
		printOld(c.App.Writer, all)
	case c.Bool("s"):
		printShort(c.App.Writer, all)
	default:
		printAll(c.App.Writer, all)
	}
	return nil
}

// forms makes sure that one thing is asked for, and no flag is left aside.
func forms(c *cli.Context, program bool) error {
	var lists []string
	for _, flag := range []string{"p", "s", "m", "json"} {
		if c.Bool(flag) {
			lists = append(lists, flag)
		}
	}
	switch {
	case len(lists) > 1:
		return errors.New("only one of -p, -s, -m and --json can be shown")
	case program && len(lists) > 0:
		return errors.New("-p, -s, -m and --json are for the list of all programs: leave PROGRAM out")
	case !program && (c.IsSet("T") || c.IsSet("n")):
		return errors.New("-T and -n are for a call: name the PROGRAM")
	}
	return nil
}

// shownProgram is what --json prints of a registration.
type shownProgram struct {
	Program uint32 `json:"program"`
	Version uint32 `json:"version"`
	Netid   string `json:"netid"`
	Address string `json:"address"` // universal (RFC 5665), or the path of a local socket
	Owner   string `json:"owner"`
}

func shownPrograms(all []portmap.Rpcb) []shownProgram {
	shown := make([]shownProgram, 0, len(all)) // an array, if an empty one
	for _, r := range all {
		shown = append(shown, shownProgram{r.Prog, r.Vers, r.Netid, r.Addr, r.Owner})
	}
	return shown
}

func wrap(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("rpcinfo: %w", err)
}

// programs are the names of /etc/rpc that have to do with NFS.
var programs = []struct {
	number uint32
	name   string
}{
	{100000, "portmapper"}, {100003, "nfs"}, {100005, "mountd"}, {100021, "nlockmgr"}, {100024, "status"},
	{100227, "nfs_acl"}, {100011, "rquotad"}, {100001, "rstatd"}, {100002, "rusersd"}, {100004, "ypserv"},
	{100007, "ypbind"}, {100008, "walld"}, {100012, "sprayd"}, {100020, "llockmgr"}, {100026, "bootparam"}, {100029, "keyserv"},
}

// programName returns the name of a program, "" if it has none here.
func programName(n uint32) string {
	for _, p := range programs {
		if p.number == n {
			return p.name
		}
	}
	return ""
}

// programNumber reads a number or a name.
func programNumber(s string) (uint32, error) {
	for _, p := range programs {
		if p.name == s {
			return p.number, nil
		}
	}
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		return 0, fmt.Errorf("program %q is neither a number nor a known name", s)
	}
	return uint32(n), nil
}
