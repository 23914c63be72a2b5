package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "try a mount step by step, and say what is wrong and what to do",
		ArgsUsage: "SERVER[:/EXPORT]",
		Description: "Each step is shown with what was asked, of whom, over which transport, what came of\n" +
			"it and how long it took; for what failed, the likely cause and lines to type. Nothing\n" +
			"is mounted on this host, and nothing is changed on the server. With SERVER alone the\n" +
			"steps end before the mount. The exit code is 0 if all is well, 1 if something should\n" +
			"be looked at, and 32 if the mount would fail.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "json", Usage: "as a JSON object"},
			&cli.UintFlag{Name: "idle", Usage: "leave a connection alone for `SECONDS`, and see whether it lives"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 1, 1, "SERVER or SERVER:/EXPORT")
			if err != nil {
				return err
			}
			d := &doctor{idle: time.Duration(min(c.Uint("idle"), 1<<20)) * time.Second}
			d.Spec, d.w, d.json, d.Findings = operands[0], c.App.Writer, c.Bool("json"), []finding{}
			d.examine(c.Context, strings.Join(c.StringSlice("o"), ","))
			if c.Context.Err() != nil {
				return context.Canceled
			}
			if err := d.end(); err != nil {
				return err
			}
			switch {
			case d.Well:
				return nil
			case d.Mounts:
				return &exitcodes.Error{Code: exitcodes.UsageError, Err: errors.New("")}
			}
			return &exitcodes.Error{Code: exitcodes.Failure, Err: errors.New("")} // it has been said
		},
	}
}

// doctor examines one server.
type doctor struct {
	report
	spec   mountopt.Spec
	path   bool // an export was given
	opts   *mountopt.Options
	idle   time.Duration
	at     netip.Addr     // the address that answered
	all    []portmap.Rpcb // what is registered there; nil if no rpcbind answered
	failed bool           // a step of the mount failed
}

// examine does all checks.
func (d *doctor) examine(ctx context.Context, options string) {
	if err := d.read(options); err != nil {
		f := finding{Check: "options", Asked: options, Answer: textOr(err, ""), Result: isFailure, Try: []string{"man mount.gonfs"}}
		var e *mountopt.Error
		if errors.As(err, &e) && e.Option == "" && e.Value == d.written() {
			f.Check, f.Asked, f.Try = "server", "SERVER or SERVER:/EXPORT", []string{"gonfs doctor --help"}
		}
		d.add(f)
		return
	}
	for _, w := range d.opts.Warnings {
		d.add(finding{Check: "options", Answer: w, Result: isNote})
	}
	known := false
	for _, host := range d.spec.Hosts() {
		if known = d.hosts(ctx, host) || known; ctx.Err() != nil {
			return
		}
	}
	if !known {
		return // the rest would say so again
	}
	if !d.path {
		d.exports(ctx)
		return
	}
	s := d.mount(ctx)
	if s == nil || ctx.Err() != nil {
		return
	}
	d.rights(ctx, s)
	d.udp(ctx, s)
	d.locks(ctx, s)
	d.nat(ctx, s)
	began := time.Now()
	err := s.Umount(ctx)
	f := finding{Check: "UMNT", Server: s.Server(), Asked: "UMNT of " + d.spec.Path, Answer: textOr(err, "told"), LatencyMS: since(began), Result: isOK}
	if err != nil {
		f.Result, f.Cause = isNote, "it does no harm: the server's list of mounts is for people to read"
	}
	d.add(f)
}

// read takes the command line apart, with nfsmount.conf, as mount does.
func (d *doctor) read(options string) (err error) {
	d.path = d.written() == d.Spec
	d.spec, d.opts, err = readMount(d.written(), "", options)
	return err
}

// written is what was given, with a path where it has none.
func (d *doctor) written() string {
	if looksRemote(d.Spec) && !strings.HasSuffix(d.Spec, "]") || strings.HasPrefix(d.Spec, ":") {
		return d.Spec
	}
	return d.Spec + ":/"
}

// fault is one of the server's, with what is known of the mount.
func (d *doctor) fault(op, host, netid string, port uint16, err error) fault {
	return fault{op: op, host: host, path: d.spec.Path, netid: netid, port: port, err: err}
}

// maxExports bounds how many exports are named: gonfs showmount lists them all.
const maxExports = 20

// exports shows what may be mounted.
func (d *doctor) exports(ctx context.Context) {
	var l mountLists
	began := time.Now()
	err := l.ask(ctx, d.spec.Hosts()[0], true)
	f := finding{Check: "exports", Server: d.spec.Hosts()[0], Asked: "EXPORT of mountd", LatencyMS: since(began), Result: isOK}
	if err != nil {
		f.Result, f.Answer = isWarning, textOr(err, "")
		f.Cause, f.Try = d.fault("MNT", d.spec.Host, "", 0, err).diagnose()
	} else {
		names := make([]string, len(l.Exports))
		for i, e := range l.Exports {
			names[i] = e.Dir
			f.Try = append(f.Try, "gonfs doctor "+word(mountopt.Spec{Host: d.spec.Host, Path: e.Dir}.String()))
		}
		f.Answer = fmt.Sprintf("%d exports: %s", len(names), strings.Join(names[:min(len(names), maxExports)], " "))
		f.Try = f.Try[:min(len(f.Try), maxExports/4)]
	}
	d.add(f)
	d.Mounts = err == nil && d.count(isFailure) == 0
}

// mount makes the mount, by the very code of a mount; nil if it failed.
func (d *doctor) mount(ctx context.Context) *mount.Session {
	s, err := mount.Dial(ctx, mount.Config{Spec: d.spec, Options: d.opts, Cred: rpc.ProcessCred(), Trace: d.step})
	if d.settle(err == nil); err == nil {
		return s
	}
	f := finding{Check: "mount", Asked: "gonfs mount " + word(d.spec.String()), Answer: textOr(err, ""), Result: isFailure}
	var e *mount.Error
	if errors.As(err, &e) {
		f.Answer, f.Server = e.Message(), e.Server
		if !d.failed { // nothing was said of a cause yet
			fault := d.fault(e.Op, d.spec.Hosts()[0], "", 0, e.Err)
			fault.hint = e.Hint
			f.Cause, f.Try = fault.diagnose()
		}
	}
	d.add(f)
	return nil
}

// step is told of each step of the mount.
func (d *doctor) step(s mount.Step) {
	if s.Op == "resolve" && s.Err == nil {
		return // hosts has said it
	}
	f := finding{
		Check: s.Op, Server: s.Server, Port: s.Port, Transport: s.Netid, Asked: s.Asked, Answer: textOr(s.Err, s.Answer),
		LatencyMS: float64(s.Took.Microseconds()) / 1000, Result: isOK, step: true,
	}
	if s.Err != nil {
		d.failed = true
		fault := d.fault(s.Op, d.spec.Hosts()[0], s.Netid, s.Port, s.Err)
		fault.hint = s.Hint
		f.Result = isFailure
		f.Cause, f.Try = fault.diagnose()
	}
	d.add(f)
}
