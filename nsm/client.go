package nsm

import (
	"context"
	"fmt"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Client calls a status monitor. It is safe for concurrent use; how long it
// waits is the policy of the rpc.Client, and ctx cancels each call. Monitors
// take all but STAT, NULL and NOTIFY from their own host alone.
type Client struct{ c *rpc.Client }

// NewClient returns a client that calls over the connections of c, whatever
// program c is bound to. Closing c is left to the caller.
func NewClient(c *rpc.Client) *Client { return &Client{c.Bind(Program, Version)} }

// Error is a STAT or MON that the monitor answered with Res other than Succ.
type Error struct {
	Proc string // STAT or MON
	Name string // mon_name
	Res  Res
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("the status monitor refused %s of %q (result %d): see the log of rpc.statd", e.Proc, e.Name, e.Res)
}

// Null is SM_NULL, procedure 0: it shows that the monitor lives.
func (c *Client) Null(ctx context.Context) error { return c.call(ctx, "NULL", ProcNull, nil, nil) }

// Stat is SM_STAT, procedure 1: the state number of the monitor's host, or an
// *Error if it would not watch the host called n. rpc.statd of Linux answers
// Fail for every name.
func (c *Client) Stat(ctx context.Context, n string) (int32, error) {
	a, r := name(n), StatRes{Res: Fail}
	if err := c.call(ctx, "STAT", ProcStat, &a, &r); err != nil {
		return 0, err
	}
	if r.Res != Succ {
		return 0, &Error{"STAT", n, r.Res}
	}
	return r.State, nil
}

// Mon is SM_MON, procedure 2: the monitor watches m.ID.Name from now on, and
// calls m.ID.My when that host was restarted. It returns the state number of
// the monitor's host, or an *Error. The same MonID again replaces Priv.
func (c *Client) Mon(ctx context.Context, m *Mon) (int32, error) {
	r := StatRes{Res: Fail}
	if err := c.call(ctx, "MON", ProcMon, m, &r); err != nil {
		return 0, err
	}
	if r.Res != Succ {
		return 0, &Error{"MON", m.ID.Name, r.Res}
	}
	return r.State, nil
}

// Unmon is SM_UNMON, procedure 3: the end of a MON with the same MonID. It
// returns the state number of the monitor's host, whether there was one or not.
func (c *Client) Unmon(ctx context.Context, m *MonID) (int32, error) {
	var s state
	err := c.call(ctx, "UNMON", ProcUnmon, m, &s)
	return int32(s), err
}

// UnmonAll is SM_UNMON_ALL, procedure 4: the end of all MONs with this MyID.
func (c *Client) UnmonAll(ctx context.Context, m *MyID) (int32, error) {
	var s state
	err := c.call(ctx, "UNMON_ALL", ProcUnmonAll, m, &s)
	return int32(s), err
}

// SimuCrash is SM_SIMU_CRASH, procedure 5: the monitor tells all hosts that it
// watches that its own was restarted: they drop the locks that this host holds.
func (c *Client) SimuCrash(ctx context.Context) error {
	return c.call(ctx, "SIMU_CRASH", ProcSimuCrash, nil, nil)
}

// Notify is SM_NOTIFY, procedure 6: the monitor is told that the host s.Name,
// which is mostly the caller's, was restarted.
func (c *Client) Notify(ctx context.Context, s *StatChge) error {
	return c.call(ctx, "NOTIFY", ProcNotify, s, nil)
}

// call makes one call: all of NSM may be executed twice.
func (c *Client) call(ctx context.Context, proc string, number uint32, args, reply xdr.Value) error {
	if err := c.c.Call(ctx, &rpc.Call{Proc: number, Args: args, Reply: reply, Idempotent: true}); err != nil {
		return fmt.Errorf("%s of the status monitor: %w", proc, err)
	}
	return nil
}
