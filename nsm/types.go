package nsm

import "github.com/gonfs/gonfs/xdr"

// Res is enum res: whether the monitor does what it was asked.
type Res uint32

// The values of Res. Any other one is treated as Fail.
const (
	Succ Res = 0 // STAT_SUCC: the host is, or can be, watched
	Fail Res = 1 // STAT_FAIL: it is not
)

// StatRes is struct sm_stat_res, the result of STAT and MON. State is the state
// number of the monitor's own host: odd while the host is up.
type StatRes struct {
	Res   Res
	State int32
}

// XDR reads and writes sm_stat_res.
func (r *StatRes) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Res)
	c.Int32(&r.State)
}

// MyID is struct my_id: which service of the host is to be called. Name is the
// name of that host.
type MyID struct {
	Name             string
	Prog, Vers, Proc uint32
}

// XDR reads and writes my_id; its numbers are signed in the specification, and
// program numbers are not.
func (m *MyID) XDR(c *xdr.Codec) {
	c.String(&m.Name, MaxName)
	c.Uint32(&m.Prog)
	c.Uint32(&m.Vers)
	c.Uint32(&m.Proc)
}

// MonID is struct mon_id: who is watched, and for whom.
type MonID struct {
	Name string // mon_name: the name or the address of the host that is watched
	My   MyID
}

// XDR reads and writes mon_id.
func (m *MonID) XDR(c *xdr.Codec) {
	c.String(&m.Name, MaxName)
	m.My.XDR(c)
}

// Mon is struct mon, the argument of MON. Priv comes back in the callback.
type Mon struct {
	ID   MonID
	Priv [PrivSize]byte
}

// XDR reads and writes mon.
func (m *Mon) XDR(c *xdr.Codec) {
	m.ID.XDR(c)
	c.Fixed(m.Priv[:])
}

// StatChge is struct stat_chge, the argument of NOTIFY: the host Name was
// restarted, and its state number is State now.
type StatChge struct {
	Name  string
	State int32
}

// XDR reads and writes stat_chge.
func (s *StatChge) XDR(c *xdr.Codec) {
	c.String(&s.Name, MaxName)
	c.Int32(&s.State)
}

// Status is struct status, the argument of the callback that MON asked for:
// the host Name, which was watched, has the state number State now.
type Status struct {
	Name  string
	State int32
	Priv  [PrivSize]byte
}

// XDR reads and writes status.
func (s *Status) XDR(c *xdr.Codec) {
	c.String(&s.Name, MaxName)
	c.Int32(&s.State)
	c.Fixed(s.Priv[:])
}

// name is struct sm_name, the argument of STAT.
type name string

func (n *name) XDR(c *xdr.Codec) { c.String((*string)(n), MaxName) }

// state is struct sm_stat, the result of UNMON and UNMON_ALL.
type state int32

func (s *state) XDR(c *xdr.Codec) { c.Int32((*int32)(s)) }
