package mount

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// traced mounts with a trace, and returns the steps.
func traced(t *testing.T, srv *nfstest.Server, rules map[string]string, opts string) (steps []Step, err error) {
	t.Helper()
	m := newWire(srv, rules).mounter(t, "127.0.0.1", opts)
	m.trace.to = func(s Step) { steps = append(steps, s) }
	s, err := m.mount(soon(t))
	if err == nil {
		s.Close()
	}
	return steps, err
}

func TestTraceTellsOfEachStep(t *testing.T) {
	for _, tt := range []struct {
		name, opts string
		rules      map[string]string
		fault      nfstest.Fault
		want       string // the operations in their order, those that fail with "!"
		last       string // in the last step
	}{
		{"all is well", "tcp", nil, nfstest.Fault{}, "resolve rpcbind rpcbind MNT sec connect FSINFO sizes", "rsize=1048576,wsize=1048576"},
		{"ports that are given", "tcp,port=2049,mountport=20048", nil, nfstest.Fault{}, "resolve MNT sec connect FSINFO sizes", "rtmax 1048576"},
		{"no rpcbind", "tcp", map[string]string{"tcp 111": "refuse"}, nfstest.Fault{}, "resolve rpcbind! rpcbind rpcbind MNT sec connect FSINFO sizes", ""},
		{"a mountd that refuses", "tcp", nil,
			nfstest.Fault{Program: mountd.Program, Procs: []uint32{mountd.ProcMnt}, Do: []nfstest.Action{nfstest.Status(nfs3.ErrNoent)}}, "resolve rpcbind rpcbind MNT!", "MNT of /export"},
		{"a mountd that is not there", "tcp", map[string]string{"tcp 20048": "refuse"}, nfstest.Fault{}, "resolve rpcbind rpcbind MNT!", "port 20048/tcp"},
		{"an NFS that is not there", "tcp", map[string]string{"tcp 2049": "refuse"}, nfstest.Fault{}, "resolve rpcbind rpcbind MNT sec connect!", "connection refused"},
		{"an NFS that denies", "tcp", nil, nfstest.Fault{Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Deny(7)}}, "resolve rpcbind rpcbind MNT sec connect FSINFO!", "AUTH_FAILED"},
		{"a flavour that is not offered", "tcp,sec=none", nil,
			nfstest.Fault{Program: mountd.Program, Procs: []uint32{mountd.ProcMnt}, Do: []nfstest.Action{results(words(0, 4, 0x61626364, 1, 1))}}, "resolve rpcbind rpcbind MNT sec!", "a flavour of sys"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := nfstest.NewFor(t, nfstest.Options{})
				if tt.fault.Do != nil {
					srv.Fault(tt.fault)
				}
				steps, err := traced(t, srv, tt.rules, tt.opts)
				var ops []string
				for _, s := range steps {
					op := s.Op
					if s.Err != nil {
						op += "!"
					}
					ops = append(ops, op)
					if (s.Answer == "") != (s.Err != nil) || s.Server != "127.0.0.1" || (s.Port != 0) && s.Netid == "" || s.Asked == "" {
						t.Errorf("a step that does not tell: %+v", s)
					}
				}
				if got := strings.Join(ops, " "); got != tt.want {
					t.Errorf("steps %s, want %s", got, tt.want)
				}
				last := steps[len(steps)-1]
				if !strings.Contains(last.String(), tt.last) || (err != nil) != (last.Err != nil) {
					t.Errorf("the last step is %v, the mount's error %v", last, err)
				}
				var e *Error
				if errors.As(err, &e) && (e.Op != last.Op || e.Hint != last.Hint && e.Op != "sec" || !errors.Is(e.Err, last.Err)) {
					t.Errorf("the trace says %v, the error %v", last, e)
				}
			})
		})
	}
}

func TestWithoutRpcbindTheTraceTellsWhatIsTried(t *testing.T) {
	steps, err := traced(t, nfstest.NewFor(t, nfstest.Options{}), map[string]string{"tcp 111": "refuse", "udp 111": "refuse"}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"port 20048 is tried for MOUNT", "port 2049 is tried for NFS"} {
		if !slices.ContainsFunc(steps, func(s Step) bool { return strings.Contains(fmt.Sprint(s), want) }) {
			t.Errorf("%q is not in %v", want, steps)
		}
	}
}

// What lost a race is not told of, for it did not fail.
func TestLosersOfARaceAreNotInTheTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps, err := traced(t, nfstest.NewFor(t, nfstest.Options{}), map[string]string{"udp 111": "silent"}, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if s.Err != nil {
				t.Errorf("%v", s)
			}
		}
	})
}
