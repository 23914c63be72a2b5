package nfstest

import (
	"math"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// plan is what the faults that met one call want done with it. Its zero value
// is an ordinary call.
type plan struct {
	names []string // of the actions, for the log

	// Before the call is executed.
	dropCall  bool
	delayCall time.Duration
	dupCall   int
	crash     bool
	halfOpen  bool

	// While it is executed.
	accept  *rpc.AcceptStat
	deny    *uint32 // auth_stat
	status  *nfs3.Status
	lock    *nlm.Stats
	shorten *uint32
	topBit  bool
	verf    bool
	edits   []func(args, reply any)

	// With its reply.
	dropReply  bool
	delayReply time.Duration
	dupReply   int
	reorder    time.Duration
	gather     int // 0: not with others
	gatherFor  time.Duration
	message    []func(msg []byte) []byte
	fragment   int
	record     []func(rec []byte) []byte
	resetAt    *int
	finAt      *int
}

// override sets the status that a fault decided. It reports whether there was
// one: the call is then not executed.
func (c *Call) override(reply any) bool {
	if c.faults.status == nil {
		return false
	}
	setStatus(reply, *c.faults.status)
	return true
}

// edit lets the faults change the reply.
func (c *Call) edit(reply any) {
	for _, f := range c.faults.edits {
		f(c.Args, reply)
	}
}

// short returns how many bytes READ and WRITE may move at most.
func (c *Call) short() uint32 {
	if c.faults.shorten == nil {
		return math.MaxUint32
	}
	return *c.faults.shorten
}

// topBit is what TopCookies adds to cookies.
const topBit = 1 << 63

// cookie returns the file system's cookie for one that a client sent.
func (c *Call) cookie(v uint64) uint64 {
	if c.faults.topBit {
		v &^= topBit
	}
	return v
}

// newVerf reports whether the write verifier is to change at this COMMIT.
func (c *Call) newVerf() bool { return c.faults.verf }
