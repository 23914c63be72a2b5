package nfstest_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nfstest"
)

func TestListsGoOverTheConnectionOfNFS(t *testing.T) {
	want, err := nfsacl.Parse("u::rw,u:5:r,g::r,m::r,o::-", nfsacl.Names{})
	must(t, err)
	for _, how := range ways {
		t.Run(how, func(t *testing.T) {
			s := nfstest.Start(t, nfstest.Options{})
			c := connect(t, s, how)
			a := nfsacl.NewClient(c.RPC())
			must(t, a.Null(c.ctx))
			fh := c.create(t, "f")
			var set nfsacl.SetaclReply
			must(t, a.Setacl(c.ctx, c.cred, &nfsacl.SetaclArgs{Object: fh, Lists: nfsacl.Lists{Mask: nfsacl.MaskACL, Access: want}}, &set))
			if set.Attr.Attr.Mode != 0640 {
				t.Errorf("mode %o after SETACL", set.Attr.Attr.Mode)
			}
			var got nfsacl.GetaclReply
			must(t, a.Getacl(c.ctx, c.cred, &nfsacl.GetaclArgs{Object: fh, Mask: nfsacl.MaskAll}, &got))
			if diff := cmp.Diff(want, got.Lists.Access); diff != "" {
				t.Error(diff)
			}
			s.Fault(nfstest.Fault{Program: nfsacl.Program, Procs: []uint32{nfsacl.ProcGetacl}, Do: []nfstest.Action{nfstest.Status(nfs3.ErrStale)}})
			if err := a.Getacl(c.ctx, c.cred, &nfsacl.GetaclArgs{Object: fh}, &got); !errors.Is(err, nfs3.ErrStale) {
				t.Errorf("with a fault: %v", err)
			}
			if n := s.Counts()["NFSACL.GETACL"]; n != 2 {
				t.Errorf("%d GETACLs were counted", n)
			}
		})
	}
}

func TestAServerWithoutListsLacksTheProgram(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{NoACL: true})
	c := connect(t, s, "mem-tcp")
	if err := nfsacl.NewClient(c.RPC()).Null(c.ctx); !errors.Is(err, syscall.EPFNOSUPPORT) {
		t.Errorf("got %v", err)
	}
}
