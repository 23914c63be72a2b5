package mountd

import (
	"context"

	"github.com/gonfs/gonfs/rpc"
)

// Lister asks a mountd of version 3 or 1 for what is there to see: the
// procedures and the form of these lists are the same in both, and some servers
// have only the old one for them. It is a Client without what differs.
type Lister struct{ c Client }

// NewLister returns a Lister of the given version, Version or Version1, that
// calls over the connections of c. Closing c is left to the caller.
func NewLister(c *rpc.Client, version uint32) *Lister {
	return &Lister{Client{c.Bind(Program, version)}}
}

// Null is procedure 0 of either version: it shows that mountd lives.
func (l *Lister) Null(ctx context.Context) error { return l.c.Null(ctx) }

// Dump is procedure 2 of either version; see Client.Dump.
func (l *Lister) Dump(ctx context.Context) ([]Mount, error) { return l.c.Dump(ctx) }

// Export is procedure 5 of either version; see Client.Export.
func (l *Lister) Export(ctx context.Context) ([]Export, error) { return l.c.Export(ctx) }
