package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rodaine/table"
	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
)

func explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "show what a mount would do, without doing any of it",
		ArgsUsage: "SERVER:/EXPORT [DIR]",

		Description: "Options and /etc/nfsmount.conf are read as by gonfs mount, and it is shown which of\n" +
			"the server's programs would be asked over which transport, and what holds then. No\n" +
			"name is looked up and nothing is sent. With DIR what nfsmount.conf says of that mount\n" +
			"point counts too. gonfs(1) documents the JSON.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "json", Usage: "as a JSON object"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 1, 2, "SERVER:/EXPORT and at most a DIR")
			if err != nil {
				return err
			}
			e, err := explain(operands[0], strings.Join(operands[1:], ""), strings.Join(c.StringSlice("o"), ","))
			if !c.Bool("json") {
				if err != nil {
					return exitcodes.New(exitcodes.Failure, "%w", err)
				}
				return e.print(c.App.Writer)
			}
			enc := json.NewEncoder(c.App.Writer)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			if werr := enc.Encode(e); werr != nil || err == nil {
				return werr
			}
			return &exitcodes.Error{Code: exitcodes.Failure, Err: errors.New("")} // it is in the JSON
		},
	}
}

// explanation is the plan of a mount, in the form of explain --json. With Error
// all the rest is empty.
type explanation struct {
	Spec struct {
		Host string `json:"host"`
		Path string `json:"path"`
	} `json:"spec"`
	Error    string `json:"error"`
	Services struct {
		Rpcbind   viaTransport `json:"rpcbind"`
		Mountd    viaPort      `json:"mountd"`
		NFS       viaPort      `json:"nfs"`
		NLM       viaTransport `json:"nlm"`
		NFSACL    viaTransport `json:"nfsacl"`
		NSMNotify viaTransport `json:"nsm_notify"`
		NSMListen viaTransport `json:"nsm_listen"`
	} `json:"services"`
	TimeoMS      int64    `json:"timeo_ms"`
	Retrans      int      `json:"retrans"`
	Backoff      string   `json:"backoff"`
	Recovery     string   `json:"recovery"`
	Rsize        uint32   `json:"rsize"`
	Wsize        uint32   `json:"wsize"`
	Sec          []string `json:"sec"`
	LocalLock    string   `json:"local_lock"`
	Background   bool     `json:"background"`
	RetryMinutes uint32   `json:"retry_minutes"`
	Effective    string   `json:"effective"`
	Warnings     []string `json:"warnings"`
}

// viaTransport is a service and the netids that it is reached by, with commas
// between them where there are several at once; "" if it is not asked at all.
type viaTransport struct {
	Transport string `json:"transport"`
}

// viaPort is a service of which more is known beforehand.
type viaPort struct {
	Transport string `json:"transport"` // the one that is tried first
	Port      uint16 `json:"port"`      // 0: rpcbind is asked
	Discover  bool   `json:"discover"`  // the transport may change to what the server offers
}

// print writes the explanation for people.
func (e *explanation) print(w io.Writer) error {
	s := &e.Services
	t := table.New("service", "transport", "port", "transport may change").WithWriter(w)
	row := func(name, transport, port, change string) {
		if transport == "" {
			transport, port = "not asked", "-"
		}
		t.AddRow(name, transport, port, change)
	}
	port := func(v viaPort) string {
		if v.Port == 0 {
			return "by rpcbind"
		}
		return fmt.Sprint(v.Port)
	}
	yes := map[bool]string{true: "yes", false: "no"}
	row("rpcbind", s.Rpcbind.Transport, "111", "no")
	row("mountd", s.Mountd.Transport, port(s.Mountd), yes[s.Mountd.Discover])
	row("NFS", s.NFS.Transport, port(s.NFS), yes[s.NFS.Discover])
	row("NLM", s.NLM.Transport, "by rpcbind", "with NFS")
	row("NFSACL", s.NFSACL.Transport, "as NFS", "with NFS")
	row("NSM, sending", s.NSMNotify.Transport, "by rpcbind", "no")
	row("NSM, listening", s.NSMListen.Transport, "any", "no")
	t.Print()

	retry := "once"
	if e.RetryMinutes > 0 {
		retry = fmt.Sprintf("for %d minutes", e.RetryMinutes)
	}
	if e.Background {
		retry += ", in the background after the first attempt"
	}
	size := func(n uint32) string {
		if n == 0 {
			return "negotiated"
		}
		return fmt.Sprintf("%d bytes, or the server's maximum", n)
	}
	for _, l := range [][2]string{
		{"server", e.Spec.Host}, {"export", printable(e.Spec.Path)}, {"mount", "tried " + retry},
		{"calls", fmt.Sprintf("sent again after %v (%s), %d times, then %s", time.Duration(e.TimeoMS)*time.Millisecond, e.Backoff, e.Retrans, e.Recovery)},
		{"rsize", size(e.Rsize)}, {"wsize", size(e.Wsize)},
		{"sec", strings.Join(e.Sec, ":")}, {"local locks", e.LocalLock}, {"options", e.Effective},
	} {
		fmt.Fprintf(w, "%-12s %s\n", l[0], l[1])
	}
	for _, line := range e.Warnings {
		fmt.Fprintf(w, "%-12s %s\n", "note", line)
	}
	return nil
}
