package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// How long a call waits after NFS3ERR_JUKEBOX ("the file is on tape, ask
// again"). Linux waits 5 s each time; most servers are ready long before.
const (
	jukeboxFirst = 100 * time.Millisecond
	jukeboxMost  = 5 * time.Second
)

// retry makes a call again for as long as the server answers with
// NFS3ERR_JUKEBOX (RFC 1813 section 2.6): after 100 ms, then twice as long each
// time, up to 5 s, all with a random part so that many callers do not come
// back at once. Each is a new call with a new XID: a server's duplicate-request
// cache would repeat the old answer. It ends with ctx, as rpc.Sleep does, even on
// hard mounts; on soft ones it waits as well, for the server does answer.
func (fs *FS) retry(ctx context.Context, call func() error) error {
	for wait := jukeboxFirst; ; wait = min(2*wait, jukeboxMost) {
		err := call()
		if err == nil || !errors.Is(err, nfs3.ErrJukebox) {
			return err
		}
		if err := rpc.Sleep(ctx, wait-rand.N(wait/4)); err != nil {
			return err
		}
	}
}
