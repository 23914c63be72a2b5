package mount

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/rpc"
)

// longestName is the most that namlen= can say, as in the Linux client
// (NFS3_MAXNAMLEN).
const longestName = 255

// root is what NFS tells of the export.
type root struct {
	fh       nfs3.FH
	attr     nfs3.Fattr
	info     nfs3.FsinfoReply
	pathconf nfs3.PathconfReply
	lists    bool // the server has NFSACL
}

// String is what an administrator wants to know of it.
func (r *root) String() string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("owner %d:%d, mode %04o, longest name %d", r.attr.UID, r.attr.GID, r.attr.Mode&0o7777, r.pathconf.NameMax)
}

// offer is what the server says of sizes.
func (r *root) offer() string {
	i := &r.info
	return fmt.Sprintf("sizes, of rtmax %d, rtpref %d, wtmax %d, wtpref %d, dtpref %d", i.Rtmax, i.Rtpref, i.Wtmax, i.Wtpref, i.Dtpref)
}

// examine makes the first calls of NFS: FSINFO, PATHCONF and GETATTR at once,
// and NULL of lists, which is nil if they are not wanted. PATHCONF may fail, and
// of the two others one must bring the attributes.
func (l *link) examine(ctx context.Context, c *nfs3.Client, lists *nfsacl.Client, fh nfs3.FH) (*root, error) {
	ctx, stop := within(ctx, answerLimit(l.way.netid), "NFS over "+l.way.netid)
	defer stop()
	ctx, give := context.WithCancelCause(ctx)
	defer give(nil)
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // ends when the calls have ended
		select {
		case err := <-l.lost:
			give(err)
		case <-ended:
		}
	})
	r := &root{fh: fh}
	var attr nfs3.GetattrReply
	var infoErr, attrErr, confErr error
	var calls sync.WaitGroup // bounded by ctx
	calls.Go(func() {
		infoErr = patiently(ctx, func() error { return c.Fsinfo(ctx, nil, &nfs3.FsinfoArgs{Root: fh}, &r.info) })
	})
	calls.Go(func() {
		attrErr = patiently(ctx, func() error { return c.Getattr(ctx, nil, &nfs3.GetattrArgs{Object: fh}, &attr) })
	})
	calls.Go(func() { confErr = c.Pathconf(ctx, nil, &nfs3.PathconfArgs{Object: fh}, &r.pathconf) })
	listErr := make(chan error, 1)
	probe, stopProbe := context.WithCancel(ctx)
	defer stopProbe()
	if lists != nil {
		wg.Go(func() { listErr <- lists.Null(probe) }) // ends with its call: stopProbe sees to that
	} else {
		listErr <- errNoLists
	}
	calls.Wait()
	err := l.listsWithin(ctx, listErr)
	stopProbe()
	close(ended)
	wg.Wait()

	if r.lists = err == nil; lists != nil && !r.lists {
		l.m.log.DebugContext(ctx, "no access control lists", "server", l.at.host, "error", err)
	}
	if infoErr != nil {
		return nil, reason(ctx, infoErr)
	}
	if confErr != nil {
		l.m.log.DebugContext(ctx, "no PATHCONF", "server", l.at.host, "error", confErr)
		r.pathconf = nfs3.PathconfReply{}
	}
	if n := l.m.opts.NameMax.Value; n != 0 {
		r.pathconf.NameMax = min(n, longestName)
	}
	switch {
	case attrErr == nil:
		r.attr = attr.Attr
	case r.info.Attr.Present:
		r.attr = r.info.Attr.Attr
	default:
		return nil, reason(ctx, attrErr)
	}
	return r, nil
}

// errNoLists stands for NFSACL that nobody asked for.
var errNoLists = errors.New("noacl")

// listsWithin waits for the answer to NULL of NFSACL, for which the mount is
// not held up for long: a firewall may drop what it does not know.
func (l *link) listsWithin(ctx context.Context, answer <-chan error) error {
	t := time.NewTimer(listLimit)
	defer t.Stop()
	select {
	case err := <-answer:
		return err
	case <-t.C:
		return &silenceError{what: "NFSACL over " + l.way.netid, after: listLimit}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// patiently repeats a call that the server is not ready for, until ctx ends.
func patiently(ctx context.Context, call func() error) error {
	for wait := jukeboxFirst; ; wait = min(2*wait, jukeboxLast) {
		err := call()
		if !errors.Is(err, nfs3.ErrJukebox) {
			return err
		}
		if rpc.Sleep(ctx, wait) != nil {
			return err
		}
	}
}
